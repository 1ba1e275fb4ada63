import type { Sessions } from "../../cluster/cluster";
import type { Statement } from "../../core/iam";

/**
 * Statements that the role of a task needs for ECS Exec with logged and encrypted sessions.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-required-iam-permissions
 */
export function execStatements({ keyArn, logGroupArn }: Sessions): Statement[] {
  return [
    {
      actions: [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
        "logs:DescribeLogGroups",
      ],
      // These actions support no resource-level permissions.
      resources: ["*"],
    },
    {
      actions: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      resources: [`${logGroupArn}:*`],
    },
    { actions: ["kms:Decrypt"], resources: [keyArn] },
  ];
}
