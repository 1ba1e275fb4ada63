import { Token } from "cdktf";
import type { Construct, IConstruct } from "constructs";
import type { Capacity } from "../cluster/capacity";
import {
  Cluster,
  type ClusterProps,
  type ICluster,
  otherArchitectures,
  type Sessions,
  STACK_CLUSTER,
  unknownInstances,
} from "../cluster/cluster";
import { type ExistingCluster, ImportedCluster } from "../cluster/imported-cluster";
import { StoppedTasks } from "../cluster/stopped-tasks";
import type { Architecture } from "../core/architecture";
import { checkArguments } from "../core/check-types";
import { type Environment, withDefaults } from "../core/environment";
import { invalid, validateAtSynth } from "../core/errors";
import { NAME_PATTERN, NAME_RULE } from "../core/names";
import { ImportedContract, PublishedContract, platformParameter } from "../core/parameter-contract";
import type { ProviderLine } from "../core/provider-line";
import { AwsStack } from "../core/stack";
import { Namespace, type NamespaceAttributes } from "../discovery/namespace";
import {
  type ExistingLoadBalancer,
  type ILoadBalancer,
  type Listener,
  LoadBalancer,
  STACK_LOAD_BALANCER,
} from "../load-balancer/load-balancer";
import { type ExistingVpc, type IVpc, STACK_VPC, Vpc } from "../vpc/vpc";
import type { Egress, VpcProps } from "../vpc/vpc-props";
import { type AlarmRecipients, AlarmTopic } from "./alarm-topic";

export interface PlatformProps {
  readonly environment: Environment;
  /**
   * Listener of a new public load balancer that the services share, `https(...)` or `insecureHttp()`; or a load balancer
   * that is managed outside this app, `existingLoadBalancer(...)`.
   *
   * @default - no load balancer: services are not reachable from outside
   */
  readonly listener?: Listener | ExistingLoadBalancer;
  /**
   * Keeps a log of all requests to the load balancer in an S3 bucket, as long as other logs of the environment. Has no effect on an existing
   * load balancer.
   *
   * @default true in production, false in dev
   */
  readonly accessLogs?: boolean;
  /**
   * Settings of a new VPC, or a VPC that is managed outside this app, `existingVpc(...)`.
   *
   * @default - see VpcProps
   */
  readonly vpc?: VpcProps | ExistingVpc;
  /**
   * ECS cluster that the services run in, or an existing one: `existingCluster(...)`.
   *
   * @default - see {@link ClusterProps}
   */
  readonly cluster?: ClusterProps | ExistingCluster;
  /**
   * Recipients of notifications about alarms of the platform and its services.
   *
   * @default - none; the topic exists without subscribers
   */
  readonly alarmRecipients?: AlarmRecipients;
  /**
   * Tags on every resource in the platform's stack and in the stacks of its services.
   *
   * @default - none
   */
  readonly tags?: Readonly<Record<string, string>>;
  /** @default - that of the installed bindings */
  readonly providerLine?: ProviderLine;
}

/** A platform that services run on, created here or by another repository. */
export interface IPlatform {
  readonly stackName: string;
  readonly environment: Environment;
  /**
   * Creates the stacks of a service, or of several that are applied together: `<name>-<environment>-data` and `-service`.
   */
  stack(name: string): ServiceStack;
}

/** Options of a reference to a platform of another repository. */
export interface ExistingPlatformProps {
  readonly environment: Environment;
  /**
   * Path of outbound connections from its VPC, which synth cannot look up. The plan fails if it differs.
   *
   * @default "nat", which stands for "single-nat", too
   */
  readonly egress?: Egress;
  /**
   * Allows services to connect to IPv6 addresses. Set it if the platform's VPC has IPv6.
   *
   * @default false
   */
  readonly ipv6?: boolean;
  /** @default - none */
  readonly tags?: Readonly<Record<string, string>>;
  /** @default - that of the installed bindings */
  readonly providerLine?: ProviderLine;
}

/**
 * Shared infrastructure for the services of one environment, in its own stack: VPC, ECS cluster, load balancer, and the DNS
 * namespace of the services.
 *
 * Costs what the load balancer (about 20 USD a month) and the NAT gateways (about 35 each) cost, and 1 USD for the KMS key
 * of its alarm topic.
 *
 * @example
 * ```ts
 * const environment = { name: "dev", region: "eu-central-1", profile: "dev" } as const;
 * const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
 * const stack = platform.stack("orders");
 * ```
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/networking-outbound.html
 */
