import type { ProcessTemplate, ReleaseRecord } from "../contract/release";
import { formatTable } from "../contract/table";

/** Status of one service. */
export interface ServiceStatus {
  readonly service: string;
  readonly environment: string;
  readonly platform: string;
  readonly region: string;
  readonly kind: ProcessTemplate["kind"] | "unknown";
  /** URL of its Ingress, or within the platform; undefined for a worker or job. */
  readonly url: string | undefined;
  /** Release that is live, and the attempts after it. */
  readonly release: ReleaseStatus;
  /** Undefined for a job, whose tasks a schedule starts. */
  readonly tasks: { readonly running: number; readonly wanted: number; readonly pending: number } | undefined;
  readonly deployment: {
    readonly state: DeploymentState;
    /** `rolling`, `blueGreen` ...; undefined if unknown. */
    readonly strategy: string | undefined;
    readonly reason: string | undefined;
  };
  readonly alarms: {
    readonly ok: readonly string[];
    readonly alarm: readonly string[];
    /** Alarms with insufficient data. */
    readonly unknown: readonly string[];
  };
  readonly lastScaling: ScalingEvent | undefined;
}

export interface ReleaseStatus {
  readonly owner: ProcessTemplate["owner"] | "unknown";
  /** Number of the release that is live. */
  readonly live: number | undefined;
  /** Number of the release that is running. */
  readonly next: number | undefined;
  /** Number of the attempt after the live one, if it failed. */
  readonly failed: number | undefined;
  /** Number of an attempt that ended without a result: killed, or cut off from AWS. */
  readonly died: number | undefined;
  /** Reason why the record of releases cannot be read. */
  readonly unreadable: string | undefined;
  /** Reason why the lock cannot be read, which keeps other releases from starting. */
  readonly unreadableLock: string | undefined;
  /** True if Terraform has applied a config that the live release does not have: the next release deploys it. */
  readonly configNotLive: boolean;
}

/**
 * `steady`: the desired tasks run. `missing`: the service is applied, and the cluster has none. `bootstrap`: no release was made,
 * so the bootstrap image runs. `not released`: tasks run, but not those of the live release.
 */
export type DeploymentState =
  | "steady"
  | "deploying"
  | "starting"
  | "rolled back"
  | "failed"
  | "scheduled"
  | "missing"
  | "bootstrap"
  | "not released";

export interface ScalingEvent {
  readonly from: number | undefined;
  readonly to: number;
  /** ISO 8601. */
  readonly at: string;
  /** Cause: a policy, a schedule. */
  readonly cause: string;
  /** `Successful`, `Failed` ... */
  readonly outcome: string;
}

/** State of a service as AWS reports it. */
export interface Observed {
  readonly service: string;
  readonly environment: string;
  readonly platform: string;
  readonly region: string;
  readonly template: ProcessTemplate | undefined;
  readonly record: ReleaseRecord | undefined;
  /** Reason why the record cannot be read. */
  readonly recordProblem?: string;
  /** Release that holds the lock; dead if its lock is silent. */
  readonly lock: { readonly number: number; readonly silent: boolean } | undefined;
  /** Reason why the lock, which exists, cannot be read. */
  readonly lockProblem?: string;
  /** Undefined if ECS has no such service. */
  readonly ecs: ObservedService | undefined;
  /** State of each alarm, by name; alarms that do not exist are omitted. */
  readonly alarms: ReadonlyMap<string, string>;
  /** The newest first. */
  readonly activities: readonly Activity[];
}

export interface ObservedService {
  /** Task definition that it runs: an ARN, or `family:revision`. */
  readonly task: string;
  readonly desired: number;
  readonly running: number;
  readonly pending: number;
  readonly deployments: readonly { readonly primary: boolean; readonly state: string; readonly reason: string }[];
}

/** A scaling activity of Application Auto Scaling. */
export interface Activity {
  readonly description: string;
  readonly cause: string;
  readonly at: string;
  readonly outcome: string;
}

/** Derives the status of a service. */
export function statusOf(observed: Observed): ServiceStatus {
  const { template, alarms, activities } = observed;
  const inState = (state: string) => [...alarms].filter(([, is]) => is === state).map(([name]) => name);
  const named = template?.alarms ?? [];
  return {
    service: observed.service,
    environment: observed.environment,
    platform: observed.platform,
    region: observed.region,
    kind: template?.kind ?? "unknown",
    url: template?.url,
    release: releaseOf(observed),
    tasks: observed.ecs && {
      running: observed.ecs.running,
      wanted: observed.ecs.desired,
      pending: observed.ecs.pending,
    },
    deployment: {
      ...deploymentOf(observed),
      strategy: template?.kind === "job" ? undefined : template?.strategy,
    },
    alarms: {
      ok: inState("OK"),
      alarm: inState("ALARM"),
      unknown: [...inState("INSUFFICIENT_DATA"), ...named.filter((name) => !alarms.has(name))],
    },
    lastScaling: scalingOf(activities),
  };
}

function releaseOf({ service, template, record, recordProblem, lock, lockProblem }: Observed): ReleaseStatus {
  const running = lock?.silent === false ? lock.number : undefined;
  const started = record?.started?.number ?? (lock?.silent === true ? lock.number : undefined);
  const released = record?.live?.processes[service];
  const revision = Number(template?.task.split(":").at(-1));
  return {
    owner: template?.owner ?? "unknown",
    live: record?.live?.number,
    next: running,
    failed: record?.failed !== undefined && running === undefined ? record.failed.number : undefined,
    died: started !== running ? started : undefined,
    unreadable: recordProblem,
    unreadableLock: lockProblem,
    configNotLive: template?.owner === "pipeline" && released !== undefined && released.template !== revision,
  };
}

