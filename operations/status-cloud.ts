import type { DescribeServicesCommandOutput, ECSClient } from "@aws-sdk/client-ecs";
import type { Parameter } from "@aws-sdk/client-ssm";
import type { ProcessTemplate, ReleaseLock, ReleaseRecord } from "../contract/release";
import type { Activity, Observed, ObservedService } from "./status";

/** Where to look. */
export interface StatusPlace {
  /** Undefined: what the AWS SDK finds in the environment and in its own files. */
  readonly region: string | undefined;
  /** Undefined: all of the account and region. */
  readonly environment: string | undefined;
  /** Undefined: all of them. */
  readonly platform: string | undefined;
}

/** What a platform or a service has told, by where it told it. */
type Told = ReadonlyMap<string, string>;

/** A service before ECS was asked. */
interface Known {
  readonly service: string;
  readonly environment: string;
  readonly platform: string;
  readonly cluster: string;
  readonly template: ProcessTemplate | undefined;
  readonly record: ReleaseRecord | undefined;
  readonly lock: ReleaseLock | undefined;
}

/** How many services ECS tells of at once. */
const SERVICES_AT_ONCE = 10;
/** How many alarms CloudWatch tells of at once. */
const ALARMS_AT_ONCE = 100;

/**
 * What AWS tells of the services below a place, each of which has told of itself in a parameter.
 *
 * Needs `ssm:GetParametersByPath`, `ecs:DescribeServices`, `cloudwatch:DescribeAlarms` and
 * `application-autoscaling:DescribeScalingActivities`.
 *
 * @throws Error when AWS refuses
 */
export async function observe(place: StatusPlace): Promise<Observed[]> {
  const told = await parametersBelow(place);
  const known = knownServices(told, place);
  const region = await regionOf(place);
  const [ecs, alarms, activities] = await Promise.all([
    servicesOf(known, place),
    alarmStates(
      known.flatMap(({ template }) => template?.alarms ?? []),
      place,
    ),
    lastActivities(known, place),
  ]);
  return known.map((service): Observed => {
    const names = service.template?.alarms ?? [];
    return {
      ...service,
      region,
      ecs: ecs.get(arnTail(service)),
      alarms: new Map(names.flatMap((name) => (alarms.has(name) ? [[name, alarms.get(name) ?? ""] as const] : []))),
      activities: activities.get(service) ?? [],
    };
  });
}

async function parametersBelow({ region, environment, platform }: StatusPlace): Promise<Told> {
  const { paginateGetParametersByPath, SSMClient } = await import("@aws-sdk/client-ssm");
  const client = new SSMClient({ region });
  const path = ["/antifragile", environment, environment && platform].filter((part) => part !== undefined).join("/");
  const found: Parameter[] = [];
  try {
    for await (const { Parameters = [] } of paginateGetParametersByPath({ client }, { Path: path, Recursive: true })) {
      found.push(...Parameters);
    }
  } finally {
    client.destroy();
  }
  return new Map(found.map(({ Name = "", Value = "" }) => [Name, Value]));
}

/** Which services there are, by what was told below `/antifragile/<environment>/<platform>`. */
export function knownServices(told: Told, { platform: wanted }: Pick<StatusPlace, "platform">): Known[] {
  const json = (name: string) => parse(told.get(name));
  const known = new Map<string, Known>();
  for (const name of told.keys()) {
    const [, , environment = "", platform = "", kind, first = "", second, third] = name.split("/");
    if (wanted !== undefined && platform !== wanted) continue;
    const root = `/antifragile/${environment}/${platform}`;
    const key = (service: string) => `${root} ${service}`;
    if (kind === "services" && !known.get(key(first))?.template) {
      const { cluster } = (json(`${root}/platform`) ?? {}) as { cluster?: { clusterName?: string } };
      known.set(key(first), {
        service: first,
        environment,
        platform,
        cluster: cluster?.clusterName ?? "",
        template: undefined,
        record: undefined,
        lock: undefined,
      });
    }
    if (kind === "releases" && second === "processes" && third !== undefined) {
      const template = json(name) as unknown as ProcessTemplate | undefined;
      known.set(key(third), {
        service: third,
        environment,
        platform,
        cluster: template?.cluster ?? "",
        template,
        record: json(`${root}/releases/${first}/record`) as ReleaseRecord | undefined,
        lock: json(`${root}/releases/${first}/lock`) as ReleaseLock | undefined,
      });
    }
  }
  return [...known.values()];
}

