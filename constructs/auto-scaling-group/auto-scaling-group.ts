import { AutoscalingGroup } from "@cdktf/provider-aws/lib/autoscaling-group";
import { AutoscalingLifecycleHook } from "@cdktf/provider-aws/lib/autoscaling-lifecycle-hook";
import { AutoscalingPolicy } from "@cdktf/provider-aws/lib/autoscaling-policy";
import { AutoscalingSchedule } from "@cdktf/provider-aws/lib/autoscaling-schedule";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import type { Connections, IConnectable } from "../core/connections";
import { invalid, Problems } from "../core/errors";
import { type IGrantable, Role, type Statement } from "../core/iam";
import { literal } from "../core/literal";
import type { Metric } from "../core/metric";
import { kebab, NAME_PATTERN, NAME_RULE, namePrefix } from "../core/names";
import { SecurityGroup } from "../core/security-group";
import { AwsStack, addressOf } from "../core/stack";
import { Duration } from "../core/units";
import {
  type AutoScalingGroupProps,
  type AutoScalingGroupSettings,
  type InstanceScaling,
  resolveAutoScalingGroup,
} from "./auto-scaling-group-props";
import { launchTemplate, whatToLaunch } from "./launch";
import { resolveMetric } from "./metric";
import {
  checkMetric,
  type LifecycleHookOptions,
  type ScheduleOptions,
  type StepsOptions,
  TRANSITIONS,
  type TrackOptions,
} from "./options";
import { type StepPolicy, stepsIn, stepsOut } from "./steps";
import { joinLoadBalancer } from "./target-registration";

/** What an Auto Scaling group measures of itself; free of charge. */
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
 * Instances whose number grows and shrinks by itself, from what is measured, between a fewest and a most. One that fails is
 * replaced; a change is rolled out instance by instance, and back when new ones are not well.
 *
 * They have encrypted disks, no key pair and no open port; who may use Session Manager gets in. Costs what the instances cost:
 * a t4g.small about 14 USD a month and its disk 3.
 *
 * @example
 * ```ts
 * new AutoScalingGroup(platform, "Reports", {
 *   vpc: platform.vpc,
 *   instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096 }),
 *   scaling: { min: 2, max: 12, cpuPercent: 55 },
 * });
 * ```
 * @see https://docs.aws.amazon.com/autoscaling/ec2/userguide/what-is-amazon-ec2-auto-scaling.html
 */
export class AutoScalingGroup extends Construct implements IConnectable, IGrantable {
  readonly autoScalingGroupArn: string;
  readonly autoScalingGroupName: string;
  readonly connections: Connections;
  /** What the instances may do in AWS. */
  readonly roleArn: string;
  /** Whether some of the instances are Spot, which AWS may take back. */
  readonly hasSpot: boolean;
  /** How many instances run: fewest and most. */
  readonly scaling: { readonly min: number; readonly max: number };

  readonly #settings: AutoScalingGroupSettings;
  readonly #role: Role;
  readonly #launchHooks: object[] = [];

