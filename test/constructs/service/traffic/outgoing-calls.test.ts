import { describe, expect, it } from "vitest";
import { Duration } from "../../../../constructs/core/units";
import { LogStream } from "../../../../constructs/logging/log-stream";
import { canary, codeDeploy } from "../../../../constructs/service/deployment/strategy-props";
import type { CloudNativeServiceProps } from "../../../../constructs/service/props";
import { worker } from "../../../../constructs/service/task/process";
import { existingService } from "../../../../constructs/service/traffic/calls";
import { type CallEndpoint, OutgoingCalls } from "../../../../constructs/service/traffic/outgoing-calls";
import { ServiceConnect } from "../../../../constructs/service/traffic/service-connect";
import { bareService, partsOf } from "../../../support/service-parts";
import { ordersStack, PRODUCTION, refusals } from "../../../support/synth";

function end(id: string, stack = ordersStack(), props: CloudNativeServiceProps = {}) {
  const { scope, context } = partsOf(props, stack, id);
  const service = bareService(scope);
  const logs = new LogStream(scope, "Logs", { name: `/shop/dev/${id}` });
  const endpoint: CallEndpoint = {
    serviceName: context.settings.name,
    construct: scope,
    process: context.settings.process,
    stack,
    service,
    connect: new ServiceConnect(context, { service, logs, dnsName: id, connect: undefined }),
  };
  return { endpoint, calls: new OutgoingCalls(context, endpoint) };
}

const SETTINGS = { timeout: Duration.seconds(2), retryBudgetPercent: 10, breakerFailurePercent: 50 };

describe("OutgoingCalls", () => {
  it("fills in the settings of a call, also to a service of another repository", () => {
    const { calls } = end("Orders");
    expect(calls.resolve(existingService("payments"), {})).toEqual(SETTINGS);
    expect(calls.resolve(existingService("payments"), { retryBudgetPercent: 0 }).retryBudgetPercent).toBe(0);
  });

  it("refuses a call to itself, to a worker, to another platform, and one that outlasts a stopping task", () => {
    const stack = ordersStack();
    const { calls, endpoint } = end("Orders", stack);
    const refused = (callee: Parameters<typeof calls.resolve>[0], timeout = SETTINGS.timeout) =>
      refusals(() => calls.resolve(callee, { timeout }));
    expect(refused(endpoint)).toEqual(["CALL_SELF call orders"]);
    expect(refused(end("Mailer", stack, { process: worker() }).endpoint)).toEqual(["CALL_NO_PORT call mailer"]);
    const { endpoint: far } = end("Payments", ordersStack(PRODUCTION));
    expect(refused(far)).toEqual(["CALL_OTHER_PLATFORM call payments"]);
    expect(refused(existingService("payments"), Duration.seconds(60))).toEqual(["CALL_TIMEOUT call payments: timeout"]);
  });

  it("lets both ends join Service Connect, unless one of them cannot", () => {
    const joined = (props: CloudNativeServiceProps) => {
      const stack = ordersStack();
      const [orders, payments] = [end("Orders", stack), end("Payments", stack, props)];
      orders.calls.add(payments.endpoint, SETTINGS);
      return [orders, payments].map(({ endpoint }) => endpoint.connect.joined);
    };
    expect(joined({})).toEqual([true, true]);
    expect(joined({ deployment: codeDeploy(canary()) })).toEqual([false, false]);
  });

  it("starts the callee first, and one of the two first when they call each other", () => {
    const stack = ordersStack();
    const [orders, payments] = [end("Orders", stack), end("Payments", stack)];
    orders.calls.add(payments.endpoint, SETTINGS);
    expect(orders.calls.dependencies).toEqual([expect.stringMatching(/^aws_ecs_service\.Payments_/)]);
    expect(payments.calls.dependencies).toEqual([]);
    payments.calls.add(orders.endpoint, SETTINGS);
    expect([...orders.calls.dependencies, ...payments.calls.dependencies]).toHaveLength(1);
  });
});
