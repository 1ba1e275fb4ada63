/** The example of backing services; writes the roles, too, that deploy it on AWS. */
import { App } from "../../../constructs";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const { synth } = App.prototype;
App.prototype.synth = function (this: App) {
  synth.call(this);
  writeDeployingRoles(this, { dev: "dev" });
};
void import("../../../examples/backing-services/main");
