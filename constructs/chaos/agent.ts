import type { IConstruct } from "constructs";
import { invalid } from "../core/errors";
import { Role } from "../core/iam";
import { Registry } from "../core/registry";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/add-on";
import type { CloudNativeService } from "../service/cloud-native-service";
import { requireInternet } from "../vpc/images";
import type { Need } from "./fault";

/** Marks the managed instances of one service, so that an experiment's role reaches no others. */
export const SERVICE_TAG = "ECS_SERVICE";

const TAG_KEYS = ["ECS_TASK_ARN", "ECS_TASK_AVAILABILITY_ZONE", "FAULT_INJECTION_SIDECAR", SERVICE_TAG];

/**
 * Registers the task with Systems Manager under the tags that AWS FIS looks for, and signs off at the end.
 *
 * Without braces around variables: those are Terraform's.
 *
 * @see https://docs.aws.amazon.com/fis/latest/userguide/ecs-task-actions.html
 */
const SCRIPT = [
  "set -euo pipefail",
  "dnf install --assumeyes --quiet awscli jq procps",
  'task=$(curl --silent --fail "$ECS_CONTAINER_METADATA_URI_V4/task")',
  'arn=$(jq --exit-status --raw-output .TaskARN <<< "$task")',
  'zone=$(jq --exit-status --raw-output .AvailabilityZone <<< "$task")',
  'export AWS_REGION=$(cut --delimiter=: --fields=4 <<< "$arn")',
  'activation=$(aws ssm create-activation --registration-limit 1 --iam-role "$MANAGED_INSTANCE_ROLE_NAME" --tags "Key=ECS_TASK_ARN,Value=$arn" "Key=ECS_TASK_AVAILABILITY_ZONE,Value=$zone" Key=FAULT_INJECTION_SIDECAR,Value=true "Key=ECS_SERVICE,Value=$ECS_SERVICE")',
  'id=$(jq --exit-status --raw-output .ActivationId <<< "$activation")',
  'code=$(jq --exit-status --raw-output .ActivationCode <<< "$activation")',
  "leave() {",
  '  aws ssm delete-activation --activation-id "$id" || true',
  '  aws ssm deregister-managed-instance --instance-id "$(jq --raw-output .ManagedInstanceID /var/lib/amazon/ssm/registration)" || true',
  '  kill -TERM "$agent" || true',
  "}",
  'amazon-ssm-agent -register -code "$code" -id "$id" -region "$AWS_REGION"',
  "amazon-ssm-agent & agent=$!",
  "trap leave TERM INT",
  'wait "$agent"',
].join("\n");

/**
 * Gives a service what faults inside of its tasks need: a container beside the app with the agent of Systems Manager and a
 * role for it, and for faults of the network one view of all processes and the fault endpoints of ECS.
 *
 * Once for all experiments on a service, which must be of one mind about the image.
 *
 * @throws InvalidPropsError CHAOS_AGENT_TWICE, CHAOS_EXEC, INTERNET_OUT_OF_REACH
 */
export function addFaultAgent(scope: IConstruct, service: CloudNativeService, image: string, need: Need): void {
  const agent = Registry.of(service).get(AGENT);
  const known = agent.image;
  if (known === undefined) {
    service.add(new FaultAgent(image));
    agent.image = image;
  } else if (known !== image) {
    throw invalid(scope, {
      code: "CHAOS_AGENT_TWICE",
      prop: "agentImage",
      problem: `is ${image}, and another experiment on ${service.serviceName} has ${known}`,
      remedy: "Use one image for all.",
    });
  }
  if (need === "agent and network" && service.node.tryFindChild(ENDPOINTS) === undefined) {
    service.add(new FaultEndpoints());
  }
}

/** The agent of a service, whose image all experiments on it share. */
const AGENT = (): { image?: string } => ({});

const ENDPOINTS = "FaultEndpoints";

class FaultEndpoints implements ServiceAddOn {
  readonly name = ENDPOINTS;

  bind(host: ServiceHost): void {
    host.allowNetworkFaults();
  }
}

class FaultAgent implements ServiceAddOn {
  readonly name = "FaultAgent";

  constructor(private readonly image: string) {}

  bind(host: ServiceHost): void {
    const { scope, serviceName } = host;
    const stack = ServiceStack.of(scope);
    if (host.exec) {
      throw invalid(scope, {
        code: "CHAOS_EXEC",
        prop: "exec",
        problem:
          "lets people into tasks by the same agent that faults inside of tasks need, and AWS FIS takes one only",
        remedy: "Take exec from the service, or hit it by stopTasks.",
      });
    }
    requireInternet(scope, stack.vpc, "agentImage");
    const fullName = `${stack.platformName}-${stack.environment.name}-${serviceName}`;
    const role = new Role(scope, "Role", { name: `${fullName}-fault-agent`, service: "ssm.amazonaws.com" });
    role.addManagedPolicy("AmazonSSMManagedInstanceCore");
    role.grant({
      // This call takes no resource.
      actions: ["ssm:DeleteActivation"],
      resources: ["*"],
    });
    role.grant({
      actions: ["ssm:DeregisterManagedInstance"],
      resources: [stack.arn("ssm", "managed-instance/*")],
      conditions: { StringEquals: { [`aws:ResourceTag/${SERVICE_TAG}`]: fullName } },
    });
    host.grant({
      // A managed instance has no ARN before registration, but it must carry the tags of this service, and no others.
      actions: ["ssm:AddTagsToResource", "ssm:CreateActivation"],
      resources: ["*"],
      conditions: {
        StringEquals: { [`aws:RequestTag/${SERVICE_TAG}`]: fullName },
        "ForAllValues:StringEquals": { "aws:TagKeys": TAG_KEYS },
      },
    });
    host.grant({
      actions: ["iam:PassRole"],
      resources: [role.roleArn],
      conditions: { StringEquals: { "iam:PassedToService": "ssm.amazonaws.com" } },
    });
    const path = (stack.environment.guardrails?.rolePath ?? "/").slice(1);
    host.addSidecar({
      name: "fault-agent",
      image: this.image,
      // It takes of the app's own, as a fault does.
      cpu: 0,
      memoryMiB: 512,
      command: ["/bin/bash", "-c", SCRIPT],
      environment: { MANAGED_INSTANCE_ROLE_NAME: `${path}${role.roleName}`, [SERVICE_TAG]: fullName },
      // It installs what it needs, as root: both are of this container alone.
      user: "0",
      writableRoot: true,
    });
  }
}
