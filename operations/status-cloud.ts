import type { DescribeServicesCommandOutput, ECSClient } from "@aws-sdk/client-ecs";
import type { Parameter } from "@aws-sdk/client-ssm";
import { type ProcessTemplate, type ReleaseRecord, SILENT_AFTER_MS } from "../contract/release";
import { readLock, readRecord, readTemplate } from "../contract/release-schema";
import { alarmStates } from "./alarm-states";
import { AwsClients, loadSdk } from "./aws-sdk";
import type { Activity, Observed, ObservedService } from "./status";

/** Place to look for services. */
export interface StatusPlace {
  /** Region. @default - that of the AWS configuration */
  readonly region: string | undefined;
  /** Environment. @default - all in the account and region */
  readonly environment: string | undefined;
  /** Platform. @default - all */
  readonly platform: string | undefined;
}

/** Values of parameters by name, with the time at which each was written. */
export type Parameters = ReadonlyMap<string, { readonly value: string; readonly at?: Date }>;

/** Service as its parameters describe it. */
interface Known {
  readonly service: string;
  readonly environment: string;
  readonly platform: string;
  readonly cluster: string;
  readonly template: ProcessTemplate | undefined;
  readonly record: ReleaseRecord | undefined;
  readonly recordProblem?: string;
  readonly lock: Observed["lock"];
  readonly lockProblem?: string;
}

/** Number of services that ECS describes in one call. */
const SERVICES_AT_ONCE = 10;

/**
 * Reads the state of the services of a place, each of which has published itself in a parameter.
 *
 * Needs `ssm:GetParametersByPath`, `ecs:DescribeServices`, `cloudwatch:DescribeAlarms` and
 * `application-autoscaling:DescribeScalingActivities`.
 */
export async function observe(place: StatusPlace): Promise<Observed[]> {
  const clients = new AwsClients({ region: place.region });
  try {
    const known = knownServices(await parametersBelow(clients, place), place, Date.now());
    const region = await regionOf(clients, place);
    const [ecs, alarms, activities] = await Promise.all([
      servicesOf(known, clients),
      alarmStates(
        known.flatMap(({ template }) => template?.alarms ?? []),
        clients,
      ),
      lastActivities(known, clients),
    ]);
    return known.map((service): Observed => {
      const names = service.template?.alarms ?? [];
      const own = names.flatMap((name) => (alarms.has(name) ? [[name, alarms.get(name)?.state ?? ""] as const] : []));
      return {
        ...service,
        region,
        ecs: ecs.get(arnTail(service)),
        alarms: new Map(own),
        activities: activities.get(service) ?? [],
      };
    });
  } finally {
    clients.destroy();
  }
}

/** Parameters of a place, which services, platforms and releases have published. */
export async function parametersBelow(
  clients: AwsClients,
  { environment, platform }: Omit<StatusPlace, "region">,
): Promise<Parameters> {
  const { paginateGetParametersByPath, SSMClient } = await loadSdk(
    "@aws-sdk/client-ssm",
    () => import("@aws-sdk/client-ssm"),
  );
  const path = ["/antifragile", environment, environment && platform].filter((part) => part !== undefined).join("/");
  const found: Parameter[] = [];
  const client = clients.get(SSMClient);
  for await (const { Parameters = [] } of paginateGetParametersByPath({ client }, { Path: path, Recursive: true })) {
    found.push(...Parameters);
  }
  return new Map(found.map(({ Name = "", Value = "", LastModifiedDate: at }) => [Name, { value: Value, at }]));
}

/** Services that have published themselves below `/antifragile/<environment>/<platform>`. */
export function knownServices(
  parameters: Parameters,
  { platform: wanted }: Pick<StatusPlace, "platform">,
  now: number,
): Known[] {
  const known = new Map<string, Known>();
  for (const [name, { value }] of parameters) {
    const [, , environment = "", platform = "", kind, first = "", second, third] = name.split("/");
    if (wanted !== undefined && platform !== wanted) continue;
    const root = `/antifragile/${environment}/${platform}`;
    const key = (service: string) => `${root} ${service}`;
    if (kind === "services" && !known.get(key(first))?.template) {
      const cluster = clusterNameIn(parameters.get(`${root}/platform`)?.value);
      const nothing = { template: undefined, record: undefined, lock: undefined };
      known.set(key(first), { service: first, environment, platform, cluster, ...nothing });
    }
    if (kind === "releases" && second === "processes" && third !== undefined) {
      const read = readTemplate(value);
      const template = "value" in read ? read.value : undefined;
      known.set(key(third), {
        service: third,
        environment,
        platform,
        cluster: template?.cluster ?? "",
        template,
        ...recordIn(parameters.get(`${root}/releases/${first}/record`)),
        ...lockIn(parameters.get(`${root}/releases/${first}/lock`), now),
      });
    }
  }
  return [...known.values()];
}

