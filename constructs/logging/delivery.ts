import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogStream } from "@cdktf/provider-aws/lib/cloudwatch-log-stream";
import { CloudwatchLogSubscriptionFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-subscription-filter";
import {
  KinesisFirehoseDeliveryStream,
  type KinesisFirehoseDeliveryStreamConfig,
} from "@cdktf/provider-aws/lib/kinesis-firehose-delivery-stream";
import { Construct } from "constructs";
import { Alarm, type IAlarm, type MetricDataQuery } from "../core/alarm";
import { Role, type Statement } from "../core/iam";
import { LogKey } from "../core/key";
import { literal } from "../core/literal";
import type { Statistic } from "../core/metric";
import { kebab, keyedId, pascal } from "../core/names";
import { isReference } from "../core/reference";
import { movedFrom } from "../core/renamed";
import { readsSecrets } from "../core/secrets";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { archiveSeenFrom, type ILogArchive, LogArchive } from "./archive";
import type { HttpDestination, LogDestination } from "./destinations";
import { deadLetterPrefix, OpenSearchSender } from "./opensearch-sender";

/** Parts of physical names in AWS. */
const TITLES = {
  archive: "archive",
  "http-endpoint": "endpoint",
  kinesis: "kinesis",
  account: "account",
  opensearch: "opensearch",
} as const;

/** Destinations with dead letters, which need an archive. */
const HAVE_DEAD_LETTERS: readonly LogDestination["kind"][] = ["http-endpoint", "opensearch"];

/** Age of undelivered data at which the alarm fires. Firehose itself buffers for 5 minutes. */
const LATE_SECONDS = 1800;

/** Metric of failed deliveries to a destination, and its alarm threshold. */
interface Failures {
  readonly queries: readonly MetricDataQuery[];
  /** Conditions of failure, in CloudWatch metric math; any of them counts. */
  readonly when: readonly string[];
}

/** Resources that deliver log lines to a destination. */
interface Way {
  readonly arn: string;
  /** Role that CloudWatch Logs assumes for destinations without a resource policy. */
  readonly sender?: Role;
  /** Address of the resource policy or permission that allows CloudWatch Logs, for destinations that have one. */
  readonly permission?: string;
  /** Prefix of dead letters in the archive. */
  readonly deadLetters?: string;
  /** @default - the metrics of CloudWatch Logs */
  readonly failures?: Failures;
}

interface Stream {
  /** Parts of the name: `shop`, `dev`, `orders`. */
  readonly name: readonly string[];
  readonly logGroupName: string;
}

/**
 * Delivers the lines of a log group to each destination through a subscription filter. Lines that cannot be delivered are
 * stored as dead letters under `failed/` in the archive and trigger an alarm.
 */
export class LogDelivery extends Construct {
  /** Archive of dead letters; undefined if no destination can have any. */
  readonly archive: ILogArchive | undefined;
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, stream: Stream, destinations: readonly LogDestination[]) {
    super(scope, id);
    this.archive = this.#archive(destinations);
    this.alarms = destinations.map((destination, index) => this.#send(stream, destination, index));
  }

  /** Returns the stream's archive, or creates one for dead letters if they are needed and there is none. */
  #archive(destinations: readonly LogDestination[]): ILogArchive | undefined {
    const wanted = destinations.find((destination) => destination.kind === "archive")?.archive;
    if (wanted !== undefined && "node" in wanted) return archiveSeenFrom(this, "Archive", wanted);
    if (wanted !== undefined) return new LogArchive(this, "Archive", wanted);
    if (!destinations.some(({ kind }) => HAVE_DEAD_LETTERS.includes(kind))) return undefined;
    return new LogArchive(this, "DeadLetters", { keep: Duration.days(30) });
  }

  #send(stream: Stream, destination: LogDestination, index: number): IAlarm {
    const title = TITLES[destination.kind];
    const target = targetOf(destination);
    const position = `${pascal(title)}${index + 1}`;
    const id =
      target === undefined ? "ToArchive" : isReference(target) ? position : keyedId(this, pascal(title), target);
    const scope = new Construct(this, id);
    // Before, ids and names were by position.
    if (target !== undefined && id !== position) movedFrom(scope, position);
    const filterName = target === undefined ? title : id === position ? `${title}-${index + 1}` : kebab(id);
    const name = [...stream.name, filterName];
    const way = this.#way(scope, name, stream, destination);
    const filter = new CloudwatchLogSubscriptionFilter(scope, "Filter", {
      name: filterName,
      logGroupName: stream.logGroupName,
      // An empty pattern matches all lines.
      filterPattern: "",
      destinationArn: way.arn,
      roleArn: way.sender?.roleArn,
    });
    // CloudWatch sends a test message before it accepts the filter.
    if (way.permission !== undefined) filter.dependsOn = [way.permission];
    way.sender?.whenPolicy((address) => {
      filter.dependsOn = [address];
    });
    return new Alarm(scope, "Failed", {
      name: [...name, "failed"],
      description: `Log lines of ${stream.name.join("-")} are not delivered (${title}). ${way.deadLetters === undefined ? "CloudWatch retries for a day" : `Undelivered lines are stored under ${way.deadLetters} in the archive`}.`,
      threshold: 0,
      periodSeconds: 300,
      datapoints: 1,
      periods: 1,
      queries: () => failures(stream, way),
    });
  }

  #way(scope: Construct, name: readonly string[], stream: Stream, destination: LogDestination): Way {
    switch (destination.kind) {
      case "archive":
      case "http-endpoint": {
        const endpoint = destination.kind === "archive" ? undefined : destination;
        const firehose = this.#firehose(scope, name, stream, endpoint);
        const sender = this.#sender(stream, ["firehose:PutRecord", "firehose:PutRecordBatch"], firehose.arn);
        const failures = endpoint === undefined ? unarchived(firehose.name) : undelivered(firehose.name);
        return { arn: firehose.arn, sender, deadLetters: "failed/", failures };
      }
      case "kinesis": {
        const arn = literal(destination.streamArn);
        return { arn, sender: this.#sender(stream, ["kinesis:PutRecord"], arn) };
      }
      case "account":
        // The owner of the other account allows this one; a role of this account has no effect there.
        return { arn: literal(destination.destinationArn) };
      case "opensearch": {
        const functionName = AwsStack.of(this).physicalName("function", ...name);
        const to = new OpenSearchSender(scope, "Sender", {
          name: functionName,
          destination,
          index: destination.index === undefined ? stream.name.join("-").toLowerCase() : literal(destination.index),
          logGroupName: stream.logGroupName,
          deadLetters: this.archive as ILogArchive,
          log: ownLog(scope, `/aws/lambda/${functionName}`),
        });
        return {
          arn: to.functionArn,
          permission: to.permissionAddress,
          deadLetters: deadLetterPrefix(functionName),
          failures: unstored(functionName),
        };
      }
    }
  }

  /** Creates the role that CloudWatch Logs assumes for destinations without a resource policy. */
  #sender(stream: Stream, actions: readonly string[], target: string): Role {
    const made = this.node.tryFindChild("Sender") as Role | undefined;
    const name = [...stream.name, "log-sender"].join("-");
    const sender = made ?? new Role(this, "Sender", { name, service: "logs.amazonaws.com" });
    sender.grant({ actions, resources: [target] });
    return sender;
  }

  #firehose(
    scope: Construct,
    name: readonly string[],
    stream: Stream,
    endpoint: HttpDestination | undefined,
  ): { readonly arn: string; readonly name: string } {
    const stack = AwsStack.of(this);
    const archive = this.archive as ILogArchive;
    const prefix = stream.name.join("/");
    const streamName = stack.physicalName("deliveryStream", ...name);
    const role = new Role(scope, "Role", { name: [...name, "delivery"].join("-"), service: "firehose.amazonaws.com" });
    for (const statement of writesTo(archive, prefix)) role.grant(statement);
    if (endpoint?.secretArn !== undefined) {
      const { partition, environment } = stack;
      const place = { partition, region: environment.region };
      for (const each of readsSecrets("secretsmanager", place, [literal(endpoint.secretArn)])) role.grant(each);
    }
    const log = ownLog(this, `/${stream.name.join("/")}/delivery`);
    new CloudwatchLogStream(scope, "Log", { name: streamName, logGroupName: log.name });
    role.grant({ actions: ["logs:PutLogEvents"], resources: [`${log.arn}:log-stream:${streamName}`] });
    const common = {
      roleArn: role.roleArn,
      bufferingInterval: 300,
      cloudwatchLoggingOptions: { enabled: true, logGroupName: log.name, logStreamName: streamName },
    };
    const bucket = {
      bucketArn: archive.bucketArn,
      bufferingSize: 64,
      errorOutputPrefix: `failed/${prefix}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/`,
      compressionFormat: "GZIP",
      kmsKeyArn: archive.keyArn,
    };
    const config: Partial<KinesisFirehoseDeliveryStreamConfig> =
      endpoint === undefined
        ? {
            destination: "extended_s3",
            extendedS3Configuration: {
              ...common,
              ...bucket,
              prefix: `${prefix}/!{timestamp:yyyy/MM/dd}/`,
              processingConfiguration: {
                enabled: true,
                // CloudWatch compresses each batch. Decompressed, a batch is one line of JSON with all metadata.
                processors: [
                  {
                    type: "Decompression",
                    parameters: [{ parameterName: "CompressionFormat", parameterValue: "GZIP" }],
                  },
                  {
                    type: "AppendDelimiterToRecord",
                    parameters: [{ parameterName: "Delimiter", parameterValue: "\\n" }],
                  },
                ],
              },
            },
          }
        : {
            destination: "http_endpoint",
            httpEndpointConfiguration: {
              ...common,
              url: literal(endpoint.url),
              name: streamName,
              bufferingInterval: 60,
              bufferingSize: 1,
              retryDuration: endpoint.retry.toSeconds(),
              s3BackupMode: "FailedDataOnly",
              requestConfiguration: { contentEncoding: "GZIP" },
              secretsManagerConfiguration:
                endpoint.secretArn === undefined
                  ? undefined
                  : { enabled: true, secretArn: literal(endpoint.secretArn), roleArn: role.roleArn },
              s3Configuration: {
                ...common,
                ...bucket,
                prefix: `failed/${prefix}/!{timestamp:yyyy/MM/dd}/`,
              },
            },
          };
    const firehose = new KinesisFirehoseDeliveryStream(scope, "Resource", {
      ...(config as KinesisFirehoseDeliveryStreamConfig),
      name: streamName,
      serverSideEncryption: { enabled: true, keyType: "AWS_OWNED_CMK" },
    });
    role.whenPolicy((address) => {
      firehose.dependsOn = [address];
    });
    return { arn: firehose.arn, name: streamName };
  }
}

