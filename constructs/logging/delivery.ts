import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import { CloudwatchLogStream } from "@cdktf/provider-aws/lib/cloudwatch-log-stream";
import { CloudwatchLogSubscriptionFilter } from "@cdktf/provider-aws/lib/cloudwatch-log-subscription-filter";
import {
  KinesisFirehoseDeliveryStream,
  type KinesisFirehoseDeliveryStreamConfig,
} from "@cdktf/provider-aws/lib/kinesis-firehose-delivery-stream";
import { Construct } from "constructs";
import { Alarm, type IAlarm, type Query } from "../core/alarm";
import { Role, type Statement } from "../core/iam";
import { LogKey } from "../core/key";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { archiveSeenFrom, type ILogArchive, LogArchive } from "./archive";
import type { HttpDestination, LogDestination } from "./destinations";

/** Part of names in AWS, in the order of their use. */
const TITLES = { archive: "archive", "http-endpoint": "endpoint", kinesis: "kinesis", account: "account" } as const;

/** How old what waits for the archive may grow before somebody is told. Firehose itself waits for 5 minutes. */
const LATE_SECONDS = 1800;

interface Stream {
  /** Parts of names: `shop`, `dev`, `orders`. */
  readonly name: readonly string[];
  readonly logGroupName: string;
}

/**
 * Sends the lines of a log group on, to each destination by a filter of its own. What cannot be delivered goes to dead
 * letters, below `failed/` in the archive, and sets off an alarm.
 */
export class LogDelivery extends Construct {
  /** Where dead letters of the stream are, where a destination can have any. */
  readonly archive: ILogArchive | undefined;
  readonly alarms: readonly IAlarm[];

  constructor(scope: Construct, id: string, stream: Stream, destinations: readonly LogDestination[]) {
    super(scope, id);
    this.archive = this.#archive(destinations);
    const sender = new Role(this, "Sender", {
      name: [...stream.name, "log-sender"].join("-"),
      service: "logs.amazonaws.com",
    });
    this.alarms = destinations.map((destination, index) => this.#send(stream, destination, index, sender));
  }

  /** The stream's archive; where it has none but needs dead letters, one for them alone. */
  #archive(destinations: readonly LogDestination[]): ILogArchive | undefined {
    const wanted = destinations.find((destination) => destination.kind === "archive")?.archive;
    if (wanted !== undefined && "node" in wanted) return archiveSeenFrom(this, "Archive", wanted);
    if (wanted !== undefined) return new LogArchive(this, "Archive", wanted);
    if (!destinations.some(({ kind }) => kind === "http-endpoint")) return undefined;
    return new LogArchive(this, "DeadLetters", { keep: Duration.days(30) });
  }

  #send(stream: Stream, destination: LogDestination, index: number, sender: Role): IAlarm {
    const title = TITLES[destination.kind];
    const id = `${title[0]?.toUpperCase()}${title.slice(1)}`;
    const scope = new Construct(this, destination.kind === "archive" ? "ToArchive" : `${id}${index + 1}`);
    const filterName = index === 0 ? title : `${title}-${index + 1}`;
    const name = [...stream.name, filterName];
    const firehose =
      destination.kind === "archive" || destination.kind === "http-endpoint"
        ? this.#firehose(scope, name, stream, destination.kind === "archive" ? undefined : destination)
        : undefined;
    const target =
      firehose?.arn ??
      (destination.kind === "kinesis"
        ? destination.streamArn
        : (destination as { destinationArn: string }).destinationArn);
    if (destination.kind !== "account") {
      sender.grant({
        actions: firehose === undefined ? ["kinesis:PutRecord"] : ["firehose:PutRecord", "firehose:PutRecordBatch"],
        resources: [target],
      });
    }
    const filter = new CloudwatchLogSubscriptionFilter(scope, "Filter", {
      name: filterName,
      logGroupName: stream.logGroupName,
      // All lines.
      filterPattern: "",
      destinationArn: target,
      // Who owns the other account has let this one in; a role of here means nothing there.
      roleArn: destination.kind === "account" ? undefined : sender.roleArn,
    });
    sender.whenPolicy((address) => {
      // CloudWatch tries whether it can send before it takes the filter.
      filter.dependsOn = [address];
    });
    return new Alarm(scope, "Failed", {
      name: [...name, "failed"],
      description: `Lines of ${stream.name.join("-")} do not arrive (${title}). What was not delivered is below failed/ in the archive.`,
      threshold: 0,
      periodSeconds: 300,
      periods: 1,
      queries: () => failures(stream, destination, firehose?.name),
    });
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
      role.grant({ actions: ["secretsmanager:GetSecretValue"], resources: [endpoint.secretArn] });
    }
    const log = this.#ownLog(stream);
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
                // CloudWatch compresses each batch. Unpacked, one batch is one line of JSON, with all that CloudWatch knows.
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
              url: endpoint.url,
              name: streamName,
              bufferingInterval: 60,
              bufferingSize: 1,
              retryDuration: endpoint.retry.toSeconds(),
              s3BackupMode: "FailedDataOnly",
              requestConfiguration: { contentEncoding: "GZIP" },
              secretsManagerConfiguration:
                endpoint.secretArn === undefined
                  ? undefined
                  : { enabled: true, secretArn: endpoint.secretArn, roleArn: role.roleArn },
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

  /** What Firehose says of its own failures. */
  #ownLog(stream: Stream): CloudwatchLogGroup {
    const made = this.node.tryFindChild("Log") as CloudwatchLogGroup | undefined;
    if (made !== undefined) return made;
    const name = `/${stream.name.join("/")}/delivery`;
    return new CloudwatchLogGroup(this, "Log", {
      name,
      retentionInDays: 30,
      kmsKeyId: AwsStack.of(this).defaults.encryptedLogs
        ? new LogKey(this, "LogKey", { description: `Log lines of ${name}`, logGroupName: name }).keyArn
        : undefined,
    });
  }
}

/** Below the stream's own prefixes, and nowhere else. @see https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html */
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

/**
 * 1 where lines do not arrive, else 0.
 *
 * @see https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html
 */
function failures(stream: Stream, { kind }: LogDestination, deliveryStream: string | undefined): Query[] {
  const refused: Query = {
    id: "refused",
    metric: {
      namespace: "AWS/Logs",
      metricName: "DeliveryErrors",
      dimensions: { LogGroupName: stream.logGroupName },
      statistic: "Sum",
    },
  };
  const ofFirehose = (id: string, metricName: string, statistic: "Sum" | "Maximum" | "Minimum"): Query => ({
    id,
    metric: {
      namespace: "AWS/Firehose",
      metricName,
      dimensions: { DeliveryStreamName: deliveryStream as string },
      statistic,
    },
  });
  const result = (expression: string): Query => ({
    id: "result",
    expression: `IF(${expression}, 1, 0)`,
    returned: true,
  });
  if (kind === "archive") {
    return [
      refused,
      ofFirehose("undecoded", "OutputDecompressedRecords.Failed", "Sum"),
      ofFirehose("age", "DeliveryToS3.DataFreshness", "Maximum"),
      result(`FILL(refused, 0) + FILL(undecoded, 0) > 0 OR FILL(age, 0) > ${LATE_SECONDS}`),
    ];
  }
  if (kind === "http-endpoint") {
    return [
      refused,
      ofFirehose("delivered", "DeliveryToHttpEndpoint.Success", "Minimum"),
      result("FILL(refused, 0) > 0 OR FILL(delivered, 1) < 1"),
    ];
  }
  return [refused, result("FILL(refused, 0) > 0")];
}
