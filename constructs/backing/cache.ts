import { ElasticacheReplicationGroup } from "@cdktf/provider-aws/lib/elasticache-replication-group";
import { ElasticacheSubnetGroup } from "@cdktf/provider-aws/lib/elasticache-subnet-group";
import { ElasticacheUser } from "@cdktf/provider-aws/lib/elasticache-user";
import { ElasticacheUserGroup } from "@cdktf/provider-aws/lib/elasticache-user-group";
import { Construct, type IConstruct } from "constructs";
import type { IAlarm, MetricDataQuery } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { Connections, type IConnectable } from "../core/connections";
import { invalid, Problems } from "../core/errors";
import { literal } from "../core/literal";
import { kebab, pascal } from "../core/names";
import { backingParameter, ImportedContract, PublishedContract } from "../core/parameter-contract";
import { sharedArn } from "../core/per-stack";
import { withPlaceholders } from "../core/reference";
import { isSecretReference } from "../core/secrets";
import { SecurityGroup } from "../core/security-group";
import type { AwsStack } from "../core/stack";
import type { IVpc } from "../vpc/vpc";
import type { BackingHost, BackingService } from "./host";
import { announceMaintenanceWindow } from "./maintenance-window";
import { backingName, comesFirst, dataKeyArnOf, dataStackOf, healthAlarm, vpcOf } from "./place";

/**
 * A cache (Valkey or Redis), created by this app or managed outside it. `service.use(cache)` sets `REDIS_URL` and the
 * credentials.
 */
export interface ICache extends IConstruct, BackingService {}

const PORT = 6379;

export const CACHE_NODES = [
  "cache.t4g.micro",
  "cache.t4g.small",
  "cache.t4g.medium",
  "cache.m7g.large",
  "cache.m7g.xlarge",
  "cache.r7g.large",
  "cache.r7g.xlarge",
  "cache.r7g.2xlarge",
] as const;
/** Node types of a cache. */
export type CacheNode = (typeof CACHE_NODES)[number];

export interface CacheProps {
  /**
   * Node type. `cache.t4g.micro` holds 0.5 GB and costs about 9 USD a month.
   *
   * @default "cache.t4g.micro"
   */
  readonly node?: CacheNode;
  /**
   * Number of replicas in other zones, 0 to 5. One of them takes over when the primary fails.
   *
   * @default 0 in dev, 1 in production
   */
  readonly replicas?: number;
  /**
   * Applies changes of the node during the deployment that makes them. Otherwise ElastiCache applies them in the maintenance
   * window, once a week, and plans show the change until then.
   *
   * @default true in dev, false in production
   */
  readonly applyImmediately?: boolean;
  /**
   * VPC of the cache, which uses its private subnets.
   *
   * @default - the VPC of the platform
   */
  readonly vpc?: IVpc;
}

/**
 * A Valkey 8 cache on Amazon ElastiCache: private, encrypted at rest and in transit. In production, a replica in another
 * zone takes over on failure. Belongs in the data stack, although a cache does not guarantee durability.
 *
 * The app authenticates with IAM (`REDIS_IAM_ARN`) instead of a password. `service.use(cache)` sets `REDIS_URL`,
 * `REDIS_USERNAME` and `REDIS_IAM_ARN`.
 *
 * Costs about 9 USD a month in dev and 18 in production.
 *
 * @example
 * ```ts
 * const cache = new Cache(stack.data, "Cache");
 * new CloudNativeService(stack, "Orders").use(cache);
 * ```
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
 */
export class Cache extends Construct implements ICache, IConnectable {
  readonly connections: Connections;
  readonly #stack: AwsStack;
  readonly #cacheName: string;
  readonly #parameter: string;
  readonly #alarm: IAlarm;