/** What is no JSON was not written by this tool. */
function parse(text: string | undefined): object | undefined {
  try {
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Cluster and service as ARNs end: what a scaling target is called, too. */
function arnTail({ cluster, service, template }: Known): string {
  return `service/${cluster}/${template?.service ?? service}`;
}

async function servicesOf(known: readonly Known[], { region }: StatusPlace): Promise<Map<string, ObservedService>> {
  const { ECSClient } = await import("@aws-sdk/client-ecs");
  const ecs = new ECSClient({ region });
  const found = new Map<string, ObservedService>();
  try {
    for (const cluster of new Set(known.map((service) => service.cluster).filter((name) => name !== ""))) {
      const names = known
        .filter((service) => service.cluster === cluster && service.template?.kind !== "job")
        .map(({ service, template }) => template?.service ?? service);
      for (const some of inGroups(names, SERVICES_AT_ONCE)) {
        for (const each of await describe(ecs, cluster, some)) {
          if (each.status === "ACTIVE") found.set(`service/${cluster}/${each.serviceName}`, observed(each));
        }
      }
    }
  } finally {
    ecs.destroy();
  }
  return found;
}

type Service = NonNullable<DescribeServicesCommandOutput["services"]>[number];

async function describe(ecs: ECSClient, cluster: string, services: string[]): Promise<readonly Service[]> {
  const { DescribeServicesCommand } = await import("@aws-sdk/client-ecs");
  try {
    return (await ecs.send(new DescribeServicesCommand({ cluster, services }))).services ?? [];
  } catch (error) {
    // A platform that was destroyed before what stood on it.
    if ((error as Error).name === "ClusterNotFoundException") return [];
    throw error;
  }
}

function observed({
  desiredCount = 0,
  runningCount = 0,
  pendingCount = 0,
  deployments,
  taskSets,
}: Service): ObservedService {
  // With CodeDeploy there are sets of tasks in place of deployments.
  const sets = taskSets?.map(({ status, stabilityStatus }) => ({
    primary: status === "PRIMARY",
    state: stabilityStatus === "STEADY_STATE" ? "COMPLETED" : "IN_PROGRESS",
    reason: "",
  }));
  return {
    desired: desiredCount,
    running: runningCount,
    pending: pendingCount,
    deployments: sets?.length
      ? sets
      : (deployments ?? []).map(({ status, rolloutState = "", rolloutStateReason = "" }) => ({
          primary: status === "PRIMARY",
          state: rolloutState,
          reason: rolloutStateReason,
        })),
  };
}

async function alarmStates(names: readonly string[], { region }: StatusPlace): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  if (names.length === 0) return states;
  const { CloudWatchClient, paginateDescribeAlarms } = await import("@aws-sdk/client-cloudwatch");
  const client = new CloudWatchClient({ region });
  try {
    for (const AlarmNames of inGroups([...new Set(names)], ALARMS_AT_ONCE)) {
      const pages = paginateDescribeAlarms({ client }, { AlarmNames, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] });
      for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages) {
        for (const { AlarmName = "", StateValue = "" } of [...MetricAlarms, ...CompositeAlarms]) {
          states.set(AlarmName, StateValue);
        }
      }
    }
  } finally {
    client.destroy();
  }
  return states;
}

/** The last two of each service, since one tells only where it went. */
async function lastActivities(known: readonly Known[], { region }: StatusPlace): Promise<Map<Known, Activity[]>> {
  const found = new Map<Known, Activity[]>();
  const scaled = known.filter(({ cluster, template }) => cluster !== "" && template?.kind !== "job");
  if (scaled.length === 0) return found;
  const { ApplicationAutoScalingClient, DescribeScalingActivitiesCommand } = await import(
    "@aws-sdk/client-application-auto-scaling"
  );
  const client = new ApplicationAutoScalingClient({ region });
  const ask = async (service: Known) => {
    const { ScalingActivities = [] } = await client.send(
      new DescribeScalingActivitiesCommand({ ServiceNamespace: "ecs", ResourceId: arnTail(service), MaxResults: 2 }),
    );
    const activities = ScalingActivities.map(({ Description = "", Cause = "", StartTime, StatusCode = "" }) => ({
      description: Description,
      cause: Cause,
      at: StartTime?.toISOString() ?? "",
      outcome: StatusCode,
    }));
    found.set(service, activities);
  };
  try {
    // A few at a time: AWS counts how often an account asks.
    for (const some of inGroups(scaled, SERVICES_AT_ONCE)) await Promise.all(some.map(ask));
  } finally {
    client.destroy();
  }
  return found;
}

async function regionOf({ region }: StatusPlace): Promise<string> {
  if (region !== undefined) return region;
  const { SSMClient } = await import("@aws-sdk/client-ssm");
  const client = new SSMClient({});
  try {
    return await client.config.region();
  } finally {
    client.destroy();
  }
}

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