export class Platform extends AwsStack implements IPlatform {
  /** References a platform of another repository by its name. Apply it before planning the stacks that run on it. */
  static existing(scope: Construct, name: string, props: ExistingPlatformProps): IPlatform {
    checkArguments("Platform.existing", { name, props });
    return {
      stackName: name,
      environment: withDefaults(scope, props.environment),
      stack: (service) => new ServiceStack(scope, service, { ...props, platform: name }),
    };
  }

  readonly vpc: IVpc;
  readonly cluster: ICluster;
  readonly namespace: Namespace;
  readonly loadBalancer: ILoadBalancer | undefined;
  /** SNS topic that all alarms of the platform and its services notify. */
  readonly alarmTopic: AlarmTopic;
  readonly #props: PlatformProps;

  constructor(scope: Construct, name: string, props: PlatformProps) {
    checkArguments("new Platform", { name, props });
    super(scope, name, { ...props, lifetime: "platform" });
    this.#props = props;
    this.vpc =
      props.vpc !== undefined && "kind" in props.vpc
        ? Vpc.fromAttributes(this, "Vpc", props.vpc)
        : new Vpc(this, "Vpc", props.vpc);
    STACK_VPC.provide(this, () => this.vpc);
    if (props.cluster !== undefined && "kind" in props.cluster) {
      this.cluster = ImportedCluster.existing(this, "Cluster", props.cluster);
    } else {
      const cluster = new Cluster(this, "Cluster", props.cluster);
      STACK_CLUSTER.provide(this, () => cluster);
      this.cluster = cluster;
    }
    this.namespace = new Namespace(this, "Namespace", { vpc: this.vpc });
    if (props.listener?.kind === "existing-load-balancer") {
      this.loadBalancer = LoadBalancer.fromArn(this, "LoadBalancer", props.listener);
    } else if (props.listener !== undefined) {
      const { listener, accessLogs } = props;
      this.loadBalancer = new LoadBalancer(this, "LoadBalancer", { vpc: this.vpc, listener, accessLogs });
    }
    STACK_LOAD_BALANCER.provide(this, () => this.loadBalancer);
    this.alarmTopic = new AlarmTopic(this, "Alarms", props.alarmRecipients);
    new StoppedTasks(this, "StoppedTasks", { cluster: this.cluster });
    new PublishedContract(this, "Contract", {
      name: platformParameter(props.environment.name, name),
      value: {
        vpc: {
          vpcId: this.vpc.vpcId,
          publicSubnetIds: this.vpc.publicSubnetIds,
          privateSubnetIds: this.vpc.privateSubnetIds,
          egress: this.vpc.egress,
        },
        cluster: {
          clusterArn: this.cluster.clusterArn,
          clusterName: this.cluster.clusterName,
          capacityProviderNames: this.cluster.capacityProviderNames,
          sessions: props.cluster?.exec && this.cluster.sessions(),
        },
        namespace: {
          namespaceArn: this.namespace.namespaceArn,
          namespaceId: this.namespace.namespaceId,
          namespaceName: this.namespace.namespaceName,
        },
        loadBalancer: this.loadBalancer && {
          loadBalancerArn: this.loadBalancer.loadBalancerArn,
          loadBalancerArnSuffix: this.loadBalancer.loadBalancerArnSuffix,
          listenerArn: this.loadBalancer.listenerArn,
          dnsName: this.loadBalancer.dnsName,
          dnsZoneId: this.loadBalancer.dnsZoneId,
          scheme: this.loadBalancer.scheme,
          securityGroupId: this.loadBalancer.connections.securityGroupId,
        },
        alarms: { topicArn: this.alarmTopic.topicArn },
      },
    });
  }

  override get alarmTopicArns(): readonly string[] {
    return [this.alarmTopic.topicArn];
  }

  stack(name: string): ServiceStack {
    checkArguments("Platform.stack", { name }, this);
    const { environment, tags, providerLine } = this.#props;
    const scope = this.node.scope as Construct;
    return new ServiceStack(scope, name, {
      environment,
      tags,
      providerLine,
      egress: this.vpc.egress,
      ipv6: this.vpc.ipv6,
      platform: this.stackName,
      owner: this,
    });
  }
}