function clusterNameIn(text = "{}"): string {
  try {
    const { cluster } = JSON.parse(text) as { readonly cluster?: { readonly clusterName?: unknown } };
    return typeof cluster?.clusterName === "string" ? cluster.clusterName : "";
  } catch {
    return "";
  }
}

type Stored = { readonly value: string; readonly at?: Date } | undefined;

function recordIn(parameter: Stored): Pick<Known, "record" | "recordProblem"> {
  if (parameter === undefined) return { record: undefined };
  const read = readRecord(parameter.value);
  return "value" in read ? { record: read.value } : { record: undefined, recordProblem: read.problem };
}

function lockIn(parameter: Stored, now: number): Pick<Known, "lock" | "lockProblem"> {
  if (parameter === undefined) return { lock: undefined };
  const read = readLock(parameter.value);
  if ("problem" in read) return { lock: undefined, lockProblem: read.problem };
  const silent = now - (parameter.at?.getTime() ?? 0) > SILENT_AFTER_MS;
  return { lock: { number: read.value.number, silent } };
}

/** End of the service's ARN, which is the id of its scaling target too. */
function arnTail({ cluster, service, template }: Known): string {
  return `service/${cluster}/${template?.service ?? service}`;
}

async function servicesOf(known: readonly Known[], clients: AwsClients): Promise<Map<string, ObservedService>> {
  const { ECSClient } = await loadSdk("@aws-sdk/client-ecs", () => import("@aws-sdk/client-ecs"));
  const ecs = clients.get(ECSClient);
  const found = new Map<string, ObservedService>();
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
  return found;
}

type Service = NonNullable<DescribeServicesCommandOutput["services"]>[number];

async function describe(ecs: ECSClient, cluster: string, services: string[]): Promise<readonly Service[]> {
  const { DescribeServicesCommand } = await import("@aws-sdk/client-ecs");
  try {
    return (await ecs.send(new DescribeServicesCommand({ cluster, services }))).services ?? [];
  } catch (error) {
    // The platform was destroyed before its services.
    if ((error as Error).name === "ClusterNotFoundException") return [];
    throw error;
  }
}

function observed({
  desiredCount = 0,
  runningCount = 0,
  pendingCount = 0,
  deployments,
  taskDefinition,
  taskSets,
}: Service): ObservedService {
  // With CodeDeploy, a service has task sets instead of deployments.
  const sets = taskSets?.map(({ status, stabilityStatus }) => ({
    primary: status === "PRIMARY",
    state: stabilityStatus === "STEADY_STATE" ? "COMPLETED" : "IN_PROGRESS",
    reason: "",
  }));
  return {
    task: taskDefinition ?? taskSets?.find(({ status }) => status === "PRIMARY")?.taskDefinition ?? "",
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

/** Last two activities of each service, because an activity contains only the resulting count. */
async function lastActivities(known: readonly Known[], clients: AwsClients): Promise<Map<Known, Activity[]>> {
  const found = new Map<Known, Activity[]>();
  const scaled = known.filter(({ cluster, template }) => cluster !== "" && template?.kind !== "job");
  if (scaled.length === 0) return found;
  const { ApplicationAutoScalingClient, DescribeScalingActivitiesCommand } = await loadSdk(
    "@aws-sdk/client-application-auto-scaling",
    () => import("@aws-sdk/client-application-auto-scaling"),
  );
  const client = clients.get(ApplicationAutoScalingClient);
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
  // A few at a time: AWS limits the rate of an account.
  for (const some of inGroups(scaled, SERVICES_AT_ONCE)) await Promise.all(some.map(ask));
  return found;
}

async function regionOf(clients: AwsClients, { region }: StatusPlace): Promise<string> {
  if (region !== undefined) return region;
  const { SSMClient } = await import("@aws-sdk/client-ssm");
  return clients.get(SSMClient).config.region();
}

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
