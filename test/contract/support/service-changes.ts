/** One change of each prop of a service that runs, and its effects: computed from the Terraform before and after it. */
import { Testing } from "cdktf";
import {
  App,
  AutoScalingGroup,
  Capacity,
  CloudNativeService,
  type CloudNativeServiceProps,
  canary,
  codeDeploy,
  cron,
  Duration,
  https,
  Image,
  Ingress,
  job,
  LogStream,
  Platform,
  PostgresDatabase,
  type ServiceStack,
  web,
  worker,
} from "../../../constructs";
import { lostAccess } from "../../../operations/live-access";
import { judgePlan } from "../../../operations/plan-gate";
import { readPlan } from "../../../operations/terraform-plan";

/** Service at one time, in a stack of its own. */
type Version = (stack: ServiceStack) => CloudNativeServiceProps & {
  /** Id of the service. @default "Orders" */
  readonly id?: string;
  /** Called once the service exists. */
  readonly act?: (service: CloudNativeService, stack: ServiceStack) => void;
};

interface Row {
  /** The change, in Markdown. */
  readonly text: string;
  readonly before?: Version;
  readonly after: Version;
}

const plain: Version = () => ({});
const reached: Version = () => ({ addOns: [new Ingress({ paths: ["/orders/*"] })] });
const withIngress =
  (props: CloudNativeServiceProps): Version =>
  (stack) => ({ ...reached(stack), ...props });
const onInstances: Version = () => ({ capacity: [Capacity.instances("Instances")] });
const besideDatabase: Version = (stack) => ({ act: () => void new PostgresDatabase(stack.data, "Database") });
const onDatabase: Version = (stack) => ({
  act: (service) => service.use(new PostgresDatabase(stack.data, "Database")),
});
const other = (stack: ServiceStack) =>
  new CloudNativeService(stack, "Other", { image: Image.repository({ name: "other" }) });
const besideOther: Version = () => ({ act: (_, stack) => void other(stack) });
const callingOther: Version = () => ({ act: (service, stack) => void service.call(other(stack)) });
const SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf";
const DIGEST = Image.digest(`registry.example.com/orders@sha256:${"1".repeat(64)}`);

