import { ACCOUNT, REGION } from "../resolve";
import type { Call } from "../simulate";
import { OF_COMMANDS, OF_PIPELINES } from "./delivery";
import { OF_FAULTS } from "./faults";
import { DOCS, type Flow } from "./flow";
import { OF_LOGS } from "./logs";
import { OF_MANAGED_POLICIES, OF_SERVICES } from "./services";

export const FLOWS: readonly Flow[] = [
  ...OF_SERVICES,
  ...OF_MANAGED_POLICIES,
  ...OF_LOGS,
  ...OF_FAULTS,
  ...OF_PIPELINES,
  ...OF_COMMANDS,
];

/**
 * Services that publish to encrypted topics as themselves: allowed by the policy of the topic and by that of its key.
 * `context` holds the keys that the service sends to KMS.
 */
export const PUBLISHERS: readonly {
  readonly service: string;
  readonly topic: RegExp;
  readonly source: string;
  readonly context: Call["context"];
}[] = [
  {
    service: "cloudwatch.amazonaws.com",
    topic: /-alarms$/,
    source: `${DOCS}/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html`,
    context: { "aws:SourceAccount": ACCOUNT },
  },
  {
    service: "codestar-notifications.amazonaws.com",
    topic: /-pipeline$/,
    source: `${DOCS}/dtconsole/latest/userguide/troubleshooting.html`,
    context: { "kms:ViaService": `sns.${REGION}.amazonaws.com` },
  },
];

/**
 * Services that write log files to buckets as themselves, allowed by the policy of the bucket: the object that a service writes in the name of
 * an account and of the resource that is logged.
 */
export const WRITERS: readonly {
  readonly service: string;
  readonly bucket: RegExp;
  readonly source: string;
  readonly write: (account: string, bucket: string) => Pick<Call, "resource" | "context">;
}[] = [
  {
    service: "logdelivery.elasticloadbalancing.amazonaws.com",
    bucket: /-access-\d+$/,
    source: `${DOCS}/elasticloadbalancing/latest/application/enable-access-logging.html`,
    // Also the file that proves, when logs are turned on, that they can be written.
    write: (account, bucket) => ({ resource: `${bucket}/AWSLogs/${account}/ELBAccessLogTestFile`, context: {} }),
  },
  {
    service: "logging.s3.amazonaws.com",
    bucket: /-access-reads-\d+$/,
    source: `${DOCS}/AmazonS3/latest/userguide/enable-server-access-logging.html#grant-log-delivery-permissions-general`,
    write: (account, bucket) => ({
      resource: `${bucket}/2026-11-28-13-00-00-0123456789ABCDEF`,
      context: { "aws:SourceAccount": account, "aws:SourceArn": bucket.replace(/reads-\d+$/, "0123456789") },
    }),
  },
];

/** Actions that no flow of a page of AWS needs, each with the reason that the role has them. */
export const UNUSED: readonly { readonly role: RegExp; readonly actions: string; readonly why: string }[] = [
  {
    role: /^depot-live-(spot|halt|load|fill)-chaos$/,
    actions: "tag:GetResources",
    why: "the instances are selected by tag, for which AWS names it with other resources; reads only",
  },
  {
    role: /^shop-dev-mailer-(task|admin)$/,
    actions: "dynamodb:DescribeTable",
    why: "in what reads and in what writes a table, which a program may grant alone",
  },
];
