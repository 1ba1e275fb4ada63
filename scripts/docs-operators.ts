/** A statement of the policy of operators, with `PLATFORM`, `ENVIRONMENT`, `REGION` and `ACCOUNT` in place of names. */
interface OperatorStatement {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const arn = (service: string, resource: string) => `arn:aws:${service}:REGION:ACCOUNT:${resource}`;
const PREFIX = "PLATFORM-ENVIRONMENT";
const TASKS = [arn("ecs", `task/${PREFIX}/*`)];
const SERVICES = [arn("ecs", `service/${PREFIX}/*`)];
const PARAMETERS = [arn("ssm", "parameter/antifragile/ENVIRONMENT/PLATFORM/*")];
const LOGS = [arn("logs", "log-group:/PLATFORM/ENVIRONMENT/*")];

const on = (resources: readonly string[], ...actions: string[]): OperatorStatement => ({ actions, resources });
const everywhere = (...actions: string[]) => on(["*"], ...actions);
const readsServices = on(PARAMETERS, "ssm:GetParametersByPath");
const readsSchedules = on([arn("scheduler", `schedule/default/${PREFIX}-*`)], "scheduler:GetSchedule");

// Lists have no resource: the condition limits them.
const lists: OperatorStatement = {
  ...everywhere("ecs:ListTasks"),
  conditions: { ArnEquals: { "ecs:cluster": arn("ecs", `cluster/${PREFIX}`) } },
};

/** Permissions of the commands for operators that change nothing for long: what each of them calls. */
export const OPERATOR_STATEMENTS: Readonly<Record<string, readonly OperatorStatement[]>> = {
  exec: [
    readsServices,
    lists,
    on(TASKS, "ecs:DescribeTasks"),
    on([arn("ecs", `cluster/${PREFIX}`), ...TASKS], "ecs:ExecuteCommand"),
    {
      ...on([arn("kms", "key/*")], "kms:GenerateDataKey"),
      conditions: { StringEquals: { "aws:ResourceTag/Environment": "ENVIRONMENT" } },
    },
  ],
  logs: [readsServices, everywhere("ecs:DescribeTaskDefinition"), on(LOGS, "logs:FilterLogEvents")],
  "pipeline status": [
    on([arn("codepipeline", "*")], "codepipeline:GetPipelineState", "codepipeline:GetPipelineExecution"),
  ],
  run: [
    readsServices,
    on(SERVICES, "ecs:DescribeServices"),
    everywhere("ecs:DescribeTaskDefinition"),
    on(TASKS, "ecs:DescribeTasks", "ecs:StopTask"),
    on([arn("ecs", `task-definition/${PREFIX}-*`)], "ecs:RunTask"),
    { ...on(TASKS, "ecs:TagResource"), conditions: { StringEquals: { "ecs:CreateAction": "RunTask" } } },
    on(LOGS, "logs:GetLogEvents"),
    {
      ...on([`arn:aws:iam::ACCOUNT:role/${PREFIX}-*`], "iam:PassRole"),
      conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    },
    readsSchedules,
  ],
  "secret set": [
    on([arn("ssm", "parameter/secrets/ENVIRONMENT/*")], "ssm:PutParameter"),
    everywhere("ssm:DescribeParameters"),
  ],
  show: [
    readsServices,
    on(PARAMETERS, "ssm:GetParameter"),
    on(SERVICES, "ecs:DescribeServices"),
    everywhere("ecs:DescribeTaskDefinition", "cloudwatch:DescribeAlarms"),
    readsSchedules,
  ],
  status: [
    on(
      ["", "/*"].map((below) => arn("ssm", `parameter/antifragile/ENVIRONMENT${below}`)),
      "ssm:GetParametersByPath",
    ),
    on(SERVICES, "ecs:DescribeServices"),
    everywhere("cloudwatch:DescribeAlarms", "application-autoscaling:DescribeScalingActivities"),
  ],
  "stop-reasons": [
    on(SERVICES, "ecs:DescribeServices"),
    lists,
    on(TASKS, "ecs:DescribeTasks"),
    everywhere("ecs:DescribeTaskDefinition"),
    on(LOGS, "logs:GetLogEvents"),
  ],
};

/** Actions of `destroy` itself, besides those of Terraform. */
export const DESTROY_ACTIONS = ["s3:ListBucketVersions", "ecr:ListImages", "ssm:GetParametersByPath"];

/** Notes on actions, for the table. */
const NOTES: Readonly<Record<string, string>> = {
  "kms:GenerateDataKey": "for the key of the sessions",
  "iam:PassRole": "for the roles of the task",
  "scheduler:GetSchedule": "for a job",
  "ssm:PutParameter": "on `parameter/secrets/*`",
  "ssm:DescribeParameters": "with `--overwrite`",
};

/** Rows of the table of commands and their actions. */
export function operatorRows(): string[] {
  return Object.entries(OPERATOR_STATEMENTS).map(([command, statements]) => {
    const actions = statements.flatMap((each) => each.actions);
    const shown = actions.map((action) =>
      [`\`${action}\``, ...(NOTES[action] === undefined ? [] : [NOTES[action]])].join(" "),
    );
    return `| \`${command}\` | ${shown.join(", ")} |`;
  });
}

/** Policy of a role that may run the commands for operators in one environment. */
export const operatorPolicy = (): string => policyOf(Object.values(OPERATOR_STATEMENTS).flat());

/** Policy of some of these statements. */
export function policyOf(statements: readonly OperatorStatement[]): string {
  const merged = new Map<string, { readonly rest: object; readonly actions: Set<string> }>();
  for (const { actions, resources, conditions } of statements) {
    const rest = { Resource: resources, ...(conditions === undefined ? {} : { Condition: conditions }) };
    const key = JSON.stringify(rest);
    const found = merged.get(key) ?? { rest, actions: new Set<string>() };
    for (const action of actions) found.actions.add(action);
    merged.set(key, found);
  }
  const Statement = [...merged.values()].map(({ rest, actions }) => ({
    Effect: "Allow",
    Action: [...actions].sort(),
    ...rest,
  }));
  return JSON.stringify({ Version: "2012-10-17", Statement }, undefined, 2);
}
