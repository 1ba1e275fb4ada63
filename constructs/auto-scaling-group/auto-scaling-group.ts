import { AutoscalingGroup } from "@cdktf/provider-aws/lib/autoscaling-group";
import { AutoscalingLifecycleHook } from "@cdktf/provider-aws/lib/autoscaling-lifecycle-hook";
import { AutoscalingPolicy } from "@cdktf/provider-aws/lib/autoscaling-policy";
import { AutoscalingSchedule } from "@cdktf/provider-aws/lib/autoscaling-schedule";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import type { ClusterInstances } from "../cluster/capacity";
import type { ICluster } from "../cluster/cluster";
import { checkArguments } from "../core/check-types";
import type { Connections, IConnectable } from "../core/connections";
import { invalid, Problems } from "../core/errors";
import { type IGrantable, Role, type Statement } from "../core/iam";
import { InSequence } from "../core/in-sequence";
import { literal } from "../core/literal";
import { type Metric, resolveMetric } from "../core/metric";
import { kebab, NAME_PATTERN, NAME_RULE, namePrefix } from "../core/names";
import { type StepPolicy, scaleInPolicy, scaleOutPolicy } from "../core/scaling";
import { SecurityGroup } from "../core/security-group";
import { AwsStack, addressOf } from "../core/stack";
import { Duration } from "../core/units";
import {
  type AutoScalingGroupProps,
  type AutoScalingGroupSettings,
  resolveAutoScalingGroup,
} from "./auto-scaling-group-props";
import type { InstanceScaling } from "./instance-scaling";
import { launchTemplate, whatToLaunch } from "./launch";
import { type LifecycleHookOptions, TRANSITIONS } from "./lifecycle-hook";
import { registerTargets } from "./target-registration";

/** Metrics that an Auto Scaling group reports about itself, free of charge. */
const GROUP_METRICS = [
  "GroupDesiredCapacity",
  "GroupInServiceInstances",
  "GroupMaxSize",
  "GroupMinSize",
  "GroupPendingInstances",
  "GroupTerminatingInstances",
  "GroupTotalInstances",
];

const MIB = 1_048_576;

/**
 * A group of EC2 instances that scales automatically between a minimum and a maximum. Failed instances are replaced; changes
 * are rolled out instance by instance, and rolled back if the new ones are not healthy.
 *
 * Instances have encrypted disks, no key pair and no open port; use Session Manager for access. Costs what the instances
 * cost: a t4g.small about 14 USD a month, and its disk 3 USD.
 *
 * @example
 * ```ts
 * new AutoScalingGroup(platform, "Reports", {
 *   cluster: "none",
 *   instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096 }),
 *   scaling: { min: 2, max: 12, cpuPercent: 55 },
 * });
 * ```
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/what-is-amazon-ec2-auto-scaling.html
 */
export class AutoScalingGroup extends Construct implements IConnectable, IGrantable, ClusterInstances {
  readonly autoScalingGroupArn: string;
  readonly autoScalingGroupName: string;
  readonly connections: Connections;
  /** ARN of the role that the instances assume. */
  readonly roleArn: string;
  /** True if some of the instances are Spot Instances. */
  readonly hasSpot: boolean;
  /** ECS cluster whose tasks run on the instances; undefined for instances that run no tasks. */
  readonly cluster: ICluster | undefined;
  /** Minimum and maximum number of instances. */
  readonly scaling: { readonly min: number; readonly max: number };

  readonly #settings: AutoScalingGroupSettings;
  readonly #role: Role;
  readonly #launchHooks: object[] = [];
  readonly #changes = new InSequence();

