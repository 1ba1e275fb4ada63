import { REGION } from "../resolve";
import { arn, calls, DOCS, type Flow, group, KEY, path } from "./flow";

/** Flows of logs. */
export const OF_LOGS: readonly Flow[] = [
  {
    name: "VPC publishes flow logs",
    role: /^(shop-dev|depot-live)-flow-logs$/,
    source: `${DOCS}/vpc/latest/userguide/flow-logs-iam-role.html`,
    calls: (platform = "") => [
      calls("logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams", group(`/${path(platform)}/flow-logs`)),
      calls("logs:DescribeLogGroups", "*"),
    ],
  },
  {
    name: "CloudWatch Logs sends events to Firehose",
    role: /^(orders-dev-audit|goods-live-trail)-log-sender$/,
    source: `${DOCS}/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#FirehoseExample`,
    calls: (stream = "") =>
      [...(stream === "orders-dev-audit" ? ["archive"] : []), "endpoint-in-example-com"].map((end) =>
        calls("firehose:PutRecord firehose:PutRecordBatch", arn("firehose", `deliverystream/${stream}-${end}`)),
      ),
  },
  ...(
    [
      ["orders-dev-audit", "shop-dev-contract", KEY],
      ["goods-live-trail", "goods-live-logs-0123456789", arn("kms", "key/trail-delivery-deadletters-key-03a1c009")],
    ] as const
  ).map(
    ([stream, bucket, key]): Flow => ({
      name: "Firehose writes to S3, and what it could not deliver, too",
      role: new RegExp(
        `^(${stream}-${stream === "orders-dev-audit" ? "(?:archive|endpoint-in-example-com)" : "endpoint-in-example-com"})-delivery$`,
      ),
      source: `${DOCS}/firehose/latest/dev/controlling-access.html#using-iam-s3`,
      calls: (name = "") => [
        calls("s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads", `arn:aws:s3:::${bucket}`),
        ...["", "failed/"].map((prefix) =>
          calls(
            "s3:AbortMultipartUpload s3:GetObject s3:PutObject",
            `arn:aws:s3:::${bucket}/${prefix}${stream.replaceAll("-", "/")}/2026/11/28/1.gz`,
          ),
        ),
        calls("kms:Decrypt kms:GenerateDataKey", key),
        calls(
          "logs:PutLogEvents",
          arn("logs", `log-group:/${stream.replaceAll("-", "/")}/delivery:log-stream:${name}`),
        ),
      ],
    }),
  ),
  {
    name: "Firehose reads the credentials of an endpoint",
    role: /^goods-live-trail-endpoint-in-example-com-delivery$/,
    source: `${DOCS}/firehose/latest/dev/secrets-manager-whats-secret.html`,
    calls: () => {
      const secret = arn("secretsmanager", "secret:collector-AbCdEf");
      return [
        calls("secretsmanager:GetSecretValue", secret),
        calls("kms:Decrypt", KEY, {
          "kms:ViaService": `secretsmanager.${REGION}.amazonaws.com`,
          "kms:EncryptionContext:SecretARN": secret,
        }),
      ];
    },
  },
  {
    name: "Lambda runs in a VPC, logs, and keeps failed events",
    role: /^orders-dev-access-opensearch-logs$/,
    source: `${DOCS}/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions`,
    calls: () => [
      calls("ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DeleteNetworkInterface", "*"),
      calls("ec2:DescribeSubnets ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses", "*"),
      calls("logs:CreateLogStream logs:PutLogEvents", group("/aws/lambda/orders-dev-access-opensearch-logs")),
    ],
  },
  {
    name: "Lambda keeps failed events in S3",
    role: /^orders-dev-access-opensearch-logs$/,
    source: `${DOCS}/lambda/latest/dg/invocation-async-retain-records.html`,
    calls: () => [
      calls("s3:ListBucket", "arn:aws:s3:::orders-dev-logs-0123456789"),
      calls(
        "s3:PutObject",
        "arn:aws:s3:::orders-dev-logs-0123456789/aws/lambda/async/orders-dev-access-opensearch-logs/2026/11/28/1",
      ),
    ],
  },
  {
    name: "S3 encrypts an object that is uploaded in parts",
    role: /^orders-dev-access-opensearch-logs$/,
    source: `${DOCS}/AmazonS3/latest/userguide/UsingKMSEncryption.html`,
    calls: () => [calls("kms:GenerateDataKey kms:Decrypt", arn("kms", "key/access-delivery-deadletters-key-7622c31c"))],
  },
  {
    name: "The function writes to OpenSearch",
    role: /^orders-dev-access-opensearch-logs$/,
    source: `${DOCS}/opensearch-service/latest/developerguide/ac.html`,
    calls: () => [calls("es:ESHttpPost", arn("es", "domain/logs/orders-dev-access-2026.11.28/_bulk"))],
  },
];
