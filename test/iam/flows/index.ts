import { ACCOUNT, REGION } from "../resolve";
import type { Call } from "../simulate";
import { OF_COMMANDS, OF_PIPELINES } from "./delivery";
import { OF_FAULTS } from "./faults";
import { DOCS, type Flow } from "./flow";
import { OF_LOGS } from "./logs";
import { OF_MANAGED_POLICIES, OF_SERVICES } from "./services";
import { OF_TERRAFORM } from "./terraform";

export const FLOWS: readonly Flow[] = [
  ...OF_SERVICES,
  ...OF_MANAGED_POLICIES,
  ...OF_LOGS,
  ...OF_FAULTS,
  ...OF_PIPELINES,
  ...OF_COMMANDS,
  ...OF_TERRAFORM,
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

/** Service that assumes each role, as its page says; undefined for CI jobs, whose trust has tests of its own. */
export const ASSUMERS: readonly {
  readonly role: RegExp;
  readonly service: string | undefined;
  readonly source: string;
  /** Reason that a role can be assumed for any account: only who may pass it can use it. */
  readonly sendsNoAccount?: string;
}[] = [
  {
    role: /-(task|admin|execution)$/,
    service: "ecs-tasks.amazonaws.com",
    source: `${DOCS}/AmazonECS/latest/developerguide/task-iam-roles.html`,
  },
  {
    role: /-shift$/,
    service: "ecs.amazonaws.com",
    source: `${DOCS}/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html`,
    sendsNoAccount: "the trust policy of the page has no condition",
  },
  {
    role: /-codedeploy$/,
    service: "codedeploy.amazonaws.com",
    source: `${DOCS}/codedeploy/latest/userguide/getting-started-create-service-role.html`,
    sendsNoAccount: "the trust policy of the page has no condition",
  },
  {
    role: /^(shop-dev|depot-live)-(instances|batch)$/,
    service: "ec2.amazonaws.com",
    source: `${DOCS}/AmazonECS/latest/developerguide/instance_IAM_role.html`,
    sendsNoAccount: "EC2 assumes the role of an instance profile, which only its account can attach",
  },
  {
    role: /-opensearch-logs$/,
    service: "lambda.amazonaws.com",
    source: `${DOCS}/lambda/latest/dg/lambda-intro-execution-role.html`,
    sendsNoAccount: "the trust policy of the page has no condition",
  },
  {
    role: /-monitoring$/,
    service: "monitoring.rds.amazonaws.com",
    source: `${DOCS}/AmazonRDS/latest/UserGuide/USER_Monitoring.OS.Enabling.html`,
  },
  {
    role: /-flow-logs$/,
    service: "vpc-flow-logs.amazonaws.com",
    source: `${DOCS}/vpc/latest/userguide/flow-logs-iam-role.html`,
  },
  {
    role: /-fault-agent$/,
    service: "ssm.amazonaws.com",
    source: `${DOCS}/systems-manager/latest/userguide/hybrid-multicloud-service-role.html`,
  },
  {
    role: /-(?:archive|endpoint-in-example-com)-delivery$/,
    service: "firehose.amazonaws.com",
    source: `${DOCS}/firehose/latest/dev/controlling-access.html`,
  },
  {
    role: /-log-sender$/,
    service: "logs.amazonaws.com",
    source: `${DOCS}/AmazonCloudWatch/latest/logs/SubscriptionFilters.html`,
  },
  {
    role: /-chaos$/,
    service: "fis.amazonaws.com",
    source: `${DOCS}/fis/latest/userguide/getting-started-iam-service-role.html`,
  },
  {
    role: /-(?:schedule|drift-start|shaken-start)$/,
    service: "scheduler.amazonaws.com",
    source: `${DOCS}/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role`,
  },
  {
    role: /-delivery-start$/,
    service: "events.amazonaws.com",
    source: `${DOCS}/eventbridge/latest/userguide/eb-use-identity-based.html`,
  },
  {
    role: /-delivery-pipeline$/,
    service: "codepipeline.amazonaws.com",
    source: `${DOCS}/codepipeline/latest/userguide/how-to-custom-role.html`,
  },
  {
    role: /-delivery-(?!gh-)(?:(?:live|staging)-)?(?:test|image|plan|apply|release|drift|smoke|shaken)$/,
    service: "codebuild.amazonaws.com",
    source: `${DOCS}/codebuild/latest/userguide/setting-up-service-role.html`,
  },
  {
    role: /-delivery-gh-/,
    service: undefined,
    source: `${DOCS}/IAM/latest/UserGuide/id_roles_providers_create_oidc.html`,
  },
];