  /** @throws InvalidPropsError CACHE_NODE, CACHE_REPLICAS, BACKING_LIFETIME, BACKING_VPC */
  constructor(scope: Construct, id: string, props: CacheProps = {}) {
    super(scope, id);
    checkArguments("new Cache", { props }, this);
    const stack = dataStackOf(this);
    const node = props.node ?? "cache.t4g.micro";
    const replicas = props.replicas ?? (stack.production ? 1 : 0);
    const problems = new Problems(this);
    problems.checkOneOf(node, CACHE_NODES, { code: "CACHE_NODE", prop: "node" });
    problems.check(Number.isInteger(replicas) && replicas >= 0 && replicas <= 5, {
      code: "CACHE_REPLICAS",
      prop: "replicas",
      problem: `must be a whole number from 0 to 5, got ${replicas}`,
      remedy: "Change replicas, or leave it out.",
    });
    problems.throwIfAny();
    const applyImmediately = props.applyImmediately ?? !stack.production;
    if (!applyImmediately) announceMaintenanceWindow(this, "the node");
    const vpc = vpcOf(this, props.vpc);
    const cacheName = backingName(this, "cache");
    this.#stack = stack;
    this.#cacheName = cacheName;

    const group = new SecurityGroup(this, "SecurityGroup", { vpcId: vpc.vpcId, name: cacheName, port: PORT });
    this.connections = group.connections;
    const { securityGroupId } = group.connections;
    const subnets = new ElasticacheSubnetGroup(this, "Subnets", {
      name: cacheName,
      description: "Private subnets.",
      subnetIds: [...vpc.privateSubnetIds],
    });
    // IAM authentication requires the user id and the user name to be the same.
    const user = new ElasticacheUser(this, "User", {
      userId: cacheName,
      userName: cacheName,
      engine: "valkey",
      accessString: "on ~* +@all -@dangerous +info",
      authenticationMode: { type: "iam" },
    });
    const users = new ElasticacheUserGroup(this, "Users", {
      userGroupId: cacheName,
      engine: "valkey",
      userIds: [user.userId],
    });
    const cache = new ElasticacheReplicationGroup(this, "Resource", {
      replicationGroupId: cacheName,
      description: `Cache of ${stack.stackName}`,
      engine: "valkey",
      engineVersion: "8.0",
      nodeType: node,
      port: PORT,
      numCacheClusters: 1 + replicas,
      automaticFailoverEnabled: replicas > 0,
      multiAzEnabled: replicas > 0,
      subnetGroupName: subnets.name,
      securityGroupIds: [securityGroupId],
      atRestEncryptionEnabled: "true",
      kmsKeyId: dataKeyArnOf(stack),
      transitEncryptionEnabled: true,
      transitEncryptionMode: "required",
      userGroupIds: [users.userGroupId],
      autoMinorVersionUpgrade: "true",
      snapshotRetentionLimit: stack.production ? 7 : 1,
      applyImmediately,
      // AWS upgrades the minor version; the provider would plan a replacement to restore the old one.
      lifecycle: { ignoreChanges: ["engine_version"] },
    });
    this.#alarm = this.#watch();
    this.#parameter = backingParameter(stack.environment.name, stack.stackName, kebab(id));
    new PublishedContract(this, "Contract", {
      name: this.#parameter,
      value: { host: cache.primaryEndpointAddress, securityGroupId },
    });
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    comesFirst(this, host);
    const contract = new ImportedContract(host.scope, "Contract", { name: this.#parameter });
    const there = new Connections(host.scope, "Connections", {
      securityGroupId: contract.text("securityGroupId"),
      defaultPort: PORT,
    });
    host.connections.allowTo(`Use${pascal(this.name)}`, there);
    const arn = sharedArn(this.#stack, "elasticache", `replicationgroup:${this.#cacheName}`);
    host.addEnvironment("REDIS_URL", `rediss://${contract.text("host")}:${PORT}`);
    host.addEnvironment("REDIS_USERNAME", this.#cacheName);
    host.addEnvironment("REDIS_IAM_ARN", arn);
    host.grant({
      actions: ["elasticache:Connect"],
      resources: [arn, sharedArn(this.#stack, "elasticache", `user:${this.#cacheName}`)],
    });
    host.addAlarm(this.#alarm);
  }

  #watch(): IAlarm {
    const row = (id: string, metricName: string): MetricDataQuery => ({
      id,
      metric: {
        namespace: "AWS/ElastiCache",
        metricName,
        // The first node, which is the primary at first; ElastiCache has no metrics for the whole cache.
        dimensions: { CacheClusterId: `${this.#cacheName}-001` },
        statistic: "Maximum",
      },
    });
    return healthAlarm(this, {
      description: `${this.#cacheName} has used 90 % of its CPU or memory: use a larger node, or store less.`,
      threshold: 90,
      datapoints: 5,
      queries: () => [
        row("cpu", "EngineCPUUtilization"),
        row("memory", "DatabaseMemoryUsagePercentage"),
        { id: "used", expression: "MAX([cpu, memory])", returned: true },
      ],
    });
  }
}

/** Attributes of a cache that is managed outside this app. */
export interface CacheAttributes {
  /** URL without user and password: `rediss://cache.example.com:6379`. `rediss` uses TLS. */
  readonly url: string;
  /** @default - none */
  readonly user?: string;
  /**
   * ARN of the secret (or of one of its keys) or parameter that holds the user's password. Read when a task starts.
   *
   * @default - none
   */
  readonly passwordArn?: string;
  /**
   * Security group of the cache. A rule is added to it that allows connections from the service.
   *
   * @default - none: the owner of the cache must allow the service, whose outbound rule allows all addresses on the port
   */
  readonly securityGroupId?: string;
}

/**
 * References a cache that is managed outside this app. `service.use(cache)` sets `REDIS_URL` and, if configured,
 * `REDIS_USERNAME` and `REDIS_PASSWORD`.
 *
 * @example
 * ```ts
 * const cache = existingCache(stack, "Cache", { url: "rediss://cache.example.com:6379" });
 * ```
 * @throws InvalidPropsError CACHE_URL, CACHE_PASSWORD
 */
export function existingCache(scope: Construct, id: string, attributes: CacheAttributes): ICache {
  checkArguments("existingCache", { attributes });
  return new ExistingCache(scope, id, attributes);
}

class ExistingCache extends Construct implements ICache {
  readonly #attributes: CacheAttributes;

  constructor(scope: Construct, id: string, attributes: CacheAttributes) {
    super(scope, id);
    const { url, passwordArn } = attributes;
    // Scheme and port must be known, as they decide which connections are allowed.
    const known = withPlaceholders(url);
    const parsed = URL.canParse(known) ? new URL(known) : undefined;
    if (
      parsed === undefined ||
      !/^rediss?:$/.test(parsed.protocol) ||
      parsed.username !== "" ||
      parsed.password !== ""
    ) {
      throw invalid(this, {
        code: "CACHE_URL",
        prop: "url",
        problem:
          "must be a URL that begins with rediss:// or redis://, without user and password, and with a known port", // Omits the value, which may hold a password.
        remedy: "Set the user in user, and the ARN of the password's secret in passwordArn.",
      });
    }
    if (passwordArn !== undefined && !isSecretReference(passwordArn)) {
      const remedy = "Use arn:aws:secretsmanager:...:secret:... or arn:aws:ssm:...:parameter/...";
      throw invalid(this, {
        code: "CACHE_PASSWORD",
        prop: "passwordArn",
        problem: "is not the ARN of a secret or parameter",
        remedy,
      });
    }
    this.#attributes = attributes;
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    const { url, user, passwordArn, securityGroupId } = this.#attributes;
    const port = Number(new URL(withPlaceholders(url)).port || PORT);
    if (securityGroupId === undefined) host.connections.allowToInternet(port);
    else {
      const there = new Connections(host.scope, "Connections", {
        securityGroupId: literal(securityGroupId),
        defaultPort: port,
      });
      host.connections.allowTo(`Use${pascal(this.name)}`, there);
    }
    host.addEnvironment("REDIS_URL", literal(url));
    if (user !== undefined) host.addEnvironment("REDIS_USERNAME", literal(user));
    if (passwordArn !== undefined) host.addSecret("REDIS_PASSWORD", passwordArn);
  }
}
