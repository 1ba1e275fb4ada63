import { describe, expect, it } from "vitest";
import { canary, codeDeploy } from "../../../../constructs";
import { Alarm } from "../../../../constructs/core/alarm";
import { Monitoring } from "../../../../constructs/service/monitoring/monitoring";
import type { CloudNativeServiceProps } from "../../../../constructs/service/props";
import { bareService, partsOf, target } from "../../../support/service-parts";
import { only, refusals } from "../../../support/synth";

function monitoring(props: CloudNativeServiceProps = {}, { runs = true } = {}) {
  const { stack, scope, context } = partsOf(props);
  const part = new Monitoring(scope, context, {
    service: runs ? bareService(scope) : undefined,
    failedRuns: undefined,
    targets: () => [target("orders")],
  });
  const alarm = (name: string) =>
    new Alarm(scope, name, { name: [name], description: "Fires.", threshold: 1, queries: () => [] });
  return { stack, part, alarm };
}

const names = (alarms: Monitoring["alarms"]) => alarms.map(({ alarmName }) => alarmName);

describe("Monitoring", () => {
  it("watches the tasks only of a service that has alarms", () => {
    const watched = monitoring({ alarms: {} }).part;
    watched.watch();
    expect(names(watched.alarms)).toEqual([
      "shop-dev-orders-cpu",
      "shop-dev-orders-memory",
      "shop-dev-orders-restarts",
    ]);
    const unwatched = monitoring({ alarms: "none" }).part;
    unwatched.watch();
    expect(unwatched.alarms).toEqual([]);
  });

  it("watches the errors of requests always, latency and unhealthy targets only with alarms", () => {
    const all = monitoring({ alarms: {} }).part;
    const errors = monitoring({ alarms: "none" }).part;
    for (const part of [all, errors]) part.watchRequests();
    expect(names(errors.alarms)).toEqual(["shop-dev-orders-errors"]);
    expect(names(all.alarms)).toEqual([
      "shop-dev-orders-errors",
      "shop-dev-orders-latency",
      "shop-dev-orders-unhealthy",
    ]);
  });

  it("configures the ECS service with the alarms that roll back, which must exist before it", () => {
    const { stack, part, alarm } = monitoring();
    part.add(alarm("late"), { rollsBack: true });
    part.add(alarm("idle"));
    part.add(alarm("early"), { rollsBack: true });
    expect(part.rollbackAlarmNames).toEqual(["late", "early"]);
    expect(only(stack, "aws_ecs_service").alarms).toEqual({
      alarm_names: ["early", "late"],
      enable: true,
      rollback: true,
    });
    expect(part.dependencies.map((address) => address.replace(/_[0-9A-F]{8}$/, ""))).toEqual([
      "aws_cloudwatch_metric_alarm.Orders_late",
      "aws_cloudwatch_metric_alarm.Orders_early",
    ]);
  });

  it("turns the rollback of the ECS service off, rather than leaving it out, without alarms that roll back", () => {
    const { stack, part } = monitoring({ alarms: "none" });
    part.watch();
    expect(only(stack, "aws_ecs_service").alarms).toEqual({
      alarm_names: ["shop-dev-orders-errors"],
      enable: false,
      rollback: false,
    });
    const byCodeDeploy = monitoring({ alarms: "none", deployment: codeDeploy(canary()) });
    expect(only(byCodeDeploy.stack, "aws_ecs_service")).not.toHaveProperty("alarms");
  });

  it("reports as health the alarms that roll back, or all if none does", () => {
    const { part, alarm } = monitoring();
    part.add(alarm("depth"));
    expect(names(part.health)).toEqual(["depth"]);
    part.add(alarm("crashes"), { rollsBack: true });
    expect(names(part.health)).toEqual(["crashes"]);
    expect(names(part.alarms)).toEqual(["depth", "crashes"]);
  });

  it("refuses an alarm that rolls back when nothing is deployed", () => {
    const { part, alarm } = monitoring({}, { runs: false });
    const own = alarm("own");
    expect(refusals(() => part.add(own, { rollsBack: true }))).toEqual(["ALARM_ROLLS_BACK_NOTHING alarm own"]);
  });

  it("evaluates metrics of add-ons when they are read, after those of the service", () => {
    const { part } = monitoring();
    const before = part.signals.length;
    let title = "early";
    part.addSignal(() => ({ name: "own", title, queries: [] }));
    title = "late";
    expect(before).toBeGreaterThan(0);
    expect(part.signals.slice(before)).toEqual([{ name: "own", title: "late", queries: [] }]);
  });
});
