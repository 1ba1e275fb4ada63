import { FisExperimentTemplate } from "@cdktf/provider-aws/lib/fis-experiment-template";
import { SchedulerSchedule } from "@cdktf/provider-aws/lib/scheduler-schedule";
import { Fn, Lazy } from "cdktf";
import { Construct } from "constructs";
import { AutoScalingGroup } from "../auto-scaling-group/auto-scaling-group";
import type { IAlarm } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { invalid, validateAtSynth } from "../core/errors";
import { Role } from "../core/iam";
import { jsonText } from "../core/literal";
import { kebab, physicalName } from "../core/names";
import { experimentParameter, PublishedContract } from "../core/parameter-contract";
import type { Schedule } from "../core/schedule";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import type { ReleaseGate } from "../pipeline/pipeline-props";
import { ServiceStack } from "../platform/platform";
import { CloudNativeService } from "../service/cloud-native-service";
import { type Action, actionOf, minutes, type Place } from "./action";
import { addFaultAgent } from "./agent";
import {
  type ChaosExperimentProps,
  DEFAULT_WATCH,
  type FaultTarget,
  resolveExperiment,
  STOP_CONDITIONS,
} from "./chaos-experiment-props";
import { lastingOf, needOf } from "./fault";
import { experimentGate, experimentName, type GateOptions } from "./gate";
import { reportOf } from "./report";

/** Key of a template's only target. */
const TARGET = "target";

/** Key of the wait after the fault during which alarms may still fire. */
const WATCH = "watch";

/**
 * A chaos experiment with AWS FIS: injects a fault into part of a running system to verify the hypothesis that users do not
 * notice it. Alarms watch the experiment; an alarm that fires during the fault or shortly after it stops the experiment.
 *
 * Costs 0.10 USD for each minute that it runs, and nothing until it is started.
 *
 * @example
 * ```ts
 * const orders = new CloudNativeService(stack, "Orders", { scaling: { min: 2 } });
 * orders.add(new Ingress());
 * new ChaosExperiment(stack, "LosesTasks", {
 *   target: orders,
 *   fault: Fault.stopTasks({ percent: 50 }),
 *   environments: ["dev", "staging"],
 *   schedule: cron("0 10 * * TUE"),
 * });
 * ```
 * @see https://docs.aws.amazon.com/fis/latest/userguide/what-is.html
 */
export class ChaosExperiment extends Construct {
  readonly experimentTemplateArn: string;
  /** Template id, for `aws fis start-experiment --experiment-template-id`. */
  readonly experimentTemplateId: string;
  /** Log of events before, during and after the experiment. */
  readonly logs: LogStream;
  /** Duration from the start of the fault until the alarms are no longer watched. */
  readonly #lasts: Duration;