interface OnPlatformProps extends ExistingPlatformProps {
  /** Name of the platform. */
  readonly platform: string;
  /** The platform, if this app creates it: it is then applied first, and synth can inspect it. */
  readonly owner?: Platform;
}

/** A stack that runs on a platform and reads its published values by name. */
abstract class StackOnPlatform extends AwsStack {
  readonly #platformName: string;
  readonly #owner: Platform | undefined;
  readonly #egress: Egress;
  readonly #ipv6: boolean;
  readonly #platform: ImportedContract;

  constructor(scope: Construct, name: string, lifetime: "data" | "service", props: OnPlatformProps) {
    super(scope, name, { ...props, lifetime });
    if (!NAME_PATTERN.test(props.platform)) {
      const problem = `${JSON.stringify(props.platform)} is not a valid platform name`;
      throw invalid(this, { code: "PLATFORM_NAME", prop: "platform", problem, remedy: `Use ${NAME_RULE}.` });
    }
    this.#platformName = props.platform;
    this.#owner = props.owner;
    this.#egress = props.egress ?? "nat";
    this.#ipv6 = props.ipv6 ?? false;
    const alike = /nat$/.test(this.#egress) ? ["nat", "single-nat"] : [this.#egress];
    this.#platform = new ImportedContract(this, "Platform", {
      name: platformParameter(props.environment.name, props.platform),
      expect: {
        condition: (contract) => `contains(${JSON.stringify(alike)}, ${contract}.vpc.egress)`,
        message: `The VPC of platform ${props.platform} has an egress other than ${alike.join(" or ")}: set the egress of Platform.existing to the same value.`,
      },
    });
    STACK_VPC.provide(this, () => this.vpc);
    if (props.owner !== undefined) this.addDependency(props.owner);
  }

  /** Name of the platform that the stack runs on. */
  override get platformName(): string {
    return this.#platformName;
  }

  override get alarmTopicArns(): readonly string[] {
    return [this.#platform.text("alarms", "topicArn")];
  }

  /** Number of availability zones of the platform; for a platform of another repository, the default of the environment. */
  get zones(): number {
    return this.#owner?.vpc.privateSubnetIds.length ?? (this.production ? 3 : 2);
  }

  /** Number of addresses for tasks and instances in each zone; undefined if synth cannot know it. */
  get addressesPerZone(): number | undefined {
    const vpc = this.#owner?.vpc;
    return vpc instanceof Vpc ? vpc.workloadAddressesPerZone : undefined;
  }

  /** Names of the VPC's interface endpoints; undefined if synth cannot know them. */
  get endpoints(): readonly string[] | undefined {
    return this.#owner?.vpc.endpoints;
  }

  get vpc(): IVpc {
    return this.once("Vpc", (id) =>
      Vpc.fromAttributes(this, id, {
        vpcId: this.#platform.text("vpc", "vpcId"),
        publicSubnetIds: this.#platform.list("vpc", "publicSubnetIds"),
        privateSubnetIds: this.#platform.list("vpc", "privateSubnetIds"),
        egress: this.#egress,
        ipv6: this.#ipv6,
      }),
    );
  }

  get cluster(): ICluster {
    return this.once(
      "Cluster",
      (id) =>
        new ImportedCluster(this, id, () => ({
          clusterArn: this.#platform.text("cluster", "clusterArn"),
          clusterName: this.#platform.text("cluster", "clusterName"),
          capacityProviderNames: undefined,
          capacityProviderName: (group) => this.#platform.text("cluster", "capacityProviderNames", group),
          sessions: () => this.#sessions(),
        })),
    );
  }

  /**
   * Checks at synth that the platform has the instances that a construct of this stack runs on, with the processor
   * architecture of its tasks, if this app creates the platform.
   */
  checkCapacity(construct: IConstruct, capacity: readonly Capacity[], architecture: Architecture): void {
    const cluster = this.#owner?.cluster;
    if (cluster === undefined) return;
    validateAtSynth(construct, () => [
      ...unknownInstances(cluster, capacity),
      ...otherArchitectures(cluster, capacity, architecture),
    ]);
  }

  get namespace(): NamespaceAttributes {
    const text = (key: string) => this.#platform.text("namespace", key);
    return {
      namespaceArn: text("namespaceArn"),
      namespaceId: text("namespaceId"),
      namespaceName: text("namespaceName"),
    };
  }

  /** Scheme of the platform's load balancer, `https` or `http`; undefined if synth cannot know it. */
  get scheme(): string | undefined {
    const scheme = this.#owner?.loadBalancer?.scheme;
    return Token.isUnresolved(scheme) ? undefined : scheme;
  }

  /** @throws InvalidPropsError PLATFORM_NO_LOAD_BALANCER if this app creates the platform without a listener */
  get loadBalancer(): ILoadBalancer {
    if (this.#owner !== undefined && this.#owner.loadBalancer === undefined) {
      throw invalid(this.#owner, {
        code: "PLATFORM_NO_LOAD_BALANCER",
        prop: "listener",
        problem: `must be set, because ${this.node.path} needs a load balancer`,
        remedy: "Set listener: https({ certificateArn }), or insecureHttp() to try things out.",
      });
    }
    const text = (key: string) => this.#platform.text("loadBalancer", key);
    return this.once("LoadBalancer", (id) =>
      LoadBalancer.fromAttributes(this, id, {
        loadBalancerArn: text("loadBalancerArn"),
        loadBalancerArnSuffix: text("loadBalancerArnSuffix"),
        listenerArn: text("listenerArn"),
        dnsName: text("dnsName"),
        dnsZoneId: text("dnsZoneId"),
        scheme: text("scheme"),
        securityGroupId: text("securityGroupId"),
      }),
    );
  }

  #sessions(): Sessions {
    // If this app creates the platform, synth has already checked this.
    this.#owner?.cluster.sessions();
    this.#platform.expect({
      condition: (contract) => `can(${contract}.cluster.sessions.keyArn)`,
      message: `Platform ${this.platformName} does not enable ECS Exec: set cluster: { exec: {} } there and apply it, or remove exec from the service.`,
    });
    const text = (key: string) => this.#platform.text("cluster", "sessions", key);
    return { keyArn: text("keyArn"), logGroupArn: text("logGroupArn") };
  }
}

