import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { invalid, Problems } from "../core/errors";
import type { IGrantable } from "../core/iam";
import { LogKey } from "../core/key";
import { literal } from "../core/literal";
import { kebab, NAME_LIMITS, physicalName } from "../core/names";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";

/** Retentions that CloudWatch Logs has, in days. */
export const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

export const DELIVERIES = ["availability", "audit"] as const;
/**
 * What happens when the log service is slow: `availability` drops the oldest lines from a bounded buffer, `audit` blocks
 * the writer and loses nothing.
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
   * How long lines stay searchable in CloudWatch; one of the lengths that it has, in days.
   *
   * @default Duration.days(30) in dev, Duration.days(365) in production
   */
  readonly retention?: Duration;
  /**
   * What happens when CloudWatch is slow.
   *
   * @default "availability"
   */
  readonly delivery?: Delivery;
}

/** A log stream, owned by this app or imported. */
export interface ILogStream extends IConstruct {
  /** ARN of the log group behind the stream. */
  readonly logGroupArn: string;
  readonly logGroupName: string;
  readonly delivery: Delivery;
  readonly grants: LogStreamGrants;
}

/** Who may do what with a log stream. */
export class LogStreamGrants {
  constructor(private readonly logGroupArn: string) {}

  /** May write lines. */
  write(grantee: IGrantable): void {
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
}

/** @throws InvalidPropsError LOG_NAME, LOG_RETENTION, LOG_DELIVERY */
export function resolveLogStream(scope: IConstruct, props: LogStreamProps): LogStreamSettings {
  const { stackName, environment, defaults } = AwsStack.of(scope);
  const name = props.name ?? physicalName("logGroup", `/${stackName}/${environment.name}/${kebab(scope.node.id)}`);
  const retention = props.retention ?? defaults.logRetention;
  const delivery = props.delivery ?? "availability";
  const problems = new Problems(scope);
  problems.check(
    Token.isUnresolved(name) || (/^[.\-_/#A-Za-z0-9]+$/.test(name) && name.length <= NAME_LIMITS.logGroup),
    "LOG_NAME",
    "name",
    `${JSON.stringify(name)} is no name for a log group`,
    `Use up to ${NAME_LIMITS.logGroup} letters, digits and . - _ / #`,
  );
  problems.check(
    (RETENTION_DAYS as readonly number[]).includes(retention.toDays()),
    "LOG_RETENTION",
    "retention",
    `${retention} is no retention that CloudWatch Logs has`,
    `Use one of these, in days: ${RETENTION_DAYS.join(", ")}.`,
  );
  problems.check(
    DELIVERIES.includes(delivery),
    "LOG_DELIVERY",
    "delivery",
    `${JSON.stringify(delivery)} is not known`,
    `Use one of: ${DELIVERIES.join(", ")}.`,
  );
  problems.throwIfAny();
  return { name: literal(name), retention, delivery };
}

/**
 * A stream of a service's log lines, kept and searchable: owns a CloudWatch log group (which AWS says holds log streams,
 * one a task).
 *
 * Costs about 0.60 USD a GB that comes in and 0.03 USD a GB and month that is kept. In profile `strict` it is encrypted with
 * a key of its own, for 1 USD a month.
 *
 * @example
 * ```ts
 * new LogStream(stack, "Audit", { retention: Duration.days(731), delivery: "audit" });
 * ```
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html
 */
export class LogStream extends Construct implements ILogStream {
  /** Refers to a log group that somebody else owns, by its full name. */
  static fromLogGroupName(
    scope: Construct,
    id: string,
    name: string,
    options: { readonly delivery?: Delivery } = {},
  ): ILogStream {
    return new ImportedLogStream(scope, id, name, options.delivery ?? "availability");
  }

  readonly logGroupArn: string;
  readonly logGroupName: string;
  readonly retention: Duration;
  readonly delivery: Delivery;
  readonly grants: LogStreamGrants;

  constructor(scope: Construct, id: string, props: LogStreamProps = {}) {
    super(scope, id);
    const settings = resolveLogStream(this, props);
    const group = new CloudwatchLogGroup(this, "Resource", {
      name: settings.name,
      retentionInDays: settings.retention.toDays(),
      kmsKeyId: AwsStack.of(this).defaults.encryptedLogs
        ? new LogKey(this, "Key", { description: `Log lines of ${settings.name}`, logGroupName: settings.name }).keyArn
        : undefined,
    });
    this.logGroupArn = group.arn;
    this.logGroupName = group.name;
    this.retention = settings.retention;
    this.delivery = settings.delivery;
    this.grants = new LogStreamGrants(group.arn);
  }
}

class ImportedLogStream extends Construct implements ILogStream {
  readonly logGroupArn: string;
  readonly logGroupName: string;
  readonly delivery: Delivery;
  readonly grants: LogStreamGrants;

  constructor(scope: Construct, id: string, name: string, delivery: Delivery) {
    super(scope, id);
    if (name === "") {
      throw invalid(this, "LOG_NAME", "name", "is empty", "Use the log group's full name, such as /shop/dev/orders.");
    }
    this.logGroupName = literal(name);
    this.logGroupArn = AwsStack.of(this).arn("logs", `log-group:${this.logGroupName}`);
    this.delivery = delivery;
    this.grants = new LogStreamGrants(this.logGroupArn);
  }
}
