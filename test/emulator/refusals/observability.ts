import { strToU8, zipSync } from "fflate";
import { aws, type Case, many } from "./account";

const CONSTRAINT =
  "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
const firehose = async (): Promise<string> => {
  const destination = {
    RoleARN: "arn:aws:iam::123456789012:role/firehose",
    BucketARN: "arn:aws:s3:::archive",
  };
  const params = { DeliveryStreamName: "archive", ExtendedS3DestinationConfiguration: destination };
  return (await aws.call("firehose", "CreateDeliveryStream", params)).DeliveryStreamARN;
};
const lambda = async (name: string): Promise<string> => {
  await aws.call("iam", "CreateRole", {
    RoleName: name,
    AssumeRolePolicyDocument: JSON.stringify({
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    }),
  });
  const { FunctionArn } = await aws.rest("lambda", "POST", "/2015-03-31/functions", {
    FunctionName: name,
    Role: `arn:aws:iam::123456789012:role/${name}`,
    Runtime: "nodejs22.x",
    Handler: "index.handler",
    Code: { ZipFile: Buffer.from(zipSync({ "index.mjs": strToU8("") })).toString("base64") },
  });
  return FunctionArn;
};
const allowLogs = (name: string, group: string) =>
  aws.rest("lambda", "POST", `/2015-03-31/functions/${name}/policy`, {
    StatementId: group.slice(1),
    Action: "lambda:InvokeFunction",
    Principal: "logs.amazonaws.com",
    SourceArn: `arn:aws:logs:eu-central-1:123456789012:log-group:${group}:*`,
  });
const subscribe = (destination: string, name: string) =>
  aws.call("logs", "PutSubscriptionFilter", {
    logGroupName: "/app",
    filterName: name,
    filterPattern: "",
    destinationArn: destination,
    roleArn: "arn:aws:iam::123456789012:role/logs",
  });
const letsIn = (account: string) =>
  JSON.stringify({
    Statement: [{ Effect: "Allow", Principal: { AWS: account }, Action: "logs:PutSubscriptionFilter" }],
  });
const resourcePolicy = (name: string) =>
  aws.call("logs", "PutResourcePolicy", { policyName: name, policyDocument: JSON.stringify({ Statement: [] }) });
const alarm = (period: number) =>
  aws.call("monitoring", "PutMetricAlarm", {
    AlarmName: "cpu",
    Namespace: "AWS/ECS",
    MetricName: "CPUUtilization",
    Statistic: "Average",
    ComparisonOperator: "GreaterThanThreshold",
    Threshold: 90,
    EvaluationPeriods: 1,
    Period: period,
  });

export const cases: Record<string, Case> = {
  // Logs and alarms
  "logs-retention": {
    given: () => aws.call("logs", "CreateLogGroup", { logGroupName: "/app" }),
    refused: () => aws.call("logs", "PutRetentionPolicy", { logGroupName: "/app", retentionInDays: 45 }),
    accepted: () => aws.call("logs", "PutRetentionPolicy", { logGroupName: "/app", retentionInDays: 60 }),
  },
  "logs-subscription-filters": {
    given: async () => {
      await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
      await aws.rest("s3", "PUT", "/archive", CONSTRAINT);
      const stream = await firehose();
      await subscribe(stream, "one");
      return stream;
    },
    refused: async (stream) => {
      await subscribe(stream, "two");
      return subscribe(stream, "three");
    },
    accepted: async (stream) => {
      await aws.call("logs", "DeleteSubscriptionFilter", { logGroupName: "/app", filterName: "one" });
      return subscribe(stream, "three");
    },
  },
  "logs-function-permission": {
    given: async () => {
      await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
      return lambda("sender");
    },
    refused: async (arn) => {
      await allowLogs("sender", "/other");
      return subscribe(arn, "all");
    },
    accepted: async (arn) => {
      await allowLogs("sender", "/app");
      return subscribe(arn, "all");
    },
  },
  "logs-destination-policy": {
    given: async () => {
      await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
      const roleArn = "arn:aws:iam::123456789012:role/logs";
      const targetArn = "arn:aws:kinesis:eu-central-1:123456789012:stream/central";
      const made = await aws.call("logs", "PutDestination", { destinationName: "central", targetArn, roleArn });
      return made.destination.arn as string;
    },
    refused: async (arn) => {
      await aws.call("logs", "PutDestinationPolicy", {
        destinationName: "central",
        accessPolicy: letsIn("210987654321"),
      });
      return subscribe(arn, "all");
    },
    accepted: async (arn) => {
      await aws.call("logs", "PutDestinationPolicy", {
        destinationName: "central",
        accessPolicy: letsIn("123456789012"),
      });
      return subscribe(arn, "all");
    },
  },
  "logs-resource-policies": {
    given: () => many(9, (number) => resourcePolicy(`p${number}`)),
    refused: async () => {
      await resourcePolicy("tenth");
      return resourcePolicy("eleventh");
    },
    accepted: () => resourcePolicy("tenth"),
  },
  "alarm-period": {
    refused: () => alarm(45),
    accepted: () => alarm(60),
  },
  "logs-group-exists": {
    given: () => aws.call("logs", "CreateLogGroup", { logGroupName: "/app" }),
    refused: () => aws.call("logs", "CreateLogGroup", { logGroupName: "/app" }),
    accepted: () => aws.call("logs", "CreateLogGroup", { logGroupName: "/other" }),
  },
};
