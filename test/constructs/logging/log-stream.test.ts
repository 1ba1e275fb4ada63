import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import { AwsStack, Duration, LogStream, type LogStreamProps } from "../../../constructs";
import { Role } from "../../../constructs/core/iam";
import { DEV, only, PRODUCTION, refusals, resources } from "../../support/synth";

const stack = (environment = DEV) => new AwsStack(new App(), "shop", { environment, lifetime: "service" });

describe("LogStream", () => {
  it("is a log group with retention: 30 days in dev, a year in production", () => {
    const dev = stack();
    new LogStream(dev, "OrderLines");
    expect(only(dev, "aws_cloudwatch_log_group")).toEqual({ name: "/shop/dev/order-lines", retention_in_days: 30 });
    const production = stack(PRODUCTION);
    new LogStream(production, "OrderLines");
    expect(only(production, "aws_cloudwatch_log_group")).toMatchObject({ retention_in_days: 365 });
  });

  it("has the configured properties", () => {
    const scope = stack();
    const stream = new LogStream(scope, "Audit", { name: "/audit", retention: Duration.days(731), delivery: "audit" });
    expect(only(scope, "aws_cloudwatch_log_group")).toEqual({ name: "/audit", retention_in_days: 731 });
    expect([stream.delivery, stream.retention.toDays()]).toEqual(["audit", 731]);
  });

  it("grants writing to this group only, owned or imported", () => {
    const scope = stack();
    const role = new Role(scope, "Role", { name: "writer", service: "ecs-tasks.amazonaws.com" });
    new LogStream(scope, "Mine").grants.write(role);
    LogStream.fromLogGroupName(scope, "Theirs", "/theirs").grants.write(role);
    const statements = (only(scope, "aws_iam_role_policy").policy as { Statement: { Resource: string[] }[] }).Statement;
    expect(statements.map((statement) => [...statement.Resource].sort())).toEqual([
      [
        "${aws_cloudwatch_log_group.Mine_C1B42D3A.arn}:*",
        "arn:${data.aws_partition.Partition.partition}:logs:eu-central-1:${data.aws_caller_identity.Account.account_id}:log-group:/theirs:*",
      ],
    ]);
    expect(Object.keys(resources(scope, "aws_cloudwatch_log_group"))).toHaveLength(1);
  });

  it.each<[string, LogStreamProps, string]>([
    ["a retention that CloudWatch does not have", { retention: Duration.days(31) }, "LOG_RETENTION retention"],
    ["a name with a space", { name: "a b" }, "LOG_NAME name"],
    ["a name that Terraform would evaluate", { name: '${file("/etc/passwd")}' }, "LOG_NAME name"],
    ["an unknown delivery", { delivery: "maybe" as never }, "LOG_DELIVERY delivery"],
  ])("refuses %s", (_, props, expected) => {
    expect(refusals(() => new LogStream(stack(), "Logs", props))).toEqual([expected]);
  });
});
