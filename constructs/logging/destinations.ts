import { checkArguments } from "../core/check-types";
import type { Problems } from "../core/errors";
import { isReference, withPlaceholders } from "../core/reference";
import { Duration } from "../core/units";
import type { ILogArchive, LogArchiveProps } from "./archive";

/**
 * Maximum number of subscription filters of a log group. @see
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
 */
const SUBSCRIPTIONS = 2;

/** Sends lines to an archive: the stream's own, or a shared one. */
export interface ArchiveDestination {
  readonly kind: "archive";
  readonly archive: LogArchiveProps | ILogArchive;
}

/** Sends lines to an HTTP endpoint that accepts requests from Firehose. */
export interface HttpDestination {
  readonly kind: "http-endpoint";
  readonly url: string;
  readonly secretArn: string | undefined;
  readonly retry: Duration;
}

/** Sends lines to a Kinesis data stream of this account. */
export interface KinesisDestination {
  readonly kind: "kinesis";
  readonly streamArn: string;
}

/** Sends lines to a CloudWatch Logs destination in another account, which must allow this one. */
export interface AccountDestination {
  readonly kind: "account";
  readonly destinationArn: string;
}

/** Sends lines to an Amazon OpenSearch Service domain. */
export interface OpenSearchDestination extends OpenSearchOptions {
  readonly kind: "opensearch";
}

/** Destination of log lines in addition to CloudWatch. */
export type LogDestination =
  | ArchiveDestination
  | HttpDestination
  | KinesisDestination
  | AccountDestination
  | OpenSearchDestination;

/** Archives lines for the long term, compressed and by date, in an archive of this stream alone. */
export function archive(props: LogArchiveProps = {}): ArchiveDestination {
  checkArguments("archive", { props });
  return { kind: "archive", archive: props };
}

/** Archives lines for the long term in a shared archive, under a prefix of this stream. */
export function sharedArchive(archive: ILogArchive): ArchiveDestination {
  checkArguments("sharedArchive", { archive });
  return { kind: "archive", archive };
}

/**
 * Sends lines to a log product that accepts requests from Firehose, as most do.
 *
 * @param options.url endpoint, with HTTPS
 * @param options.secretArn ARN of a secret `{"api_key": "..."}` to send as credentials. Default: none
 * @param options.retry duration of retries before lines become dead letters, up to 2 hours. Default: 5 minutes
 * @see https://docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html
 */
export function httpEndpoint(options: {
  readonly url: string;
  readonly secretArn?: string;
  readonly retry?: Duration;
}): HttpDestination {
  checkArguments("httpEndpoint", { options });
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
   * Prefix of index names, followed by the date of a line in UTC: `orders-2026.11.22`.
   *
   * @default - the name of the log group, `shop-dev-orders`
   */
  readonly index?: string;
  /**
   * VPC and security group of a domain in a VPC. The sender may connect only to that security group.
   *
   * @default - none: the domain has a public endpoint
   */
  readonly vpc?: {
    readonly vpc: { readonly vpcId: string; readonly workloadSubnetIds: readonly string[] };
    readonly securityGroupId: string;
  };
}

/**
 * Sends lines to an Amazon OpenSearch Service domain through a Lambda function, since Firehose does not deliver CloudWatch
 * Logs to OpenSearch. A JSON line becomes the fields of a document; any other line becomes its `@message`, as does a line
 * whose fields conflict with the mapping of earlier ones. The domain must allow the role of the function, which has the
 * function's name: `shop-dev-orders-opensearch-<domain>`.
 *
 * Costs about 0.20 USD per million batches, and almost nothing for the run time; the domain is not included.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_OpenSearch_Stream.html
 */
export function openSearch(options: OpenSearchOptions): OpenSearchDestination {
  checkArguments("openSearch", { options });
  return { kind: "opensearch", ...options };
}

/**
 * Sends lines to a Kinesis data stream of this account, by its ARN. Handling failures is up to the consumers of the stream.
 */
export function kinesis(streamArn: string): KinesisDestination {
  checkArguments("kinesis", { streamArn });
  return { kind: "kinesis", streamArn };
}

/**
 * Sends lines to another account, by the ARN of a destination there:
 * `arn:aws:logs:eu-central-1:210987654321:destination:central`.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions.html
 */
export function anotherAccount(destinationArn: string): AccountDestination {
  checkArguments("anotherAccount", { destinationArn });
  return { kind: "account", destinationArn };
}

const HTTPS_URL = /^https:\/\/[A-Za-z0-9.-]+(:\d+)?(\/[\w./~?&=%+-]*)?$/;
const KINESIS_ARN = /^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[A-Za-z0-9_.-]{1,128}$/;
const DESTINATION_ARN = /^arn:aws[a-z-]*:logs:[a-z0-9-]+:\d{12}:destination:[^:*$%{}]{1,512}$/;
const DOMAIN_ARN = /^arn:aws[a-z-]*:es:[a-z0-9-]+:\d{12}:domain\/[a-z][a-z0-9-]{2,27}$/;
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]+$/;

