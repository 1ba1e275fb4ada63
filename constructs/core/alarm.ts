import { CloudwatchCompositeAlarm } from "@cdktf/provider-aws/lib/cloudwatch-composite-alarm";
import { CloudwatchMetricAlarm } from "@cdktf/provider-aws/lib/cloudwatch-metric-alarm";
import { Fn, Lazy, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "./check-types";
import { invalid } from "./errors";
import { asArgument, literal } from "./literal";
import type { Metric, Statistic } from "./metric";
import { isReference } from "./reference";
import { AwsStack, addressOf } from "./stack";

/** A CloudWatch alarm, created here or managed elsewhere. */
export interface IAlarm {
  /** Name of the alarm. A literal when this app creates the alarm, so that resources it watches can refer to it. */
  readonly alarmName: string;
  readonly alarmArn: string;
}

/**
 * References an alarm that is managed outside this app, by its ARN:
 * `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:payments-errors`.
 *
 * @throws InvalidPropsError ALARM_ARN
 */
export function existingAlarm(scope: IConstruct, alarmArn: string): IAlarm {
  checkArguments("existingAlarm", { alarmArn });
  const name = isReference(alarmArn)
    ? (Fn.element(Fn.split(":alarm:", asArgument(alarmArn)), 1) as string)
    : /^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:\d{12}:alarm:([\w. /:#@+-]+)$/.exec(alarmArn)?.[1];
  if (name === undefined) {
    throw invalid(scope, {
      code: "ALARM_ARN",
      prop: "alarmArn",
      problem: `${JSON.stringify(alarmArn)} is not the ARN of an alarm`,
      remedy: "Use an ARN such as arn:aws:cloudwatch:eu-central-1:123456789012:alarm:payments-errors.",
    });
  }
  return { alarmName: Token.asString(name), alarmArn: literal(alarmArn) };
}

/**
 * A metric with all defaults filled in, and a statistic that may also be a percentile.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 */
export interface MetricStat extends Omit<Required<Metric>, "statistic"> {
  /** A statistic; a percentile, `p99`; or a trimmed count, `TC(:0.5)`, the number of values up to 0.5. */
  readonly statistic: Statistic | `p${number}` | `TC(:${number})`;
}

/** One row of a metric math expression: a metric, or an expression over other rows. */
export interface MetricDataQuery {
  readonly id: string;
  /** @default - none; the row is an expression */
  readonly metric?: MetricStat;
  /** @default - none; the row is a metric */
  readonly expression?: string;
  /** Returns this row as the result. @default false */
  readonly returned?: boolean;
}

/** A metric of a service that alarms and dashboards use. */
export interface Signal {
  /** `latency` */
  readonly name: string;
  /** Title of the graph on a dashboard, with the unit: `Latency, 99th percentile (s)`. */
  readonly title: string;
  /** Metrics and the expressions over them; exactly one row is returned. */
  readonly queries: readonly MetricDataQuery[];
}

/** Converts queries for an alarm. Uses Terraform's attribute names, because the rows are rendered at synth. */
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

/** Converts queries for a scaling policy. */
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
  /** Parts of the name, after the environment's name prefix: `shop`, `dev`, `orders`, `errors`. */
  readonly name: readonly string[];
  /** Problem and remedy, written for the operator on call. */
  readonly description: string;
  /** Queries, exactly one of which is returned. Called at synth. */
  readonly queries: () => readonly MetricDataQuery[];
  /** The alarm fires above this value, or below it if `whenBelow` is set. */
  readonly threshold: number;
  /** @default false */
  readonly whenBelow?: boolean;
  /** Length of one period. @default 60 */
  readonly periodSeconds?: number;
  /** Number of datapoints beyond the threshold that trigger the alarm. @default 2 */
  readonly datapoints?: number;
  /**
   * Number of most recent periods to evaluate.
   *
   * @default - `datapoints` plus two, so that the alarm fires even when one or all of its metrics arrive two periods late
   */
  readonly periods?: number;
  /** Notifies no topic, because the alarm is only part of a composite alarm. @default false */
  readonly silent?: boolean;
}

/**
 * A CloudWatch alarm that notifies the topics of its platform when it fires and when it recovers.
 *
 * Missing data never counts as breaching: ECS ignores an alarm that is already in ALARM when a deployment starts.
 *
 * Costs 0.10 USD a month for each metric that it evaluates.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
 */
export class Alarm extends Construct implements IAlarm {
  readonly alarmName: string;
  readonly alarmArn: string;
  /** Address of the resource, for the `depends_on` of resources that refer to the alarm by name. */
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
  /** Parts of the name. */
  readonly name: readonly string[];
  /** Problem and remedy, written for the operator on call. */
  readonly description: string;
  /** Alarms that must all be in ALARM. */
  readonly all: readonly Alarm[];
}

/**
 * A composite alarm that fires when all of several alarms are in ALARM. Costs 0.50 USD a month.
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
    // The rule refers to the alarms by name, which Terraform does not see as a dependency.
    resource.dependsOn = props.all.map(({ address }) => address);
    this.alarmArn = resource.arn;
  }
}