function deploymentOf(observed: Observed): { state: DeploymentState; reason: string | undefined } {
  const { template, ecs } = observed;
  if (ecs === undefined) {
    return { state: template?.kind === "job" ? "scheduled" : "missing", reason: undefined };
  }
  const primary = ecs.deployments.find((deployment) => deployment.primary);
  const reason = primary?.reason || undefined;
  const failed = ecs.deployments.find(({ state }) => state === "FAILED");
  if (failed !== undefined) {
    const state = failed.primary ? "failed" : "rolled back";
    return { state, reason: failed.reason || reason };
  }
  if (ecs.deployments.length > 1 || primary?.state === "IN_PROGRESS") return { state: "deploying", reason };
  return (
    unreleasedIn(observed, ecs) ?? { state: ecs.running === ecs.desired ? "steady" : "starting", reason: undefined }
  );
}

/** State of a service that runs without a release, or runs another task definition than the live release recorded. */
function unreleasedIn(
  { service, environment, template, record, lock }: Observed,
  { task }: ObservedService,
): { state: DeploymentState; reason: string } | undefined {
  if (template?.owner !== "pipeline" || record === undefined || lock?.silent === false) return undefined;
  const released = record.live?.processes[service]?.task;
  if (released === undefined) {
    if (!template.bootstrap) return undefined;
    return { state: "bootstrap", reason: `no release yet: antifragile release ${environment} --image ...` };
  }
  const runs = task.slice(task.lastIndexOf("/") + 1);
  if (runs === "" || runs === released) return undefined;
  const reason = `runs ${runs}, and release ${record.live?.number} recorded ${released}: antifragile release ${environment}`;
  return { state: "not released", reason };
}

/** @see https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html */
function scalingOf([last, before]: readonly Activity[]): ScalingEvent | undefined {
  const to = countIn(last);
  if (last === undefined || to === undefined) return undefined;
  return { from: countIn(before), to, at: last.at, cause: causeOf(last.cause), outcome: last.outcome };
}

function countIn(activity: Activity | undefined): number | undefined {
  const count = /desired count to (\d+)/i.exec(activity?.description ?? "")?.[1];
  return count === undefined ? undefined : Number(count);
}

/** `requests` of `... triggered policy scale-on-requests`. */
function causeOf(cause: string): string {
  const policy = /triggered policy ([^\s,]+)/.exec(cause)?.[1];
  if (policy !== undefined) return policy.replace(/^scale-(on-)?/, "").replaceAll("-", " ");
  const schedule = /scheduled action name ([^\s,]+)/.exec(cause)?.[1];
  if (schedule !== undefined) return schedule;
  return /capacity was (set|changed)|minimum capacity|maximum capacity/.test(cause) ? "bounds" : "by hand";
}

const COLUMNS = ["service", "env", "release", "tasks", "deployment", "alarms", "last scaling"] as const;

/** Table with a line for each service; the platform is the first column where there are several, the URL the last where there is one. */
export function describeStatus(services: readonly ServiceStatus[], now: Date): string {
  const several = new Set(services.map(({ platform }) => platform)).size > 1;
  const reachable = services.some(({ url }) => url !== undefined);
  const rows = [...services]
    .sort(byPlace)
    .map((status) => [
      ...(several ? [status.platform] : []),
      ...cells(status, now),
      ...(reachable ? [status.url ?? "-"] : []),
    ]);
  const headings = [...(several ? ["platform"] : []), ...COLUMNS, ...(reachable ? ["url"] : [])];
  return formatTable(headings, rows);
}

function byPlace(a: ServiceStatus, b: ServiceStatus): number {
  const key = ({ platform, environment, service }: ServiceStatus) => `${platform} ${environment} ${service}`;
  return key(a) < key(b) ? -1 : 1;
}

function cells({ service, environment, release, tasks, deployment, alarms, lastScaling }: ServiceStatus, now: Date) {
  return [
    service,
    environment,
    releaseCell(release),
    tasks === undefined ? "-" : `${tasks.running} of ${tasks.wanted}`,
    deployment.state === "deploying" && deployment.strategy !== undefined ? deployment.strategy : deployment.state,
    alarmCell(alarms),
    scalingCell(lastScaling, now),
  ];
}

function releaseCell(status: ReleaseStatus): string {
  const { owner, live, next, failed, died, unreadable, unreadableLock, configNotLive } = status;
  const notes = [
    ...(next === undefined ? [] : [`${next} next`]),
    ...(failed === undefined ? [] : [`${failed} failed`]),
    ...(died === undefined ? [] : [`${died} died`]),
    ...(unreadableLock === undefined ? [] : ["lock unreadable"]),
    ...(configNotLive ? ["config not live"] : []),
  ];
  const none = unreadable !== undefined ? "unreadable" : owner === "terraform" ? "terraform" : "none";
  const running = live === undefined ? none : String(live);
  return notes.length === 0 ? running : `${running} (${notes.join(", ")})`;
}

function alarmCell({ ok, alarm, unknown }: ServiceStatus["alarms"]): string {
  if (alarm.length > 0) return alarm.join(", ");
  if (ok.length > 0) return "ok";
  return unknown.length > 0 ? "no data" : "-";
}

function scalingCell(event: ScalingEvent | undefined, now: Date): string {
  if (event === undefined) return "-";
  const { from, to, at, cause, outcome } = event;
  const failed = outcome === "Failed" ? "failed: " : "";
  return `${failed}${from === undefined ? "" : `${from} `}-> ${to}, ${ago(at, now)} (${cause})`;
}

function ago(at: string, now: Date): string {
  const minutes = Math.max(0, Math.round((now.getTime() - Date.parse(at)) / 60_000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} d ago`;
}
