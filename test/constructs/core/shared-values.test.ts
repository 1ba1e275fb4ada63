import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { DbInstance } from "@cdktf/provider-aws/lib/db-instance";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { Subnet } from "@cdktf/provider-aws/lib/subnet";
import { App, TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import { AwsStack, CloudNativeService, type Environment, LogStream } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, resources } from "../../support/synth";

const WEST: Environment = { ...DEV, region: "eu-west-1" };

function pair(environment: Environment = DEV) {
  const app = new App();
  const from = new AwsStack(app, "audit", { environment: DEV, lifetime: "data" });
  const to = new AwsStack(app, "orders", { environment, lifetime: "service" });
  const group = new CloudwatchLogGroup(from, "Lines", { name: "/audit" });
  /** Refers to a value from the other stack, and synthesizes both. */
  const share = (value: string) => {
    new SsmParameter(to, "Reader", { name: "/reader", type: "String", insecureValue: value });
    return { reader: synthesize(to), sharer: synthesize(from) };
  };
  return { from, to, group, share };
}

describe("a value of another stack", () => {
  it("is read from a parameter, and never from the other's state", () => {
    const { from, to, group, share } = pair();
    const { reader, sharer } = share(`${group.arn}:*`);
    const key = `${group.terraformResourceType}.${group.friendlyUniqueId}.arn`;
    const shared = Object.values(resources(sharer, "aws_ssm_parameter"))[0];
    expect(shared).toMatchObject({
      name: "/antifragile/dev/audit/shared/data",
      insecure_value: `\${jsonencode({"${key}" = ${key}})}`,
    });
    expect(reader).toMatchObject({
      data: { aws_ssm_parameter: { "SharedValues_audit-dev-data": { name: "/antifragile/dev/audit/shared/data" } } },
    });
    expect(only(reader, "aws_ssm_parameter").insecure_value).toBe(
      `\${jsondecode(data.aws_ssm_parameter.SharedValues_audit-dev-data.insecure_value)["${key}"]}:*`,
    );
    expect(JSON.stringify([reader, sharer])).not.toMatch(/terraform_remote_state|"output"/);
    expect(to.dependencies).toEqual([from]);
  });

  it("keeps its type, and is shared once", () => {
    const { from, to, share } = pair();
    const subnet = new Subnet(from, "Subnet", { vpcId: "vpc-1" });
    const group = new CloudwatchLogGroup(to, "Own", { retentionInDays: subnet.ipv6NativeInput === undefined ? 7 : 8 });
    group.addOverride("skip_destroy", subnet.mapPublicIpOnLaunch);
    const { reader, sharer } = share(subnet.id + subnet.id);
    expect(Object.values(resources(reader, "aws_cloudwatch_log_group"))[0]).toMatchObject({
      skip_destroy: expect.stringMatching(/^\$\{jsondecode\(.*\)\[".*\.map_public_ip_on_launch"\]\}$/),
    });
    const [shared] = Object.values(resources(sharer, "aws_ssm_parameter")) as { insecure_value: string }[];
    expect(shared?.insecure_value.match(/ = aws_subnet/g)).toHaveLength(2);
    expect(JSON.stringify(reader).match(/"name":"\/antifragile\/dev\/audit\/shared\/data"/g)).toHaveLength(1);
  });

  it("is refused if it is secret", () => {
    const { from, share } = pair();
    const database = new DbInstance(from, "Database", { instanceClass: "db.t4g.micro" });
    database.password = "hunter2";
    expect(() => share(database.getStringAttribute("password"))).toThrow(
      /audit-dev-data: aws_db_instance\.Database\.password is used by another stack, and would be readable.*\n.*Secrets Manager.*\[SHARED_SECRET\]/,
    );
  });

  it("may be the ARN of a secret", () => {
    const { from, share } = pair();
    const database = new DbInstance(from, "Database", {
      instanceClass: "db.t4g.micro",
      manageMasterUserPassword: true,
    });
    expect(() => share(database.masterUserSecret.get(0).secretArn)).not.toThrow();
  });

  it("is refused across regions", () => {
    const { group, share } = pair(WEST);
    expect(() => share(group.arn)).toThrow(
      /belongs to audit-dev-data in .*, eu-central-1, but orders-dev-service is in .*, eu-west-1\n.*\[SHARED_LOCATION\]/,
    );
  });

  it("of a plain TerraformStack is refused", () => {
    const { to } = pair();
    const plain = new TerraformStack(to.node.root, "plain");
    const { stringValue } = new SsmParameter(plain, "X", { name: "/x", type: "String" }) as unknown as {
      stringValue: string;
    };
    new SsmParameter(to, "Reader", { name: "/reader", type: "String", insecureValue: stringValue });
    const group = new CloudwatchLogGroup(plain, "Lines", { name: "/plain" });
    new SsmParameter(to, "Other", { name: "/other", type: "String", insecureValue: group.arn });
    expect(() => synthesize(to)).toThrow(/NO_AWS_STACK/);
  });
});

it("a log stream in the data stack of a service is read from a parameter", () => {
  const stack = ordersStack();
  new CloudNativeService(stack, "Orders", { logs: new LogStream(stack.data, "Lines") });
  const [service, data] = [synthesize(stack), synthesize(stack.data)];
  expect(JSON.stringify([service, data])).not.toMatch(/terraform_remote_state|"output"/);
  expect(JSON.stringify(service)).toContain("SharedValues_orders-dev-data");
});
