import {
  type App,
  CloudNativeService,
  cron,
  type Environment,
  job,
  Platform,
  type ServiceStack,
} from "../../constructs";
import { ENVIRONMENT, programInputs, RUN_TAG, SERVICE } from "./run-names";

/** Adds a platform with a job, whose task a run starts. Returns the stack of the job. */
export function addProbe(app: App): ServiceStack {
  const { run, account, region } = programInputs();
  const environment: Environment = { name: ENVIRONMENT, region, account, profile: "dev" };
  const platform = new Platform(app, run, { environment, vpc: { egress: "public-ip" }, tags: { [RUN_TAG]: run } });
  const stack = platform.stack(SERVICE);
  // The schedule never starts it.
  new CloudNativeService(stack, "Probe", { process: job({ schedule: cron("0 0 1 1 *") }), environment: { EMPTY: "" } });
  return stack;
}