/**
 * The stack for resources that outlive the releases of a service and that others refer to: its databases and queues, its
 * security group and its DNS name. Stacks of other services depend on this one and never on the service's own stack, so that
 * two services that call each other create no cycle. Created by `platform.stack(name)` as its `data`.
 *
 * Costs nothing itself: see the constructs that you create in it.
 *
 * @example
 * ```ts
 * const { data } = platform.stack("orders");
 * new LogStream(data, "Audit", { retention: Duration.days(731) });
 * ```
 * @see
 * https://developer.hashicorp.com/terraform/language/state/remote-state-data#alternative-ways-to-share-data-between-configurations
 */
export class DataStack extends StackOnPlatform {
  constructor(scope: Construct, name: string, props: OnPlatformProps) {
    super(scope, name, "data", props);
  }
}

/**
 * The stack of a service, or of several services that are applied together. Created by `platform.stack(name)`.
 *
 * Costs nothing itself: see the constructs that you create in it.
 *
 * @example
 * ```ts
 * const orders = new CloudNativeService(platform.stack("orders"), "Orders");
 * ```
 * @see
 * https://developer.hashicorp.com/terraform/language/state/remote-state-data#alternative-ways-to-share-data-between-configurations
 */
export class ServiceStack extends StackOnPlatform {
  /** Returns the service stack that contains a construct. */
  static override of(construct: IConstruct): ServiceStack {
    const stack = AwsStack.of(construct);
    if (stack instanceof ServiceStack) return stack;
    throw invalid(construct, {
      code: "NO_SERVICE_STACK",
      prop: "scope",
      problem: `is in ${stack.node.path}, which is not a service stack`,
      remedy: "Create it in the stack that platform.stack(...) returns.",
    });
  }

  /** Stack for resources that outlive the service: `new PostgresDatabase(stack.data, ...)`. */
  readonly data: DataStack;

  constructor(scope: Construct, name: string, props: OnPlatformProps) {
    super(scope, name, "service", props);
    this.data = new DataStack(scope, name, props);
    this.addDependency(this.data);
  }
}
