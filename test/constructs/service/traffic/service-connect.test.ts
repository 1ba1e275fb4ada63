import { describe, expect, it } from "vitest";
import { LogStream } from "../../../../constructs/logging/log-stream";
import { canary, codeDeploy } from "../../../../constructs/service/deployment/strategy-props";
import type { CloudNativeServiceProps } from "../../../../constructs/service/props";
import { web, worker } from "../../../../constructs/service/task/process";
import { ServiceConnect } from "../../../../constructs/service/traffic/service-connect";
import { bareService, partsOf } from "../../../support/service-parts";
import { only } from "../../../support/synth";

function connect(props: CloudNativeServiceProps = {}, { runs = true } = {}) {
  const { stack, scope, context } = partsOf(props);
  const part = new ServiceConnect(context, {
    service: runs ? bareService(scope) : undefined,
    logs: new LogStream(scope, "Logs", { name: "/shop/dev/orders" }),
    dnsName: "orders.shop.internal",
    connect: props.connect,
  });
  return { stack, part };
}

const configuration = (stack: ReturnType<typeof connect>["stack"]) =>
  only(stack, "aws_ecs_service").service_connect_configuration as { enabled: boolean; service?: object[] } | undefined;

describe("ServiceConnect", () => {
  it("joins for a call only where the user left it open", () => {
    const joined = (choice: boolean | undefined) => {
      const { stack, part } = connect({ connect: choice });
      const before = part.joined;
      part.joinForCall();
      return [before, part.joined, configuration(stack) !== undefined];
    };
    expect(joined(undefined)).toEqual([false, true, true]);
    expect(joined(true)).toEqual([true, true, true]);
    expect(joined(false)).toEqual([false, false, false]);
  });

  it("gives a web process an alias, by which callers with and without the proxy use one URL", () => {
    const { stack } = connect({ connect: true, process: web({ port: 8081 }) });
    expect(configuration(stack)?.service).toMatchObject([
      { port_name: "orders", client_alias: { dns_name: "orders.shop.internal", port: 8081 } },
    ]);
  });

  it("lets a worker call, but not be called", () => {
    const { stack } = connect({ connect: true, process: worker() });
    expect(configuration(stack)).toMatchObject({ enabled: true });
    expect(configuration(stack)).not.toHaveProperty("service");
  });

  it("never joins without an ECS service", () => {
    const { part } = connect({ connect: true }, { runs: false });
    part.joinForCall();
    expect(part.joined).toBe(false);
  });

  it("reports if the deployment strategy supports it", () => {
    expect(connect().part.supported).toBe(true);
    expect(connect({ deployment: codeDeploy(canary()) }).part.supported).toBe(false);
  });
});
