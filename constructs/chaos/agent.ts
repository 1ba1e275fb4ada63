import type { IConstruct } from "constructs";
import { invalid } from "../core/errors";
import { Role } from "../core/iam";
import { Registry } from "../core/registry";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/add-on";
import type { CloudNativeService } from "../service/cloud-native-service";
import { requireInternet } from "../vpc/images";
import type { Need } from "./fault";

/** Tag on the managed instances of a service, which limits an experiment's role to them. */
export const SERVICE_TAG = "ECS_SERVICE";

const TAG_KEYS = ["ECS_TASK_ARN", "ECS_TASK_AVAILABILITY_ZONE", "FAULT_INJECTION_SIDECAR", SERVICE_TAG];

/**
 * Registers the task with Systems Manager under the tags that AWS FIS expects, and deregisters it at the end.
 *
 * Uses no braces around variables, since Terraform would interpolate them.
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
 * Adds what faults inside tasks need to a service: a sidecar with the Systems Manager agent and a role for it; for network
 * faults also a shared process namespace and the fault injection endpoints of ECS.
 *
 * Added once for all experiments on a service, which must use the same image.
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
      problem: `must be the same for all experiments on ${service.serviceName}, got ${image} and ${known}`,
      remedy: "Use one image for all experiments.",
    });
  }
  if (need === "agent and network" && service.node.tryFindChild(ENDPOINTS) === undefined) {
    service.add(new FaultEndpoints());
  }
}

/** Agent of a service; all experiments on it share the image. */
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
          "cannot be combined with faults inside tasks: both use the Systems Manager agent, and AWS FIS supports only one in a task",
        remedy: "Disable exec for the service, or use the fault stopTasks.",
      });
    }
    requireInternet(scope, stack.vpc, "agentImage");
    const fullName = `${stack.platformName}-${stack.environment.name}-${serviceName}`;
    const role = new Role(scope, "Role", { name: `${fullName}-fault-agent`, service: "ssm.amazonaws.com" });
    role.addManagedPolicy("AmazonSSMManagedInstanceCore");
    role.grant({
      // This call supports no resource-level permissions.
      actions: ["ssm:DeleteActivation"],
      resources: ["*"],
    });
    role.grant({
      actions: ["ssm:DeregisterManagedInstance"],
      resources: [stack.arn("ssm", "managed-instance/*")],
      conditions: { StringEquals: { [`aws:ResourceTag/${SERVICE_TAG}`]: fullName } },
    });
    host.grant({
      // A managed instance has no ARN before registration, but must carry exactly the tags of this service.
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
      // A fault consumes CPU and memory of the task, too.
      cpu: 0,
      memoryMiB: 512,
      command: ["/bin/bash", "-c", SCRIPT],
      environment: { MANAGED_INSTANCE_ROLE_NAME: `${path}${role.roleName}`, [SERVICE_TAG]: fullName },
      // The script installs packages as root, in this container only.
      user: "0",
      writableRoot: true,
    });
  }
}