  constructor(scope: Construct, id: string, props: AutoScalingGroupProps = {}) {
    super(scope, id);
    checkArguments("new AutoScalingGroup", { props }, this);
    const settings = resolveAutoScalingGroup(this, props);
    this.#settings = settings;
    this.hasSpot = settings.spot !== undefined;
    this.cluster = settings.cluster;
    this.scaling = { min: settings.min, max: settings.max };
    const stack = AwsStack.of(this);
    const name = [stack.stackName, stack.environment.name, kebab(id)].join("-");
    if (!NAME_PATTERN.test(kebab(id))) {
      const problem = `${JSON.stringify(id)} leads to the name ${JSON.stringify(kebab(id))}, which is not valid`;
      throw invalid(this, {
        code: "INSTANCE_NAME",
        prop: "id",
        problem,
        remedy: `Use an id whose name has ${NAME_RULE}.`,
      });
    }

    const group = new SecurityGroup(this, "SecurityGroup", {
      vpcId: settings.vpc.vpcId,
      name,
      port: settings.registration?.port,
    });
    this.connections = group.connections;
    // For the APIs of AWS and of others; DNS needs no rule.
    this.connections.allowToInternet(443, { ipv6: settings.vpc.ipv6 });

    this.#role = new Role(this, "Role", { name, service: "ec2.amazonaws.com", sendsSourceAccount: false });
    this.roleArn = this.#role.roleArn;
    const permissions = [this.#role.addManagedPolicy("AmazonSSMManagedInstanceCore")];
    if (settings.cluster !== undefined) {
      permissions.push(this.#role.addManagedPolicy("service-role/AmazonEC2ContainerServiceforEC2Role"));
    }
    const template = launchTemplate(this, {
      name,
      props,
      settings,
      roleName: this.#role.roleName,
      securityGroupId: this.connections.securityGroupId,
    });
    const target = settings.registration && registerTargets(this, settings.vpc.vpcId, settings.registration);
    if (settings.registration !== undefined)
      this.connections.allowFrom("LoadBalancer", settings.registration.loadBalancer.connections);

    const instances = new AutoscalingGroup(this, "Resource", {
      namePrefix: namePrefix("autoScalingGroup", stack.prefixed(name)),
      minSize: settings.min,
      maxSize: settings.max,
      vpcZoneIdentifier: [...settings.vpc.workloadSubnetIds],
      ...whatToLaunch(settings, template),
      defaultInstanceWarmup: settings.warmup.toSeconds(),
      healthCheckType: target === undefined ? "EC2" : "ELB",
      healthCheckGracePeriod: settings.warmup.toSeconds(),
      targetGroupArns: target && [target.group.arn],
      capacityRebalance: settings.spot === undefined ? undefined : true,
      enabledMetrics: GROUP_METRICS,
      initialLifecycleHook: Lazy.anyValue({ produce: () => this.#launchHooks }, { omitEmptyArray: true }),
      warmPool: settings.warmPool && {
        minSize: settings.warmPool.min,
        maxGroupPreparedCapacity: settings.warmPool.maxPrepared,
        poolState: { stopped: "Stopped", hibernated: "Hibernated", running: "Running" }[settings.warmPool.state],
        // Instances of a cluster cannot return to the warm pool.
        instanceReusePolicy: settings.cluster === undefined ? { reuseOnScaleIn: true } : undefined,
      },
      instanceRefresh: {
        strategy: "Rolling",
        preferences: {
          minHealthyPercentage: settings.instanceRefresh.minHealthyPercent,
          maxHealthyPercentage: settings.instanceRefresh.maxHealthyPercent,
          autoRollback: true,
          skipMatching: true,
          scaleInProtectedInstances: settings.cluster === undefined ? undefined : "Refresh",
        },
      },
      // ECS protects instances with tasks from scale-in, so such a group never becomes empty; destroy must not wait for it.
      protectFromScaleIn: settings.cluster === undefined ? undefined : true,
      forceDelete: settings.cluster !== undefined || !stack.production,
      forceDeleteWarmPool: settings.warmPool === undefined ? undefined : true,
      // AWS creates the instances, so the provider's default tags do not apply to them.
      tag: Object.entries({
        ...stack.tags,
        Name: stack.prefixed(name),
        ...(settings.cluster === undefined ? {} : { AmazonECSManaged: "true" }),
      })
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, value, propagateAtLaunch: true })),
      dependsOn: [],
      lifecycle: { createBeforeDestroy: true },
    });
    // Instances need their permissions, the network and their listener rule from the start.
    instances.dependsOn = [
      ...permissions,
      ...settings.vpc.routeAddresses,
      ...this.connections.ruleAddresses,
      ...(target === undefined ? [] : [addressOf(target.rule)]),
    ];
    this.#role.whenPolicy((address) => instances.dependsOn?.push(address));
    this.autoScalingGroupArn = instances.arn;
    this.autoScalingGroupName = instances.name;
    const { architecture, warmup } = settings;
    settings.cluster?.addInstances({ ...this.#identity(id), architecture, warmup });
    this.#track(
      props.scaling ?? {},
      target && `${settings.registration?.loadBalancer.loadBalancerArnSuffix}/${target.group.arnSuffix}`,
    );
  }

  /** Grants the instances a permission. */
  grant(statement: Statement): void {
    checkArguments("AutoScalingGroup.grant", { statement }, this);
    this.#role.grant(statement);
  }

  /**
   * Adds a lifecycle hook, which pauses instances at launch or before termination until the hook is completed.
   *
   * @example
   * ```ts
   * instances.addLifecycleHook("Drain", { on: "terminate", timeout: Duration.minutes(10) });
   * ```
   * @throws InvalidPropsError LIFECYCLE_HOOK_TRANSITION, LIFECYCLE_HOOK_TIMEOUT
   */
  addLifecycleHook(id: string, options: LifecycleHookOptions): void {
    checkArguments("AutoScalingGroup.addLifecycleHook", { options }, this);
    const { on, timeout = Duration.minutes(5), otherwise = on === "launch" ? "abandon" : "continue" } = options;
    const seconds = timeout.toSeconds();
    const problems = new Problems(this);
    problems.checkOneOf(on, TRANSITIONS, { code: "LIFECYCLE_HOOK_TRANSITION", prop: `${id}.on` });
    problems.check(Number.isInteger(seconds) && seconds >= 30 && seconds <= 7200, {
      code: "LIFECYCLE_HOOK_TIMEOUT",
      prop: `${id}.timeout`,
      problem: `must be from 30 seconds to 2 hours, got ${timeout}`,
      remedy: "Use a duration such as Duration.minutes(5).",
    });
    problems.throwIfAny();
    const hook = {
      name: kebab(id),
      lifecycleTransition:
        on === "launch" ? "autoscaling:EC2_INSTANCE_LAUNCHING" : "autoscaling:EC2_INSTANCE_TERMINATING",
      heartbeatTimeout: seconds,
      defaultResult: otherwise === "abandon" ? "ABANDON" : "CONTINUE",
      notificationMetadata: options.metadata === undefined ? undefined : literal(options.metadata),
    };
    new AutoscalingLifecycleHook(this, `On${id}`, { ...hook, autoscalingGroupName: this.autoScalingGroupName });
    if (on === "launch") {
      // The first instances would start before a separate hook resource exists.
      this.#launchHooks.push({
        name: hook.name,
        lifecycle_transition: hook.lifecycleTransition,
        heartbeat_timeout: hook.heartbeatTimeout,
        default_result: hook.defaultResult,
        notification_metadata: hook.notificationMetadata,
      });
    }
  }

