import { Token } from "cdktf";
import type { Problems } from "../core/errors";
import { Duration } from "../core/units";
import type { ILogArchive, LogArchiveProps } from "./archive";

/** Subscription filters of one log group. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const SUBSCRIPTIONS = 2;

/** Lines to an archive of the stream's own, or to one that streams share. */
export interface ArchiveDestination {
  readonly kind: "archive";
  readonly archive: LogArchiveProps | ILogArchive;
}

/** Lines to whatever takes Firehose's requests. */
export interface HttpDestination {
  readonly kind: "http-endpoint";
  readonly url: string;
  readonly secretArn: string | undefined;
  readonly retry: Duration;
}

/** Lines to a Kinesis data stream of this account. */
export interface KinesisDestination {
  readonly kind: "kinesis";
  readonly streamArn: string;
}

/** Lines to a destination of CloudWatch Logs that another account has made, and lets this one write to. */
export interface AccountDestination {
  readonly kind: "account";
  readonly destinationArn: string;
}

/** Lines to a domain of Amazon OpenSearch Service. */
export interface OpenSearchDestination extends OpenSearchOptions {
  readonly kind: "opensearch";
}

/** Destination of log lines besides CloudWatch. */
export type LogDestination =
  | ArchiveDestination
  | HttpDestination
  | KinesisDestination
  | AccountDestination
  | OpenSearchDestination;

/** Keeps lines for long, compressed and by date, in an archive that this stream makes for itself. */
export function archive(props: LogArchiveProps = {}): ArchiveDestination {
  return { kind: "archive", archive: props };
}

/** Keeps lines for long in an archive that other streams use too, below a prefix of this stream's own. */
export function sharedArchive(archive: ILogArchive): ArchiveDestination {
  return { kind: "archive", archive };
}

/**
 * Sends lines to a product that takes Firehose's requests, as most that store logs do.
 *
 * @param options.url where to, with HTTPS
 * @param options.secretArn ARN of a secret `{"api_key": "..."}` that is sent along. Default: none
 * @param options.retry how long to try before lines go to the dead letters, up to 2 hours. Default: 5 minutes
 * @see https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
 */
export function httpEndpoint(options: {
  readonly url: string;
  readonly secretArn?: string;
  readonly retry?: Duration;
}): HttpDestination {
  return {
    kind: "http-endpoint",
    url: options.url,
    secretArn: options.secretArn,
    retry: options.retry ?? Duration.minutes(5),
  };
}

export interface OpenSearchOptions {
  /** `arn:aws:es:eu-central-1:123456789012:domain/logs` */
  readonly domainArn: string;
  /** Endpoint of the domain: `https://vpc-logs-abc.eu-central-1.es.amazonaws.com`. */
  readonly endpoint: string;
  /**
   * First part of the names of indices; after it comes the day of a line, in UTC: `orders-2026.11.22`.
   *
   * @default - the name of the log group, `shop-dev-orders`
   */
  readonly index?: string;
  /**
   * Network of a domain that is in one, and the security group of the domain: lines go there and nowhere else.
   *
   * @default - none: the domain is reached by its public address
   */
  readonly vpc?: {
    readonly vpc: { readonly vpcId: string; readonly workloadSubnetIds: readonly string[] };
    readonly securityGroupId: string;
  };
}

/**
 * Sends lines to a domain of Amazon OpenSearch Service, by a Lambda function (Firehose takes no lines of CloudWatch for it).
 * A line of JSON becomes the fields of a document, any other its `@message`; one whose fields contradict those of earlier
 * lines is kept as `@message` too. The domain must let the function's role in, which is called as the function: `shop-dev-orders-opensearch`.
 *
 * Costs about 0.20 USD per million batches, and next to nothing for the run time; the domain is not included.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_OpenSearch_Stream.html
 */
export function openSearch(options: OpenSearchOptions): OpenSearchDestination {
  return { kind: "opensearch", ...options };
}

/** Sends lines to a Kinesis data stream of this account, by its ARN; what reads it decides on what is lost. */
export function kinesis(streamArn: string): KinesisDestination {
  return { kind: "kinesis", streamArn };
}

/**
 * Sends lines to another account, by the ARN of the destination that it has made for that:
 * `arn:aws:logs:eu-central-1:210987654321:destination:central`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions.html
 */
export function anotherAccount(destinationArn: string): AccountDestination {
  return { kind: "account", destinationArn };
}

const KINESIS_ARN = /^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[A-Za-z0-9_.-]{1,128}$/;
const DESTINATION_ARN = /^arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:destination:[^:*$%{}]{1,512}$/;
const DOMAIN_ARN = /^arn:aws[a-z-]*:es:[a-z0-9-]+:\d{12}:domain\/[a-z][a-z0-9-]{2,27}$/;
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+$/;

