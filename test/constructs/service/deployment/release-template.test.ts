import { describe, expect, it } from "vitest";
import { LogStream } from "../../../../constructs/logging/log-stream";
import { AdminProcesses } from "../../../../constructs/service/deployment/admin-process";
import { AdminRole } from "../../../../constructs/service/deployment/admin-role";
import { publishReleaseTemplate, releaseStatements } from "../../../../constructs/service/deployment/release-template";
import { Monitoring } from "../../../../constructs/service/monitoring/monitoring";
import type { CloudNativeServiceProps } from "../../../../constructs/service/props";
import { Task } from "../../../../constructs/service/task/task";
import { Targets } from "../../../../constructs/service/traffic/targets";
import { synthesize } from "../../../../constructs/testing";
import { bareService, partsOf } from "../../../support/service-parts";
import { resources } from "../../../support/synth";

function released(props: CloudNativeServiceProps = {}) {
  const { stack, scope, context } = partsOf(props);
  const service = bareService(scope);
  const logs = new LogStream(scope, "Logs", { name: "/shop/dev/orders" });
  const task = new Task(scope, context, { logs, environment: {}, secrets: {}, hasProxy: () => false });
  const monitoring = new Monitoring(scope, context, { service, failedRuns: undefined, targets: () => [] });
  const targets = new Targets(scope, context, { service, roleArns: [], monitoring, connected: () => false });
  const adminProcesses = new AdminProcesses(scope);
  const adminRole = new AdminRole(scope, context);
  publishReleaseTemplate(scope, context, task.definition, () => ({
    runner: { service: "orders", url: "http://orders.shop-dev.internal:3000" },
    securityGroupId: "sg-0123456789abcdef0",
    logs,
    monitoring,
    targets,
    adminProcesses,
    adminRole,
  }));
  return { stack, monitoring, targets, adminProcesses, adminRole };
}

/** Value of the one parameter below a path. */
function parameter(stack: ReturnType<typeof released>["stack"], path: string): string {
  const found = Object.values(resources(stack, "aws_ssm_parameter")).filter(({ name }) => String(name).includes(path));
  expect(found).toHaveLength(1);
  return JSON.stringify(found[0]?.insecure_value).replaceAll("\\", "");
}

describe("the release template", () => {
  it("has what was added to the service after it was published", () => {
    const { stack, monitoring, adminProcesses, adminRole } = released();
    adminProcesses.add("migrate", ["node", "migrate.js"]);
    adminRole.hasProcess();
    adminRole.set("DB_USER", "owner");
    monitoring.add({ alarmName: "depth", alarmArn: "arn" });
    const value = parameter(stack, "/processes/orders");
    expect(value).toContain('"admin":{"migrate":["node","migrate.js"]}');
    expect(value).toContain('"adminEnvironment":{"DB_USER":"owner"}');
    expect(value).toContain('"alarms":["depth"]');
    expect(value).toContain('"securityGroup":"sg-0123456789abcdef0"');
  });

  it("has the URL of the first target, or the one within the platform", () => {
    const value = (url: string | undefined) => {
      const { stack, targets } = released();
      const group = { targetGroupArn: "arn", targetGroupArnSuffix: "suffix", loadBalancerArnSuffix: "suffix" };
      if (url !== undefined) targets.add({ ...group, dependsOn: [], url });
      return parameter(stack, "/processes/orders");
    };
    expect(value(undefined)).toContain('"url":"http://orders.shop-dev.internal:3000"');
    expect(value("https://orders.example.com")).toContain('"url":"https://orders.example.com"');
  });

  it("is compared with the live release only if a pipeline releases", () => {
    const { stack } = released({ releaseOwner: "pipeline" });
    expect(synthesize(stack).check).toHaveProperty("orders_config_is_live");
    expect(synthesize(released({ releaseOwner: "terraform" }).stack)).not.toHaveProperty("check");
  });

  it("permits a pipeline to update this service, and to pass the admin role only once it exists", () => {
    const { stack, adminRole } = released();
    const allowed = () => JSON.stringify(releaseStatements(stack, stack));
    expect(allowed()).toContain("service/shop-dev/orders");
    expect(allowed()).not.toContain("shop-dev-orders-admin");
    adminRole.grant({ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::invoices/*"] });
    expect(allowed()).not.toContain("shop-dev-orders-admin");
    adminRole.hasProcess();
    expect(allowed()).toContain("shop-dev-orders-admin");
  });
});
