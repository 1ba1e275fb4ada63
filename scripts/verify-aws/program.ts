/** Smallest app that settles the assumptions which a deployment can settle: a job, and a cache. Synthesized once for each run. */
import { App, Cache } from "../../constructs";
import { addProbe } from "./probe";

const app = new App();
new Cache(addProbe(app).data, "Cache");
app.synth();
