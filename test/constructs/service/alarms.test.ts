import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  type CloudNativeServiceProps,
  Duration,
  every,
  existingQueue,
  Ingress,
  job,
  type ServiceAlarms,
  worker,
} from "../../../constructs";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

function service(props: CloudNativeServiceProps = {}, environment = PRODUCTION) {
  const stack = ordersStack(environment);
  return { stack, service: new CloudNativeService(stack, "Orders", props) };
}
const names = ({ service: { alarms } }: ReturnType<typeof service>) =>
  alarms.map(({ alarmName }) => alarmName.replace(/^shop-(dev|production)-orders-/, ""));

describe("what watches a service", () => {
  it("is there for what it has, in production", () => {
    const web = service();
    expect(names(web)).toEqual(["cpu", "memory", "restarts"]);
    web.service.add(new Ingress());
    expect(names(web)).toEqual(["cpu", "memory", "restarts", "errors", "latency", "unhealthy"]);
    const stack = ordersStack(PRODUCTION);
    const queue = existingQueue(stack, "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
    const mailer = new CloudNativeService(stack, "Orders", { process: worker({ queue }) });
    expect(names({ stack, service: mailer })).toEqual(["cpu", "memory", "restarts", "queue-age"]);
  });

  it("is the errors of requests alone in dev, unless asked", () => {
    const dev = service({}, DEV);
    dev.service.add(new Ingress());
    expect(names(dev)).toEqual(["errors"]);
    expect(names(service({ alarms: {} }, DEV))).toEqual(["cpu", "memory", "restarts"]);
    expect(names(service({ alarms: "none" }))).toEqual([]);
    const process = job({ schedule: every(Duration.hours(1)), command: ["node", "report.js"] });
    expect(names(service({ process }))).toEqual([]);
  });

  it("rolls a deployment back where a new version can be to blame", () => {
    const { stack, service: orders } = service();
    orders.add(new Ingress());
    const { alarms } = only(stack, "aws_ecs_service") as { alarms: { alarm_names: string[] } };
    expect(orders.health.map(({ alarmName }) => alarmName).sort()).toEqual(alarms.alarm_names);
    expect(alarms.alarm_names).toEqual(
      ["errors", "latency", "restarts", "unhealthy"].map((part) => `shop-production-orders-${part}`),
    );
  });

  it("goes off when it is told to", () => {
    const { stack, service: orders } = service({
      alarms: { latency: Duration.millis(300), latencyPercentile: 99.9, saturationPercent: 70, restarts: 0 },
    });
    orders.add(new Ingress());
    const alarms = Object.values(resources(stack, "aws_cloudwatch_metric_alarm"));
    const thresholds = Object.fromEntries(
      alarms.map(({ alarm_name, threshold }) => [`${alarm_name}`.split("-").at(-1), threshold]),
    );
    expect(thresholds).toEqual({ cpu: 70, memory: 70, restarts: 0, errors: 5, latency: 0.3, unhealthy: 0 });
    const latency = alarms.find(({ alarm_name }) => `${alarm_name}`.endsWith("latency"));
    expect(latency?.metric_query).toMatchObject([
      { metric: { metric_name: "TargetResponseTime", stat: "p99.9" } },
      { metric: { metric_name: "RequestCount" } },
      { expression: "IF(FILL(requests0, 0) >= 20, MAX([FILL(slow0, 0)]), 0)", return_data: true },
    ]);
    for (const { treat_missing_data: silence } of alarms) expect(silence).toBe("notBreaching");
  });

  it("counts crashes by what the platform measures of stopped tasks", () => {
    const platform = shop(PRODUCTION);
    const stack = platform.stack("orders");
    new CloudNativeService(stack, "Orders");
    const { metric_transformation: counted } = only(platform, "aws_cloudwatch_log_metric_filter") as {
      metric_transformation: { namespace: string; name: string; dimensions: object };
    };
    const measures = Object.values(resources(stack, "aws_cloudwatch_metric_alarm"))
      .filter(({ alarm_name }) => `${alarm_name}`.endsWith("restarts"))
      .flatMap(({ metric_query }) => metric_query as { metric: Record<string, unknown> }[]);
    const metric = measures[0]?.metric;
    expect(metric).toMatchObject({ namespace: counted.namespace, metric_name: counted.name });
    expect(metric?.dimensions).toEqual({ Group: "service:orders" });
    expect(counted.dimensions).toEqual({ Group: "$.detail.group" });
    expect(only(platform, "aws_cloudwatch_event_rule").event_pattern).toMatchObject({
      source: ["aws.ecs"],
      detail: { lastStatus: ["STOPPED"] },
    });
  });

  it.each<[ServiceAlarms, string]>([
    [{ latency: Duration.seconds(0) }, "ALARM_LATENCY alarms.latency"],
    [{ latencyPercentile: 100 }, "ALARM_PERCENTILE alarms.latencyPercentile"],
    [{ saturationPercent: 100 }, "ALARM_SATURATION alarms.saturationPercent"],
    [{ queueAge: Duration.seconds(0) }, "ALARM_QUEUE_AGE alarms.queueAge"],
    [{ restarts: 1.5 }, "ALARM_RESTARTS alarms.restarts"],
  ])("refuses %j", (alarms, expected) => {
    expect(refusals(() => service({ alarms }))).toEqual([expected]);
  });
});