  constructor(scope: Construct, id: string, props: AutoScalingGroupProps) {
    super(scope, id);
    const settings = resolveAutoScalingGroup(this, props);
    this.#settings = settings;
    this.hasSpot = settings.spot !== undefined;
    this.scaling = { min: settings.min, max: settings.max };
    const stack = AwsStack.of(this);
    const name = [stack.stackName, stack.environment.name, kebab(id)].join("-");
    if (!NAME_PATTERN.test(kebab(id))) {
      const problem = `${JSON.stringify(id)} gives the name ${JSON.stringify(kebab(id))}`;
      throw invalid(this, { code: "INSTANCE_NAME", prop: "id", problem, remedy: `Use an id that gives ${NAME_RULE}.` });
    }

    const group = new SecurityGroup(this, "SecurityGroup", {
      vpcId: props.vpc.vpcId,
      name,
      port: props.registerWith?.port,
    });
    this.connections = group.connections;
    // AWS's own APIs and those of others; names are resolved without a rule.
    this.connections.allowToInternet(443, { ipv6: props.vpc.ipv6 });

    this.#role = new Role(this, "Role", { name, service: "ec2.amazonaws.com", sendsSourceAccount: false });
    this.roleArn = this.#role.roleArn;
    const permissions = [this.#role.addManagedPolicy("AmazonSSMManagedInstanceCore")];
    if (props.cluster !== undefined) {
      permissions.push(this.#role.addManagedPolicy("service-role/AmazonEC2ContainerServiceforEC2Role"));
    }
    const template = launchTemplate(this, {
      name,
      props,
      settings,
      roleName: this.#role.roleName,
      securityGroupId: this.connections.securityGroupId,
    });
    const target = props.registerWith && joinLoadBalancer(this, props.vpc.vpcId, props.registerWith);
    if (props.registerWith !== undefined)
      this.connections.allowFrom("LoadBalancer", props.registerWith.loadBalancer.connections);

    const instances = new AutoscalingGroup(this, "Resource", {
      namePrefix: namePrefix("autoScalingGroup", stack.prefixed(name)),
      minSize: settings.min,
      maxSize: settings.max,
      vpcZoneIdentifier: [...props.vpc.workloadSubnetIds],
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
        // Instances of a cluster cannot go back to wait.
        instanceReusePolicy: props.cluster === undefined ? { reuseOnScaleIn: true } : undefined,
      },
      instanceRefresh: {
        strategy: "Rolling",
        preferences: {
          minHealthyPercentage: settings.instanceRefresh.minHealthyPercent,
          maxHealthyPercentage: settings.instanceRefresh.maxHealthyPercent,
          autoRollback: true,
          skipMatching: true,
          scaleInProtectedInstances: props.cluster === undefined ? undefined : "Refresh",
        },
      },
      // ECS protects instances that have tasks, and such a group would never empty itself: destroy does not wait for it.
      protectFromScaleIn: props.cluster === undefined ? undefined : true,
      forceDelete: props.cluster !== undefined || !stack.production,
      forceDeleteWarmPool: settings.warmPool === undefined ? undefined : true,
      // AWS starts the instances, so the provider's default tags do not reach them.
      tag: Object.entries({
        ...stack.tags,
        Name: stack.prefixed(name),
        ...(props.cluster === undefined ? {} : { AmazonECSManaged: "true" }),
      })
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, value, propagateAtLaunch: true })),
      dependsOn: [],
      lifecycle: { createBeforeDestroy: true },
    });
    // Instances need their permissions, the way out and their requests' rule from the start.
    instances.dependsOn = [
      ...permissions,
      ...props.vpc.routeAddresses,
      ...this.connections.ruleAddresses,
      ...(target === undefined ? [] : [addressOf(target.rule)]),
    ];
    this.#role.whenPolicy((address) => instances.dependsOn?.push(address));
    this.autoScalingGroupArn = instances.arn;
    this.autoScalingGroupName = instances.name;
    props.cluster?.addInstances({ ...this.#identity(id), warmup: settings.warmup });
    this.#track(
      props.scaling ?? {},
      target && `${props.registerWith?.loadBalancer.loadBalancerArnSuffix}/${target.group.arnSuffix}`,
    );
  }

  /** Lets the instances do something in AWS. */
  grant(statement: Statement): void {
    this.#role.grant(statement);
  }

  /**
   * Keeps a metric of one's own near a target.
   *
   * @example
   * ```ts
   * instances.addTarget("Jobs", { metric: { namespace: "Shop/Jobs", metricName: "RunningPerMachine" }, target: 4 });
   * ```
   * @throws InvalidPropsError METRIC, SCALING_TARGET
   */
  addTarget(id: string, options: TrackOptions): void {
    const problems = new Problems(this);
    checkMetric(options.metric, `${id}.metric`, problems);
    problems.check(Number.isFinite(options.target) && options.target > 0, {
      code: "SCALING_TARGET",
      prop: `${id}.target`,
      problem: `${options.target} is no target`,
      remedy: "Use a number above 0.",
    });
    problems.throwIfAny();
    const { dimensions, ...metric } = resolveMetric(options.metric);
    this.#policy(`ScaleOn${id}`, {
      policyType: "TargetTrackingScaling",
      targetTrackingConfiguration: {
        targetValue: options.target,
        customizedMetricSpecification: {
          ...metric,
          metricDimension: Object.entries(dimensions).map(([name, value]) => ({ name, value })),
        },
      },
    });
  }

  /**
   * Adds or takes away instances in steps, the farther a metric is off the more.
   *
   * @example
   * ```ts
   * instances.addSteps("Backlog", {
   *   metric: { namespace: "Shop/Jobs", metricName: "Waiting", statistic: "Maximum" },
   *   out: [{ above: 100, add: 1 }, { above: 1000, add: 4 }],
   *   in: [{ below: 10, remove: 1 }],
   * });
   * ```
   * @throws InvalidPropsError METRIC, STEPS, STEPS_OVERLAP
   */
  addSteps(id: string, options: StepsOptions): void {
    const { out, in: inward = [] } = options;
    const problems = new Problems(this);
    checkMetric(options.metric, `${id}.metric`, problems);
    const counts = [...out.map(({ add }) => add), ...inward.map(({ remove }) => remove)];
    const bounds = [out.map(({ above }) => above), inward.map(({ below }) => below)] as const;
    problems.check(
      out.length > 0 &&
        counts.every((count) => Number.isInteger(count) && count > 0) &&
        bounds.every((side) => side.every(Number.isFinite) && new Set(side).size === side.length),
      {
        code: "STEPS",
        prop: id,
        problem: `${JSON.stringify({ out, in: inward })} are no steps`,
        remedy: "Use at least one step in out, each bound once, and whole numbers of instances above 0.",
      },
    );
    problems.check(Math.max(...bounds[1]) < Math.min(...bounds[0]), {
      code: "STEPS_OVERLAP",
      prop: `${id}.in`,
      problem: `takes instances away below ${Math.max(...bounds[1])}, out adds them above ${Math.min(...bounds[0])}`,
      remedy: "Leave a gap between the two, or the group swings.",
    });
    problems.throwIfAny();
    this.#steps(`StepOutOn${id}`, options.metric, "GreaterThanThreshold", stepsOut(out));
    if (inward.length > 0) this.#steps(`StepInOn${id}`, options.metric, "LessThanThreshold", stepsIn(inward));
  }

  /**
   * Wants a number of instances at a time; policies go on from there. It moves within min and max and never moves these, so
   * that a plan stays empty.
   *
   * @example
   * ```ts
   * instances.addSchedule("Morning", { cron: "0 7 * * MON-FRI", instances: 4, timezone: "Europe/Berlin" });
   * ```
   * @throws InvalidPropsError SCHEDULE_CRON, SCHEDULE_TIMEZONE, SCHEDULE_CAPACITY
   */
  addSchedule(id: string, options: ScheduleOptions): void {
    const { min, max } = this.#settings;
    const { cron, instances, timezone = "UTC" } = options;
    const problems = new Problems(this);
    problems.check(/^(?:[\dA-Z*,/-]+ ){4}[\dA-Z*,/-]+$/.test(cron), {
      code: "SCHEDULE_CRON",
      prop: `${id}.cron`,
      problem: `${JSON.stringify(cron)} is no schedule of cron`,
      remedy: "Use five fields with one space between: 0 7 * * MON-FRI.",
    });
    problems.check(/^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$/.test(timezone), {
      code: "SCHEDULE_TIMEZONE",
      prop: `${id}.timezone`,
      problem: `${JSON.stringify(timezone)} is no name of a time zone`,
      remedy: "Use a name of the IANA database, as Europe/Berlin.",
    });
    problems.check(Number.isInteger(instances) && instances >= min && instances <= max, {
      code: "SCHEDULE_CAPACITY",
      prop: `${id}.instances`,
      problem: `${instances} is not within scaling.min (${min}) and scaling.max (${max})`,
      remedy: "Widen min and max, or use a number within them.",
    });
    problems.throwIfAny();
    new AutoscalingSchedule(this, `At${id}`, {
      scheduledActionName: kebab(id),
      autoscalingGroupName: this.autoScalingGroupName,
      recurrence: cron,
      timeZone: timezone,
      desiredCapacity: instances,
      // Leaves them as they are.
      minSize: -1,
      maxSize: -1,
    });
  }

  /**
   * Makes each instance wait at its start or before its end until it is told to go on.
   *
   * @example
   * ```ts
   * instances.addLifecycleHook("Drain", { on: "terminate", timeout: Duration.minutes(10) });
   * ```
   * @throws InvalidPropsError LIFECYCLE_HOOK_TRANSITION, LIFECYCLE_HOOK_TIMEOUT
   */
  addLifecycleHook(id: string, options: LifecycleHookOptions): void {
    const { on, timeout = Duration.minutes(5), otherwise = on === "launch" ? "abandon" : "continue" } = options;
    const seconds = timeout.toSeconds();
    const problems = new Problems(this);
    problems.check(TRANSITIONS.includes(on), {
      code: "LIFECYCLE_HOOK_TRANSITION",
      prop: `${id}.on`,
      problem: `${JSON.stringify(on)} is not known`,
      remedy: `Use one of: ${TRANSITIONS.join(", ")}.`,
    });
    problems.check(Number.isInteger(seconds) && seconds >= 30 && seconds <= 7200, {
      code: "LIFECYCLE_HOOK_TIMEOUT",
      prop: `${id}.timeout`,
      problem: `${timeout} is no time that AWS waits`,
      remedy: "Use 30 s to 2 hours.",
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
      // The first instances start before a hook of its own can be there.
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
    return new AutoscalingPolicy(this, id, {
      name: kebab(id),
      autoscalingGroupName: this.autoScalingGroupName,
      ...config,
    });
  }

  #steps(id: string, metric: Metric, comparison: string, { threshold, adjustments }: StepPolicy): void {
    const policy = this.#policy(id, {
      policyType: "StepScaling",
      adjustmentType: "ChangeInCapacity",
      metricAggregationType: "Average",
      estimatedInstanceWarmup: this.#settings.warmup.toSeconds(),
      stepAdjustment: adjustments.map(({ from, to, change }) => ({
        metricIntervalLowerBound: from === undefined ? undefined : String(from),
        metricIntervalUpperBound: to === undefined ? undefined : String(to),
        scalingAdjustment: change,
      })),
    });
    const { dimensions, ...measure } = resolveMetric(metric);
    const stack = AwsStack.of(this);
    new CloudwatchMetricAlarm(this, `${id}Alarm`, {
      alarmName: stack.prefixed(stack.stackName, stack.environment.name, kebab(this.node.id), kebab(id)),
      alarmDescription: "Changes the number of machines.",
      ...measure,
      dimensions,
      comparisonOperator: comparison,
      threshold,
      period: 60,
      evaluationPeriods: 2,
      treatMissingData: "notBreaching",
      alarmActions: [policy.arn],
    });
  }
}
