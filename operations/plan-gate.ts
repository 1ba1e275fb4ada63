/** Change of one resource, in the format of `terraform show -json`. */
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

/** Plan, in the format of `terraform show -json <plan>`. @see https://developer.hashicorp.com/terraform/internals/json-format */
export interface TerraformPlan {
  readonly resource_changes: readonly ResourceChange[];
  /** Resources that were changed outside Terraform. */
  readonly resource_drift?: readonly Pick<ResourceChange, "address" | "change">[];
  readonly output_changes?: Readonly<Record<string, ResourceChange["change"]>>;
}

/** Consequences of deleting or replacing a resource of a type. */
interface Loss {
  readonly what: string;
  readonly deleted: string;
  /** Consequence of a replacement that deletes the old resource first. @default - that of a deletion */
  readonly replaced?: string;
  /** Consequence of a replacement that creates the new resource first. */
  readonly replacedAfter?: string;
  /** Cause of a change that forces a replacement, by its path. */
  readonly causes?: Readonly<Record<string, string>>;
}

const DATA_LOST = "all of its data is lost";

/** Protected resource types. */
const GUARDED: Readonly<Record<string, Loss>> = {
  aws_ecs_service: {
    what: "service",
    deleted: "all of its tasks stop, and requests fail",
    replaced: "all of its tasks stop before new ones start: an outage of some minutes",
    replacedAfter: "AWS refuses the new one, because both have the same name",
    causes: {
      "deployment_controller.0.type":
        "a service keeps its deployment controller: codeDeploy(...) and the other strategies cannot be exchanged in place",
    },
  },
  aws_ecs_cluster: { what: "cluster", deleted: "every service in it must be deleted first" },
  aws_lb: {
    what: "load balancer",
    deleted: "none of its services can be reached",
    replaced: "none of its services can be reached for some minutes, and then only by its new DNS name",
  },
  aws_lb_listener: { what: "listener", deleted: "no service can be reached on its port" },
  aws_lb_target_group: {
    what: "target group",
    deleted: "its service gets no requests",
    replaced: "its service gets no requests until its tasks are healthy in the new one",
    replacedAfter:
      "its service is replaced or registered again: some requests fail until tasks are healthy in the new one",
  },
  aws_service_discovery_http_namespace: {
    what: "namespace",
    deleted: "services on the platform cannot find each other",
  },
  aws_service_discovery_private_dns_namespace: {
    what: "namespace",
    deleted: "services on the platform cannot find each other",
  },
  aws_service_discovery_service: {
    what: "name",
    deleted: "callers cannot find the service until it is deployed again",
  },
  aws_db_instance: { what: "database", deleted: DATA_LOST },
  aws_rds_cluster: { what: "database", deleted: DATA_LOST },
  aws_rds_cluster_instance: {
    what: "database instance",
    deleted: "the database has one instance less, or none",
    replaced: "the database fails over, or is down for some minutes if it is the only instance",
  },
  aws_rds_global_cluster: { what: "database", deleted: DATA_LOST },
  aws_dynamodb_table: { what: "table", deleted: DATA_LOST },
  aws_docdb_cluster: { what: "database", deleted: DATA_LOST },
  aws_elasticache_replication_group: {
    what: "cache",
    deleted: "its content is lost; services are slower or down until it is filled again",
  },
  aws_elasticache_serverless_cache: {
    what: "cache",
    deleted: "its content is lost; services are slower or down until it is filled again",
  },
  aws_elasticache_cluster: {
    what: "cache",
    deleted: "its content is lost; services are slower or down until it is filled again",
  },
  aws_opensearch_domain: { what: "search domain", deleted: DATA_LOST },
  aws_efs_file_system: { what: "file system", deleted: DATA_LOST },
  aws_s3_bucket: { what: "bucket", deleted: DATA_LOST },
  aws_sqs_queue: { what: "queue", deleted: "its messages are lost, and senders fail" },
  aws_ecr_repository: {
    what: "image repository",
    deleted: "its images are lost: tasks that need one cannot start, and rollbacks fail",
  },
  aws_cloudwatch_log_group: { what: "log group", deleted: "its lines are lost" },
  aws_kms_key: { what: "key", deleted: "the data that it encrypts can never be read again after its waiting period" },
  aws_secretsmanager_secret: { what: "secret", deleted: "tasks that need it cannot start, and its value is lost" },
  aws_cognito_user_pool: { what: "user pool", deleted: "all users are lost" },
  aws_route53_zone: { what: "zone", deleted: "its DNS names no longer resolve" },
  aws_vpc: { what: "vpc", deleted: "everything in it must be deleted first" },
};

/** Protected resource that a plan would delete or replace. */
export interface Finding {
  readonly address: string;
  readonly action: "delete" | "replace";
  /** Resource type in words: `service`. */
  readonly what: string;
  /** Consequence for its users. */
  readonly effect: string;
  /** Changes that force the replacement: `name: "a" -> "b"`. Sensitive values are omitted. */
  readonly because: readonly string[];
}

/** Addresses that the user has allowed. */
export interface Allowances {
  readonly delete: readonly string[];
  readonly replace: readonly string[];
}

export interface Verdict {
  readonly refused: readonly Finding[];
  readonly allowed: readonly Finding[];
  /** Allowances that the plan does not need. Left in place, they would allow a later plan. */
  readonly unused: readonly string[];
}

/** Parses the output of `terraform show -json`. @throws Error if it is not a plan */
export function readPlan(text: string): TerraformPlan {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    throw new Error("is not JSON: create it with `terraform show -json <plan file>`");
  }
  const { format_version: version, resource_changes: changes, errored } = (plan ?? {}) as Record<string, unknown>;
  if (typeof version !== "string" || (plan as { planned_values?: unknown }).planned_values === undefined) {
    throw new Error(
      "is not a plan: create it with `terraform plan -out=<plan file>` and `terraform show -json <plan file>`",
    );
  }
  if (!version.startsWith("1.")) throw new Error(`has format ${version}; the supported format is 1.x`);
  if (errored === true) throw new Error("is a failed plan: fix its errors and plan again");
  return { ...(plan as TerraformPlan), resource_changes: (changes ?? []) as readonly ResourceChange[] };
}

/** Protected resources that a plan would delete or replace, split by whether the user has allowed it. */
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

/** Returns whether a mark (true, or an object of the same shape that contains true) covers a path. */
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

/** Renders the verdict for a terminal. */
export function describeVerdict({ refused, allowed, unused }: Verdict): string {
  const describe = ({ address, action, what, effect, because }: Finding) =>
    [`  ${address}  (${what}, ${action}d: ${effect})`, ...because.map((reason) => `    because ${reason}`)].join("\n");
  const lines: string[] = [];
  if (refused.length > 0) {
    const count = refused.length === 1 ? "1 protected resource" : `${refused.length} protected resources`;
    lines.push(`✖ the plan would delete or replace ${count}:`, ...refused.map(describe));
    lines.push("  To allow a change, name its resource:");
    lines.push(...refused.map(({ action, address }) => `    --allow-${action} '${address}'`));
  }
  if (unused.length > 0) {
    lines.push("✖ allowed, but not in the plan; remove the flag, or a later plan may do it:");
    lines.push(...unused.map((flag) => `    ${flag}`));
  }
  if (allowed.length > 0) lines.push("allowed explicitly:", ...allowed.map(describe));
  if (lines.length === 0) lines.push("the plan deletes or replaces no protected resources");
  return `${lines.join("\n")}\n`;
}
