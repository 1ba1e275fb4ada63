import type { MetricAlarm, MetricRow } from "../../support/alarms/metric-alarm";
import type { StepPolicy } from "../../support/scaling-policy";

type Values = Readonly<Record<string, unknown>>;
type Resources = Readonly<Record<string, Readonly<Record<string, Values>>>>;

/** A metric alarm as it is synthesized. */
export interface SynthesizedAlarm extends MetricAlarm {
  /** Address in Terraform. */
  readonly address: string;
  /** Its literal name in AWS. */
  readonly name: string;
  /** Addresses of the scaling policies that it starts. */
  readonly policies: readonly string[];
}

export interface SynthesizedComposite {
  readonly address: string;
  readonly name: string;
  readonly rule: string;
}

/** Bounds of a number of tasks or instances, and the policies that change it. */
export interface SynthesizedScaling {
  readonly address: string;
  readonly min: number;
  readonly max: number;
  readonly tracking: readonly TrackingPolicy[];
  readonly steps: readonly SynthesizedSteps[];
}

export interface TrackingPolicy {
  readonly address: string;
  readonly rows: readonly MetricRow[];
  readonly target: number;
  readonly outCooldownSeconds: number | undefined;
  readonly inCooldownSeconds: number | undefined;
}

export interface SynthesizedSteps extends StepPolicy {
  readonly address: string;
  readonly alarm: SynthesizedAlarm;
  readonly cooldownSeconds: number | undefined;
  readonly warmupSeconds: number | undefined;
}

/** Everything of one stack that watches or scales. */
export interface Watching {
  readonly alarms: readonly SynthesizedAlarm[];
  readonly composites: readonly SynthesizedComposite[];
  readonly scalings: readonly SynthesizedScaling[];
}

const list = <T>(value: unknown): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as T[]) : [value as T];

/** Addresses that a text refers to: of `${aws_x.Y.arn}` it is `aws_x.Y`. */
const referred = (text: unknown): string | undefined => /^\$\{(\w+\.\w+)\.\w+\}$/.exec(String(text))?.[1];

/** Reads alarms and scaling policies out of a synthesized stack. */
export function watchingOf(program: object): Watching {
  const { resource = {} } = program as { readonly resource?: Resources };
  const all = (type: string) =>
    Object.entries(resource[type] ?? {}).map(([id, values]) => ({ address: `${type}.${id}`, values }));
  const alarms = all("aws_cloudwatch_metric_alarm").map(({ address, values }) => alarmOf(address, values));
  const scalings = [
    ...all("aws_appautoscaling_target").map(({ address, values }) => ({
      address,
      min: values.min_capacity as number,
      max: values.max_capacity as number,
      policies: all("aws_appautoscaling_policy").filter((policy) => referred(policy.values.resource_id) === address),
    })),
    ...all("aws_autoscaling_group").map(({ address, values }) => ({
      address,
      min: values.min_size as number,
      max: values.max_size as number,
      policies: all("aws_autoscaling_policy").filter(
        (policy) => referred(policy.values.autoscaling_group_name) === address,
      ),
    })),
  ];
  return {
    alarms,
    composites: all("aws_cloudwatch_composite_alarm").map(({ address, values }) => ({
      address,
      name: values.alarm_name as string,
      rule: values.alarm_rule as string,
    })),
    scalings: scalings.map(({ policies, ...scaling }) => ({
      ...scaling,
      tracking: policies.flatMap(({ address, values }) => trackingOf(address, values)),
      steps: policies.flatMap(({ address, values }) => stepsOf(address, values, alarms)),
    })),
  };
}

/** Addresses of the alarms that roll a deployment back or stop an experiment. */
export function decisionsOf(program: object): {
  readonly rollsBack: ReadonlySet<string>;
  readonly stops: ReadonlySet<string>;
} {
  const { resource = {} } = program as { readonly resource?: Resources };
  const { alarms, composites } = watchingOf(program);
  const addressOf = new Map([...alarms, ...composites].map(({ name, address }) => [name, address]));
  const values = (type: string) => Object.values(resource[type] ?? {});
  const names = [
    ...values("aws_ecs_service").flatMap(({ alarms: watched }) =>
      list<Values>(watched).flatMap(({ alarm_names }) => list<string>(alarm_names)),
    ),
    ...values("aws_codedeploy_deployment_group").flatMap(({ alarm_configuration }) =>
      list<Values>(alarm_configuration).flatMap(({ alarms: watched }) => list<string>(watched)),
    ),
  ];
  const conditions = values("aws_fis_experiment_template").flatMap(({ stop_condition }) =>
    list<Values>(stop_condition),
  );
  return {
    rollsBack: new Set(names.flatMap((name) => addressOf.get(name) ?? [])),
    stops: new Set(conditions.flatMap(({ value }) => referred(value) ?? [])),
  };
}