/** Target of a destination, in a word that does not depend on its place in the list; undefined for the one archive. */
function targetOf(destination: LogDestination): string | undefined {
  switch (destination.kind) {
    case "archive":
      return undefined;
    case "http-endpoint":
      return destination.url.replace(/^https:\/\/([^/:]+).*$/, "$1");
    case "kinesis":
      return destination.streamArn.replace(/^.*[:/]/, "");
    case "account":
      return destination.destinationArn.replace(/^.*[:/]/, "");
    case "opensearch": {
      const domain = destination.domainArn.replace(/^.*[:/]/, "");
      return destination.index === undefined ? domain : `${domain}-${destination.index}`;
    }
  }
}

/** Creates the log group in which an AWS service reports its own delivery failures. */
function ownLog(scope: Construct, name: string): CloudwatchLogGroup {
  const made = scope.node.tryFindChild("Log") as CloudwatchLogGroup | undefined;
  if (made !== undefined) return made;
  return new CloudwatchLogGroup(scope, "Log", {
    name,
    retentionInDays: 30,
    kmsKeyId: AwsStack.of(scope).customerManagedKeys
      ? new LogKey(scope, "LogKey", { description: `Log lines of ${name}`, logGroupName: name }).keyArn
      : undefined,
  });
}

/**
 * Allows writing under the stream's own prefixes only. @see
 * https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
 */
