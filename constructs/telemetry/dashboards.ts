import { CloudwatchDashboard } from "@cdktf/provider-aws/lib/cloudwatch-dashboard";
import { Lazy } from "cdktf";
import { Construct } from "constructs";
import { crashesOf, failedRunsOf } from "../cluster/stopped-tasks";
import type { MetricStat, Signal } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { jsonText } from "../core/literal";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { type Platform, ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/add-on";
import { CloudNativeService } from "../service/cloud-native-service";

interface Widget {
  readonly type: "metric" | "alarm" | "text";
  readonly width: number;
  readonly height: number;
  readonly properties: object;
}

/** Arranges widgets in rows of 24 columns, from left to right. */
function laidOut(widgets: readonly Widget[]): object[] {
  let x = 0;
  let y = 0;
  let lowest = 0;
  return widgets.map((widget) => {
    if (x + widget.width > 24) {
      x = 0;
      y = lowest;
    }
    const placed = { ...widget, x, y };
    x += widget.width;
    lowest = Math.max(lowest, y + widget.height);
    return placed;
  });
}

function bodyOf(widgets: readonly Widget[], shows = Duration.hours(3)): string {
  return jsonText({ start: `-PT${Math.max(1, Math.round(shows.toHours()))}H`, widgets: laidOut(widgets) });
}

/** @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html */
function picture({ title, queries }: Signal, region: string): Widget {
  const metrics = queries.map(({ id, metric, expression, returned = false }) =>
    metric === undefined
      ? [{ id, expression, label: title, visible: returned }]
      : [
          metric.namespace,
          metric.metricName,
          ...Object.entries(metric.dimensions).flat(),
          { id, stat: metric.statistic, label: title, visible: returned },
        ],
  );
  return {
    type: "metric",
    width: 8,
    height: 6,
    properties: { title, region, view: "timeSeries", period: 60, metrics, yAxis: { left: { min: 0 } } },
  };
}

function alarmList(title: string, arns: readonly string[]): Widget[] {
  // A CloudWatch alarm widget displays at most 100 alarms.
  const shown = arns.slice(0, 100);
  return shown.length === 0
    ? []
    : [{ type: "alarm", width: 24, height: 2 + Math.ceil(shown.length / 8), properties: { title, alarms: shown } }];
}

/**
 * A CloudWatch dashboard of a service with its alarms and all of its metrics.
 *
 * Costs 3 USD a month; the first three of an account are free.
 *
 * @example
 * ```ts
 * orders.add(new ServiceDashboard());
 * ```
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Dashboards.html
 */
export class ServiceDashboard implements ServiceAddOn {
  readonly name = "Dashboard";

  bind(host: ServiceHost): void {
    const stack = ServiceStack.of(host.scope);
    const { platformName, environment } = stack;
    new CloudwatchDashboard(host.scope, "Resource", {
      dashboardName: stack.physicalName("dashboard", platformName, environment.name, host.serviceName),
      dashboardBody: Lazy.stringValue({
        produce: () =>
          bodyOf([
            ...alarmList(
              "Alarms",
              host.alarms().map(({ alarmArn }) => alarmArn),
            ),
            ...host.signals().map((signal) => picture(signal, environment.region)),
          ]),
      }),
    });
  }
}

export interface PlatformDashboardProps {
  /**
   * Default time range, in whole hours.
   *
   * @default Duration.hours(3)
   */
  readonly shows?: Duration;
}

/**
 * A CloudWatch dashboard of a platform and all of its services, including those of other repositories: utilization,
 * requests, latency, error rates and crashes. Alarms are those of the services in this app.
 *
 * Costs 3 USD a month; the first three of an account are free.
 *
 * @example
 * ```ts
 * new PlatformDashboard(platform, "Dashboard");
 * ```
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-search-expressions.html
 */
export class PlatformDashboard extends Construct {
  readonly dashboardName: string;

  constructor(scope: Platform, id: string, props: PlatformDashboardProps = {}) {
    super(scope, id);
    checkArguments("new PlatformDashboard", { props }, this);
    const { stackName, environment, cluster, loadBalancer } = scope;
    this.dashboardName = scope.physicalName("dashboard", stackName, environment.name);
    const ofCluster = (metric: string) =>
      search("AWS/ECS", ["ClusterName", "ServiceName"], metric, [["ClusterName", cluster.clusterName]]);
    const ofLoadBalancer = (metric: string, suffix: string) =>
      search("AWS/ApplicationELB", ["LoadBalancer", "TargetGroup"], metric, [["LoadBalancer", suffix]]);
    const byGroup = ({ namespace, metricName }: MetricStat) => search(namespace, ["Group"], metricName, []);
    const pictures = [
      found("CPU utilization, by service (%)", ofCluster("CPUUtilization"), "Average"),
      found("Memory utilization, by service (%)", ofCluster("MemoryUtilization"), "Average"),
      found("Crashed tasks, by service", byGroup(crashesOf(stackName, environment.name, "")), "Sum"),
      found("Failed runs, by job", byGroup(failedRunsOf(stackName, environment.name, "")), "Sum"),
      ...(loadBalancer === undefined
        ? []
        : [
            found(
              "Requests, by target group (per minute)",
              ofLoadBalancer("RequestCount", loadBalancer.loadBalancerArnSuffix),
              "Sum",
            ),
            found(
              "Errors, by target group (per minute)",
              ofLoadBalancer("HTTPCode_Target_5XX_Count", loadBalancer.loadBalancerArnSuffix),
              "Sum",
            ),
            found(
              "Latency p99, by target group (s)",
              ofLoadBalancer("TargetResponseTime", loadBalancer.loadBalancerArnSuffix),
              "p99",
            ),
          ]),
    ];
    new CloudwatchDashboard(this, "Resource", {
      dashboardName: this.dashboardName,
      dashboardBody: Lazy.stringValue({
        produce: () =>
          bodyOf(
            [
              ...alarmList("Alarms of all services", this.#alarms(scope)),
              ...pictures.map((each) => each(environment.region)),
            ],
            props.shows,
          ),
      }),
    });
  }

  /** References alarms by name, since the stacks of services depend on the platform's stack and not the reverse. */
  #alarms(platform: Platform): string[] {
    return platform.node.root.node
      .findAll()
      .filter((each) => each instanceof CloudNativeService)
      .filter((service) => {
        const { platformName, environment } = ServiceStack.of(service);
        return platformName === platform.stackName && environment.name === platform.environment.name;
      })
      .flatMap((service) =>
        service.alarms.map(({ alarmName }) => AwsStack.of(platform).arn("cloudwatch", `alarm:${alarmName}`)),
      );
  }
}

/** Builds a search expression for all metrics with these dimensions, some with a fixed value. */
function search(
  namespace: string,
  dimensions: readonly string[],
  metric: string,
  known: readonly (readonly [string, string])[],
): string {
  const values = known.map(([name, value]) => ` ${name}="${value}"`).join("");
  return `{"${namespace}",${dimensions.join(",")}} MetricName="${metric}"${values}`;
}

function found(title: string, terms: string, statistic: string) {
  return (region: string): Widget => ({
    type: "metric",
    width: 8,
    height: 6,
    properties: {
      title,
      region,
      view: "timeSeries",
      period: 60,
      metrics: [[{ id: "all", expression: `SEARCH('${terms}', '${statistic}', 60)` }]],
      yAxis: { left: { min: 0 } },
    },
  });
}
