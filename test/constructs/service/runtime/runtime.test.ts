import { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { describe, expect, it } from "vitest";
import { Capacity } from "../../../../constructs/cluster";
import { cron } from "../../../../constructs/core/schedule";
import { blueGreen } from "../../../../constructs/service/deployment/strategy-props";
import type { CloudNativeServiceProps } from "../../../../constructs/service/props";
import { CodeDeployment } from "../../../../constructs/service/runtime/code-deploy";
import { createEcsService } from "../../../../constructs/service/runtime/ecs-service";
import { createScheduledTask } from "../../../../constructs/service/runtime/scheduled-task";
import { job } from "../../../../constructs/service/task/process";
import { publishIdentity } from "../../../../constructs/service/traffic/identity";
import { bareService, partsOf, shiftedTarget, target } from "../../../support/service-parts";
import { only, resources } from "../../../support/synth";

function parts(props: CloudNativeServiceProps = {}) {
  const { stack, scope, context } = partsOf(props);
  const task = new EcsTaskDefinition(scope, "Task", { family: "shop-dev-orders", containerDefinitions: "[]" });
  return { stack, scope, context, task };
}

describe("createEcsService", () => {
  const created = (props: CloudNativeServiceProps, registryArn?: string) => {
    const { stack, scope, context, task } = parts(props);
    createEcsService(scope, {
      stack,
      settings: context.settings,
      scaling: context.settings.scaling!,
      task,
      firstTaskArn: task.arn,
      securityGroupId: "sg-1",
      registryArn,
      targets: () => [target("public")],
      shiftRoleArn: () => undefined,
      dependsOn: () => ["aws_lb_listener_rule.public"],
    });
    return only(stack, "aws_ecs_service");
  };

  it("runs the minimum of tasks on the chosen capacity, and waits for the rules of its targets", () => {
    expect(created({ scaling: { min: 2, max: 4 }, capacity: [Capacity.fargateSpot()] })).toMatchObject({
      desired_count: 2,
      capacity_provider_strategy: [{ capacity_provider: "FARGATE_SPOT", weight: 1 }],
      deployment_circuit_breaker: { enable: true, rollback: true },
      load_balancer: [expect.objectContaining({ target_group_arn: target("public").targetGroupArn })],
      depends_on: ["aws_lb_listener_rule.public"],
    });
  });

  it("registers tasks in Cloud Map if the service is called", () => {
    expect(created({})).not.toHaveProperty("service_registries");
    expect(created({}, "arn:of:registry")).toMatchObject({ service_registries: { registry_arn: "arn:of:registry" } });
  });
});

describe("createScheduledTask", () => {
  it("starts the task at the scheduled time in its zone, with a role that may run this family alone", () => {
    const process = job({ schedule: cron("0 3 * * *", { timezone: "Europe/Berlin" }) });
    const { stack, scope, context, task } = parts({ process });
    createScheduledTask(scope, {
      stack,
      settings: context.settings,
      process,
      task,
      firstTaskArn: task.arn,
      securityGroupId: "sg-1",
      roleArns: ["arn:aws:iam::123456789012:role/task"],
      notStartedQueueArn: "arn:of:queue",
      dependsOn: () => [],
    });
    expect(only(stack, "aws_scheduler_schedule")).toMatchObject({
      schedule_expression: "cron(0 3 * * ? *)",
      schedule_expression_timezone: "Europe/Berlin",
      target: { dead_letter_config: { arn: "arn:of:queue" } },
    });
    const statements = JSON.stringify(Object.values(resources(stack, "aws_iam_role_policy")));
    expect(statements).toContain("task-definition/${aws_ecs_task_definition.");
    expect(statements).toContain('"Resource":["arn:aws:iam::123456789012:role/task"]');
  });
});

describe("CodeDeployment", () => {
  it("shifts traffic between both target groups, and rolls back on the alarms that exist by then", () => {
    const { stack, scope } = parts();
    const alarmNames: string[] = [];
    const deployment = new CodeDeployment(scope, "CodeDeploy", {
      fullName: ["shop", "dev", "orders"],
      clusterName: "shop-dev",
      service: bareService(scope),
      shift: blueGreen(),
      target: shiftedTarget("pair").shift!,
      roleArns: [],
      alarmNames: () => alarmNames,
    });
    alarmNames.push("shop-dev-orders-errors");
    expect(deployment.names).toEqual({ application: "shop-dev-orders", deploymentGroup: "shop-dev-orders" });
    expect(only(stack, "aws_codedeploy_deployment_group")).toMatchObject({
      alarm_configuration: { enabled: true, alarms: ["shop-dev-orders-errors"] },
      auto_rollback_configuration: { enabled: true },
      ecs_service: { cluster_name: "shop-dev" },
      load_balancer_info: { target_group_pair_info: { target_group: [{ name: "pair" }, { name: "pairb" }] } },
    });
  });
});

describe("publishIdentity", () => {
  it("publishes the security group and the name to call from the data stack, for a process without requests no name", () => {
    const { stack, scope, context } = parts();
    publishIdentity(scope, context, undefined);
    expect(only(stack.data, "aws_ssm_parameter")).toMatchObject({
      name: "/antifragile/dev/shop/services/orders",
      insecure_value: { port: 8080, url: expect.stringMatching(/^http:\/\/orders\..*:8080$/) },
    });
    const process = job({ schedule: cron("0 3 * * *") });
    const nightly = parts({ process });
    publishIdentity(nightly.scope, nightly.context, undefined);
    expect(Object.keys(only(nightly.stack.data, "aws_ssm_parameter").insecure_value as object)).toEqual([
      "securityGroupId",
    ]);
  });
});