function writesTo(archive: ILogArchive, prefix: string): Statement[] {
  return [
    {
      actions: ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
      resources: [`${archive.bucketArn}/${prefix}/*`, `${archive.bucketArn}/failed/${prefix}/*`],
    },
    {
      actions: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
      resources: [archive.bucketArn],
    },
    { actions: ["kms:Decrypt", "kms:GenerateDataKey"], resources: [archive.keyArn] },
  ];
}

/** Returns 1 while lines are not delivered, otherwise 0. */
function failures(stream: Stream, way: Way): MetricDataQuery[] {
  const { queries = [], when = [] } = way.failures ?? {};
  const refused: MetricDataQuery = {
    id: "refused",
    metric: {
      namespace: "AWS/Logs",
      metricName: "DeliveryErrors",
      dimensions: { LogGroupName: stream.logGroupName },
      statistic: "Sum",
    },
  };
  const failed = ["FILL(refused, 0) > 0", ...when].join(" OR ");
  return [refused, ...queries, { id: "result", expression: `IF(${failed}, 1, 0)`, returned: true }];
}

/** @see https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html */
function ofFirehose(stream: string, id: string, metricName: string, statistic: Statistic): MetricDataQuery {
  return {
    id,
    metric: { namespace: "AWS/Firehose", metricName, dimensions: { DeliveryStreamName: stream }, statistic },
  };
}

function unarchived(stream: string): Failures {
  return {
    queries: [
      ofFirehose(stream, "undecoded", "OutputDecompressedRecords.Failed", "Sum"),
      ofFirehose(stream, "age", "DeliveryToS3.DataFreshness", "Maximum"),
    ],
    when: ["FILL(undecoded, 0) > 0", `FILL(age, 0) > ${LATE_SECONDS}`],
  };
}

function undelivered(stream: string): Failures {
  return {
    queries: [ofFirehose(stream, "delivered", "DeliveryToHttpEndpoint.Success", "Minimum")],
    when: ["FILL(delivered, 1) < 1"],
  };
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#async-invocation-metrics */
function unstored(functionName: string): Failures {
  const query = (id: string, metricName: string, statistic: Statistic): MetricDataQuery => ({
    id,
    metric: { namespace: "AWS/Lambda", metricName, dimensions: { FunctionName: functionName }, statistic },
  });
  return {
    queries: [
      query("dropped", "AsyncEventsDropped", "Sum"),
      query("lost", "DestinationDeliveryFailures", "Sum"),
      query("age", "AsyncEventAge", "Maximum"),
    ],
    when: ["FILL(dropped, 0) > 0", "FILL(lost, 0) > 0", `FILL(age, 0) > ${LATE_SECONDS * 1000}`],
  };
}