/** Changes by prop; a prop without a row does not compile. */
export const SERVICE_CHANGES: Readonly<Required<Record<keyof CloudNativeServiceProps, readonly Row[]>>> = {
  process: [
    { text: "`web({ port: 3001 })`", before: reached, after: withIngress({ process: web({ port: 3001 }) }) },
    {
      text: '`web({ livePath: "/alive" })`',
      before: reached,
      after: withIngress({ process: web({ livePath: "/alive" }) }),
    },
    {
      text: '`web({ readyPath: "/ready" })`',
      before: reached,
      after: withIngress({ process: web({ readyPath: "/ready" }) }),
    },
    {
      text: '`web({ command: ["node", "b.js"] })`',
      before: reached,
      after: withIngress({ process: web({ command: ["node", "b.js"] }) }),
    },
    { text: "`web()` to `worker()`", after: () => ({ process: worker({ command: ["node", "worker.js"] }) }) },
    {
      text: "`web()` to `job()`",
      after: () => ({ process: job({ schedule: cron("0 3 * * *"), command: ["node", "job.js"] }) }),
    },
    {
      text: '`job({ schedule: cron("0 4 * * *") })`',
      before: () => ({ process: job({ schedule: cron("0 3 * * *") }) }),
      after: () => ({ process: job({ schedule: cron("0 4 * * *") }) }),
    },
  ],
  image: [
    { text: '`Image.repository({ name: "other" })`', after: () => ({ image: Image.repository({ name: "other" }) }) },
    { text: "`Image.digest(...)`", after: () => ({ image: DIGEST }) },
  ],
  size: [{ text: "`{ cpu: 512, memoryMiB: 1024 }`", after: () => ({ size: { cpu: 512, memoryMiB: 1024 } }) }],
  architecture: [{ text: '`"x86_64"`', after: () => ({ architecture: "x86_64" }) }],
  capacity: [
    {
      text: "`[Capacity.fargate({ base: 1 }), Capacity.fargateSpot({ weight: 3 })]`",
      after: () => ({ capacity: [Capacity.fargate({ base: 1 }), Capacity.fargateSpot({ weight: 3 })] }),
    },
    { text: "Fargate to instances", after: onInstances },
    { text: "instances to Fargate", before: onInstances, after: plain },
  ],
  scaling: [
    { text: "`{ min: 2, max: 8 }`", after: () => ({ scaling: { min: 2, max: 8 } }) },
    { text: "`{ cpuPercent: 40 }`", after: () => ({ scaling: { cpuPercent: 40 } }) },
    { text: "`{ requestsPerTask: 500 }`", before: reached, after: withIngress({ scaling: { requestsPerTask: 500 } }) },
  ],
  alarms: [
    {
      text: "`{ latency: Duration.seconds(2) }`",
      before: reached,
      after: withIngress({ alarms: { latency: Duration.seconds(2) } }),
    },
    { text: '`"none"`', after: () => ({ alarms: "none" }) },
  ],
  deployment: [
    {
      text: "`rolling()` to `codeDeploy(canary())`",
      before: reached,
      after: withIngress({ deployment: codeDeploy(canary()) }),
    },
  ],
  environment: [{ text: '`{ LEVEL: "debug" }`', after: () => ({ environment: { LEVEL: "debug" } }) }],
  secrets: [
    { text: "`{ API_KEY: secretArn }`", after: () => ({ secrets: { API_KEY: SECRET } }) },
    { text: "none", before: () => ({ secrets: { API_KEY: SECRET } }), after: plain },
  ],
  logs: [{ text: '`new LogStream(stack, "Own")`', after: (stack) => ({ logs: new LogStream(stack, "Own") }) }],
  stopTimeout: [
    { text: "`Duration.seconds(60)`", before: reached, after: withIngress({ stopTimeout: Duration.seconds(60) }) },
  ],
  releaseOwner: [
    {
      text: '`"pipeline"` to `"terraform"`',
      before: () => ({ image: DIGEST, releaseOwner: "pipeline" }),
      after: () => ({ image: DIGEST }),
    },
  ],
  user: [{ text: '`"2000:2000"`', after: () => ({ user: "2000:2000" }) }],
  connect: [{ text: "`true`", after: () => ({ connect: true }) }],
  exec: [{ text: "`true`", after: () => ({ exec: true }) }],
  addOns: [
    { text: "add an `Ingress`", after: reached },
    { text: "remove the `Ingress`", before: reached, after: plain },
    {
      text: '`Ingress` with `hosts: ["b.example.com"]`',
      before: reached,
      after: () => ({ addOns: [new Ingress({ hosts: ["b.example.com"], paths: ["/orders/*"] })] }),
    },
    {
      text: '`Ingress` with `paths: ["/shop/*"]`',
      before: reached,
      after: () => ({ addOns: [new Ingress({ paths: ["/shop/*"] })] }),
    },
    { text: "`use(database)`", before: besideDatabase, after: onDatabase },
    { text: "no more `use(database)`", before: onDatabase, after: besideDatabase },
    { text: "`call(other)`", before: besideOther, after: callingOther },
    { text: "no more `call(other)`", before: callingOther, after: besideOther },
  ],
  name: [{ text: '`"purchases"`', before: reached, after: withIngress({ name: "purchases" }) }],
  renamedFrom: [
    {
      text: '`"Orders"`, with `name: "orders"`',
      before: reached,
      after: (stack) => ({ ...reached(stack), id: "Purchases", name: "orders", renamedFrom: "Orders" }),
    },
  ],
};

type Attributes = Readonly<Record<string, unknown>>;

/** Resources of the data and the service stack by address, and where a `moved` block says that they were. */
interface Deployed {
  readonly resources: ReadonlyMap<string, Attributes>;
  readonly moved: ReadonlyMap<string, string>;
  /** Values of data sources and locals by address: an address alone says nothing about a value. */
  readonly values: ReadonlyMap<string, string>;
}

