import type { Answers } from "../options";
import { compareVersions } from "./merge-json";

/** Change of a version that users of earlier versions notice. The plan of an upgrade and docs/upgrading.md show it. */
export interface ReleaseNote {
  readonly version: string;
  readonly change: string;
  /** Work that an upgrade leaves to the user. */
  readonly todo?: string;
  /** Repositories that it is about. @default - all */
  readonly when?: (answers: Answers) => boolean;
}

const ofService = ({ platform }: Answers) => platform !== true;
const withCiRoles = ({ ci = "none" }: Answers) => !["none", "codepipeline"].includes(ci);

/** Changes by version, the oldest first. */
export const RELEASE_NOTES: readonly ReleaseNote[] = [
  {
    version: "0.0.2",
    change:
      "types are named after AWS: ScaleInStep (was StepIn), ScaleOutStep (StepOut), InstanceScalingSteps (StepsOptions), ScheduledInstances (ScheduleOptions)",
    todo: "rename types that the compiler does not find in infra/",
  },
  {
    version: "0.0.2",
    change: "the package runs game days, so their code leaves the repository; libraries sign in to the cache",
    when: ofService,
  },
  {
    version: "0.0.3",
    change: "commands upgrade and add; antifragile synth instead of tsx, in a third of the time",
  },
  {
    version: "0.0.4",
    change: "staging and production have a permissions boundary",
    todo: "before you deploy staging or production: antifragile bootstrap staging, and production",
  },
  {
    version: "0.0.4",
    change: "the CI file deploys: one image, plan, approval, exactly that plan, release, alarms",
    todo: "deploy delivery, which has a role for each step, and set up what npm run doctor lists",
    when: withCiRoles,
  },
  { version: "0.0.4", change: "a choice of engine and AWS provider: CDK for Terraform and 5, as before" },
  {
    version: "0.1.0",
    change:
      "load balancers of production have access logs in a bucket, about 0.025 USD per GB and month: accessLogs: false turns them off",
  },
  {
    version: "0.1.0",
    change: "profile strict encrypts data and log groups with customer-managed keys, for 1 USD a month each",
    todo: 'where data of a strict environment is deployed, set encryption: "aws-managed" in infra/environments.ts: another key replaces a database',
  },
  {
    version: "0.1.0",
    change: "the job image of the CI file is called build: GitLab reserves the other name",
    when: ({ ci }) => ci === "gitlab",
  },
  {
    version: "0.1.0",
    change:
      "a service in a folder of a repository can have its CI file at the root: antifragile add directory=services/orders",
    when: withCiRoles,
  },
];

/** Changes between two versions that are about a repository. */
export function notesBetween(from: string, to: string, answers: Answers): readonly ReleaseNote[] {
  return RELEASE_NOTES.filter(
    ({ version, when = () => true }) =>
      (compareVersions(version, from) ?? 0) > 0 && (compareVersions(version, to) ?? 1) <= 0 && when(answers),
  );
}
