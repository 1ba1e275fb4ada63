/**
 * Contract between constructs and the release commands: where a service publishes what a release needs, and where releases
 * are recorded. Plain data that both import, so that neither imports the other.
 */

/** Docker label that keeps the command of the image which a release brings, while the bootstrap image runs. */
export const COMMAND_LABEL = "antifragile.command";

/** Variable of the bootstrap image only: a release removes it. */
export const BOOTSTRAP_VARIABLE = "BOOTSTRAP_HEALTHY";

/** Admin process that every release runs first, with the new image. */
export const MIGRATE = "migrate";

/** Stack of services that are released together. */
export interface ReleasePlace {
  /** Name of the environment: `dev`. */
  readonly environment: string;
  /** Name of the platform: `shop`. */
  readonly platform: string;
  /** Name of the stack, without environment and lifetime: `orders`. */
  readonly stack: string;
}

function releasePath({ environment, platform, stack }: ReleasePlace): string {
  return `/antifragile/${environment}/${platform}/releases/${stack}`;
}

/** Name of the SSM parameter that holds the release that is live, as a {@link ReleaseRecord}; its versions are the history. */
export function recordParameter(place: ReleasePlace): string {
  return `${releasePath(place)}/record`;
}

/** Name of the SSM parameter that exists while a release runs, so that no other starts; a {@link ReleaseLock}. */
export function lockParameter(place: ReleasePlace): string {
  return `${releasePath(place)}/lock`;
}

/** Name of the SSM parameter that holds the commit whose infrastructure a CI system applied last. */
export function commitParameter(place: ReleasePlace): string {
  return `${releasePath(place)}/commit`;
}

/** Path of the SSM parameters that hold a {@link ProcessTemplate} for each service of the stack. */
export function processesPath(place: ReleasePlace): string {
  return `${releasePath(place)}/processes`;
}

/** Placement of a process's tasks in the network. */
export interface TaskNetwork {
  /** Ids, separated by commas. */
  readonly subnets: string;
  readonly securityGroup: string;
  readonly assignPublicIp: boolean;
}

/** Data about one service that releases, admin processes and `status` need. */
export interface ProcessTemplate {
  readonly kind: "web" | "worker" | "job";
  /** Owner of the task definition that runs: a release moves it, or Terraform. */
  readonly owner: "pipeline" | "terraform";
  readonly cluster: string;
  /** Name of the ECS service; a job has none. */
  readonly service?: string;
  /** Name of the schedule; only a job has one. */
  readonly schedule?: string;
  /** Name of the app's container. */
  readonly container: string;
  /** ARN of the task definition that Terraform wrote: everything of a release but image and command. */
  readonly task: string;
  /** Name of its images: a repository of ECR, or `registry/name` of an image that Terraform starts. */
  readonly source: string;
  /** True where Terraform starts the bootstrap image; a release replaces its command too. */
  readonly bootstrap: boolean;
  /** Deployment strategy: `rolling`, `canary` ... */
  readonly strategy: string;
  /** Set only where CodeDeploy deploys it. */
  readonly codeDeploy?: { readonly application: string; readonly deploymentGroup: string; readonly port: number };
  /** URL of its Ingress, or the one by which other services on the platform call it; a worker or job has none. */
  readonly url?: string;
  readonly network: TaskNetwork;
  readonly platformVersion?: string;
  readonly capacity: readonly { readonly capacityProvider: string; readonly weight: number; readonly base: number }[];
  /** Names of the alarms that watch it. */
  readonly alarms?: readonly string[];
  /** Commands of its admin processes, by name. */
  readonly admin: Readonly<Record<string, readonly string[]>>;
  /** ARN of the task role of admin processes, where it is not the service's own. */
  readonly adminRole?: string;
  /** Variables that admin processes receive in addition: credentials that may change a schema, for example. */
  readonly adminEnvironment?: Readonly<Record<string, string>>;
}

/** Process of a release. */
export interface ReleasedTask {
  /** Family and revision of the task definition that runs: `shop-dev-orders:12`. */
  readonly task: string;
  /** Revision of the Terraform task definition that it was made from: a newer one means config that is not live. */
  readonly template: number;
  /** Hash over the task definition without the image. */
  readonly config: string;
}

/** Release: images, config, and the task definition of each process. */
export interface Release {
  /** 1, 2, 3 ... Every attempt has its own. */
  readonly number: number;
  /** Time at which it was live, ISO 8601. */
  readonly at: string;
  /** User who released it, as the CI system or the machine names them. */
  readonly by: string;
  /** Image of each source, by digest: `registry/name@sha256:...`. */
  readonly images: Readonly<Record<string, string>>;
  readonly processes: Readonly<Record<string, ReleasedTask>>;
  /** Time at which it began, ISO 8601: an alarm that was red before is not its fault. */
  readonly began?: string;
  /** Release that a rollback restored; undefined for a new one. */
  readonly of?: number;
}

/** Attempt at a release, whatever became of it. */
export type Attempt = Pick<Release, "number" | "at" | "by" | "images">;

/** Value of the record parameter; `{}` before the first release. */
export interface ReleaseRecord {
  readonly live?: Release;
  /** Attempt after the live release that failed. */
  readonly failed?: Attempt & { readonly reason: string };
  /** Attempt that has begun and not ended: it is running while its lock beats, and has died otherwise. */
  readonly started?: Attempt;
}

/** Value of the lock parameter. */
export interface ReleaseLock {
  /** Random id of the command that holds the lock; only that one removes it. */
  readonly id: string;
  readonly number: number;
  readonly by: string;
  /** Begin of the release, ISO 8601. */
  readonly at: string;
}

/** Lock as it was read from AWS. */
export interface LockHolder {
  /** Undefined where the parameter was written by hand and cannot be read. */
  readonly lock: ReleaseLock | undefined;
  /** Last heartbeat: when the parameter was last written. */
  readonly beat: Date;
  /** Version of the parameter. */
  readonly version: number;
}

/** Time between two heartbeats of a lock. */
export const HEARTBEAT_MS = 30_000;

/** Silence after which the release that holds a lock counts as dead. */
export const SILENT_AFTER_MS = 120_000;
