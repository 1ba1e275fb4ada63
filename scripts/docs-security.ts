import { PROFILES, type Profile } from "../constructs";
import { everyRole } from "../test/contract/support/every-role";
import { everything } from "../test/contract/support/everything";
import { nameOf, type Program, programsOf, resolve } from "../test/iam/resolve";
import { rolesIn } from "../test/iam/roles";
import { table } from "./markdown";

/** Kinds of roles, by their names in the programs that have each of them. */
const KINDS: readonly { readonly title: string; readonly role: RegExp; readonly about: string }[] = [
  { title: "`…-task`", role: /-task$/, about: "The app: what `use`, `call`, `grant` and add-ons grant." },
  {
    title: "`…-admin`",
    role: /-admin$/,
    about: "Admin processes, such as a migration: what the app may do, and more.",
  },
  { title: "`…-execution`", role: /-execution$/, about: "ECS, to start a task." },
  { title: "`…-fault-agent`", role: /-fault-agent$/, about: "The agent in tasks that an experiment harms." },
  { title: "`…-schedule`", role: /-schedule$/, about: "EventBridge Scheduler, to start a job." },
  { title: "`…-shift`", role: /-shift$/, about: "ECS, to shift traffic in a blue/green deployment." },
  { title: "`…-codedeploy`", role: /-codedeploy$/, about: "CodeDeploy, to deploy a service." },
  { title: "`…-instances`, and Auto Scaling groups of your own", role: /-(instances|batch)$/, about: "EC2 instances." },
  { title: "`…-flow-logs`", role: /-flow-logs$/, about: "VPC flow logs." },
  { title: "`…-monitoring`", role: /-monitoring$/, about: "Enhanced Monitoring of RDS." },
  { title: "`…-log-sender`", role: /-log-sender$/, about: "CloudWatch Logs, to send lines to Firehose." },
  { title: "`…-delivery`", role: /-(archive|endpoint-.+)-delivery$/, about: "Firehose, to deliver lines." },
  {
    title: "`…-opensearch-<domain>`",
    role: /-opensearch-logs$/,
    about: "The function that writes lines to OpenSearch.",
  },
  { title: "`…-chaos`", role: /-chaos$/, about: "AWS FIS, for one experiment each." },
  { title: "`…-start`", role: /-start$/, about: "Starts an experiment on its schedule, or a pipeline on an event." },
  { title: "`…-delivery-pipeline`", role: /-pipeline$/, about: "CodePipeline." },
  { title: "`…-delivery-test`", role: /-delivery-test$/, about: "Tests in CodeBuild." },
  {
    title: "`…-image`",
    role: /-delivery-(gh-)?image$/,
    about: "Builds and pushes images, in CodeBuild or another CI system.",
  },
  { title: "`…-plan`", role: /-plan$/, about: "Plans an environment: reads, and locks the state." },
  { title: "`…-drift`", role: /-drift$/, about: "Plans an environment in CodeBuild, to find drift." },
  {
    title: "`…-apply`",
    role: /-apply$/,
    about: "Applies plans in an environment: what the plan role may do, and what follows.",
  },
  {
    title: "`…-release`",
    role: /-release$/,
    about: "Releases, rolls back and runs admin processes in an environment.",
  },
  { title: "gates of a pipeline", role: /-(smoke|shaken)$/, about: "Commands and experiments after a release." },
];

/** Actions that a row lists by name; more are counted. */
const LISTED = 12;
const RESOURCES = 3;

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
interface Row {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: Set<string>;
  /** Values by key and operator. */
  readonly conditions: Map<string, Set<string>>;
}

/** Words of the operators of conditions. */
const OPERATORS: Readonly<Record<string, string>> = {
  ArnEquals: "is",
  ArnLike: "is like",
  Bool: "is",
  NumericLessThanEquals: "is at most",
  StringEquals: "is",
  StringLike: "is like",
  StringNotEquals: "is not",
};

