import { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import type { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { Lazy, Op, TerraformSelf } from "cdktf";
import type { Construct } from "constructs";
import { physicalName } from "../../core/names";
import { addOnProvider6, onProvider6 } from "../../core/provider-6";
import type { ServiceStack } from "../../platform/platform";
import type { Target } from "../add-on";
import { ignoredChanges } from "../deployment/ignored-changes";
import { type Deployment, deploymentMinutes } from "../deployment/strategy-props";
import { brings, STRATEGY_TABLE } from "../deployment/strategy-support";
import { circumstancesOf, type ServiceSettings } from "../props";
import type { ScalingSettings } from "../scaling/scaling-props";

/** Health check grace period: time after the start of a task during which failed health checks do not count. */
const START_SECONDS = 60;

interface Running {
  readonly stack: ServiceStack;
  readonly settings: ServiceSettings;
  readonly scaling: ScalingSettings;
  readonly task: EcsTaskDefinition;
  /** ARN of the task definition that a new service starts with. */
  readonly firstTaskArn: string;
  readonly securityGroupId: string;
  /** Cloud Map service in which the tasks are registered; undefined if the service is not called. */
  readonly registryArn: string | undefined;
  /** Target groups. Complete once all add-ons are added. */
  readonly targets: () => readonly Target[];
  /** Role that ECS assumes to shift traffic from one target group to the other. */
  readonly shiftRoleArn: () => string | undefined;
  readonly dependsOn: () => readonly string[];
}

/** Time for the tasks of a deployment to start and stop, in minutes. */
const TASKS_MINUTES = 20;

/** Creates the ECS service that keeps the tasks of a web process or a worker running. */
export function createEcsService(scope: Construct, running: Running): EcsService {
  const { stack, settings, scaling, task, targets } = running;
  const { name, process, releaseOwner, deployment } = settings;
  const { controller } = STRATEGY_TABLE[deployment.kind];
  const byEcs = controller === "ECS";
  const minutes = `${TASKS_MINUTES + deploymentMinutes(deployment)}m`;
  const service = new EcsService(scope, "Resource", {
    name: physicalName("ecsService", name),
    cluster: stack.cluster.clusterArn,
    taskDefinition: running.firstTaskArn,
    desiredCount: scaling.min,
    // Always a capacity provider strategy, never launch_type: switching between them replaces the service.
    capacityProviderStrategy: stack.cluster.strategy(settings.capacity),
    // Without it, the provider replaces the service when the capacity changes.
    forceNewDeployment: brings(deployment.kind, "forceNewDeployment") ? true : undefined,
    platformVersion: settings.compatibility === "FARGATE" ? "LATEST" : undefined,
    propagateTags: "SERVICE",
    enableEcsManagedTags: true,
    enableExecuteCommand: settings.exec,
    availabilityZoneRebalancing: byEcs ? "ENABLED" : "DISABLED",
    deploymentController: { type: controller },
    deploymentMinimumHealthyPercent: 100,
    deploymentMaximumPercent: 200,
    deploymentCircuitBreaker: brings(deployment.kind, "circuitBreaker") ? { enable: true, rollback: true } : undefined,
    waitForSteadyState: brings(deployment.kind, "steadyState") ? true : undefined,
    networkConfiguration: {
      subnets: [...stack.vpc.workloadSubnetIds],
      securityGroups: [running.securityGroupId],
      // Tasks on instances use the address of their instance for outbound connections.
      assignPublicIp: settings.compatibility === "FARGATE" && stack.vpc.egress === "public-ip",
    },
    serviceRegistries: running.registryArn === undefined ? undefined : { registryArn: running.registryArn },
    loadBalancer: Lazy.anyValue({
      produce: () =>
        targets().map((target) => ({
          target_group_arn: target.targetGroupArn,
          container_name: name,
          container_port: process.kind === "web" ? process.port : undefined,
          ...(target.shift === undefined || !byEcs
            ? {}
            : {
                advanced_configuration: onProvider6(stack, {
                  alternate_target_group_arn: target.shift.alternate.targetGroupArn,
                  production_listener_rule: target.shift.ruleArn,
                  role_arn: running.shiftRoleArn(),
                }),
              }),
        })),
    }),
    healthCheckGracePeriodSeconds: Lazy.numberValue({
      produce: () => (targets().length === 0 ? undefined : START_SECONDS),
    }),
    lifecycle: {
      ignoreChanges: ignoredChanges("service", circumstancesOf(settings)),
      ...(releaseOwner === "terraform" ? { postcondition: [taskDefinitionIsLive(stack, name, task)] } : {}),
    },
    timeouts: { create: minutes, update: minutes, delete: `${TASKS_MINUTES}m` },
  });
  const configuration = deploymentConfiguration(deployment);
  if (configuration !== undefined) addOnProvider6(service, "deployment_configuration", configuration);
  service.dependsOn = Lazy.listValue({ produce: () => [...new Set(running.dependsOn())].sort() });
  return service;
}

/**
 * Deployment configuration of ECS's own strategies. @see
 * https://registry.terraform.io/providers/hashicorp/aws/6.25.0/docs/resources/ecs_service#deployment_configuration
 */
function deploymentConfiguration(deployment: Deployment): object | undefined {
  if (deployment.kind === "rolling" || deployment.kind === "codeDeploy") return undefined;
  const bakeTime = { bake_time_in_minutes: String(deployment.bakeTime.toMinutes()) };
  if (deployment.kind === "blueGreen") return { strategy: "BLUE_GREEN", ...bakeTime };
  const { percent } = deployment;
  const wait = String(deployment.wait.toMinutes());
  return deployment.kind === "canary"
    ? {
        strategy: "CANARY",
        ...bakeTime,
        canary_configuration: { canary_percent: percent, canary_bake_time_in_minutes: wait },
      }
    : {
        strategy: "LINEAR",
        ...bakeTime,
        linear_configuration: { step_percent: percent, step_bake_time_in_minutes: wait },
      };
}

/**
 * Checks that the new task definition is live. After a rollback the service is steady, which the provider reports as
 * success, but runs the previous task definition.
 *
 * @see https://github.com/hashicorp/terraform-provider-aws/issues/20858
 */
function taskDefinitionIsLive({ cluster, environment }: ServiceStack, name: string, task: EcsTaskDefinition) {
  const why = `antifragile stop-reasons --region ${environment.region} --cluster ${cluster.clusterName} --service ${name}`;
  return {
    condition: Op.eq(TerraformSelf.getString("task_definition"), task.arn),
    errorMessage: `ECS rolled back ${name}, which runs the previous task definition again. To see why the new tasks stopped, run:\n${why}`,
  };
}