  constructor(scope: Construct, id: string, props: ChaosExperimentProps) {
    super(scope, id);
    checkArguments("new ChaosExperiment", { props }, this);
    resolveExperiment(this, props);
    const stack = AwsStack.of(this);
    const { target, fault, agentImage, report, schedule, watch = DEFAULT_WATCH } = props;
    this.#lasts = Duration.minutes(lastingOf(fault.spec).toMinutes() + watch.toMinutes());
    const place = this.#place(stack, props);
    const action = actionOf(stack, fault.spec, place);
    if (action === undefined) throw new Error(`${this.node.path}: ${fault.spec.kind} is not supported`);
    if (target instanceof CloudNativeService && agentImage !== undefined) {
      addFaultAgent(this, target, agentImage, needOf(fault.spec));
    }
    const name = [stack.stackName, stack.environment.name, kebab(id)].join("-");
    const alarms = () => props.stopOn ?? (target instanceof CloudNativeService ? target.health : []);
    this.#checkAlarms(alarms);

    // AWS can write to log groups of this name without an entry for each in the account's single resource policy.
    this.logs = new LogStream(this, "Logs", { name: physicalName("logGroup", `/aws/vendedlogs/fis/${name}`) });
    const role = new Role(this, "Role", { name: `${name}-chaos`, service: "fis.amazonaws.com" });
    for (const statement of action.statements) role.grant(statement);
    role.grant({
      actions: [
        "logs:CreateLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
      ],
      // These calls support no resource-level permissions.
      resources: ["*"],
    });
    const contract = report && reportOf(stack, role, { ...report, prefix: report.prefix ?? name, target });
    const template = new FisExperimentTemplate(this, "Resource", {
      description: `${kebab(id)}: ${action.actionId} on ${calledWhat(target)}`,
      roleArn: role.roleArn,
      action: [
        {
          name: fault.spec.kind,
          actionId: action.actionId,
          parameter: Object.entries(action.parameters).map(([key, value]) => ({ key, value })),
          target: { key: action.targetKey, value: TARGET },
        },
        {
          name: WATCH,
          actionId: "aws:fis:wait",
          parameter: [{ key: "duration", value: minutes(watch) }],
          startAfter: [fault.spec.kind],
        },
      ],
      target: [targetOf(action)],
      stopCondition: Lazy.anyValue({
        produce: () => alarms().map((alarm) => ({ source: "aws:cloudwatch:alarm", value: this.#arnOf(stack, alarm) })),
      }),
      // An experiment without a target would always succeed.
      experimentOptions: { accountTargeting: "single-account", emptyTargetResolutionMode: "fail" },
      logConfiguration: {
        logSchemaVersion: 2,
        cloudwatchLogsConfiguration: { logGroupArn: `${this.logs.logGroupArn}:*` },
      },
      experimentReportConfiguration: contract?.configuration,
      tags: { Name: experimentName(stack.environment, stack.stackName, id) },
    });
    // The bindings do not accept a block that is optional and known only at synth.
    if (contract) template.addOverride("experiment_report_configuration.data_sources", contract.dataSources);
    role.whenPolicy((address) => {
      template.dependsOn = [address];
    });
    this.experimentTemplateId = template.id;
    this.experimentTemplateArn = stack.arn("fis", `experiment-template/${template.id}`);
    new PublishedContract(this, "Contract", {
      name: experimentParameter(stack.environment.name, stack.stackName, kebab(id)),
      value: { experimentTemplateId: this.experimentTemplateId },
    });
    if (schedule !== undefined) this.#start(stack, name, schedule);
  }

  /**
   * Returns the experiment as a gate of a pipeline: it runs after its environment is released, and the pipeline continues
   * only if it succeeds.
   *
   * @example
   * ```ts
   * const orders = new CloudNativeService(stack, "Orders", { scaling: { min: 2 } });
   * orders.add(new Ingress());
   * const experiment = new ChaosExperiment(stack, "LosesTasks", {
   *   target: orders,
   *   fault: Fault.stopTasks({ percent: 50 }),
   *   environments: ["dev"],
   * });
   * const release = { environment, gates: [experiment.gate({ requests: { url: "https://dev.example.com/" } })] };
   * ```
   * @param options.timeout maximum duration of the experiment. Default: one hour, or its own duration plus 15 minutes
   * @param options.requests requests to send during the experiment. Default: none
   */
  gate(options: GateOptions = {}): ReleaseGate {
    checkArguments("ChaosExperiment.gate", { options }, this);
    const { environment, stackName } = AwsStack.of(this);
    const timeout = Duration.minutes(Math.max(60, this.#lasts.toMinutes() + 15));
    return experimentGate(this.node.id, { timeout, ...options, environment, stack: stackName });
  }

  /** Resolves the target of the fault, which must be in the experiment's own stack. */
  #place(stack: AwsStack, { target, fault }: ChaosExperimentProps): Place {
    if (target instanceof CloudNativeService || target instanceof AutoScalingGroup) {
      this.#checkStack(AwsStack.of(target) === stack, target.node.path, "the stack of its target");
      if (target instanceof AutoScalingGroup) {
        return { kind: "instances", autoScalingGroupName: target.autoScalingGroupName };
      }
      const { cluster, platformName, environment } = ServiceStack.of(this);
      const { clusterArn, clusterName } = cluster;
      const { serviceName } = target;
      const managedAs = `${platformName}-${environment.name}-${serviceName}`;
      return { kind: "service", clusterArn, clusterName, serviceName, managedAs };
    }
    const own = ServiceStack.of(this);
    const same = own.platformName === target.stackName && own.environment.name === target.environment.name;
    this.#checkStack(same, `${target.stackName}-${target.environment.name}`, "a stack on that platform");
    const zone = fault.spec.kind === "zone-loss" ? fault.spec.options.zone : 0;
    if (!Number.isInteger(zone) || zone < 0 || zone >= own.zones) {
      const problem = `must be the index of one of the ${own.zones} zones of ${own.platformName}, got ${zone}`;
      throw invalid(this, {
        code: "CHAOS_ZONE",
        prop: "fault zoneLoss.zone",
        problem,
        remedy: `Use an index from 0 to ${own.zones - 1}.`,
      });
    }
    const { vpcId, publicSubnetIds, privateSubnetIds, egress } = own.vpc;
    const tiers = egress === "public-ip" ? [publicSubnetIds] : [publicSubnetIds, privateSubnetIds];
    return { kind: "zone", vpcId, subnetIds: tiers.map((subnetIds) => Fn.element([...subnetIds], zone)) };
  }

  #checkStack(same: boolean, where: string, wanted: string): void {
    if (same) return;
    const { path } = AwsStack.of(this).node;
    const problem = `is ${where}, but the experiment is in ${path}`;
    throw invalid(this, {
      code: "CHAOS_OTHER_STACK",
      prop: "target",
      problem,
      remedy: `Create the experiment in ${wanted}.`,
    });
  }

  /** Checks the alarms of a service at synth, when all add-ons have been added. */
  #checkAlarms(alarms: () => readonly IAlarm[]): void {
    validateAtSynth(this, () => {
      const { length } = alarms();
      if (length === 0) {
        return [
          {
            code: "CHAOS_NO_HYPOTHESIS",
            prop: "stopOn",
            problem: "must be set, because the service has no alarm that could stop the experiment",
            remedy: "Add an Ingress or another alarm to the service, or set stopOn.",
          },
        ];
      }
      if (length <= STOP_CONDITIONS) return [];
      return [
        {
          code: "CHAOS_STOP_CONDITIONS",
          prop: "stopOn",
          problem: `must have at most ${STOP_CONDITIONS} alarms, but the service has ${length}`,
          remedy: "Set stopOn to the alarms on problems that users notice.",
        },
      ];
    });
  }

  /** An alarm of another stack is referenced by name: a reference would couple the two states. */
  #arnOf(stack: AwsStack, alarm: IAlarm): string {
    const elsewhere = alarm instanceof Construct && AwsStack.of(alarm) !== stack;
    return elsewhere ? stack.arn("cloudwatch", `alarm:${alarm.alarmName}`) : alarm.alarmArn;
  }

  /** @see https://docs.aws.amazon.com/fis/latest/userguide/experiment-scheduler.html */
  #start(stack: AwsStack, name: string, schedule: Schedule): void {
    const role = new Role(this, "ScheduleRole", { name: `${name}-start`, service: "scheduler.amazonaws.com" });
    role.grant({
      actions: ["fis:StartExperiment"],
      resources: [this.experimentTemplateArn, stack.arn("fis", "experiment/*")],
    });
    role.grant({
      // The first experiment of an account creates the service-linked role with which AWS FIS watches alarms.
      actions: ["iam:CreateServiceLinkedRole"],
      resources: [
        `arn:${stack.partition}:iam::${stack.accountId}:role/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS`,
      ],
      conditions: { StringEquals: { "iam:AWSServiceName": "fis.amazonaws.com" } },
    });
    new SchedulerSchedule(this, "Schedule", {
      name: physicalName("schedule", name),
      description: "Starts the experiment.",
      scheduleExpression: schedule.expression,
      scheduleExpressionTimezone: schedule.timezone,
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: `arn:${stack.partition}:scheduler:::aws-sdk:fis:startExperiment`,
        roleArn: role.roleArn,
        input: jsonText({
          ClientToken: "<aws.scheduler.execution-id>",
          ExperimentTemplateId: this.experimentTemplateId,
        }),
        // An experiment that starts later than operators expect is worse than none.
        retryPolicy: { maximumEventAgeInSeconds: 300, maximumRetryAttempts: 2 },
      },
    });
  }
}

function calledWhat(target: FaultTarget): string {
  if (target instanceof CloudNativeService) return `service ${target.serviceName}`;
  return target instanceof AutoScalingGroup ? `instances ${target.node.id}` : `platform ${target.stackName}`;
}

function targetOf({ target }: Action) {
  return {
    name: TARGET,
    resourceType: target.resourceType,
    selectionMode: target.selectionMode,
    parameters: target.parameters && { ...target.parameters },
    resourceArns: target.resourceArns && [...target.resourceArns],
    resourceTag: target.tags && Object.entries(target.tags).map(([key, value]) => ({ key, value })),
    filter: target.filters && Object.entries(target.filters).map(([path, values]) => ({ path, values: [...values] })),
  };
}
