import { expect, it } from "vitest";
import { OPERATOR_STATEMENTS } from "../../scripts/docs-operators";
import { arn, CLUSTER, calls, KEY, passed, roleArn, TASK } from "../iam/flows/flow";
import { operator } from "../iam/operators";
import { describeWithIam } from "../iam/packages";
import { type Call, isAllowed } from "../iam/simulate";

const { policies } = operator("operator");

const parameters = arn("ssm", "parameter/antifragile/dev/shop/releases/orders/processes");
const service = arn("ecs", "service/shop-dev/orders");
const logs = arn("logs", "log-group:/shop/dev/orders");
const tagged = { "aws:ResourceTag/Environment": "dev" };

/** Calls of each command, as it makes them. */
const CALLS: Readonly<Record<string, readonly Call[]>> = {
  exec: [
    ...calls("ssm:GetParametersByPath", parameters),
    ...calls("ecs:ListTasks", "*", { "ecs:cluster": CLUSTER }),
    ...calls("ecs:DescribeTasks ecs:ExecuteCommand", TASK),
    ...calls("kms:GenerateDataKey", KEY, tagged),
  ],
  logs: [
    ...calls("ssm:GetParametersByPath", parameters),
    ...calls("ecs:DescribeTaskDefinition", "*"),
    ...calls("logs:FilterLogEvents", logs),
  ],
  "pipeline status": calls(
    "codepipeline:GetPipelineState codepipeline:GetPipelineExecution",
    arn("codepipeline", "orders"),
  ),
  run: [
    ...calls("ssm:GetParametersByPath", parameters),
    ...calls("ecs:DescribeServices", service),
    ...calls("ecs:DescribeTaskDefinition", "*"),
    ...calls("ecs:RunTask", arn("ecs", "task-definition/shop-dev-orders:3")),
    ...calls("ecs:TagResource", TASK, { "ecs:CreateAction": "RunTask" }),
    ...calls("ecs:DescribeTasks ecs:StopTask", TASK),
    ...calls("logs:GetLogEvents", `${logs}:log-stream:orders/orders/1`),
    ...calls("iam:PassRole", roleArn("shop-dev-orders-task"), passed("ecs-tasks")),
    ...calls("scheduler:GetSchedule", arn("scheduler", "schedule/default/shop-dev-report")),
  ],
  "secret set": [
    ...calls("ssm:PutParameter", arn("ssm", "parameter/secrets/dev/stripe-key")),
    ...calls("ssm:DescribeParameters", "*"),
  ],
  show: [
    ...calls("ssm:GetParametersByPath", parameters),
    ...calls("ssm:GetParameter", arn("ssm", "parameter/antifragile/dev/shop/releases/orders/record")),
    ...calls("ecs:DescribeServices", service),
    ...calls("ecs:DescribeTaskDefinition cloudwatch:DescribeAlarms", "*"),
    ...calls("scheduler:GetSchedule", arn("scheduler", "schedule/default/shop-dev-report")),
  ],
  status: [
    ...["", "/shop"].flatMap((below) =>
      calls("ssm:GetParametersByPath", arn("ssm", `parameter/antifragile/dev${below}`)),
    ),
    ...calls("ecs:DescribeServices", service),
    ...calls("cloudwatch:DescribeAlarms application-autoscaling:DescribeScalingActivities", "*"),
  ],
  "stop-reasons": [
    ...calls("ecs:DescribeServices", service),
    ...calls("ecs:ListTasks", "*", { "ecs:cluster": CLUSTER }),
    ...calls("ecs:DescribeTasks", TASK),
    ...calls("ecs:DescribeTaskDefinition", "*"),
    ...calls("logs:GetLogEvents", `${logs}:log-stream:orders/orders/1`),
  ],
};

/** The same call on what belongs to another environment. */
function elsewhere({ resource, context, action }: Call): Call {
  const moved = (text: string) => text.replace("shop-dev", "shop-live").replace(/\/dev(?=\/|$)/, "/live");
  const entries = Object.entries(context).map(([key, value]) => [key, moved(String(value)).replace(/^dev$/, "live")]);
  return { action, resource: moved(resource), context: Object.fromEntries(entries) };
}

describeWithIam("the policy of operators", () => {
  it("allows each command what it calls, action by action", async () => {
    expect(Object.keys(CALLS)).toEqual(Object.keys(OPERATOR_STATEMENTS));
    for (const [command, made] of Object.entries(CALLS)) {
      const actions = OPERATOR_STATEMENTS[command]?.flatMap((each) => each.actions) ?? [];
      expect([...new Set(made.map(({ action }) => action))].sort(), command).toEqual([...new Set(actions)].sort());
      for (const call of made) {
        expect([command, call.action, await isAllowed(policies, call)]).toEqual([command, call.action, true]);
      }
    }
  });

  it("allows nothing in another environment, but to read what has no name there", async () => {
    const allowed = new Set<string>();
    for (const call of Object.values(CALLS).flat()) {
      if (await isAllowed(policies, elsewhere(call))) allowed.add(call.action);
    }
    expect([...allowed].sort()).toEqual([
      "application-autoscaling:DescribeScalingActivities",
      "cloudwatch:DescribeAlarms",
      "codepipeline:GetPipelineExecution",
      "codepipeline:GetPipelineState",
      "ecs:DescribeTaskDefinition",
      "ssm:DescribeParameters",
    ]);
  });
});
