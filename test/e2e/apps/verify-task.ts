/** App of `verify:aws` without the cache, for which the provider waits two minutes on any account. */
import { App } from "../../../constructs";
import { addProbe } from "../../../scripts/verify-aws/probe";

const app = new App();
addProbe(app);
app.synth();
