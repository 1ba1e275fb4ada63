/** What Terraform would do to one resource, as `terraform show -json` tells. */
interface ResourceChange {
  readonly address: string;
  readonly mode?: string;
  readonly type: string;
  readonly deposed?: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before?: unknown;
    readonly after?: unknown;
    readonly after_unknown?: unknown;
    readonly before_sensitive?: unknown;
    readonly after_sensitive?: unknown;
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

/** A plan as `terraform show -json <plan>` prints it. @see https://developer.hashicorp.com/terraform/internals/json-format */
export interface TerraformPlan {
  readonly resource_changes: readonly ResourceChange[];
}

/** What goes when a resource of a type goes. */
interface Loss {
  readonly what: string;
  readonly deleted: string;
  /** What a replacement means, unless it is that of a deletion. The old one goes first. */
  readonly replaced?: string;
  /** What a replacement means when the new one comes first. */
  readonly replacedAfter?: string;
  /** What is behind a change that forces a replacement, by its path. */
  readonly causes?: Readonly<Record<string, string>>;
}

const DATA_LOST = "all that is in it is lost";

/** What must not go unnoticed. */
const GUARDED: Readonly<Record<string, Loss>> = {
  aws_ecs_service: {
    what: "service",
    deleted: "all its tasks end; nobody answers",
    replaced: "all its tasks end before new ones start: an outage of some minutes",
    replacedAfter: "two of one name cannot be: AWS refuses the new one",
    causes: {
      "deployment_controller.0.type":
        "a service keeps who moves its tasks: codeDeploy(...) and the other strategies do not change into each other",
    },
  },
  aws_ecs_cluster: { what: "cluster", deleted: "every service in it must end first" },
  aws_lb: {
    what: "load balancer",
    deleted: "no service behind it can be reached",
    replaced: "no service behind it can be reached for some minutes, and then only by its new name",
  },
  aws_lb_listener: { what: "listener", deleted: "no service behind its port can be reached" },
  aws_lb_target_group: {
    what: "target group",
    deleted: "its service gets no requests",
    replaced: "its service gets no requests until its tasks are healthy in the new one",
    replacedAfter:
      "its service is replaced or registered anew: some requests fail until tasks are healthy in the new one",
  },
  aws_service_discovery_http_namespace: { what: "namespace", deleted: "no service on the platform finds another" },
  aws_service_discovery_private_dns_namespace: {
    what: "namespace",
    deleted: "no service on the platform finds another",
  },
  aws_service_discovery_service: { what: "name", deleted: "callers do not find the service until it is deployed anew" },
  aws_db_instance: { what: "database", deleted: DATA_LOST },
  aws_rds_cluster: { what: "database", deleted: DATA_LOST },
  aws_rds_cluster_instance: {
    what: "database instance",
    deleted: "the database has one instance less, or none",
    replaced: "the database fails over, or is away for some minutes when it is the only one",
  },
  aws_rds_global_cluster: { what: "database", deleted: DATA_LOST },
  aws_dynamodb_table: { what: "table", deleted: DATA_LOST },
  aws_docdb_cluster: { what: "database", deleted: DATA_LOST },
  aws_elasticache_replication_group: {
    what: "cache",
    deleted: "what it holds is lost; services are slower or down until it is filled",
  },
  aws_elasticache_serverless_cache: {
    what: "cache",
    deleted: "what it holds is lost; services are slower or down until it is filled",
  },
  aws_elasticache_cluster: {
    what: "cache",
    deleted: "what it holds is lost; services are slower or down until it is filled",
  },
  aws_opensearch_domain: { what: "search domain", deleted: DATA_LOST },
  aws_efs_file_system: { what: "file system", deleted: DATA_LOST },
  aws_s3_bucket: { what: "bucket", deleted: DATA_LOST },
  aws_sqs_queue: { what: "queue", deleted: "messages in it are lost, and senders fail" },
  aws_ecr_repository: {
    what: "image repository",
    deleted: "images are lost: no task that needs one can start, and no rollback",
  },
  aws_cloudwatch_log_group: { what: "log group", deleted: "its lines are lost" },
  aws_kms_key: { what: "key", deleted: "what it encrypted can never be read again once its waiting time is over" },
  aws_secretsmanager_secret: { what: "secret", deleted: "tasks that need it cannot start, and its value is lost" },
  aws_cognito_user_pool: { what: "user pool", deleted: "all users are lost" },
  aws_route53_zone: { what: "zone", deleted: "its names lead nowhere" },
  aws_vpc: { what: "vpc", deleted: "everything in it must end first" },
};

/** Types of resources that a plan may not delete or replace unless told. */
export const GUARDED_TYPES: readonly string[] = Object.keys(GUARDED);

/** Something that a plan would delete or replace and that must not go unnoticed. */
export interface Finding {
  readonly address: string;
  readonly action: "delete" | "replace";
  /** What it is: `service`. */
  readonly what: string;
  /** What that means for those who use it. */
  readonly effect: string;
  /** What forces the replacement: `name: "a" -> "b"`. Sensitive values are left out. */
  readonly because: readonly string[];
}

/** What the user has allowed, by address. */
export interface Allowances {
  readonly delete: readonly string[];
  readonly replace: readonly string[];
}

export interface Verdict {
  readonly refused: readonly Finding[];
  readonly allowed: readonly Finding[];
  /** Allowances for what the plan does not do: a leftover that would let the next plan through. */
  readonly unused: readonly string[];
}

/** Reads what `terraform show -json` printed. @throws Error when it is something else */
export function readPlan(text: string): TerraformPlan {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    throw new Error("is no JSON: make it with `terraform show -json <plan file>`");
  }
  const { format_version: version, resource_changes: changes, errored } = (plan ?? {}) as Record<string, unknown>;
  if (typeof version !== "string" || (plan as { planned_values?: unknown }).planned_values === undefined) {
    throw new Error(
      "is no plan: make it with `terraform plan -out=<plan file>` and `terraform show -json <plan file>`",
    );
  }
  if (!version.startsWith("1.")) throw new Error(`has format ${version}; 1.x is understood`);
  if (errored === true) throw new Error("is of a plan that failed: mend that first");
  return { resource_changes: (changes ?? []) as readonly ResourceChange[] };
}

