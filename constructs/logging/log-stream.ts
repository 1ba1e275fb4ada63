import { CloudwatchLogDataProtectionPolicy } from "@cdktf/provider-aws/lib/cloudwatch-log-data-protection-policy";
import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogMetricFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-metric-filter";
import { CloudwatchQueryDefinition } from "@cdktf/provider-aws/lib/cloudwatch-query-definition";
import { Construct, type IConstruct } from "constructs";
import { Alarm, type IAlarm } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { invalid, Problems } from "../core/errors";
import type { IGrantable } from "../core/iam";
import { LogKey } from "../core/key";
import { jsonText, literal } from "../core/literal";
import { kebab, NAME_LIMITS, physicalName } from "../core/names";
import { isReference } from "../core/reference";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";
import type { ILogArchive } from "./archive";
import { LogDelivery } from "./delivery";
import { checkDestinations, type LogDestination } from "./destinations";

/** Retention periods that CloudWatch Logs supports, in days. */
export const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

/** Values of `Delivery`. */
export const DELIVERIES = ["availability", "audit"] as const;
/**
 * Behavior when CloudWatch Logs is slow: `availability` buffers up to 25 MiB in each task and then drops the oldest lines;
 * `audit` blocks the writer and loses nothing.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
 */
export type Delivery = (typeof DELIVERIES)[number];

export interface LogStreamProps {
  /**
   * Full name of the log group.
   *
   * @default - `/<stack>/<environment>/<id>`
   */
  readonly name?: string;
  /**
   * Retention of lines in CloudWatch Logs, one of the periods that it supports.
   *
   * @default Duration.days(30) in dev, Duration.days(365) in production
   */
  readonly retention?: Duration;
  /**
   * Behavior when CloudWatch Logs is slow.
   *
   * @default "availability"
   */
  readonly delivery?: Delivery;
  /**
   * Additional destinations of lines, at most two: `archive()`, `sharedArchive()`, `openSearch()`, `httpEndpoint()`,
   * `kinesis()`, `anotherAccount()`.
   *
   * @default - none: lines are deleted after the retention
   */
  readonly destinations?: readonly LogDestination[];
  /**
   * Data to mask in lines, as AWS data identifiers: `EmailAddress`, `CreditCardNumber`, `Name`, `IpAddress`. Destinations
   * receive masked lines. Costs 0.12 USD per GB.
   *
   * @default - none
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/protect-sensitive-log-data-types.html
   */
  readonly mask?: readonly string[];
  /**
   * Metric filters, which count matching lines and can have an alarm.
   *
   * @default - none
   */
  readonly counts?: readonly MetricFilter[];
  /**
   * Saved CloudWatch Logs Insights queries, by name.
   *
   * @default - none
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
   */
  readonly queries?: Readonly<Record<string, string>>;
}

/** A metric filter, which counts matching lines as a CloudWatch metric. Costs 0.30 USD a month. */
export interface MetricFilter {
  /** Name in letters and digits: `PaymentsRefused`. */
  readonly name: string;
  /**
   * Filter pattern: `{ $.level = "error" }` for lines of JSON.
   *
   * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
   */
  readonly pattern: string;
  /**
   * Number of lines in 5 minutes above which an alarm fires. Costs 0.10 USD a month.
   *
   * @default - no alarm
   */
  readonly alarmAbove?: number;
}

/** A log stream, created by this app or imported. */
export interface ILogStream extends IConstruct {
  /** ARN of the log group. */
  readonly logGroupArn: string;
  readonly logGroupName: string;
  readonly delivery: Delivery;
  readonly grants: LogStreamGrants;
}

/** Permissions on a log stream: `logs.grants.write(report)`. */
export class LogStreamGrants {
  constructor(private readonly logGroupArn: string) {}

  /** Grants permission to write lines. */
  write(grantee: IGrantable): void {
    checkArguments("LogStreamGrants.write", { grantee });
    grantee.grant({
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [`${this.logGroupArn}:*`],
    });
  }
}

interface LogStreamSettings {
  readonly name: string;
  readonly retention: Duration;
  readonly delivery: Delivery;
  readonly destinations: readonly LogDestination[];
  readonly mask: readonly string[];
  readonly counts: readonly MetricFilter[];
  readonly queries: Readonly<Record<string, string>>;
}

/**
 * @throws InvalidPropsError LOG_NAME, LOG_RETENTION, LOG_DELIVERY, LOG_MASK, LOG_COUNT, LOG_QUERY, and the codes that {@link
 * checkDestinations} records
 */
