import { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import type { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { Lazy, Op, TerraformSelf } from "cdktf";
import type { Construct } from "constructs";
import { physicalName } from "../core/names";
import type { ServiceStack } from "../platform/platform";
import type { Target } from "./host";
import { ignoredChanges } from "./lifecycle";
import type { ScalingSettings } from "./scaling";
import { circumstancesOf, type ServiceSettings } from "./settings";

/** How long the balancer's verdict on a task does not count after its start. */
const START_SECONDS = 60;

interface Running {
  readonly stack: ServiceStack;
  readonly settings: ServiceSettings;
  readonly scaling: ScalingSettings;
  readonly task: EcsTaskDefinition;
  readonly securityGroupId: string;
  /** Cloud Map service that the tasks are registered with; undefined when it is not called. */
  readonly registryArn: string | undefined;
  /** What is known only when all add-ons are there. */
  readonly targets: () => readonly Target[];
  readonly dependsOn: () => readonly string[];
}

/** Keeps the wanted number of tasks running: the ECS service of a web process or a worker. */
export function runAlways(scope: Construct, running: Running): EcsService {
  const { stack, settings, scaling, task, targets } = running;
  const { name, process, releaseOwner } = settings;
  const service = new EcsService(scope, "Resource", {
    name: physicalName("ecsService", name),
    cluster: stack.cluster.clusterArn,
    taskDefinition: task.arn,
    desiredCount: scaling.min,
    // Always a strategy and never launch_type: going from one to the other replaces the service.
    capacityProviderStrategy: stack.cluster.strategy(settings.capacity),
    // Without it the provider replaces the service when the strategy changes.
    forceNewDeployment: true,
    platformVersion: settings.compatibility === "FARGATE" ? "LATEST" : undefined,
    propagateTags: "SERVICE",
    enableEcsManagedTags: true,
    enableExecuteCommand: settings.exec,
    availabilityZoneRebalancing: "ENABLED",
    deploymentController: { type: "ECS" },
    deploymentMinimumHealthyPercent: 100,
    deploymentMaximumPercent: 200,
    deploymentCircuitBreaker: { enable: true, rollback: true },
    waitForSteadyState: true,
    networkConfiguration: {
      subnets: [...stack.network.workloadSubnetIds],
      securityGroups: [running.securityGroupId],
      // Tasks on machines go out by their machine's address.
      assignPublicIp: settings.compatibility === "FARGATE" && stack.network.egress === "public-ip",
    },
    serviceRegistries: running.registryArn === undefined ? undefined : { registryArn: running.registryArn },
    loadBalancer: Lazy.anyValue({
      produce: () =>
        targets().map((target) => ({
          target_group_arn: target.targetGroupArn,
          container_name: name,
          container_port: process.kind === "web" ? process.port : undefined,
        })),
    }),
    healthCheckGracePeriodSeconds: Lazy.numberValue({
      produce: () => (targets().length === 0 ? undefined : START_SECONDS),
    }),
    lifecycle: {
      ignoreChanges: ignoredChanges("service", circumstancesOf(settings)),
      ...(releaseOwner === "terraform" ? { postcondition: [wentLive(stack, name, task)] } : {}),
    },
    timeouts: { create: "20m", update: "20m", delete: "20m" },
  });
  service.dependsOn = Lazy.listValue({ produce: () => [...new Set(running.dependsOn())].sort() });
  return service;
}

/**
 * A service that ECS rolled back is steady, which the provider takes for success; but it runs another task definition.
 *
 * @see https://github.com/hashicorp/terraform-provider-aws/issues/20858
 */
function wentLive({ cluster, environment }: ServiceStack, name: string, task: EcsTaskDefinition) {
  const why = `antifragile stop-reasons --region ${environment.region} --cluster ${cluster.clusterName} --service ${name}`;
  return {
    condition: Op.eq(TerraformSelf.getString("task_definition"), task.arn),
    errorMessage: `ECS rolled ${name} back: it runs the task definition that it ran before. Why its tasks stopped tells:\n${why}`,
  };
}