function alarmOf(address: string, values: Values): SynthesizedAlarm {
  const queries = list<Values>(values.metric_query);
  const single: MetricRow = {
    id: "metric",
    metric: {
      namespace: values.namespace as string,
      metricName: values.metric_name as string,
      dimensions: (values.dimensions ?? {}) as Readonly<Record<string, string>>,
      statistic: values.statistic as string,
    },
    returned: true,
  };
  const periods = queries.flatMap(({ metric }) => list<Values>(metric).map(({ period }) => period as number));
  const evaluationPeriods = values.evaluation_periods as number;
  return {
    address,
    name: values.alarm_name as string,
    rows: queries.length === 0 ? [single] : queries.map(alarmRow),
    periodSeconds: periods[0] ?? (values.period as number),
    evaluationPeriods,
    datapointsToAlarm: (values.datapoints_to_alarm as number | undefined) ?? evaluationPeriods,
    threshold: values.threshold as number,
    comparison: values.comparison_operator as string,
    treatMissingData: (values.treat_missing_data as string | undefined) ?? "missing",
    policies: list<string>(values.alarm_actions).flatMap((action) => {
      const policy = referred(action);
      return policy?.includes("scaling_policy") ? [policy] : [];
    }),
  };
}

function alarmRow({ id, expression, metric, return_data }: Values): MetricRow {
  const stat = list<Values>(metric)[0];
  return {
    id: id as string,
    returned: return_data === true,
    ...(expression === undefined ? {} : { expression: expression as string }),
    ...(stat === undefined
      ? {}
      : {
          metric: {
            namespace: stat.namespace as string,
            metricName: stat.metric_name as string,
            dimensions: (stat.dimensions ?? {}) as Readonly<Record<string, string>>,
            statistic: stat.stat as string,
          },
        }),
  };
}

/** Metrics that AWS tracks for each predefined metric type. */
const PREDEFINED: Readonly<Record<string, { namespace: string; metricName: string; statistic: string }>> = {
  ECSServiceAverageCPUUtilization: { namespace: "AWS/ECS", metricName: "CPUUtilization", statistic: "Average" },
  ECSServiceAverageMemoryUtilization: { namespace: "AWS/ECS", metricName: "MemoryUtilization", statistic: "Average" },
  ASGAverageCPUUtilization: { namespace: "AWS/EC2", metricName: "CPUUtilization", statistic: "Average" },
  ASGAverageNetworkIn: { namespace: "AWS/EC2", metricName: "NetworkIn", statistic: "Average" },
  ASGAverageNetworkOut: { namespace: "AWS/EC2", metricName: "NetworkOut", statistic: "Average" },
  ALBRequestCountPerTarget: {
    namespace: "AWS/ApplicationELB",
    metricName: "RequestCountPerTarget",
    statistic: "Sum",
  },
};

function trackingOf(address: string, values: Values): TrackingPolicy[] {
  const settings = values.target_tracking_scaling_policy_configuration ?? list(values.target_tracking_configuration)[0];
  const configuration = list<Values>(settings)[0];
  if (configuration === undefined) return [];
  const word = list<Values>(configuration.predefined_metric_specification)[0]?.predefined_metric_type as
    | string
    | undefined;
  const predefined = word === undefined ? undefined : PREDEFINED[word];
  if (word !== undefined && predefined === undefined) throw new Error(`${address} tracks ${word}, which is not known`);
  const custom = list<Values>(configuration.customized_metric_specification)[0];
  return [
    {
      address,
      target: configuration.target_value as number,
      rows:
        predefined === undefined
          ? list<Values>(custom?.metrics).map(policyRow)
          : [{ id: "metric", metric: { ...predefined, dimensions: {} }, returned: true }],
      outCooldownSeconds: configuration.scale_out_cooldown as number | undefined,
      inCooldownSeconds: configuration.scale_in_cooldown as number | undefined,
    },
  ];
}

function policyRow({ id, expression, metric_stat, return_data }: Values): MetricRow {
  const stat = list<Values>(metric_stat)[0];
  const metric = list<Values>(stat?.metric)[0];
  return {
    id: id as string,
    returned: return_data === true,
    ...(expression === undefined ? {} : { expression: expression as string }),
    ...(stat === undefined || metric === undefined
      ? {}
      : {
          metric: {
            namespace: metric.namespace as string,
            metricName: metric.metric_name as string,
            dimensions: Object.fromEntries(
              list<Values>(metric.dimensions).map(({ name, value }) => [name as string, value as string]),
            ),
            statistic: stat.stat as string,
          },
        }),
  };
}

function stepsOf(address: string, values: Values, alarms: readonly SynthesizedAlarm[]): SynthesizedSteps[] {
  if (values.policy_type !== "StepScaling") return [];
  const configuration = list<Values>(values.step_scaling_policy_configuration)[0] ?? values;
  const alarm = alarms.find(({ policies }) => policies.includes(address));
  if (alarm === undefined) throw new Error(`${address} is started by no alarm`);
  const bound = (value: unknown) => (value === undefined ? undefined : Number(value));
  return [
    {
      address,
      alarm,
      threshold: alarm.threshold,
      type: configuration.adjustment_type as StepPolicy["type"],
      steps: list<Values>(configuration.step_adjustment).map((step) => ({
        from: bound(step.metric_interval_lower_bound),
        to: bound(step.metric_interval_upper_bound),
        adjustment: step.scaling_adjustment as number,
      })),
      cooldownSeconds: configuration.cooldown as number | undefined,
      warmupSeconds: values.estimated_instance_warmup as number | undefined,
    },
  ];
}
