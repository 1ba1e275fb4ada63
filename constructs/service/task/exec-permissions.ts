import type { Sessions } from "../../cluster/cluster";
import type { Statement } from "../../core/iam";

/**
 * What the role of a task needs so that people can open a shell in it, logged and encrypted.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html#ecs-exec-required-iam-permissions
 */
export function sessionStatements({ keyArn, logGroupArn }: Sessions): Statement[] {
  return [
    {
      actions: [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
        "logs:DescribeLogGroups",
      ],
      // These calls take no resource.
      resources: ["*"],
    },
    {
      actions: ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
      resources: [`${logGroupArn}:*`],
    },
    { actions: ["kms:Decrypt"], resources: [keyArn] },
  ];
}
