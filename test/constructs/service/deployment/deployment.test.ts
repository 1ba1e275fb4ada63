import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  type CloudNativeServiceProps,
  Duration,
  every,
  Image,
  Ingress,
  job,
  rolling,
  type ServiceAddOn,
} from "../../../../constructs";
import { DEV, only, ordersStack, refusals, resources } from "../../../support/synth";

function orders(props: CloudNativeServiceProps = {}) {
  const stack = ordersStack();
  const service = new CloudNativeService(stack, "Orders", props);
  return { stack, service };
}

describe("a deployment", () => {
  it("rolls back on errors of this service's own tasks only, and with enough requests", () => {
    const { stack, service } = orders({ deployment: rolling({ errorPercent: 2, minimumRequests: 50 }) });
    service.add(new Ingress());
    const alarm = only(stack, "aws_cloudwatch_metric_alarm");
    expect(alarm).toMatchObject({
      alarm_name: "shop-dev-orders-errors",
      comparison_operator: "GreaterThanThreshold",
      threshold: 2,
      treat_missing_data: "notBreaching",
    });
    const queries = alarm.metric_query as {
      id: string;
      expression?: string;
      metric?: { metric_name: string; dimensions: object };
    }[];
    expect(queries.find(({ id }) => id === "result")?.expression).toBe(
      "IF((requests0) >= 50, 100 * (FILL(failed0, 0) + FILL(refused0, 0)) / (requests0), 0)",
    );
    const measures = queries.flatMap(({ metric }) => (metric === undefined ? [] : [metric]));
    expect(measures.map(({ metric_name }) => metric_name)).toEqual([
      "HTTPCode_Target_5XX_Count",
      "TargetConnectionErrorCount",
      "RequestCount",
    ]);
    for (const { dimensions } of measures) expect(Object.keys(dimensions)).toEqual(["LoadBalancer", "TargetGroup"]);
    expect(JSON.stringify(alarm)).not.toContain("HTTPCode_ELB");
  });

  it("names its alarm literally and waits for it, so that neither waits for the other", () => {
    const { stack, service } = orders();
    service.add(new Ingress());
    const deployed = only(stack, "aws_ecs_service");
    expect(deployed).toMatchObject({
      alarms: { alarm_names: ["shop-dev-orders-errors"], enable: true, rollback: true },
      depends_on: expect.arrayContaining([expect.stringMatching(/^aws_cloudwatch_metric_alarm\.Orders_Errors/)]),
    });
    expect(JSON.stringify(only(stack, "aws_cloudwatch_metric_alarm"))).not.toContain("aws_ecs_service");
  });

  it("without an Ingress rolls back when tasks do not start", () => {
    const { stack } = orders();
    expect(resources(stack, "aws_cloudwatch_metric_alarm")).toEqual({});
    expect(only(stack, "aws_ecs_service").alarms).toMatchObject({ enable: false, rollback: false });
    expect(only(stack, "aws_ecs_service")).toMatchObject({
      deployment_circuit_breaker: { enable: true, rollback: true },
    });
  });

  it("fails the apply after a rollback if Terraform owns releases, and only then", () => {
    const image = Image.digest(`registry.example.com/orders@sha256:${"a".repeat(64)}`);
    const lifecycle = (props: CloudNativeServiceProps) => only(orders(props).stack, "aws_ecs_service").lifecycle;
    expect(lifecycle({ image })).toHaveProperty("postcondition");
    expect(lifecycle({})).not.toHaveProperty("postcondition");
    expect(lifecycle({ image, releaseOwner: "pipeline" })).not.toHaveProperty("postcondition");
  });

  it.each([
    [{ errorPercent: 0 }, "DEPLOYMENT_ERRORS deployment.errorPercent"],
    [{ errorPercent: 100 }, "DEPLOYMENT_ERRORS deployment.errorPercent"],
    [{ minimumRequests: 0 }, "DEPLOYMENT_REQUESTS deployment.minimumRequests"],
    [{ minimumRequests: 1.5 }, "DEPLOYMENT_REQUESTS deployment.minimumRequests"],
  ])("refuses %j", (options, expected) => {
    expect(refusals(() => orders({ deployment: rolling(options) }))).toEqual([expected]);
  });
});

describe("what the owner of an account demands", () => {
  it("prefixes the names of alarms", () => {
    const environment = { ...DEV, guardrails: { namePrefix: "acme" } };
    const stack = ordersStack(environment);
    new CloudNativeService(stack, "Orders").add(new Ingress());
    expect(only(stack, "aws_cloudwatch_metric_alarm").alarm_name).toBe("acme-shop-dev-orders-errors");
    expect(only(stack, "aws_ecs_service")).toMatchObject({ alarms: { alarm_names: ["acme-shop-dev-orders-errors"] } });
  });
});

describe("alarms of add-ons", () => {
  const watched = (rollsBack: boolean): ServiceAddOn => ({
    name: "Watch",
    bind: (host) => host.addAlarm({ alarmName: "shop-dev-orders-depth", alarmArn: "arn" }, { rollsBack }),
  });

  it("belong to the alarms of the service, and roll back if configured to", () => {
    const { stack, service } = orders({ addOns: [new Ingress(), watched(true)] });
    expect(service.alarms.map(({ alarmName }) => alarmName)).toEqual([
      "shop-dev-orders-errors",
      "shop-dev-orders-depth",
    ]);
    expect(only(stack, "aws_ecs_service")).toMatchObject({
      alarms: { alarm_names: ["shop-dev-orders-depth", "shop-dev-orders-errors"] },
    });
  });

  it("roll nothing back by default", () => {
    const { stack, service } = orders({ addOns: [watched(false)] });
    expect(service.alarms).toHaveLength(1);
    expect(only(stack, "aws_ecs_service").alarms).toMatchObject({ enable: false, rollback: false });
  });

  it("are refused without a deployment to roll back", () => {
    const process = job({ schedule: every(Duration.hours(1)), command: ["node", "report.js"] });
    expect(refusals(() => orders({ process, addOns: [watched(true)] }))).toEqual([
      "ALARM_ROLLS_BACK_NOTHING alarm shop-dev-orders-depth",
    ]);
  });
});
