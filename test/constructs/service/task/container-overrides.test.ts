import { describe, expect, it } from "vitest";
import { CloudNativeService, type ContainerOverrides, type ServiceAddOn } from "../../../../constructs";
import { synthesize } from "../../../../constructs/testing";
import { only, ordersStack, refusals } from "../../../support/synth";

const router: ServiceAddOn = {
  name: "Router",
  bind: (host) =>
    host.addSidecar({
      name: "router",
      image: `public.ecr.aws/x/router@sha256:${"a".repeat(64)}`,
      cpu: 64,
      memoryMiB: 64,
    }),
};

function orders() {
  const stack = ordersStack();
  const service = new CloudNativeService(stack, "Orders", { addOns: [router] });
  const containers = () =>
    only(stack, "aws_ecs_task_definition").container_definitions as Record<string, Record<string, unknown>>[];
  return { stack, service, containers };
}

describe("overrideContainer", () => {
  it("sets fields that no prop covers, and leaves the others alone", () => {
    const { service, containers } = orders();
    const before = containers()[0];
    const ulimits = [{ name: "nofile", softLimit: 65536, hardLimit: 65536 }];
    service.overrideContainer("orders", { ulimits, stopTimeout: 60, healthCheck: null });
    const { healthCheck, ...rest } = before as Record<string, unknown>;
    expect(healthCheck).toBeDefined();
    expect(containers()[0]).toEqual({ ...rest, ulimits, stopTimeout: 60 });
  });

  it("appends to lists, merges labels and kernel settings, and replaces the log driver", () => {
    const { service, containers } = orders();
    const port = containers()[0]?.portMappings;
    service.overrideContainer("orders", {
      portMappings: [{ containerPort: 9090 }],
      dockerLabels: { team: "shop" },
      linuxParameters: { capabilities: { add: ["SYS_PTRACE"] } },
      logConfiguration: { logDriver: "awsfirelens" },
    });
    service.overrideContainer("orders", { dockerLabels: { tier: "1" } });
    expect(containers()[0]).toMatchObject({
      portMappings: [...(port as unknown as object[]), { containerPort: 9090, hostPort: 9090, protocol: "tcp" }],
      dockerLabels: { team: "shop", tier: "1" },
      linuxParameters: { capabilities: { add: ["SYS_PTRACE"], drop: ["ALL"] }, initProcessEnabled: true },
    });
    expect(containers()[0]?.logConfiguration).toEqual({ logDriver: "awsfirelens" });
  });

  it("reaches sidecars, and mounts volumes of the task definition", () => {
    const { stack, service, containers } = orders();
    service.taskDefinition.putVolume([{ name: "files", efsVolumeConfiguration: { fileSystemId: "fs-0123" } }]);
    service.overrideContainer("router", { mountPoints: [{ sourceVolume: "files", containerPath: "/files" }] });
    expect(containers().map(({ name, mountPoints }) => [name, mountPoints])).toEqual([
      ["orders", []],
      ["router", [{ sourceVolume: "files", containerPath: "/files" }]],
    ]);
    expect(only(stack, "aws_ecs_task_definition").volume).toEqual([
      { name: "files", efs_volume_configuration: { file_system_id: "fs-0123" } },
    ]);
  });

  it.each(["name", "image", "command", "environment", "secrets"])("refuses %s, which a prop sets", (field) => {
    const overrides: ContainerOverrides = { [field]: "x" };
    expect(refusals(() => orders().service.overrideContainer("orders", overrides))).toEqual([
      `CONTAINER_OVERRIDES overrideContainer("orders").${field}`,
    ]);
  });

  it.each([[[]], ["x"], [null]])("refuses %j instead of fields", (overrides) => {
    expect(
      refusals(() => orders().service.overrideContainer("orders", overrides as unknown as ContainerOverrides)),
    ).toEqual(["PROP_TYPE overrideContainer(overrides)"]);
  });

  it("refuses a container that the task does not have", () => {
    const { stack, service } = orders();
    service.overrideContainer("web", { stopTimeout: 60 });
    expect(refusals(() => synthesize(stack))).toEqual(['CONTAINER_UNKNOWN overrideContainer("web")']);
  });
});