function deployed(version: Version): Deployed {
  const app = new App();
  const platform = new Platform(app, "shop", {
    environment: {
      name: "staging",
      region: "eu-central-1",
      profile: "production",
      account: "123456789012",
      state: "s3",
    },
    listener: https({ certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0f1e2d3c" }),
    cluster: { exec: {} },
  });
  new AutoScalingGroup(platform, "Instances");
  const stack = platform.stack("orders");
  const { id = "Orders", act, ...props } = version(stack);
  const service = new CloudNativeService(stack, id, props);
  act?.(service, stack);
  const resources = new Map<string, Attributes>();
  const moved = new Map<string, string>();
  const values = new Map<string, string>();
  for (const each of [stack.data, stack]) {
    each.prepareStack();
    const {
      resource = {},
      data = {},
      ...blocks
    } = JSON.parse(Testing.synth(each, true)) as {
      readonly data?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
      readonly locals?: Attributes;
      readonly resource?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
      readonly moved?: readonly { readonly from: string; readonly to: string }[];
    };
    for (const [type, named] of Object.entries(resource)) {
      for (const [name, { "//": _, depends_on: __, ...attributes }] of Object.entries(named)) {
        resources.set(`${type}.${name}`, attributes);
      }
    }
    for (const { from, to } of blocks.moved ?? []) moved.set(to, from);
    for (const [type, named] of Object.entries(data)) {
      for (const [name, { name: of }] of Object.entries(named)) values.set(`data.${type}.${name}`, String(of ?? name));
    }
    for (const [name, value] of Object.entries(blocks.locals ?? {})) values.set(`local.${name}`, JSON.stringify(value));
  }
  return { resources, moved, values };
}

/**
 * Attributes that cannot change in place, by type; of the others every one can.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs
 */
const FORCES_NEW: Readonly<Record<string, readonly string[]>> = {
  aws_appautoscaling_policy: ["name", "resource_id", "policy_type"],
  aws_appautoscaling_target: ["resource_id", "scalable_dimension", "service_namespace"],
  aws_cloudwatch_event_rule: ["name"],
  aws_cloudwatch_log_group: ["name"],
  aws_cloudwatch_metric_alarm: ["alarm_name"],
  aws_ecs_service: ["name", "cluster", "deployment_controller", "launch_type", "scheduling_strategy"],
  aws_iam_role: ["name", "path"],
  aws_iam_role_policy: ["name", "role"],
  aws_lb_listener_rule: ["listener_arn"],
  aws_lb_target_group: ["name", "name_prefix", "port", "protocol", "target_type", "vpc_id"],
  aws_scheduler_schedule: ["name", "group_name"],
  aws_security_group: ["name", "name_prefix", "description", "vpc_id"],
  aws_service_discovery_service: ["name", "namespace_id"],
  aws_ssm_parameter: ["name"],
};

/** Resources that only say what a release does. */
const DESCRIBES_RELEASE = /^aws_ssm_parameter\..*ReleaseTemplate/;

interface Change {
  readonly address: string;
  readonly type: string;
  readonly actions: readonly ("create" | "update" | "delete")[];
  readonly attributes: readonly string[];
  readonly before: Attributes | null;
  readonly after: Attributes | null;
}

function changesBetween(before: Deployed, after: Deployed): Change[] {
  const was = (address: string) => after.moved.get(address) ?? address;
  const kept = new Set([...after.resources.keys()].map(was));
  const gone = [...before.resources].filter(([address]) => !kept.has(address));
  return [
    ...[...after.resources].flatMap(([address, now]): Change[] => {
      const [type = ""] = address.split(".");
      const old = before.resources.get(was(address));
      if (old === undefined) return [{ address, type, actions: ["create"], attributes: [], before: null, after: now }];
      const { lifecycle = {} } = now as { readonly lifecycle?: Attributes };
      const ignored = (lifecycle.ignore_changes ?? []) as readonly string[];
      const attributes = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
        (name) =>
          name !== "lifecycle" &&
          !ignored.includes(name) &&
          evaluated(old[name], before, after.moved) !== evaluated(now[name], after, after.moved),
      );
      if (attributes.length === 0) return [];
      const isNew = type === "aws_ecs_task_definition" || attributes.some((name) => FORCES_NEW[type]?.includes(name));
      const createsFirst = lifecycle.create_before_destroy === true;
      const actions = !isNew
        ? (["update"] as const)
        : createsFirst
          ? (["create", "delete"] as const)
          : (["delete", "create"] as const);
      return [{ address, type, actions, attributes: attributes.sort(), before: old, after: now }];
    }),
    ...gone.map(
      ([address, old]): Change => ({
        address,
        type: address.split(".")[0] as string,
        actions: ["delete"],
        attributes: [],
        before: old,
        after: null,
      }),
    ),
  ].filter(({ address }) => !DESCRIBES_RELEASE.test(address));
}

/** Text of a value in which addresses of resources are those before a move, and others are replaced by their values. */
function evaluated(value: unknown, { values }: Deployed, moved: ReadonlyMap<string, string>): string {
  let text = JSON.stringify(value) ?? "";
  for (const [address, of] of values) text = text.replaceAll(address, of);
  for (const [to, from] of moved) text = text.replaceAll(to, from);
  return text;
}

/** Values as a plan has them: a block is a list, a role has its name and ARN, and a service runs what was released. */
function asPlanned(type: string, attributes: Attributes | null): Attributes | null {
  const isBlock = (name: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) && !name.startsWith("tags");
  if (attributes === null) return null;
  const blocks = Object.entries(attributes).map(([name, value]) => [name, isBlock(name, value) ? [value] : value]);
  const text = JSON.stringify(Object.fromEntries(blocks))
    .replace(/\$\{aws_iam_role\.(\w+)\.arn\}/g, "arn:aws:iam::123456789012:role/$1")
    .replace(/\$\{aws_iam_role\.(\w+)\.name\}/g, "$1");
  const planned: Attributes = JSON.parse(text);
  if (type === "aws_ecs_service")
    return { ...planned, task_definition: `task-definition/shop-staging-${planned.name}:2` };
  return type === "aws_ecs_task_definition" ? { ...planned, revision: 1 } : planned;
}

/** Record of a live release of the service, which a plan does not change. */
const RELEASED = {
  address: "aws_ssm_parameter.Releases",
  type: "aws_ssm_parameter",
  mode: "managed",
  change: {
    actions: ["no-op"],
    before: {
      name: "/antifragile/staging/shop/releases/orders/record",
      insecure_value: JSON.stringify({
        live: {
          images: { orders: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:1" },
          processes: { orders: { task: "shop-staging-orders:2", template: 1 } },
        },
      }),
    },
  },
};

/** Effects of one change. */
export interface ServiceChange {
  readonly prop: string;
  /** The change, in Markdown. */
  readonly text: string;
  /** Effects of the apply, but for task definitions. */
  readonly atApply: string;
  /** True if there is a new task definition, which tasks start with at the next release. */
  readonly atRelease: boolean;
  /** Harm that the plan gate refuses. */
  readonly refused: readonly string[];
  /** True if it takes access away that the live release still needs, and that is kept until the next one. */
  readonly keeps: boolean;
}

/** Effects of each change in {@link SERVICE_CHANGES}. */
export function serviceChanges(): ServiceChange[] {
  // Most changes start from the same version.
  const known = new Map<Version, Deployed>();
  const deployedOnce = (version: Version): Deployed => {
    const found = known.get(version) ?? deployed(version);
    known.set(version, found);
    return found;
  };
  return Object.entries(SERVICE_CHANGES).flatMap(([prop, rows]) =>
    rows.map(({ text, before = plain, after }) => {
      const [old, now] = [deployedOnce(before), deployedOnce(after)];
      const changes = changesBetween(old, now);
      const changed = new Set(changes.map(({ address }) => address));
      const unchanged = [...now.resources].flatMap(([address, attributes]): Change[] => {
        const [type = ""] = address.split(".");
        if (changed.has(address) || now.moved.has(address)) return [];
        return [{ address, type, actions: [], attributes: [], before: attributes, after: attributes }];
      });
      const resource_changes = [...changes, ...unchanged].map(({ address, type, actions, before, after }) => ({
        address,
        type,
        mode: "managed",
        change: {
          actions: actions.length === 0 ? ["no-op"] : actions,
          before: asPlanned(type, before),
          after: asPlanned(type, after),
        },
      }));
      const plan = readPlan(
        JSON.stringify({
          format_version: "1.2",
          planned_values: {},
          resource_changes: [...resource_changes, RELEASED],
        }),
      );
      const lost = new Set(lostAccess(plan).map(({ address }) => address));
      const findings = judgePlan(plan).refused.filter(({ address }) => !lost.has(address));
      const refused = findings.map(({ what, action, effect }) => `${what}, ${action}d: ${effect}`);
      const isTask = ({ type }: Change) => type === "aws_ecs_task_definition";
      return {
        prop,
        text,
        atApply: describeApply(changes.filter((each) => !isTask(each))),
        atRelease: changes.some((each) => isTask(each) && each.after !== null),
        refused: [...new Set(refused)],
        keeps: lost.size > 0,
      };
    }),
  );
}

function describeApply(changes: readonly Change[]): string {
  const named = (title: string, wanted: (change: Change) => boolean) => {
    const types = new Map<string, Set<string>>();
    for (const change of changes.filter(wanted)) {
      const attributes = types.get(change.type) ?? new Set();
      for (const attribute of change.attributes) attributes.add(attribute);
      types.set(change.type, attributes);
    }
    const list = [...types].sort().map(([type, attributes]) => {
      const names = [...attributes].sort().map((name) => `\`${name}\``);
      return `\`${type.replace(/^aws_/, "")}\`${names.length === 0 ? "" : ` (${names.join(", ")})`}`;
    });
    return list.length === 0 ? [] : [`${title} ${list.join(", ")}`];
  };
  return [
    ...named("changes", ({ actions }) => actions[0] === "update"),
    ...named("replaces", ({ actions }) => actions.length === 2),
    ...named("creates", ({ actions }) => actions.join() === "create"),
    ...named("deletes", ({ actions }) => actions.join() === "delete"),
  ].join("; ");
}
