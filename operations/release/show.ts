import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type { ProcessTemplate, ReleaseRecord } from "../../contract/release";
import { logLine, timestamp } from "../../contract/text";
import type { ReleaseContext } from "./context";
import { chosenServices } from "./services";
import { familyAndRevision } from "./task";

export interface ShowOptions {
  /** @default - all services of the stack */
  readonly service: string | undefined;
  readonly json: boolean;
}

/** Service as it runs. */
interface Shown {
  readonly service: string;
  readonly kind: ProcessTemplate["kind"];
  readonly url: string | undefined;
  /** Live release; undefined if none was made, if Terraform deploys, or if another task definition runs. */
  readonly release: { readonly number: number; readonly at: string; readonly by: string } | undefined;
  /** Task definition that runs: family and revision. */
  readonly task: string;
  readonly image: string | undefined;
  readonly cluster: string;
  readonly schedule: string | undefined;
  readonly logGroup: string | undefined;
  /** ARNs by purpose; `admin` only if admin processes have a role of their own. */
  readonly roles: Readonly<Record<"task" | "execution" | "admin", string | undefined>>;
  /** Commands of the admin processes, by name. */
  readonly admin: ProcessTemplate["admin"];
  readonly variables: Readonly<Record<string, string>>;
  /** Names of the variables that hold secrets: never their values. */
  readonly secrets: readonly string[];
  readonly alarms: readonly { readonly name: string; readonly state: string }[];
}

/** Shows what the services of a stack consist of, as they run. */
export async function show(context: ReleaseContext, { service, json }: ShowOptions): Promise<0> {
  const { cloud, place, print } = context;
  const chosen = await chosenServices(context, service);
  const [record, states] = await Promise.all([
    chosen.some(([, { owner }]) => owner === "pipeline") ? cloud.record(place) : undefined,
    cloud.alarmStates(chosen.flatMap(([, { alarms = [] }]) => alarms)),
  ]);
  const shown = await Promise.all(chosen.map(([name, process]) => read(context, name, process, record, states)));
  if (json) print(`${JSON.stringify(shown, (_, value: unknown) => value ?? null, 2)}\n`);
  else print(shown.map((each, index) => describe(each, (chosen[index] as [string, ProcessTemplate])[1])).join("\n"));
  return 0;
}

async function read(
  { cloud }: ReleaseContext,
  service: string,
  process: ProcessTemplate,
  record: ReleaseRecord | undefined,
  states: ReadonlyMap<string, string>,
): Promise<Shown> {
  const { kind, url, cluster, schedule, container, adminRole, admin, alarms = [] } = process;
  const task = await cloud.running(process);
  const definition = (await cloud.task(task))?.definition;
  const own: Partial<ContainerDefinition> =
    definition?.containerDefinitions?.find(({ name }) => name === container) ?? {};
  const { live } = record ?? {};
  const variables = (own.environment ?? []).map(({ name = "", value = "" }) => [name, value] as const);
  return {
    service,
    kind,
    url,
    release: live?.processes[service]?.task === task ? { number: live.number, at: live.at, by: live.by } : undefined,
    task,
    image: own.image,
    cluster,
    schedule,
    logGroup: own.logConfiguration?.options?.["awslogs-group"],
    roles: { task: definition?.taskRoleArn, execution: definition?.executionRoleArn, admin: adminRole },
    admin,
    variables: Object.fromEntries(variables.sort(([a], [b]) => (a < b ? -1 : 1))),
    secrets: (own.secrets ?? []).map(({ name = "" }) => name).sort(),
    alarms: alarms.map((name) => ({ name, state: states.get(name) ?? "does not exist" })),
  };
}

function describe(shown: Shown, process: ProcessTemplate): string {
  const { service, kind, url, release, task, image, cluster, schedule, logGroup, roles } = shown;
  const bootstraps = process.bootstrap && task === familyAndRevision(process.task);
  const none = bootstraps ? "none yet: the bootstrap image runs" : "not the live release";
  const unreleased = process.owner === "terraform" ? "deployed by Terraform" : none;
  const facts: readonly (readonly [label: string, value: string | undefined])[] = [
    ["url", url],
    ["release", release === undefined ? unreleased : `${release.number} of ${timestamp(release.at)} by ${release.by}`],
    ["image", image],
    ["task", task],
    ["cluster", cluster],
    ["schedule", schedule],
    ["log group", logGroup],
    ["task role", roles.task],
    ["execution role", roles.execution],
    ["admin role", roles.admin],
  ];
  return [
    logLine(`${service} (${kind})`),
    ...table(facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const]))),
    ...section(
      "admin processes",
      Object.entries(shown.admin).map(([name, command]) => [name, command.join(" ")]),
    ),
    ...section("variables", Object.entries(shown.variables)),
    ...section(
      "secrets",
      shown.secrets.map((name) => [name, ""]),
    ),
    ...section(
      "alarms",
      shown.alarms.map(({ name, state }) => [name, state]),
    ),
    "",
  ].join("\n");
}

type Rows = readonly (readonly [label: string, value: string])[];

function section(title: string, rows: Rows): string[] {
  return rows.length === 0 ? [] : [`  ${title}`, ...table(rows, "    ")];
}

/** Lines of two columns. */
function table(rows: Rows, indent = "  "): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => logLine(`${indent}${label.padEnd(width)}  ${value}`).trimEnd());
}