/**
 * Records LOG_DESTINATIONS, LOG_DESTINATION_TWICE, LOG_ENDPOINT_URL, LOG_ENDPOINT_SECRET, LOG_ENDPOINT_RETRY,
 * LOG_KINESIS_ARN, LOG_ACCOUNT_ARN, LOG_OPENSEARCH_DOMAIN, LOG_OPENSEARCH_ENDPOINT, LOG_OPENSEARCH_INDEX.
 */
export function checkDestinations(problems: Problems, destinations: readonly LogDestination[]): void {
  problems.check(destinations.length <= SUBSCRIPTIONS, {
    code: "LOG_DESTINATIONS",
    prop: "destinations",
    problem: `must be at most ${SUBSCRIPTIONS}, the limit of a log group, got ${destinations.length}`,
    remedy: "Send lines to kinesis(...) and distribute them from there.",
  });
  const kinds = destinations.map(({ kind }) => kind);
  problems.check(kinds.filter((kind) => kind === "archive").length < 2, {
    code: "LOG_DESTINATION_TWICE",
    prop: "destinations",
    problem: "must not contain two archives",
    remedy: "Use one archive.",
  });
  for (const destination of destinations) {
    if (destination.kind === "http-endpoint") {
      problems.check(HTTPS_URL.test(withPlaceholders(destination.url)), {
        code: "LOG_ENDPOINT_URL",
        prop: "destinations.url",
        problem: `${JSON.stringify(destination.url)} is not a valid https URL`,
        remedy: "Use https:// with a host and a path.",
      });
      problems.check(destination.secretArn === undefined || known(destination.secretArn, SECRET_ARN), {
        code: "LOG_ENDPOINT_SECRET",
        prop: "destinations.secretArn",
        problem: "is not the ARN of a secret",
        remedy: 'Store {"api_key": "..."} in Secrets Manager and use its ARN.',
      });
      problems.check(destination.retry.toSeconds() <= 7200 && Number.isInteger(destination.retry.toSeconds()), {
        code: "LOG_ENDPOINT_RETRY",
        prop: "destinations.retry",
        problem: `must be whole seconds, up to 2 hours, got ${destination.retry}`,
        remedy: "Use a duration such as Duration.minutes(5).",
      });
    }
    if (destination.kind === "kinesis") {
      problems.check(known(destination.streamArn, KINESIS_ARN), {
        code: "LOG_KINESIS_ARN",
        prop: "destinations.kinesis",
        problem: `${JSON.stringify(destination.streamArn)} is not the ARN of a Kinesis data stream`,
        remedy: "Use arn:aws:kinesis:<region>:<account>:stream/<name>.",
      });
    }
    if (destination.kind === "opensearch") {
      problems.check(known(destination.domainArn, DOMAIN_ARN), {
        code: "LOG_OPENSEARCH_DOMAIN",
        prop: "destinations.openSearch.domainArn",
        problem: `${JSON.stringify(destination.domainArn)} is not the ARN of an Amazon OpenSearch Service domain`,
        remedy: "Use arn:aws:es:<region>:<account>:domain/<name>.",
      });
      problems.check(known(destination.endpoint, /^https:\/\/[A-Za-z0-9.-]+$/), {
        code: "LOG_OPENSEARCH_ENDPOINT",
        prop: "destinations.openSearch.endpoint",
        problem: `${JSON.stringify(destination.endpoint)} is not a valid endpoint of an Amazon OpenSearch Service domain`,
        remedy: "Use https:// with the host of the domain endpoint, without a path.",
      });
      problems.check(
        destination.index === undefined ||
          isReference(destination.index) ||
          /^[a-z0-9][a-z0-9._-]{0,199}$/.test(destination.index),
        {
          code: "LOG_OPENSEARCH_INDEX",
          prop: "destinations.openSearch.index",
          problem: `${JSON.stringify(destination.index)} is not a valid index name`,
          remedy: "Use up to 200 lowercase letters, digits, dots, hyphens and _, starting with a letter or a digit.",
        },
      );
    }
    if (destination.kind === "account") {
      problems.check(known(destination.destinationArn, DESTINATION_ARN), {
        code: "LOG_ACCOUNT_ARN",
        prop: "destinations.anotherAccount",
        problem: `${JSON.stringify(destination.destinationArn)} is not the ARN of a CloudWatch Logs destination`,
        remedy:
          "Use arn:aws:logs:<region>:<account>:destination:<name>, which you get from the owner of the other account.",
      });
    }
  }
}

function known(arn: string, pattern: RegExp): boolean {
  return isReference(arn) || pattern.test(arn);
}
