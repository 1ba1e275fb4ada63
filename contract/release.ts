/**
 * What constructs and the release command agree on: where a service tells what a release needs, where releases are
 * recorded, and what the command may do. Plain data that both import, so that neither imports the other.
 */

/** Where a task definition keeps the command that a release puts in with its image, while the bootstrap image runs. */
export const COMMAND_LABEL = "antifragile.command";

/** Variable of the bootstrap image alone: a release takes it out. */
export const BOOTSTRAP_VARIABLE = "BOOTSTRAP_HEALTHY";

/** The admin process that every release runs first, with the new image. */
export const MIGRATE = "migrate";

/** The stack of services that are released together. */
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

/** Name of the SSM parameter that is there while a release runs, so that no other starts; a {@link ReleaseLock}. */
export function lockParameter(place: ReleasePlace): string {
  return `${releasePath(place)}/lock`;
}

/** Path of the SSM parameters that hold a {@link ProcessTemplate} for each service of the stack. */
export function processesPath(place: ReleasePlace): string {
  return `${releasePath(place)}/processes`;
}

/** How tasks of a process are placed in the network. */
export interface TaskNetwork {
  /** Ids, with commas between. */
  readonly subnets: string;
  readonly securityGroup: string;
  readonly assignPublicIp: boolean;
}

/** What a release, an admin process and `status` need to know of one service. */
export interface ProcessTemplate {
  readonly kind: "web" | "worker" | "job";
  /** Who moves it to another task definition. */
  readonly owner: "pipeline" | "terraform";
  readonly cluster: string;
  /** Name of the ECS service; a job has none. */
  readonly service?: string;
  /** Name of the schedule; only a job has one. */
  readonly schedule?: string;
  /** Name of the app's container. */
  readonly container: string;
  /** ARN of the task definition that Terraform wrote: all of a release but image and command. */
  readonly task: string;
  /** What its images are called: a repository of ECR, or `registry/name` of an image that Terraform starts. */
  readonly source: string;
  /** Whether Terraform starts the bootstrap image, whose command goes with it. */
  readonly bootstrap: boolean;
  /** How it goes over to a new version. */
  readonly strategy: string;
  /** Only where CodeDeploy moves it. */
  readonly codeDeploy?: { readonly application: string; readonly deploymentGroup: string; readonly port: number };
  readonly network: TaskNetwork;
  readonly platformVersion?: string;
  readonly capacity: readonly { readonly capacityProvider: string; readonly weight: number; readonly base: number }[];
  /** Names of the alarms that watch it. */
  readonly alarms?: readonly string[];
  /** Commands of its admin processes, by name. */
  readonly admin: Readonly<Record<string, readonly string[]>>;
  /** ARN of the role that admin processes run as, where it is not the service's own: an override of the task's. */
  readonly adminRole?: string;
  /** Variables that admin processes get besides the service's: what may change a schema, and the app may not. */
  readonly adminEnvironment?: Readonly<Record<string, string>>;
}

/** One process of a release. */
export interface ReleasedTask {
  /** Family and revision of the task definition that runs: `shop-dev-orders:12`. */
  readonly task: string;
  /** Revision of the task definition of Terraform that it was made from: another one means config that is not live. */
  readonly template: number;
  /** Hash over all of the task definition but the image. */
  readonly config: string;
}

/** A release: which image, with which config, as which task definition of each process. */
export interface Release {
  /** 1, 2, 3 ... Every attempt has one. */
  readonly number: number;
  /** When it was live, ISO 8601. */
  readonly at: string;
  /** Who released it: the last part of an ARN. */
  readonly by: string;
  /** The image of each source, by digest: `registry/name@sha256:...`. */
  readonly images: Readonly<Record<string, string>>;
  readonly processes: Readonly<Record<string, ReleasedTask>>;
  /** The release that it brought back; undefined for a new one. */
  readonly of?: number;
}

/** What the record parameter holds; `{}` before the first release. */
export interface ReleaseRecord {
  readonly live?: Release;
  /** The attempt after it, where that failed. */
  readonly failed?: Pick<Release, "number" | "at" | "by" | "images"> & { readonly reason: string };
}

/** What the lock parameter holds. */
export interface ReleaseLock {
  readonly number: number;
  readonly by: string;
  /** When it began, ISO 8601. */
  readonly at: string;
}