/** What a plan would take away of what must not go unnoticed, and whether that was allowed by name. */
export function judgePlan(plan: TerraformPlan, allowances: Allowances = { delete: [], replace: [] }): Verdict {
  const findings = plan.resource_changes.flatMap(find);
  const isAllowed = ({ address, action }: Finding) => allowances[action].includes(address);
  const unused = (["delete", "replace"] as const).flatMap((action) =>
    allowances[action]
      .filter((address) => !findings.some((each) => each.address === address && each.action === action))
      .map((address) => `--allow-${action} ${address}`),
  );
  return {
    refused: findings.filter((each) => !isAllowed(each)),
    allowed: findings.filter(isAllowed),
    unused,
  };
}

function find(resource: ResourceChange): Finding[] {
  const { address, type, change } = resource;
  const loss = Object.hasOwn(GUARDED, type) ? GUARDED[type] : undefined;
  if (loss === undefined || resource.mode === "data" || !change.actions.includes("delete")) return [];
  if (!change.actions.includes("create")) {
    return [{ address, action: "delete", what: loss.what, effect: loss.deleted, because: [] }];
  }
  const newFirst = change.actions[0] === "create";
  const effect = (newFirst ? loss.replacedAfter : undefined) ?? loss.replaced ?? loss.deleted;
  return [{ address, action: "replace", what: loss.what, effect, because: reasons(change, loss) }];
}

function reasons(change: ResourceChange["change"], { causes = {} }: Loss): string[] {
  return (change.replace_paths ?? []).map((path) => {
    const at = (value: unknown) => path.reduce((inner, key) => (inner as never)?.[key as never], value);
    const secret = isMarked(change.before_sensitive, path) || isMarked(change.after_sensitive, path);
    const after = isMarked(change.after_unknown, path) ? "(known after apply)" : shown(at(change.after));
    const cause = causes[path.join(".")];
    const values = secret ? "(sensitive)" : `${shown(at(change.before))} -> ${after}`;
    return `${path.join(".")}: ${values}${cause === undefined ? "" : ` (${cause})`}`;
  });
}

/** Whether a mark (true, or an object of the same shape with true inside) covers a path. */
function isMarked(marks: unknown, path: readonly (string | number)[]): boolean {
  let here: unknown = marks;
  for (const key of path) {
    if (here === true) return true;
    here = (here as Record<string, unknown> | null | undefined)?.[key];
  }
  return JSON.stringify(here ?? false).includes("true");
}

const SHOWN_LENGTH = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

/** The verdict as a person reads it. */
export function describeVerdict({ refused, allowed, unused }: Verdict): string {
  const describe = ({ address, action, what, effect, because }: Finding) =>
    [`  ${address}  (${what}, ${action}d: ${effect})`, ...because.map((reason) => `    because ${reason}`)].join("\n");
  const lines: string[] = [];
  if (refused.length > 0) {
    const count = refused.length === 1 ? "1 thing" : `${refused.length} things`;
    lines.push(`✖ the plan would take away ${count} that must not go unnoticed:`, ...refused.map(describe));
    lines.push("  Allow what you mean, by name:");
    lines.push(...refused.map(({ action, address }) => `    --allow-${action} '${address}'`));
  }
  if (unused.length > 0) {
    lines.push("✖ allowed, but not in the plan; take it away, or the next plan may do it:");
    lines.push(...unused.map((flag) => `    ${flag}`));
  }
  if (allowed.length > 0) lines.push("allowed by name:", ...allowed.map(describe));
  if (lines.length === 0) lines.push("the plan takes nothing away that must not go unnoticed");
  return `${lines.join("\n")}\n`;
}