/** Conditions of a statement: the key with its operator, and the values. */
function conditionsOf(condition: Statement["Condition"] = {}): [test: string, values: string[]][] {
  return Object.entries(condition).flatMap(([operator, tests]) => {
    const [, quantifier, , plain = "", orMissing] = /^((\w+):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
    if (plain === "Null") {
      return Object.entries(tests).map(([key, value]): [string, string[]] => [
        `\`${key}\` is ${String(value) === "true" ? "missing" : "set"}`,
        [],
      ]);
    }
    const words = OPERATORS[plain];
    if (words === undefined) throw new Error(`OPERATORS has no words for ${operator}`);
    const all = quantifier === undefined ? "" : quantifier === "ForAllValues:" ? "each " : "one ";
    const missing = orMissing === undefined ? "" : "missing or ";
    return Object.entries(tests).map(([key, value]): [string, string[]] => [
      `${all}\`${key}\` ${words.replace(" ", ` ${missing}`)}`,
      [value].flat().map((each) => shortened(String(each))),
    ]);
  });
}

/** ARN without partition, region and account, and with the words of the programs as variables. */
function shortened(resource: string): string {
  return resource
    .replace(/^arn:aws:([\w-]+):[^:]*:[^:]*:/, "$1:")
    .replace(/\b(shop|depot)([-/])(dev|live)\b/g, "<platform>$2<environment>")
    .replace(/\b(orders|goods|old|uploaded|wares)([-/])(dev|live|staging)\b/g, "<stack>$2<environment>")
    .replace(/\b(orders|goods|old|uploaded|wares)-delivery\b/g, "<stack>-delivery")
    .replace(/\b(orders|goods|old|uploaded|wares)(-artifacts|\/delivery)\b/g, "<stack>$2")
    .replace(/-(live|staging)\b/g, "-<environment>")
    .replace(/\bshop-<environment>/g, "<platform>-<environment>")
    .replace(/\b(depot|elsewhere)\/(releases|experiments)\/\w+/g, "<stack>/$2/…")
    .replace(/\/(dev|live|staging)\//g, "/<environment>/")
    .replace(/^(dev|live|staging)$/, "<environment>")
    .replace(/\b(eu-central-1|eu-west-1|us-east-1)\b/g, "<region>")
    .replace(/key\/[\w-]+$/, "key/<id>")
    .replace(/0123456789(abcdef\d)?|123456789012/g, "<id>");
}

/** Actions by name, without repeating their service, or their number where they are many. */
function actionsText(actions: readonly string[]): string {
  const services = new Map<string, string[]>();
  for (const action of [...actions].sort()) {
    const [service = "", name = ""] = action.split(":");
    services.set(service, [...(services.get(service) ?? []), name]);
  }
  return [...services]
    .map(([service, names]) =>
      actions.length > LISTED ? `${service} (${names.length})` : `\`${service}:${names.join("`, `")}\``,
    )
    .join(actions.length > LISTED ? ", " : "; ");
}

const some = (texts: Iterable<string>): string => {
  const all = [...new Set(texts)].sort();
  const shown = all.slice(0, RESOURCES).map((text) => (text === "*" ? "everything" : `\`${text}\``));
  return [...shown, ...(all.length > RESOURCES ? [`${all.length - RESOURCES} more`] : [])].join(", ");
};

/** Sections of all kinds of roles, and how many roles and permissions they show. */
function roles() {
  const programs = everyRole();
  const found = programs.flatMap(({ program }) =>
    rolesIn(program).map((role) => ({ ...role, assumedBy: assumers(program, role.name) })),
  );
  const permissions = new Set<string>();
  const sections = KINDS.map(({ title, role, about }) => {
    const own = found.filter(({ name }) => role.test(name));
    if (own.length === 0) throw new Error(`no role is of the kind ${title}`);
    const rows = new Map<string, Row>();
    for (const { policies } of own) {
      for (const { name, policy, managed } of policies) {
        // The apply role has the policies of the plan role, too.
        if (title === "`…-apply`" && /Access_Read/.test(name)) continue;
        for (const statement of (policy as { Statement: readonly Statement[] }).Statement) {
          const { Effect, Action, Resource, Condition } = statement;
          if (Effect === "Allow") for (const action of Action) permissions.add(`${title} ${action}`);
          const conditions = conditionsOf(Condition);
          const key = JSON.stringify([Effect, Action, conditions.map(([test]) => test)]);
          const effect = Effect === "Deny" ? "**denied:** " : managed ? `AWS's policy \`${name}\`: ` : "";
          const row = rows.get(key) ?? {
            effect,
            actions: Action,
            resources: new Set(),
            conditions: new Map(),
          };
          rows.set(key, row);
          for (const [test, values] of conditions) {
            row.conditions.set(test, new Set([...(row.conditions.get(test) ?? []), ...values]));
          }
          for (const resource of Resource) row.resources.add(shortened(resource));
        }
      }
    }
    const lines = [...rows.values()].map(({ effect, actions, resources, conditions }) => [
      `${effect}${actionsText(actions)}`,
      some(resources),
      [...conditions].map(([test, values]) => `${test} ${some(values)}`.trim()).join("; "),
    ]);
    const assumedBy = some(own.flatMap((each) => each.assumedBy));
    return [
      `### ${title}`,
      `${about} Assumed by ${assumedBy}.`,
      table(
        ["actions", "on", "conditions"],
        lines.sort(([a = ""], [b = ""]) => a.localeCompare(b)),
      ),
    ].join("\n\n");
  });
  const unknown = found.filter(({ name }) => !KINDS.some(({ role }) => role.test(name))).map(({ name }) => name);
  if (unknown.length > 0) throw new Error(`roles without a kind: ${unknown.join(", ")}`);
  return { sections, count: found.length, permissions: permissions.size };
}

/** Principals that a role trusts. */
function assumers(program: Program, name: string): string[] {
  const [, role] = Object.entries(program.resource?.aws_iam_role ?? {}).find(
    ([id]) => nameOf(program, "aws_iam_role", id) === name,
  )!;
  const { Statement: statements } = JSON.parse(resolve(program, String(role.assume_role_policy))) as {
    readonly Statement: readonly { readonly Principal: Readonly<Record<string, string | readonly string[]>> }[];
  };
  return statements.flatMap(({ Principal }) =>
    Object.values(Principal).flatMap((names) => [names].flat().map((each) => each.replace(/^.*oidc-provider\//, ""))),
  );
}

type Block = Readonly<Record<string, unknown>>;

/** All resources of a type in one of everything, by profile. */
function blocksOf(profile: Profile): (type: string) => readonly Block[] {
  const programs = programsOf(everything(profile));
  return (type) => programs.flatMap(({ program }) => Object.values(program.resource?.[type] ?? {}));
}

const key = (value: unknown) => (String(value ?? "alias/aws/").startsWith("alias/aws/") ? "AWS" : "customer-managed");
const days = (value: unknown) => (value === undefined ? "none" : `${value} day${value === 1 ? "" : "s"}`);
/** Value at a path, through the lists that Terraform has for blocks. */
const at = (block: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce<unknown>(
      (inner, name) => (Array.isArray(inner) ? inner[0]?.[name] : (inner as Block | undefined)?.[name]),
      block,
    );

interface Fact {
  readonly what: string;
  readonly type: string;
  readonly of: (block: Block) => string;
  /** @default - all */
  readonly only?: (block: Block) => boolean;
}
const keyAt = (path: string) => (block: Block) => key(at(block, path));

const KEYS: readonly Fact[] = [
  { what: "databases", type: "aws_db_instance", of: keyAt("kms_key_id") },
  { what: "Aurora clusters", type: "aws_rds_cluster", of: keyAt("kms_key_id") },
  {
    what: "Performance Insights",
    type: "aws_db_instance",
    of: (block) =>
      block.performance_insights_enabled === true ? keyAt("performance_insights_kms_key_id")(block) : "off",
  },
  { what: "master passwords", type: "aws_db_instance", of: keyAt("master_user_secret_kms_key_id") },
  { what: "caches", type: "aws_elasticache_replication_group", of: keyAt("kms_key_id") },
  { what: "tables", type: "aws_dynamodb_table", of: keyAt("server_side_encryption.kms_key_arn") },
  { what: "log groups", type: "aws_cloudwatch_log_group", of: keyAt("kms_key_id"), only: ({ name }) => !isExec(name) },
  {
    what: "log group of ECS Exec",
    type: "aws_cloudwatch_log_group",
    of: keyAt("kms_key_id"),
    only: ({ name }) => isExec(name),
  },
  ...(
    [
      ["log archives", /Archive_|Delivery_Dead/],
      ["access logs of load balancers", /AccessLogs_/],
      ["buckets", /Files_/],
      ["artifacts of pipelines", /Artifacts_/],
    ] as const
  ).map(
    ([what, bucket]): Fact => ({
      what,
      type: "aws_s3_bucket_server_side_encryption_configuration",
      of: keyAt("rule.apply_server_side_encryption_by_default.kms_master_key_id"),
      only: (block) => bucket.test(String(block.bucket)),
    }),
  ),
  { what: "queues", type: "aws_sqs_queue", of: keyAt("kms_master_key_id") },
  {
    what: "topics of alarms and pipelines",
    type: "aws_sns_topic",
    of: keyAt("kms_master_key_id"),
    only: ({ name }) => isNotice(name),
  },
  { what: "topics", type: "aws_sns_topic", of: keyAt("kms_master_key_id"), only: ({ name }) => !isNotice(name) },
];
const isStream = (name: unknown) =>
  /^\/(shop\/dev\/(orders|report)|orders\/dev\/audit|audit\/dev\/logs)$/.test(String(name));
const isExec = (name: unknown) => /exec/.test(String(name));
const isNotice = (name: unknown) => /-(alarms|pipeline)$/.test(String(name));

const RETENTION: readonly Fact[] = [
  {
    what: "log groups of services and of `LogStream`",
    type: "aws_cloudwatch_log_group",
    of: ({ retention_in_days: kept }) => days(kept),
    only: ({ name }) => isStream(name),
  },
  {
    what: "log groups of add-ons and of deliveries",
    type: "aws_cloudwatch_log_group",
    of: ({ retention_in_days: kept }) => days(kept),
    only: ({ name }) => !isStream(name),
  },
  ...(
    [
      ["access logs of load balancers", /AccessLogs_/],
      ["log archives", /Archive_/],
      ["artifacts of pipelines", /Artifacts_/],
    ] as const
  ).map(
    ([what, bucket]): Fact => ({
      what,
      type: "aws_s3_bucket_lifecycle_configuration",
      of: (block) => days(at(block, "rule.expiration.days")),
      only: (block) => bucket.test(String(block.bucket)),
    }),
  ),
  { what: "backups of databases", type: "aws_db_instance", of: ({ backup_retention_period: kept }) => days(kept) },
  {
    what: "Performance Insights",
    type: "aws_db_instance",
    of: (block) => days(block.performance_insights_retention_period),
  },
  {
    what: "snapshots of caches",
    type: "aws_elasticache_replication_group",
    of: ({ snapshot_retention_limit: kept }) => days(kept),
  },
  {
    what: "continuous backups of tables",
    type: "aws_dynamodb_table",
    of: (block) => (at(block, "point_in_time_recovery.enabled") === true ? "35 days" : "none"),
  },
];

function profiles(facts: readonly Fact[], all: ReadonlyMap<Profile, ReturnType<typeof blocksOf>>): string {
  const rows = facts.map(({ what, type, of, only = () => true }) => {
    const found = [...all.values()].map((blocks) => blocks(type).filter(only));
    if (found.every((blocks) => blocks.length === 0)) throw new Error(`no ${type} is one of the ${what}`);
    return [what, ...found.map((blocks) => [...new Set(blocks.map(of))].sort().join(", ") || "none")];
  });
  return table(["", ...all.keys()], rows);
}

/** The page of what each role may do, and which profile brings which keys and which retention. */
export function securityPage(): string {
  const all = new Map(PROFILES.map((profile) => [profile, blocksOf(profile)]));
  const { sections, count, permissions } = roles();
  return `<!-- Written by npm run docs from the policies of test/contract/support/every-role.ts and everything.ts. -->

# Keys, retention and roles

## Keys by profile

Everything is encrypted at rest. \`AWS\` is a key that AWS manages; \`customer-managed\` is a key of your account, with yearly rotation, for
1 USD a month each: one for the databases, caches, tables and Performance Insights of a stack, one for each log group, archive and topic of
alarms. \`encryption\` of the [environment](environments.md#encryption) overrides what the profile sets for the first group and for log groups.

${profiles(KEYS, all)}

Load balancers and S3 write access logs only with the key of S3.

## Retention by profile

Defaults; props override them.

${profiles(RETENTION, all)}

## Roles

What each role may do, made from the policies of ${count} roles with ${permissions} permissions in total: one of each kind that the constructs
create, each with everything that it can have. A role has what its service uses, and no more. \`<platform>\`, \`<stack>\`, \`<environment>\`,
\`<region>\` and \`<id>\` stand for names. Where many actions are allowed, the table counts them by
service. Each role has the [permissions boundary](environments.md#permissions-boundary) of its environment besides, if one is set.

${sections.join("\n\n")}
`;
}
