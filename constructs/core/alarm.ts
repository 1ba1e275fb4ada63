import { CloudwatchCompositeAlarm } from "@cdktf/provider-aws/lib/cloudwatch-composite-alarm";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Lazy } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { invalid } from "./errors";
import type { Metric, Statistic } from "./metric";
import { AwsStack, addressOf } from "./stack";

/** Something that CloudWatch watches: in alarm, or not. */
export interface IAlarm {
  /** Literal where the alarm is made here, so that what it watches can name it. */
  readonly alarmName: string;
  readonly alarmArn: string;
}

/**
 * An alarm that somebody else owns, by its ARN: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:payments-errors`.
 *
 * @throws InvalidPropsError ALARM_ARN
 */
export function existingAlarm(scope: IConstruct, alarmArn: string): IAlarm {
  const name = /^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:\d{12}:alarm:([\w. /:#@+-]+)$/.exec(alarmArn)?.[1];
  if (name === undefined) {
    throw invalid(scope, {
      code: "ALARM_ARN",
      prop: "alarmArn",
      problem: `${JSON.stringify(alarmArn)} is no ARN of an alarm`,
      remedy: "Use for example arn:aws:cloudwatch:eu-central-1:123456789012:alarm:payments-errors.",
    });
  }
  return { alarmName: name, alarmArn };
}

/**
 * A measure that is looked at: complete, and by percentile where that says more.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 */
export interface MetricStat extends Omit<Required<Metric>, "statistic"> {
  /** Or a percentile: `p99`; or how many values are at most so large: `TC(:0.5)`, a trimmed count. */
  readonly statistic: Statistic | `p${number}` | `TC(:${number})`;
}

/** One row of a computation over measures: a measure, or an expression over rows. */
export interface MetricDataQuery {
  readonly id: string;
  /** @default - none: an expression */
  readonly metric?: MetricStat;
  /** @default - none: a measure */
  readonly expression?: string;
  /** Whether it is the result. @default false */
  readonly returned?: boolean;
}

/** Something that is measured of a service, for alarms and for pictures. */
export interface Signal {
  /** `latency` */
  readonly name: string;
  /** What a picture of it is called, with its unit: `Slowest of a hundred answers (s)`. */
  readonly title: string;
  /** What is measured, and what is made of it; one row is the result. */
  readonly queries: readonly MetricDataQuery[];
}

/** Rows as an alarm takes them; in Terraform's own words, since they are made when the stack is written. */
export function alarmRows(queries: readonly MetricDataQuery[], periodSeconds = 60): object[] {
  return rows(queries, (metric) => ({
    metric: {
      namespace: metric.namespace,
      metric_name: metric.metricName,
      ...(Object.keys(metric.dimensions).length === 0 ? {} : { dimensions: metric.dimensions }),
      stat: metric.statistic,
      period: periodSeconds,
    },
  }));
}

/** Rows as a scaling policy takes them. */
export function policyRows(queries: readonly MetricDataQuery[]): object[] {
  return rows(queries, (metric) => ({
    metric_stat: {
      stat: metric.statistic,
      metric: {
        namespace: metric.namespace,
        metric_name: metric.metricName,
        dimensions: Object.entries(metric.dimensions).map(([name, value]) => ({ name, value })),
      },
    },
  }));
}

function rows(queries: readonly MetricDataQuery[], measured: (metric: MetricStat) => object): object[] {
  return queries.map(({ id, metric, expression, returned = false }) => ({
    id,
    return_data: returned,
    ...(expression === undefined ? {} : { expression, label: id }),
    ...(metric === undefined ? {} : measured(metric)),
  }));
}

export interface AlarmProps {
  /** Parts of its name, after the prefix that the environment may demand: `shop`, `dev`, `orders`, `errors`. */
  readonly name: readonly string[];
  /** What is wrong, and what to do, for who is woken by it. */
  readonly description: string;
  /** Rows of which one is returned; asked for when the stack is written. */
  readonly queries: () => readonly MetricDataQuery[];
  /** In alarm above this; below it where `whenBelow` is set. */
  readonly threshold: number;
  /** @default false */
  readonly whenBelow?: boolean;
  /** Length of one datapoint. @default 60 */
  readonly periodSeconds?: number;
  /** Number of datapoints beyond the threshold that set it off. @default 2 */
  readonly datapoints?: number;
  /**
   * Number of datapoints that it looks at.
   *
   * @default - two more than `datapoints`: it goes off although one of its metrics, or all, are two periods late
   */
  readonly periods?: number;
  /** Whether it tells nobody: it is only part of another. @default false */
  readonly silent?: boolean;
}

/**
 * An alarm, which tells the topic of its platform when it goes off and when all is well again. Silence is never one: ECS leaves an alarm that is in ALARM when a deployment starts out of that deployment.
 *
 * Costs 0.10 USD a month for each measure that it looks at.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
 */
export class Alarm extends Construct implements IAlarm {
  readonly alarmName: string;
  readonly alarmArn: string;
  /** Address of the resource, for `depends_on` of what names it. */
  readonly address: string;

  constructor(scope: Construct, id: string, props: AlarmProps) {
    super(scope, id);
    const { datapoints = 2, periods = datapoints + 2, periodSeconds = 60, whenBelow = false } = props;
    this.alarmName = AwsStack.of(this).physicalName("alarm", ...props.name);
    const tells = props.silent === true ? [] : [...AwsStack.of(this).alarmTopicArns];
    const resource = new CloudwatchMetricAlarm(this, "Resource", {
      alarmName: this.alarmName,
      alarmDescription: props.description,
      comparisonOperator: whenBelow ? "LessThanThreshold" : "GreaterThanThreshold",
      threshold: props.threshold,
      evaluationPeriods: periods,
      datapointsToAlarm: datapoints,
      treatMissingData: "notBreaching",
      metricQuery: Lazy.anyValue({ produce: () => alarmRows(props.queries(), periodSeconds) }),
      alarmActions: tells.length === 0 ? undefined : tells,
      okActions: tells.length === 0 ? undefined : tells,
    });
    this.alarmArn = resource.arn;
    this.address = addressOf(resource);
  }
}

export interface CompositeAlarmProps {
  /** Parts of its name. */
  readonly name: readonly string[];
  /** What is wrong, and what to do, for who is woken by it. */
  readonly description: string;
  /** All of these must be in alarm. */
  readonly all: readonly Alarm[];
}

/**
 * An alarm that goes off when all of some others are in alarm. Costs 0.50 USD a month.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
 */
export class CompositeAlarm extends Construct implements IAlarm {
  readonly alarmName: string;
  readonly alarmArn: string;

  constructor(scope: Construct, id: string, props: CompositeAlarmProps) {
    super(scope, id);
    const tells = [...AwsStack.of(this).alarmTopicArns];
    this.alarmName = AwsStack.of(this).physicalName("alarm", ...props.name);
    const resource = new CloudwatchCompositeAlarm(this, "Resource", {
      alarmName: this.alarmName,
      alarmDescription: props.description,
      alarmRule: props.all.map(({ alarmName }) => `ALARM("${alarmName}")`).join(" AND "),
      alarmActions: tells.length === 0 ? undefined : tells,
      okActions: tells.length === 0 ? undefined : tells,
    });
    // It names them, and Terraform does not see that.
    resource.dependsOn = props.all.map(({ address }) => address);
    this.alarmArn = resource.arn;
  }
}