/** Notes LOG_DESTINATIONS, LOG_DESTINATION_TWICE, LOG_ENDPOINT_URL, LOG_ENDPOINT_SECRET, LOG_ENDPOINT_RETRY, LOG_KINESIS_ARN, LOG_ACCOUNT_ARN, LOG_OPENSEARCH_DOMAIN, LOG_OPENSEARCH_ENDPOINT, LOG_OPENSEARCH_INDEX. */
export function checkDestinations(problems: Problems, destinations: readonly LogDestination[]): void {
  problems.check(destinations.length <= SUBSCRIPTIONS, {
    code: "LOG_DESTINATIONS",
    prop: "destinations",
    problem: `are ${destinations.length}, and a log group sends to ${SUBSCRIPTIONS} at most`,
    remedy: "Send to kinesis(...) and from there to all others.",
  });
  const kinds = destinations.map(({ kind }) => kind);
  problems.check(kinds.filter((kind) => kind === "archive").length < 2, {
    code: "LOG_DESTINATION_TWICE",
    prop: "destinations",
    problem: "have two archives",
    remedy: "Keep lines in one.",
  });
  for (const destination of destinations) {
    if (destination.kind === "http-endpoint") {
      problems.check(/^https:\/\/[A-Za-z0-9.-]+(:\d+)?(\/[\w./~?&=%+-]*)?$/.test(destination.url), {
        code: "LOG_ENDPOINT_URL",
        prop: "destinations.url",
        problem: `${JSON.stringify(destination.url)} is not an https URL that lines can be sent to`,
        remedy: "Use https://, a host and a path.",
      });
      problems.check(destination.secretArn === undefined || known(destination.secretArn, SECRET_ARN), {
        code: "LOG_ENDPOINT_SECRET",
        prop: "destinations.secretArn",
        problem: "is no ARN of a secret",
        remedy: 'Put {"api_key": "..."} into Secrets Manager and use its ARN.',
      });
      problems.check(destination.retry.toSeconds() <= 7200 && Number.isInteger(destination.retry.toSeconds()), {
        code: "LOG_ENDPOINT_RETRY",
        prop: "destinations.retry",
        problem: `${destination.retry} is longer than Firehose tries`,
        remedy: "Use whole seconds, up to 2 hours.",
      });
    }
    if (destination.kind === "kinesis") {
      problems.check(known(destination.streamArn, KINESIS_ARN), {
        code: "LOG_KINESIS_ARN",
        prop: "destinations.kinesis",
        problem: `${JSON.stringify(destination.streamArn)} is no ARN of a Kinesis stream`,
        remedy: "Use arn:aws:kinesis:<region>:<account>:stream/<name>.",
      });
    }
    if (destination.kind === "opensearch") {
      problems.check(known(destination.domainArn, DOMAIN_ARN), {
        code: "LOG_OPENSEARCH_DOMAIN",
        prop: "destinations.openSearch.domainArn",
        problem: `${JSON.stringify(destination.domainArn)} is no ARN of a domain of Amazon OpenSearch Service`,
        remedy: "Use arn:aws:es:<region>:<account>:domain/<name>.",
      });
      problems.check(known(destination.endpoint, /^https:\/\/[A-Za-z0-9.-]+$/), {
        code: "LOG_OPENSEARCH_ENDPOINT",
        prop: "destinations.openSearch.endpoint",
        problem: `${JSON.stringify(destination.endpoint)} is not a valid endpoint of a domain`,
        remedy: "Use https:// and the host of the domain's endpoint, without a path.",
      });
      problems.check(destination.index === undefined || /^[a-z0-9][a-z0-9._-]{0,199}$/.test(destination.index), {
        code: "LOG_OPENSEARCH_INDEX",
        prop: "destinations.openSearch.index",
        problem: `${JSON.stringify(destination.index)} is not a valid index name`,
        remedy: "Use up to 200 small letters, digits, dots, hyphens and _, first a letter or a digit.",
      });
    }
    if (destination.kind === "account") {
      problems.check(known(destination.destinationArn, DESTINATION_ARN), {
        code: "LOG_ACCOUNT_ARN",
        prop: "destinations.anotherAccount",
        problem: `${JSON.stringify(destination.destinationArn)} is no ARN of a destination of CloudWatch Logs`,
        remedy: "Use arn:aws:logs:<region>:<account>:destination:<name>, which the owner of the other account knows.",
      });
    }
  }
}

function known(arn: string, pattern: RegExp): boolean {
  return Token.isUnresolved(arn) || pattern.test(arn);
}
