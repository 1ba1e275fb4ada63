import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { IamRolePolicy } from "@cdktf/provider-aws/lib/iam-role-policy";
import type { TerraformElement } from "cdktf";
import { describe, expect, it } from "vitest";
import { editDocument } from "../../../constructs/core";
import { CloudNativeService } from "../../../constructs/service";
import { ServiceDashboard } from "../../../constructs/telemetry";
import { synthesize } from "../../../constructs/testing";
import { encoded } from "../../support/encoded";
import { only, ordersStack, refusals, resources } from "../../support/synth";

function orders() {
  const stack = ordersStack();
  const service = new CloudNativeService(stack, "Orders");
  service.add(new ServiceDashboard());
  return { stack, service };
}

const resource = (service: CloudNativeService, type: new (...args: never[]) => TerraformElement) =>
  service.node.findAll().find((each) => each instanceof type) as TerraformElement;

describe("addOverride", () => {
  it("sets what no prop covers", () => {
    const { stack, service } = orders();
    service.taskDefinition.addOverride("ephemeral_storage.size_in_gib", 50);
    service.taskDefinition.addOverride("runtime_platform.cpu_architecture", "X86_64");
    expect(only(stack, "aws_ecs_task_definition")).toMatchObject({
      ephemeral_storage: { size_in_gib: 50 },
      runtime_platform: { cpu_architecture: "X86_64", operating_system_family: "LINUX" },
    });
  });

  it("is refused where it would replace a JSON document by an object, with the way that works", () => {
    const { stack, service } = orders();
    service.taskDefinition.addOverride("container_definitions.0.ulimits", []);
    resource(service, CloudwatchDashboard).addOverride("dashboard_body.start", "-PT6H");
    expect(refusals(() => synthesize(stack))).toEqual(
      expect.arrayContaining([
        'OVERRIDE_IN_STRING addOverride("container_definitions.0")',
        'OVERRIDE_IN_STRING addOverride("dashboard_body.start")',
      ]),
    );
    expect(() => synthesize(stack)).toThrow(/Use overrideContainer\(name/);
    expect(() => synthesize(stack)).toThrow(/Use editDocument\(resource, "dashboard_body"/);
  });

  it("may replace a document as text", () => {
    const { stack, service } = orders();
    resource(service, CloudwatchDashboard).addOverride("dashboard_body", JSON.stringify({ widgets: [] }));
    expect(only(stack, "aws_cloudwatch_dashboard").dashboard_body).toEqual({ widgets: [] });
  });
});

describe("editDocument", () => {
  it("keeps a dollar sign before a reference, and encodes a reference that is added", () => {
    const stack = ordersStack();
    const { insecureValue: price } = new DataAwsSsmParameter(stack, "Price", { name: "price" });
    const { taskDefinition } = new CloudNativeService(stack, "Orders", { environment: { PRICE: `$${price}` } });
    editDocument(taskDefinition, "container_definitions", ([app]: { environment: object[] }[]) => [
      { ...app, dockerLabels: { price } },
    ]);
    const written = only(stack, "aws_ecs_task_definition");
    const [container] = written.container_definitions as { environment: { name: string; value: string }[] }[];
    const value = encoded("data.aws_ssm_parameter.Price.insecure_value");
    expect(container?.environment).toContainEqual({ name: "PRICE", value: `$${value}` });
    expect(container).toMatchObject({ dockerLabels: { price: value } });
    const text = (stack.toTerraform() as { resource: { aws_ecs_task_definition: Record<string, object> } }).resource;
    expect(JSON.stringify(text.aws_ecs_task_definition)).toContain("u0024${substr");
  });

  it("edits a dashboard and a policy in place, one edit after the other", () => {
    const { stack, service } = orders();
    const before = only(stack, "aws_cloudwatch_dashboard").dashboard_body as { widgets: unknown[] };
    const dashboard = resource(service, CloudwatchDashboard);
    editDocument(dashboard, "dashboard_body", (body) => ({ ...body, start: "-PT6H" }));
    editDocument(dashboard, "dashboard_body", (body) => {
      body.widgets.pop();
    });
    expect(only(stack, "aws_cloudwatch_dashboard").dashboard_body).toMatchObject({
      start: "-PT6H",
      widgets: before.widgets.slice(0, -1),
    });

    service.grant({ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::invoices/*"] });
    editDocument(resource(service, IamRolePolicy), "policy", (policy) => ({ ...policy, Id: "reviewed" }));
    const policies = Object.values(resources(stack, "aws_iam_role_policy")).map(({ policy }) => policy);
    expect(policies).toContainEqual(expect.objectContaining({ Id: "reviewed", Version: "2012-10-17" }));
  });

  it("refuses an attribute that is not a document", () => {
    const { stack, service } = orders();
    editDocument(service.taskDefinition, "family", (family) => family);
    expect(refusals(() => synthesize(stack))).toEqual(["OVERRIDE_DOCUMENT family"]);
  });
});