  #identity(name: string) {
    const { autoScalingGroupArn, autoScalingGroupName } = this;
    return { name, autoScalingGroupArn, autoScalingGroupName };
  }

  #track(scaling: InstanceScaling, requestsLabel: string | undefined): void {
    const { cpuPercent } = this.#settings;
    const { networkInMiB, networkOutMiB, requestsPerInstance, prediction } = scaling;
    const track = (id: string, metric: string, targetValue: number | undefined, resourceLabel?: string) => {
      if (targetValue === undefined) return;
      this.#policy(id, {
        policyType: "TargetTrackingScaling",
        targetTrackingConfiguration: {
          targetValue,
          predefinedMetricSpecification: { predefinedMetricType: metric, resourceLabel },
        },
      });
    };
    const bytes = (mebibytes: number | undefined) => mebibytes && mebibytes * MIB;
    track("ScaleOnCpu", "ASGAverageCPUUtilization", cpuPercent);
    track("ScaleOnNetworkIn", "ASGAverageNetworkIn", bytes(networkInMiB));
    track("ScaleOnNetworkOut", "ASGAverageNetworkOut", bytes(networkOutMiB));
    track("ScaleOnRequests", "ALBRequestCountPerTarget", requestsPerInstance, requestsLabel);
    for (const { name, metric, target } of scaling.metrics ?? []) {
      const { dimensions, ...rest } = resolveMetric(metric);
      this.#policy(`ScaleOn${name}`, {
        policyType: "TargetTrackingScaling",
        targetTrackingConfiguration: {
          targetValue: target,
          customizedMetricSpecification: {
            ...rest,
            metricDimension: Object.entries(dimensions).map(([key, value]) => ({ name: key, value })),
          },
        },
      });
    }
    for (const { name, metric, out, in: inward = [] } of scaling.steps ?? []) {
      this.#steps(`StepOutOn${name}`, metric, scaleOutPolicy(out));
      if (inward.length > 0) this.#steps(`StepInOn${name}`, metric, scaleInPolicy(inward));
    }
    for (const { name, schedule, instances } of scaling.schedules ?? []) {
      this.#changes.add(
        new AutoscalingSchedule(this, `At${name}`, {
          scheduledActionName: kebab(name),
          autoscalingGroupName: this.autoScalingGroupName,
          recurrence: schedule.recurrence,
          timeZone: schedule.timezone,
          desiredCapacity: instances,
          // Leaves min and max unchanged, so that the next plan is empty.
          minSize: -1,
          maxSize: -1,
        }),
      );
    }
    if (prediction !== undefined) {
      this.#policy("Forecast", {
        policyType: "PredictiveScaling",
        predictiveScalingConfiguration: {
          mode: prediction === "scale" ? "ForecastAndScale" : "ForecastOnly",
          schedulingBufferTime: String(this.#settings.warmup.toSeconds()),
          metricSpecification: {
            targetValue: cpuPercent ?? 60,
            predefinedMetricPairSpecification: { predefinedMetricType: "ASGCPUUtilization" },
          },
        },
      });
    }
  }

  #policy(
    id: string,
    config: Omit<ConstructorParameters<typeof AutoscalingPolicy>[2], "name" | "autoscalingGroupName">,
  ): AutoscalingPolicy {
    const policy = new AutoscalingPolicy(this, id, {
      name: kebab(id),
      autoscalingGroupName: this.autoScalingGroupName,
      ...config,
    });
    this.#changes.add(policy);
    return policy;
  }

  #steps(id: string, metric: Metric, { stepAdjustment, ...alarm }: StepPolicy): void {
    const policy = this.#policy(id, {
      policyType: "StepScaling",
      adjustmentType: "ChangeInCapacity",
      metricAggregationType: "Average",
      estimatedInstanceWarmup: this.#settings.warmup.toSeconds(),
      stepAdjustment: [...stepAdjustment],
    });
    const stack = AwsStack.of(this);
    new CloudwatchMetricAlarm(this, `${id}Alarm`, {
      alarmName: stack.physicalName("alarm", stack.stackName, stack.environment.name, kebab(this.node.id), kebab(id)),
      alarmDescription: "Changes the number of instances.",
      ...resolveMetric(metric),
      ...alarm,
      period: 60,
      evaluationPeriods: 2,
      treatMissingData: "notBreaching",
      alarmActions: [policy.arn],
    });
  }
}
