import { CloudwatchCompositeAlarm } from "@cdktf/provider-aws/lib/cloudwatch-composite-alarm";
import { CloudwatchLogResourcePolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-resource-policy";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { IamRole } from "@cdktf/provider-aws/lib/iam-role";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import { IamRolePolicyAttachment } from "@cdktf/provider-aws/lib/iam-role-policy-attachment";
import { LambdaFunction } from "@cdktf/provider-aws/lib/lambda-function";
import { SecurityGroup } from "@cdktf/provider-aws/lib/security-group";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule";
import { App, Token } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  Bucket,
  CloudNativeService,
  DatabaseCapacity,
  type Environment,
  LogStream,
  PostgresDatabase,
  Table,
} from "../../../constructs";
import { partsOf, received } from "../../../constructs/core/limits";
import { literal } from "../../../constructs/core/literal";
import { ImportedContract, PublishedContract } from "../../../constructs/core/parameter-contract";
import { DEV, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

const REGION = "eu-central-1";

function stackIn(environment: Environment = DEV, name = "audit", app = new App()): AwsStack {
  return new AwsStack(app, name, { environment, lifetime: "data" });
}

describe("a Terraform string", () => {
  it("is split at its expressions, which may contain braces, strings and escapes", () => {
    expect(partsOf('a-${x["}"].y}-$${b}-${{a = "\\"}"}}%%{c}')).toEqual([
      { text: "a-" },
      { expression: 'x["}"].y' },
      { text: "-${b}-" },
      { expression: '{a = "\\"}"}' },
      { text: "%{c}" },
    ]);
  });

  it("has the length that is known, or a length that is assumed", () => {
    const arn = "${aws_sqs_queue.Jobs_1234.arn}";
    expect(
      received(
        `\${data.aws_partition.P.partition}:\${data.aws_caller_identity.A.account_id}:${arn}`,
        REGION,
        "shortest",
      ),
    ).toBe("aws:000000000000:x");
    expect(received("${data.aws_partition.P.partition}", "cn-north-1", "typical")).toBe("aws-cn");
    expect(received(arn, REGION, "typical")).toHaveLength(80);
    expect(received("${aws_sqs_queue.Jobs_1234.name}", REGION, "typical")).toHaveLength(32);
  });
});

describe("a text that AWS refuses", () => {
  const alarm = (stack: AwsStack, alarmDescription: string, alarmName = "errors") =>
    new CloudwatchMetricAlarm(stack, "Alarm", {
      alarmName,
      alarmDescription,
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: 1,
    });
  const problems = (act: (stack: AwsStack) => unknown) => {
    const stack = stackIn();
    act(stack);
    return refusals(() => stack.toTerraform());
  };

  it("is refused at synth if it is too long or too short, with the construct, the request and the limit", () => {
    expect(problems((stack) => alarm(stack, "x".repeat(1025)))).toEqual([
      "AWS_LENGTH aws_cloudwatch_metric_alarm.alarm_description",
    ]);
    const stack = stackIn();
    new SsmParameter(stack, "Empty", { name: "/empty", type: "String", insecureValue: "" });
    expect(() => stack.toTerraform()).toThrow(
      'audit-dev-data/Empty: aws_ssm_parameter.insecure_value must have from 1 to 4096 bytes in PutParameter of ssm, got 0: ""',
    );
  });

  it("is refused at synth for its characters", () => {
    expect(
      problems(
        (stack) => new SecurityGroup(stack, "Group", { namePrefix: "a-", description: "Für alle", vpcId: "vpc-1" }),
      ),
    ).toEqual(["AWS_CHARACTERS aws_security_group.description"]);
    expect(problems((stack) => new IamRole(stack, "Role", { name: "a b", assumeRolePolicy: "{}" }))).toEqual([
      "AWS_CHARACTERS aws_iam_role.name",
    ]);
  });

  it.each([
    ["cut", (text: string) => text.slice(0, 5)],
    ["cut at its start", (text: string) => text.slice(4)],
    ["encoded", encodeURIComponent],
    ["in capitals", (text: string) => text.toUpperCase()],
    ["calculated", (text: string) => `${Token.asNumber(text) * 2}`],
  ] as const)("is refused if it is a reference that JavaScript has changed: %s", (_, change) => {
    const changed = problems((stack) => {
      const { insecureValue } = new DataAwsSsmParameter(stack, "Value", { name: "/value" });
      alarm(stack, literal(`of ${change(insecureValue)}`));
    });
    expect(changed).toEqual(["REFERENCE_CHANGED aws_cloudwatch_metric_alarm.alarm_description"]);
  });

  it("is measured in bytes where AWS does so, and as AWS receives it", () => {
    expect(
      problems(
        (stack) => new SsmParameter(stack, "Umlauts", { name: "/u", type: "String", insecureValue: "ü".repeat(2049) }),
      ),
    ).toEqual(["AWS_LENGTH aws_ssm_parameter.insecure_value"]);
    const stack = stackIn();
    alarm(stack, `${"$${".repeat(300)}${"x".repeat(424)}`);
    expect(stack.toTerraform()).toBeDefined();
  });

  it("is accepted if it depends on a value that only Terraform knows", () => {
    const stack = stackIn();
    const { insecureValue } = new DataAwsSsmParameter(stack, "Name", { name: "/name" });
    alarm(stack, insecureValue, insecureValue);
    expect(stack.toTerraform()).toBeDefined();
    const other = stackIn();
    const value = new DataAwsSsmParameter(other, "Name", { name: "/name" }).insecureValue;
    alarm(other, "x", `${"x".repeat(255)}${value}`);
    expect(refusals(() => other.toTerraform())).toEqual(["AWS_LENGTH aws_cloudwatch_metric_alarm.alarm_name"]);
  });
});

describe("a name that two resources of an app have", () => {
  it("is refused, also in two stacks, and for two kinds of resources that share their names", () => {
    const app = new App();
    const [one, two] = [stackIn(DEV, "one", app), stackIn(DEV, "two", app)];
    for (const stack of [one, two]) new LogStream(stack, "Logs", { name: "/shop/shared" });
    one.toTerraform();
    expect(() => two.toTerraform()).toThrow(
      'two-dev-data/Logs: aws_cloudwatch_log_group.name "/shop/shared" must be unique in an account and region, but one-dev-data/Logs has it too',
    );
    const alarms = stackIn();
    const alarm = { comparisonOperator: "GreaterThanThreshold", evaluationPeriods: 1, alarmName: "errors" };
    new CloudwatchMetricAlarm(alarms, "Errors", alarm);
    new CloudwatchCompositeAlarm(alarms, "Same", { alarmName: "errors", alarmRule: "TRUE" });
    expect(refusals(() => alarms.toTerraform())).toEqual(["AWS_NAME_TAKEN aws_cloudwatch_composite_alarm.alarm_name"]);
  });

  it("is accepted in two accounts, and if only Terraform knows it", () => {
    const app = new App();
    const accounts = ["123456789012", "210987654321"].map((account, n) =>
      stackIn({ ...DEV, account }, n === 0 ? "one" : "two", app),
    );
    for (const stack of accounts) {
      const { insecureValue: name } = new DataAwsSsmParameter(stack, "Name", { name: "/name" });
      new LogStream(stack, "Logs", { name: "/shop/shared" });
      for (const id of ["A", "B"]) new IamRole(stack, id, { name, assumeRolePolicy: "{}" });
      expect(stack.toTerraform()).toBeDefined();
    }
  });
});

describe("programs at the limits", () => {
  const long = { ...PRODUCTION, name: "integration-eu-central", account: "123456789012" };

  it("name both instances of a cluster within the limit of RDS", () => {
    const stack = shop(long, { listener: undefined }).stack("order-fulfilment-service");
    new PostgresDatabase(stack.data, "PrimaryLedger", { capacity: DatabaseCapacity.serverless({ max: 4 }) });
    const names = Object.values(resources(stack.data, "aws_rds_cluster_instance")).map(({ identifier }) => identifier);
    expect(names.map((name) => String(name).length)).toEqual([62, 63]);
  });

  it("may use many buckets and tables, and are refused before the role's policy is too long", () => {
    const using = (buckets: number, tables: number) => {
      const stack = ordersStack();
      const orders = new CloudNativeService(stack, "Orders");
      for (let n = 1; n <= buckets; n += 1) orders.use(new Bucket(stack.data, `Tenant${n}`), { prefix: `TENANT${n}` });
      for (let n = 1; n <= tables; n += 1)
        orders.use(new Table(stack.data, `Table${n}`, { partitionKey: { name: "id" } }), { prefix: `TABLE${n}` });
      return stack.toTerraform();
    };
    expect(using(24, 12)).toBeDefined();
    expect(refusals(() => using(60, 30))).toEqual(["AWS_TOTAL aws_iam_role_policy.policy"]);
  });

  it("refuse a metric whose texts are not ASCII", () => {
    const metric = { namespace: "AWS/Own Größe", metricName: "Waiting" };
    const scaling = { metrics: [{ name: "Waiting", metric, target: 1 }] };
    expect(refusals(() => new CloudNativeService(ordersStack(), "Orders", { scaling }))).toEqual([
      "METRIC scaling.metrics.Waiting.metric",
    ]);
    const dimensions = { Ä: "1" };
    const other = { metrics: [{ name: "Waiting", metric: { ...metric, namespace: "Own", dimensions }, target: 1 }] };
    expect(refusals(() => new CloudNativeService(ordersStack(), "Orders", { scaling: other }))).toEqual([
      "METRIC scaling.metrics.Waiting.metric",
    ]);
  });
});

describe("a total that AWS refuses", () => {
  const role = (stack: AwsStack, policies: readonly string[]) => {
    const { name } = new IamRole(stack, "Role", { name: "orders", assumeRolePolicy: "{}" });
    policies.forEach((policy, index) => {
      new IamRolePolicy(stack, `Policy${index}`, { role: name, name: `policy-${index}`, policy });
    });
    return stack;
  };

  it("is the sum of a role's inline policies, without white space", () => {
    expect(refusals(() => role(stackIn(), ["x".repeat(6000), "x".repeat(4241)]).toTerraform())).toEqual([
      "AWS_TOTAL aws_iam_role_policy.policy",
    ]);
    role(stackIn(), ["x".repeat(5000), `${"x".repeat(5000)}${" ".repeat(900)}`]).toTerraform();
  });

  it("counts the policies that are attached to a role, up to the account's own quota", () => {
    const attached = (environment: Environment) => {
      const stack = stackIn(environment);
      const role = new IamRole(stack, "Role", { name: "orders", assumeRolePolicy: "{}" }).name;
      for (let n = 0; n < 11; n += 1)
        new IamRolePolicyAttachment(stack, `A${n}`, { role, policyArn: `arn:aws:iam::aws:policy/P${n}` });
      return stack.toTerraform();
    };
    expect(refusals(() => attached(DEV))).toEqual(["AWS_TOTAL aws_iam_role_policy_attachment"]);
    attached({ ...DEV, quotas: { managedPoliciesPerRole: 20 } });
  });

  it("counts the rules of a security group, also those in stacks that read its id from a parameter", () => {
    const app = new App();
    const owner = stackIn(DEV, "owner", app);
    const group = new SecurityGroup(owner, "Group", { namePrefix: "a-", vpcId: "vpc-1" });
    new PublishedContract(owner, "Contract", { name: "/contract", value: { group: { id: group.id } } });
    const rules = (stack: AwsStack, securityGroupId: string) => {
      for (let n = 0; n < 31; n += 1)
        new VpcSecurityGroupIngressRule(stack, `Rule${n}`, {
          securityGroupId,
          ipProtocol: "tcp",
          fromPort: n,
          toPort: n,
        });
    };
    rules(owner, group.id);
    const other = stackIn(DEV, "other", app);
    rules(other, new ImportedContract(other, "Contract", { name: "/contract" }).text("group", "id"));
    owner.toTerraform();
    expect(refusals(() => other.toTerraform())).toEqual(["AWS_TOTAL aws_vpc_security_group_ingress_rule"]);
  });

  it("counts the log resource policies of an account and region", () => {
    const app = new App();
    const withPolicies = (name: string, count: number, account: string) => {
      const stack = stackIn({ ...DEV, account }, name, app);
      for (let n = 0; n < count; n += 1)
        new CloudwatchLogResourcePolicy(stack, `Policy${n}`, { policyName: `${name}-${n}`, policyDocument: "{}" });
      return stack;
    };
    withPolicies("one", 6, "123456789012").toTerraform();
    withPolicies("two", 6, "210987654321").toTerraform();
    const third = withPolicies("three", 5, "123456789012");
    expect(refusals(() => third.toTerraform())).toEqual(["AWS_TOTAL aws_cloudwatch_log_resource_policy"]);
  });

  it("is the size of a function's variables", () => {
    const stack = stackIn();
    new LambdaFunction(stack, "Function", {
      functionName: "f",
      role: "arn:aws:iam::123456789012:role/f",
      environment: { variables: { A: "x".repeat(2000), B: "x".repeat(2100) } },
    });
    expect(refusals(() => stack.toTerraform())).toEqual(["AWS_TOTAL aws_lambda_function.environment.variables"]);
  });

  it("is not summed over resources of several stacks that have the same address", () => {
    const app = new App();
    for (let index = 0; index < 4; index += 1) {
      const stack = stackIn(DEV, `audit-${index}`, app);
      new LambdaFunction(stack, "Function", {
        functionName: `f-${index}`,
        role: "arn:aws:iam::123456789012:role/f",
        environment: { variables: { A: "x".repeat(2_000) } },
      });
      // A snapshot test synthesizes a stack again.
      for (const _ of [1, 2]) expect(() => stack.toTerraform()).not.toThrow();
    }
  });

  it("is found by synthesizing the app", () => {
    const platform = shop();
    new IamRole(platform, "Role", { name: "a b", assumeRolePolicy: "{}" });
    expect(refusals(() => (platform.node.root as App).synth())).toEqual(["AWS_CHARACTERS aws_iam_role.name"]);
  });
});
