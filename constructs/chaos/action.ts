import type { Statement } from "../core/iam";
import { jsonText, literal } from "../core/literal";
import type { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { SERVICE_TAG } from "./agent";
import { type BlastRadius, type FaultSpec, type LatencyOptions, lastingOf, needOf, type StressOptions } from "./fault";

/** Target of a fault, with the values that AWS FIS needs. */
export type Place =
  | {
      readonly kind: "service";
      readonly clusterName: string;
      readonly clusterArn: string;
      readonly serviceName: string;
      /** Value of {@link SERVICE_TAG} on the tasks' managed instances. */
      readonly managedAs: string;
    }
  | { readonly kind: "instances"; readonly autoScalingGroupName: string }
  | { readonly kind: "zone"; readonly vpcId: string; readonly subnetIds: readonly string[] };

/** An action of AWS FIS, its target, and the permissions of its role. */
export interface Action {
  readonly actionId: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Key of the target in the action. */
  readonly targetKey: string;
  readonly target: {
    readonly resourceType: string;
    readonly selectionMode: string;
    readonly parameters?: Readonly<Record<string, string>>;
    readonly resourceArns?: readonly string[];
    readonly tags?: Readonly<Record<string, string>>;
    readonly filters?: Readonly<Record<string, readonly string[]>>;
  };
  readonly statements: readonly Statement[];
}

/** Converts a fault and its target to an action of AWS FIS; undefined if AWS FIS has none. */
export function actionOf(stack: AwsStack, spec: FaultSpec, place: Place): Action | undefined {
  switch (place.kind) {
    case "service":
      return onTasks(stack, spec, place);
    case "instances":
      return onInstances(stack, spec, place);
    case "zone":
      return spec.kind === "zone-loss" ? onZone(stack, minutes(lastingOf(spec)), place) : undefined;
  }
}

function onTasks(stack: AwsStack, spec: FaultSpec, place: Place & { kind: "service" }): Action | undefined {
  const found = onTask(spec);
  if (found === undefined || !("radius" in spec)) return undefined;
  const tasks = stack.arn("ecs", `task/${place.clusterName}/*`);
  const ofService = { StringEquals: { "aws:ResourceTag/aws:ecs:serviceName": place.serviceName } };
  const statements: Statement[] = [
    { actions: ["ecs:DescribeTasks"], resources: [tasks] },
    {
      // Lists the tasks of one cluster; the call has no resource type for tasks.
      actions: ["ecs:ListTasks"],
      resources: ["*"],
      conditions: { ArnEquals: { "ecs:cluster": place.clusterArn } },
    },
    // This call supports no resource-level permissions.
    { actions: ["tag:GetResources"], resources: ["*"] },
  ];
  if (spec.kind === "stop-tasks") {
    statements.push({ actions: ["ecs:StopTask"], resources: [tasks], conditions: ofService });
  } else {
    statements.push(
      ...sendCommand(stack, found.document, "managed-instance/*", {
        [`aws:ResourceTag/${SERVICE_TAG}`]: place.managedAs,
      }),
    );
  }
  if (needOf(spec) === "agent and network") {
    statements.push(
      {
        actions: ["ecs:DescribeContainerInstances"],
        resources: [stack.arn("ecs", `container-instance/${place.clusterName}/*`)],
      },
      // These calls support no resource-level permissions.
      { actions: ["ec2:DescribeInstances", "ec2:DescribeSubnets"], resources: ["*"] },
    );
  }
  return {
    actionId: `aws:ecs:${found.action}`,
    parameters: found.parameters,
    targetKey: "Tasks",
    target: {
      resourceType: "aws:ecs:task",
      selectionMode: selectionMode(spec.radius),
      parameters: { cluster: place.clusterName, service: place.serviceName },
    },
    statements,
  };
}

interface OnTask {
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Systems Manager document that injects the fault. */
  readonly document: string;
}

function onTask(spec: FaultSpec): OnTask | undefined {
  // On Fargate, this is the only way to affect a task's network; it works on instances, too.
  const endpoints = { useEcsFaultInjectionEndpoints: "true" };
  switch (spec.kind) {
    case "stop-tasks":
      return { action: "stop-task", parameters: {}, document: "" };
    case "cpu":
      return {
        action: "task-cpu-stress",
        parameters: { duration: minutes(lastingOf(spec)), percent: String(loadPercent(spec.options)) },
        document: "AWSFIS-Run-CPU-Stress",
      };
    case "network-latency": {
      const { delay, jitter } = latency(spec.options);
      return {
        action: "task-network-latency",
        parameters: {
          ...endpoints,
          duration: minutes(lastingOf(spec)),
          delayMilliseconds: String(delay.toMillis()),
          jitterMilliseconds: String(jitter.toMillis()),
          sources: sources(spec.options.hosts),
        },
        document: "AWSFIS-Run-Network-Latency-ECS",
      };
    }
    case "network-loss":
      return {
        action: "task-network-packet-loss",
        parameters: {
          ...endpoints,
          duration: minutes(lastingOf(spec)),
          lossPercent: String(spec.options.lossPercent ?? 7),
          sources: sources(spec.options.hosts),
        },
        document: "AWSFIS-Run-Network-Packet-Loss-ECS",
      };
    case "blackhole-port":
      return {
        action: "task-network-blackhole-port",
        parameters: {
          ...endpoints,
          duration: minutes(lastingOf(spec)),
          port: String(spec.options.port),
          protocol: "tcp",
          trafficType: "egress",
        },
        document: "AWSFIS-Run-Network-Blackhole-Port-ECS",
      };
    default:
      return undefined;
  }
}

function onInstances(stack: AwsStack, spec: FaultSpec, place: Place & { kind: "instances" }): Action | undefined {
  const tags = { "aws:autoscaling:groupName": place.autoScalingGroupName };
  const instances = stack.arn("ec2", "instance/*");
  const ofGroup = { StringEquals: { "aws:ResourceTag/aws:autoscaling:groupName": place.autoScalingGroupName } };
  // Takes no resource. FIS finds the instances by their tag with its service-linked role.
  const look: Statement = { actions: ["ec2:DescribeInstances"], resources: ["*"] };
  const target = (radius: BlastRadius, resourceType: string) => ({
    resourceType,
    selectionMode: selectionMode(radius),
    tags,
    filters: { "State.Name": ["running"] },
  });
  switch (spec.kind) {
    case "stop-instances":
      return {
        actionId: "aws:ec2:stop-instances",
        parameters: {},
        targetKey: "Instances",
        target: target(spec.radius, "aws:ec2:instance"),
        statements: [look, { actions: ["ec2:StopInstances"], resources: [instances], conditions: ofGroup }],
      };
    case "spot-interruption":
      return {
        actionId: "aws:ec2:send-spot-instance-interruptions",
        parameters: { durationBeforeInterruption: minutes(lastingOf(spec)) },
        targetKey: "SpotInstances",
        target: target(spec.radius, "aws:ec2:spot-instance"),
        statements: [
          look,
          { actions: ["ec2:SendSpotInstanceInterruptions"], resources: [instances], conditions: ofGroup },
        ],
      };
    case "cpu":
    case "memory": {
      const document = `AWSFIS-Run-${spec.kind === "cpu" ? "CPU" : "Memory"}-Stress`;
      const duration = lastingOf(spec);
      return {
        actionId: "aws:ssm:send-command",
        parameters: {
          documentArn: documentArn(stack, document),
          documentParameters: jsonText({
            DurationSeconds: String(duration.toSeconds()),
            [spec.kind === "cpu" ? "LoadPercent" : "Percent"]: String(loadPercent(spec.options)),
          }),
          duration: minutes(duration),
        },
        targetKey: "Instances",
        target: target(spec.radius, "aws:ec2:instance"),
        statements: [look, ...sendCommand(stack, document, instances, ofGroup.StringEquals)],
      };
    }
    default:
      return undefined;
  }
}

/** @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorNetworkAccess.html */
function onZone(stack: AwsStack, duration: string, place: Place & { kind: "zone" }): Action {
  const subnets = place.subnetIds.map((subnetId) => stack.arn("ec2", `subnet/${subnetId}`));
  const acls = stack.arn("ec2", "network-acl/*");
  const vpc = stack.arn("ec2", `vpc/${place.vpcId}`);
  const ofFis = { "ec2:ResourceTag/managedByFIS": "true" };
  const tagged = { "aws:RequestTag/managedByFIS": "true" };
  return {
    actionId: "aws:network:disrupt-connectivity",
    parameters: { duration, scope: "all" },
    targetKey: "Subnets",
    target: { resourceType: "aws:ec2:subnet", selectionMode: "ALL", resourceArns: subnets },
    statements: [
      {
        actions: ["ec2:CreateTags"],
        resources: [acls],
        conditions: { StringEquals: { "ec2:CreateAction": "CreateNetworkAcl", ...tagged } },
      },
      { actions: ["ec2:CreateNetworkAcl"], resources: [acls], conditions: { StringEquals: tagged } },
      { actions: ["ec2:CreateNetworkAcl"], resources: [vpc] },
      {
        actions: ["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl"],
        resources: [acls],
        conditions: { StringEquals: ofFis },
      },
      // AWS FIS replaces the network ACL associations of the subnets and restores them at the end; the original ACLs have no
      // FIS tag.
      { actions: ["ec2:ReplaceNetworkAclAssociation"], resources: [...subnets, acls] },
      {
        actions: [
          "ec2:DescribeManagedPrefixLists",
          "ec2:DescribeNetworkAcls",
          "ec2:DescribeSubnets",
          "ec2:DescribeVpcs",
        ],
        // These calls support no resource-level permissions.
        resources: ["*"],
      },
    ],
  };
}

/** Grants permission to run one document, only on resources with the tags. */
function sendCommand(
  stack: AwsStack,
  document: string,
  resource: string,
  tags: Readonly<Record<string, string>>,
): Statement[] {
  const instances = resource.startsWith("arn:") ? resource : stack.arn("ssm", resource);
  return [
    { actions: ["ssm:SendCommand"], resources: [documentArn(stack, document)] },
    { actions: ["ssm:SendCommand"], resources: [instances], conditions: { StringEquals: tags } },
    // These calls support no resource-level permissions.
    { actions: ["ssm:CancelCommand", "ssm:ListCommands"], resources: ["*"] },
  ];
}

/** Returns the ARN of a document of AWS, which contains no account id. */
function documentArn(stack: AwsStack, name: string): string {
  return `arn:${stack.partition}:ssm:${stack.environment.region}::document/${name}`;
}

function selectionMode(radius: BlastRadius): string {
  return "percent" in radius ? `PERCENT(${radius.percent})` : `COUNT(${radius.count})`;
}

export function latency({ delay = Duration.millis(200), jitter = Duration.millis(10) }: LatencyOptions) {
  return { delay, jitter };
}

export function loadPercent({ loadPercent = 80 }: StressOptions): number {
  return loadPercent;
}

/** Formats a duration for AWS FIS. */
export function minutes(duration: Duration): string {
  return `PT${duration.toMinutes()}M`;
}

function sources(hosts: readonly string[] | undefined): string {
  return hosts === undefined ? "ALL" : hosts.map(literal).join(",");
}