export function resolveLogStream(scope: IConstruct, props: LogStreamProps): LogStreamSettings {
  const { stackName, environment, defaults } = AwsStack.of(scope);
  const name = props.name ?? physicalName("logGroup", `/${stackName}/${environment.name}/${kebab(scope.node.id)}`);
  const retention = props.retention ?? defaults.logRetention;
  const delivery = props.delivery ?? "availability";
  const problems = new Problems(scope);
  problems.check(isReference(name) || (/^[.\-_/#A-Za-z0-9]+$/.test(name) && name.length <= NAME_LIMITS.logGroup), {
    code: "LOG_NAME",
    prop: "name",
    problem: `${JSON.stringify(name)} is not a valid log group name`,
    remedy: `Use up to ${NAME_LIMITS.logGroup} letters, digits and . - _ / #`,
  });
  problems.check((RETENTION_DAYS as readonly number[]).includes(retention.toDays()), {
    code: "LOG_RETENTION",
    prop: "retention",
    problem: `must be a retention period that CloudWatch Logs supports, got ${retention}`,
    remedy: `Use one of these, in days: ${RETENTION_DAYS.join(", ")}.`,
  });
  problems.checkOneOf(delivery, DELIVERIES, { code: "LOG_DELIVERY", prop: "delivery" });
  const { destinations = [], mask = [], counts = [], queries = {} } = props;
  checkDestinations(problems, destinations);
  for (const word of mask) {
    problems.check(/^[A-Z][A-Za-z0-9]*(-[A-Z]{2})?$/.test(word), {
      code: "LOG_MASK",
      prop: "mask",
      problem: `${JSON.stringify(word)} is not a data identifier that CloudWatch can mask`,
      remedy: "Use AWS's own: EmailAddress, CreditCardNumber, Name, Address, PhoneNumber-DE.",
    });
  }
  for (const { name: counted, pattern, alarmAbove } of counts) {
    problems.check(
      /^[A-Z][A-Za-z0-9]{0,63}$/.test(counted) &&
        counts.filter((each) => each.name === counted).length === 1 &&
        pattern.length <= 1024 &&
        isFilterPattern(pattern) &&
        (alarmAbove === undefined || alarmAbove >= 0),
      {
        code: "LOG_COUNT",
        prop: `counts.${counted}`,
        problem:
          "must have a unique name of letters and digits, a pattern of up to 1024 characters whose quotes and brackets are closed, and an alarmAbove of at least 0",
        remedy: 'Use a filter such as { name: "PaymentsRefused", pattern: \'{ $.msg = "refused" }\', alarmAbove: 10 }.',
      },
    );
  }
  for (const [title, query] of Object.entries(queries)) {
    problems.check(/^[A-Za-z0-9 _-]{1,100}$/.test(title) && query.length >= 1 && query.length <= 10_000, {
      code: "LOG_QUERY",
      prop: `queries.${title}`,
      problem: "must have a name of letters, digits and spaces, and a query of up to 10000 characters",
      remedy: 'Use a query such as { "Slow requests": "filter durationMs > 1000 | sort @timestamp desc" }.',
    });
  }
  problems.throwIfAny();
  return { name: literal(name), retention, delivery, destinations, mask, counts, queries };
}

/** Returns true unless a filter pattern has a quote or an outer bracket that is not closed. */
function isFilterPattern(pattern: string): boolean {
  const text = pattern.trim().replaceAll(/\\./g, "");
  return text.split('"').length % 2 === 1 && /^(\{.*\}|\[.*\]|[^{[].*|)$/s.test(text);
}

/**
 * Creates a CloudWatch log group for the log lines of a service, with retention, alarms and further destinations. Named
 * after the concept of the twelve-factor app; in CloudWatch, the log group contains one log stream for each task.
 *
 * Costs about 0.60 USD per GB ingested and 0.03 USD per GB and month stored; each destination adds about 0.05 USD per GB.
 * With customer-managed encryption, the default of profile `strict`, it has its own KMS key, for 1 USD a month.
 *
 * @example
 * ```ts
 * new LogStream(stack, "Audit", {
 *   delivery: "audit",
 *   destinations: [archive({ keep: Duration.days(731) })],
 *   mask: ["EmailAddress"],
 *   counts: [{ name: "Refused", pattern: '{ $.msg = "refused" }', alarmAbove: 10 }],
 * });
 * ```
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
 */
export class LogStream extends Construct implements ILogStream {
  /** References the log group of another stack by its full name. */
  static fromLogGroupName(
    scope: Construct,
    id: string,
    name: string,
    options: { readonly delivery?: Delivery } = {},
  ): ILogStream {
    checkArguments("LogStream.fromLogGroupName", { name, options });
    return new ImportedLogStream(scope, id, name, options.delivery ?? "availability");
  }

  readonly logGroupArn: string;
  readonly logGroupName: string;
  readonly retention: Duration;
  readonly delivery: Delivery;
  readonly grants: LogStreamGrants;
  /** Archive of lines or dead letters; undefined if there is none. */
  readonly archive: ILogArchive | undefined;
  /** Alarms on failed delivery and on counted lines. */
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, props: LogStreamProps = {}) {
    super(scope, id);
    checkArguments("new LogStream", { props }, this);
    const settings = resolveLogStream(this, props);
    const group = new CloudwatchLogGroup(this, "Resource", {
      name: settings.name,
      retentionInDays: settings.retention.toDays(),
      kmsKeyId: AwsStack.of(this).customerManagedKeys
        ? new LogKey(this, "Key", { description: `Log lines of ${settings.name}`, logGroupName: settings.name }).keyArn
        : undefined,
    });
    this.logGroupArn = group.arn;
    this.logGroupName = group.name;
    this.retention = settings.retention;
    this.delivery = settings.delivery;
    this.grants = new LogStreamGrants(group.arn);
    const names = partsOf(this, settings.name);
    const counted = settings.counts.map((count) => this.#count(count, names));
    if (settings.mask.length > 0) this.#hide(settings.mask);
    for (const [title, query] of Object.entries(settings.queries)) {
      new CloudwatchQueryDefinition(this, `Query${title.replaceAll(/[^A-Za-z0-9]/g, "")}`, {
        name: [...names, title].join("/"),
        logGroupNames: [group.name],
        queryString: literal(query),
      });
    }
    const delivery =
      settings.destinations.length === 0
        ? undefined
        : new LogDelivery(this, "Delivery", { name: names, logGroupName: group.name }, settings.destinations);
    this.archive = delivery?.archive;
    this.alarms = [...counted.flatMap((alarm) => alarm ?? []), ...(delivery?.alarms ?? [])];
  }

  #hide(words: readonly string[]): void {
    const identifiers = words.map(
      (word) => `arn:${AwsStack.of(this).partition}:dataprotection::aws:data-identifier/${word}`,
    );
    new CloudwatchLogDataProtectionPolicy(this, "Mask", {
      logGroupName: this.logGroupName,
      policyDocument: jsonText({
        Name: "mask",
        Version: "2021-06-01",
        Statement: [
          { Sid: "audit", DataIdentifier: identifiers, Operation: { Audit: { FindingsDestination: {} } } },
          { Sid: "mask", DataIdentifier: identifiers, Operation: { Deidentify: { MaskConfig: {} } } },
        ],
      }),
    });
  }

  #count({ name, pattern, alarmAbove }: MetricFilter, names: readonly string[]): IAlarm | undefined {
    const measure = { namespace: `Antifragile/${names.join("/")}`, metricName: name };
    new CloudwatchLogMetricFilter(this, `Count${name}`, {
      name,
      logGroupName: this.logGroupName,
      pattern: literal(pattern),
      metricTransformation: { ...measure, name, value: "1", defaultValue: "0" },
    });
    if (alarmAbove === undefined) return undefined;
    return new Alarm(this, `${name}Alarm`, {
      name: [...names, "lines", kebab(name)],
      description: `More than ${alarmAbove} matching lines in 5 minutes: ${name}.`,
      threshold: alarmAbove,
      periodSeconds: 300,
      // The last but one period is complete, even if lines are counted late.
      datapoints: 1,
      periods: 2,
      queries: () => [
        { id: "lines", metric: { ...measure, dimensions: {}, statistic: "Sum" } },
        { id: "result", expression: "FILL(lines, 0)", returned: true },
      ],
    });
  }
}

/** Splits a log group's name into parts for other names; uses the construct's id if the name is not known at synth. */
function partsOf(scope: IConstruct, logGroupName: string): string[] {
  const { stackName, environment } = AwsStack.of(scope);
  if (isReference(logGroupName)) return [stackName, environment.name, kebab(scope.node.id)];
  return logGroupName.split(/[^A-Za-z0-9.-]+/).filter((part) => part !== "");
}

class ImportedLogStream extends Construct implements ILogStream {
  readonly logGroupArn: string;
  readonly logGroupName: string;
  readonly delivery: Delivery;
  readonly grants: LogStreamGrants;

  constructor(scope: Construct, id: string, name: string, delivery: Delivery) {
    super(scope, id);
    if (name === "") {
      throw invalid(this, {
        code: "LOG_NAME",
        prop: "name",
        problem: "is empty",
        remedy: "Use the log group's full name, such as /shop/dev/orders.",
      });
    }
    this.logGroupName = literal(name);
    this.logGroupArn = AwsStack.of(this).arn("logs", `log-group:${this.logGroupName}`);
    this.delivery = delivery;
    this.grants = new LogStreamGrants(this.logGroupArn);
  }
}
