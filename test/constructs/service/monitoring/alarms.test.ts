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
  Telemetry,
  worker,
} from "../../../../constructs";
import { matchesPattern } from "../../../support/filter-pattern";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../../support/synth";
import { orders } from "../orders";

const service = (props: CloudNativeServiceProps = {}, environment = PRODUCTION) => orders(props, environment);
const HELPER = `registry.example.com/helper@sha256:${"1".repeat(64)}`;
const REPORT = job({ schedule: every(Duration.hours(1)), command: ["node", "report.js"] });
const names = ({ service: { alarms } }: ReturnType<typeof service>) =>
  alarms.map(({ alarmName }) => alarmName.replace(/^shop-(dev|production)-orders-/, ""));

describe("the alarms of a service", () => {
  it("cover its features, in production", () => {
    const web = service();
    expect(names(web)).toEqual(["cpu", "memory", "restarts"]);
    web.service.add(new Ingress());
    expect(names(web)).toEqual(["cpu", "memory", "restarts", "errors", "latency", "unhealthy"]);
    const stack = ordersStack(PRODUCTION);
    const queue = existingQueue(stack, "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
    const mailer = new CloudNativeService(stack, "Orders", { process: worker({ queue }) });
    expect(names({ stack, service: mailer })).toEqual(["cpu", "memory", "restarts", "queue-age"]);
  });

  it("cover only request errors in dev by default", () => {
    const dev = service({}, DEV);
    dev.service.add(new Ingress());
    expect(names(dev)).toEqual(["errors"]);
    expect(names(service({ alarms: {} }, DEV))).toEqual(["cpu", "memory", "restarts"]);
    expect(names(service({ alarms: "none" }))).toEqual([]);
    expect(names(service({ process: REPORT }))).toEqual(["failed"]);
    expect(names(service({ process: REPORT }, DEV))).toEqual([]);
    expect(names(service({ process: REPORT, alarms: {} }, DEV))).toEqual(["failed"]);
    expect(names(service({ process: REPORT, alarms: "none" }))).toEqual([]);
  });

  it("roll a deployment back if a new version can be the cause", () => {
    const { stack, service: orders } = service();
    orders.add(new Ingress());
    const { alarms } = only(stack, "aws_ecs_service") as { alarms: { alarm_names: string[] } };
    expect(orders.health.map(({ alarmName }) => alarmName).sort()).toEqual(alarms.alarm_names);
    expect(alarms.alarm_names).toEqual(
      ["errors", "latency", "restarts", "unhealthy"].map((part) => `shop-production-orders-${part}`),
    );
  });

  it("go off at the configured threshold", () => {
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
      { expression: "IF(requests0 >= 20, MAX([slow0]), 0)", return_data: true },
    ]);
    for (const { treat_missing_data: silence } of alarms) expect(silence).toBe("notBreaching");
  });

  it("count crashes by the platform's metric of stopped tasks", () => {
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
    const { pattern } = only(platform, "aws_cloudwatch_log_metric_filter") as { pattern: string };
    const stopped = (detail: object) => matchesPattern(pattern, { source: "aws.ecs", detail });
    expect(stopped({ group: "service:orders", stopCode: "EssentialContainerExited" })).toBe(true);
    expect(stopped({ group: "service:orders", stopCode: "TaskFailedToStart" })).toBe(true);
    expect(stopped({ group: "service:orders", stopCode: "ServiceSchedulerInitiated" })).toBe(false);
    // What runs once ends by itself too.
    expect(stopped({ group: "job:report", stopCode: "EssentialContainerExited" })).toBe(false);
    expect(stopped({ group: "family:shop-dev-orders", stopCode: "EssentialContainerExited" })).toBe(false);
    expect(only(platform, "aws_cloudwatch_event_rule").event_pattern).toMatchObject({
      source: ["aws.ecs"],
      detail: { lastStatus: ["STOPPED"] },
    });
  });

  describe("of a job", () => {
    const watched = () => {
      const platform = shop(PRODUCTION);
      const stack = platform.stack("orders");
      const report = new CloudNativeService(stack, "Report", { process: REPORT });
      return { platform, stack, report };
    };

    it("count each failed run once, by the exit code of the app", () => {
      const { platform, stack, report } = watched();
      report.add(new Telemetry());
      report.add({
        name: "Helper",
        bind: (host) => host.addSidecar({ name: "helper", image: HELPER, cpu: 32, memoryMiB: 32 }),
      });
      const filter = only(stack, "aws_cloudwatch_log_metric_filter") as {
        log_group_name: string;
        pattern: string;
        metric_transformation: { namespace: string; name: string; dimensions: object; value: string };
      };
      const kept = Object.values(resources(platform, "aws_cloudwatch_log_group")).map(({ name }) => name);
      expect(kept).toContain(filter.log_group_name);
      expect(filter.pattern.length).toBeLessThanOrEqual(1024);
      const { target } = only(stack, "aws_scheduler_schedule") as { target: { ecs_parameters: { group: string } } };
      const { group } = target.ecs_parameters;
      const run = (detail: object) => matchesPattern(filter.pattern, { detail: { group, ...detail } });
      const ended = (stopCode: string, codes: Readonly<Record<string, number | undefined>>, other = {}) =>
        run({ stopCode, containers: Object.entries(codes).map(([name, exitCode]) => ({ name, exitCode })), ...other });
      expect(ended("EssentialContainerExited", { report: 0, collector: 0 })).toBe(false);
      expect(ended("EssentialContainerExited", { report: 1, collector: 0 })).toBe(true);
      // ECS lists containers in any order; the exit code of a sidecar does not matter.
      expect(ended("EssentialContainerExited", { guard: 0, helper: 0, collector: 0, report: 137 })).toBe(true);
      expect(ended("EssentialContainerExited", { helper: 1, collector: 137, report: 0 })).toBe(false);
      expect(ended("TaskFailedToStart", { report: undefined, collector: undefined })).toBe(true);
      expect(ended("SpotInterruption", { report: 0 })).toBe(true);
      expect(ended("TerminationNotice", { report: 0 })).toBe(true);
      expect(ended("UserInitiated", { report: 0 })).toBe(false);
      // Another's, or an admin process of the same family.
      expect(ended("TaskFailedToStart", {}, { group: "job:reports" })).toBe(false);
      expect(ended("EssentialContainerExited", { report: 1 }, { group: "family:shop-production-report" })).toBe(false);
      expect(filter.metric_transformation).toMatchObject({ value: "1", dimensions: { Group: "$.detail.group" } });
    });

    it("count failed runs, and runs that the schedule could not start", () => {
      const { stack } = watched();
      const queue = only(stack, "aws_sqs_queue");
      expect(queue).toMatchObject({
        name: "shop-production-report-not-started",
        sqs_managed_sse_enabled: true,
        message_retention_seconds: 1_209_600,
      });
      const { metric_transformation: counted } = only(stack, "aws_cloudwatch_log_metric_filter") as {
        metric_transformation: { namespace: string; name: string };
      };
      expect(only(stack, "aws_cloudwatch_metric_alarm")).toMatchObject({
        alarm_name: "shop-production-report-failed",
        threshold: 0,
        comparison_operator: "GreaterThanThreshold",
        evaluation_periods: 1,
        treat_missing_data: "notBreaching",
        alarm_actions: [expect.any(String)],
        metric_query: [
          {
            metric: {
              namespace: counted.namespace,
              metric_name: counted.name,
              dimensions: { Group: "job:report" },
              stat: "Sum",
              period: 1800,
            },
          },
          {
            metric: {
              namespace: "AWS/SQS",
              metric_name: "NumberOfMessagesSent",
              dimensions: { QueueName: queue.name },
              stat: "Sum",
            },
          },
          { expression: "FILL(failed, 0) + FILL(unstarted, 0)", return_data: true },
        ],
      });
      expect(only(stack, "aws_scheduler_schedule")).toMatchObject({
        target: { dead_letter_config: { arn: expect.stringMatching(/aws_sqs_queue\.Report_Runs_NotStarted/) } },
      });
      const role = Object.entries(resources(stack, "aws_iam_role_policy")).find(([id]) => id.includes("ScheduleRole"));
      expect(role?.[1].policy).toMatchObject({
        Statement: expect.arrayContaining([
          expect.objectContaining({
            Action: ["sqs:SendMessage"],
            Resource: [expect.stringMatching(/aws_sqs_queue\.Report_Runs_NotStarted/)],
          }),
        ]),
      });
    });

    it("can tolerate some failures, and are not created without recipients", () => {
      const often = service({ process: REPORT, alarms: { failedRuns: 3 } });
      expect(only(often.stack, "aws_cloudwatch_metric_alarm").threshold).toBe(3);
      const { stack } = service({ process: REPORT, alarms: "none" });
      for (const type of ["aws_sqs_queue", "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_metric_alarm"]) {
        expect(resources(stack, type)).toEqual({});
      }
      expect(only(stack, "aws_scheduler_schedule").target).not.toHaveProperty("dead_letter_config");
    });
  });

  it.each<[ServiceAlarms, string]>([
    [{ latency: Duration.seconds(0) }, "ALARM_LATENCY alarms.latency"],
    [{ latencyPercentile: 100 }, "ALARM_PERCENTILE alarms.latencyPercentile"],
    [{ saturationPercent: 100 }, "ALARM_SATURATION alarms.saturationPercent"],
    [{ queueAge: Duration.seconds(0) }, "ALARM_QUEUE_AGE alarms.queueAge"],
    [{ restarts: 1.5 }, "ALARM_RESTARTS alarms.restarts"],
    [{ failedRuns: -1 }, "ALARM_FAILED_RUNS alarms.failedRuns"],
  ])("refuses %j", (alarms, expected) => {
    expect(refusals(() => service({ alarms }))).toEqual([expected]);
  });
});
