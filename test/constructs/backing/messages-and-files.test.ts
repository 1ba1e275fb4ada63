import { describe, expect, it } from "vitest";
import {
  type AwsStack,
  Bucket,
  type BucketProps,
  Cache,
  CloudNativeService,
  Duration,
  type Environment,
  ExternalService,
  type ExternalServiceProps,
  existingBucket,
  existingQueue,
  existingTable,
  existingTopic,
  PostgresDatabase,
  Queue,
  type QueueProps,
  Table,
  type TableProps,
  Topic,
  worker,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources } from "../../support/synth";

const ACCOUNT = "${data.aws_caller_identity.Account.account_id}";
const PARTITION = "${data.aws_partition.Partition.partition}";

type Stack = ReturnType<typeof ordersStack>;

/** A service that uses something, with its variables, its permissions and the names of its alarms. */
function using(make: (stack: Stack) => Parameters<CloudNativeService["use"]>[0], environment: Environment = DEV) {
  const stack = ordersStack(environment);
  const service = new CloudNativeService(stack, "Orders");
  service.use(make(stack));
  return { stack, service, ...seen(stack, service) };
}

function seen(stack: Stack, service: CloudNativeService) {
  const synthesized = synthesize(stack);
  const id = service.node.id;
  const task = Object.entries(resources(synthesized, "aws_ecs_task_definition")).find(([key]) =>
    key.startsWith(`${id}_`),
  );
  const containers = task?.[1].container_definitions as {
    environment: { name: string; value: string }[];
    secrets?: object[];
  }[];
  const policies = Object.entries(resources(synthesized, "aws_iam_role_policy"));
  const policy = policies.find(([key]) => key.startsWith(`${id}_TaskRole`))?.[1].policy as
    | { Statement: { Action: string[]; Resource: string[] }[] }
    | undefined;
  return {
    variables: Object.fromEntries(containers[0]!.environment.map(({ name, value }) => [name, value])),
    secrets: containers[0]!.secrets,
    granted: policy?.Statement.map(({ Action, Resource }) => [Action, Resource]),
    alarms: service.alarms.map(({ alarmName }) => alarmName),
  };
}

describe("backing services are in the data stack", () => {
  it.each<[string, (scope: AwsStack) => unknown]>([
    ["Queue", (scope) => new Queue(scope, "Mails")],
    ["Topic", (scope) => new Topic(scope, "Placed")],
    ["Bucket", (scope) => new Bucket(scope, "Files")],
    ["Table", (scope) => new Table(scope, "Sessions", { partitionKey: { name: "id" } })],
    ["PostgresDatabase", (scope) => new PostgresDatabase(scope, "Database")],
    ["Cache", (scope) => new Cache(scope, "Cache")],
  ])("a %s in the service's own stack is refused, and the remedy names it", (type, make) => {
    expect(refusals(() => make(ordersStack()))).toEqual(["BACKING_LIFETIME scope"]);
    expect(() => make(ordersStack())).toThrow(`new ${type}(stack.data, ...)`);
  });

  it("and the service stack depends on it, without reading its state", () => {
    const { stack } = using(({ data }) => new Queue(data, "Mails"));
    expect(stack.dependsOn(stack.data)).toBe(true);
    const text = JSON.stringify(synthesize(stack));
    expect(text).not.toContain("terraform_remote_state");
    expect(text).not.toContain("${aws_sqs_queue");
    expect(JSON.stringify(synthesize(stack.data))).not.toContain('"output"');
  });

  it("also when it belongs to another service", () => {
    const orders = ordersStack();
    const mails = new Queue(orders.data, "Mails");
    const platform = orders.node.scope!;
    const other = (platform.node.findChild("shop-dev-platform") as never as { stack(name: string): Stack }).stack(
      "bills",
    );
    new CloudNativeService(other, "Bills").use(mails);
    expect(other.dependsOn(orders.data)).toBe(true);
  });
});

describe("Queue", () => {
  it("has a dead-letter queue, both encrypted and TLS only", () => {
    const { data } = ordersStack();
    new Queue(data, "Mails");
    const queues = Object.values(resources(data, "aws_sqs_queue"));
    expect(queues).toHaveLength(2);
    const [main, dead] = queues.sort((a, b) => `${a.name}`.length - `${b.name}`.length);
    const arn = (name: string) => `arn:${PARTITION}:sqs:eu-central-1:${ACCOUNT}:${name}`;
    expect(main).toMatchObject({
      name: "orders-dev-mails",
      sqs_managed_sse_enabled: true,
      visibility_timeout_seconds: 60,
      message_retention_seconds: 345_600,
      redrive_policy: { maxReceiveCount: 5 },
    });
    expect(dead).toMatchObject({
      name: "orders-dev-mails-dead",
      sqs_managed_sse_enabled: true,
      message_retention_seconds: 1_209_600,
      redrive_allow_policy: { redrivePermission: "byQueue", sourceQueueArns: [arn("orders-dev-mails")] },
    });
    for (const queue of queues) {
      expect(queue.policy).toEqual({
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "OnlyByTls",
            Effect: "Deny",
            Principal: "*",
            Action: "sqs:*",
            Resource: arn(queue.name as string),
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      });
    }
    expect(only(data, "aws_cloudwatch_metric_alarm")).toMatchObject({
      alarm_name: "orders-dev-mails-health",
      threshold: 0,
      metric_query: [{ metric: { dimensions: { QueueName: "orders-dev-mails-dead" } } }],
    });
  });

  it("has the configured properties", () => {
    const { data } = ordersStack();
    new Queue(data, "Mails", {
      fifo: true,
      maxReceives: 1,
      visibility: Duration.hours(12),
      retention: Duration.days(14),
    });
    expect(Object.values(resources(data, "aws_sqs_queue"))).toContainEqual(
      expect.objectContaining({
        name: "orders-dev-mails.fifo",
        fifo_queue: true,
        visibility_timeout_seconds: 43_200,
        message_retention_seconds: 1_209_600,
        redrive_policy: expect.objectContaining({ maxReceiveCount: 1 }),
      }),
    );
  });

  it("used by a service has variables, permission to send and an alarm", () => {
    const { variables, granted, alarms } = using(({ data }) => new Queue(data, "Mails"));
    expect(variables.QUEUE_URL).toBe(`https://sqs.eu-central-1.amazonaws.com/${ACCOUNT}/orders-dev-mails`);
    expect(granted).toEqual([
      [
        ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
        [`arn:${PARTITION}:sqs:eu-central-1:${ACCOUNT}:orders-dev-mails`],
      ],
    ]);
    expect(alarms).toEqual(["orders-dev-mails-health"]);
  });

  it("can be owned by another app, by configuration only", () => {
    const arn = "arn:aws:sqs:eu-central-1:123456789012:mails";
    const { variables, granted } = using((stack) => existingQueue(stack, "Mails", arn));
    expect(variables.QUEUE_URL).toBe("https://sqs.eu-central-1.amazonaws.com/123456789012/mails");
    expect(granted).toEqual([[["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"], [arn]]]);
    const china = existingQueue(ordersStack(), "Mails", "arn:aws-cn:sqs:cn-north-1:123456789012:mails");
    expect(china.queueUrl).toBe("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/mails");
  });

  it("can be consumed and sent to by the same process", () => {
    const stack = ordersStack();
    const queue = new Queue(stack.data, "Mails");
    const mailer = new CloudNativeService(stack, "Mailer", { process: worker({ queue }) });
    mailer.use(queue);
    const { granted, variables } = seen(stack, mailer);
    expect(variables.QUEUE_URL).toContain("/orders-dev-mails");
    expect(granted?.flatMap(([actions]) => actions)).toEqual(
      expect.arrayContaining(["sqs:ReceiveMessage", "sqs:SendMessage"]),
    );
  });

  it.each<[QueueProps, string]>([
    [{ visibility: Duration.hours(13) }, "QUEUE_VISIBILITY visibility"],
    [{ visibility: Duration.seconds(0) }, "QUEUE_VISIBILITY visibility"],
    [{ maxReceives: 0 }, "QUEUE_RECEIVES maxReceives"],
    [{ retention: Duration.days(15) }, "QUEUE_RETENTION retention"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => new Queue(ordersStack().data, "Mails", props))).toEqual([expected]);
  });
});

describe("Topic", () => {
  it("subscribes a queue once, and refuses a FIFO queue", () => {
    const { data } = ordersStack();
    const mails = new Queue(data, "Mails");
    const placed = new Topic(data, "OrderPlaced", { queues: [mails] });
    placed.subscribe(mails);
    expect(Object.keys(resources(data, "aws_sns_topic_subscription"))).toHaveLength(1);
    const ordered = new Queue(data, "Ordered", { fifo: true });
    expect(refusals(() => placed.subscribe(ordered))).toEqual(["TOPIC_FIFO_QUEUE subscribe(Ordered)"]);
  });

  it("is encrypted, TLS only, and delivers to queues that allow it", () => {
    const { data } = ordersStack();
    new Topic(data, "OrderPlaced", { queues: [new Queue(data, "Mails")] });
    const topicArn = `arn:${PARTITION}:sns:eu-central-1:${ACCOUNT}:orders-dev-order-placed`;
    expect(only(data, "aws_sns_topic")).toMatchObject({
      name: "orders-dev-order-placed",
      kms_master_key_id: "alias/aws/sns",
      policy: { Statement: [{ Sid: "OnlyByTls", Effect: "Deny" }] },
    });
    expect(only(data, "aws_sns_topic_subscription")).toMatchObject({ protocol: "sqs", raw_message_delivery: true });
    const queues = Object.values(resources(data, "aws_sqs_queue"));
    expect(queues.find(({ name }) => name === "orders-dev-mails")?.policy).toMatchObject({
      Statement: [
        { Sid: "OnlyByTls" },
        {
          Sid: "FromOrderPlaced",
          Effect: "Allow",
          Principal: { Service: "sns.amazonaws.com" },
          Action: "sqs:SendMessage",
          Condition: { ArnEquals: { "aws:SourceArn": topicArn }, StringEquals: { "aws:SourceAccount": ACCOUNT } },
        },
      ],
    });
  });

  it("used by a service has variables, permission to publish and an alarm", () => {
    const { variables, granted, alarms } = using(({ data }) => new Topic(data, "Placed"));
    const arn = `arn:${PARTITION}:sns:eu-central-1:${ACCOUNT}:orders-dev-placed`;
    expect([variables.TOPIC_ARN, granted, alarms]).toEqual([
      arn,
      [[["sns:Publish"], [arn]]],
      ["orders-dev-placed-health"],
    ]);
  });

  it("can be owned by another app", () => {
    const arn = "arn:aws:sns:eu-central-1:123456789012:placed";
    const { variables, granted } = using((stack) => existingTopic(stack, "Placed", arn));
    expect([variables.TOPIC_ARN, granted]).toEqual([arn, [[["sns:Publish"], [arn]]]]);
    expect(refusals(() => existingTopic(ordersStack(), "Placed", "placed"))).toEqual(["TOPIC_ARN topicArn"]);
  });
});

describe("Bucket", () => {
  it("is private, encrypted, versioned and TLS only", () => {
    const { data } = ordersStack();
    new Bucket(data, "Invoices", { keepFormer: Duration.days(7) });
    const name = `orders-dev-invoices-${ACCOUNT}`;
    expect(only(data, "aws_s3_bucket")).toEqual({ bucket: name, force_destroy: true });
    expect(only(data, "aws_s3_bucket_public_access_block")).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    expect(only(data, "aws_s3_bucket_ownership_controls")).toMatchObject({
      rule: { object_ownership: "BucketOwnerEnforced" },
    });
    expect(only(data, "aws_s3_bucket_versioning")).toMatchObject({ versioning_configuration: { status: "Enabled" } });
    expect(only(data, "aws_s3_bucket_server_side_encryption_configuration")).toMatchObject({
      rule: [{ apply_server_side_encryption_by_default: { sse_algorithm: "aws:kms" }, bucket_key_enabled: true }],
    });
    expect(only(data, "aws_s3_bucket_lifecycle_configuration")).toMatchObject({
      rule: [
        {
          status: "Enabled",
          abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }],
          noncurrent_version_expiration: [{ noncurrent_days: 7 }],
        },
      ],
    });
    expect(only(data, "aws_s3_bucket_policy")).toMatchObject({
      policy: {
        Statement: [
          {
            Effect: "Deny",
            Principal: "*",
            Resource: [`arn:${PARTITION}:s3:::${name}`, `arn:${PARTITION}:s3:::${name}/*`],
          },
        ],
      },
    });
  });

  it("is protected, and has an alarm, in production", () => {
    const { stack, alarms } = using(({ data }) => new Bucket(data, "Invoices"), PRODUCTION);
    expect(only(stack.data, "aws_s3_bucket")).toMatchObject({ force_destroy: false });
    expect(only(stack.data, "aws_s3_bucket_metric")).toMatchObject({ name: "EntireBucket" });
    expect(alarms).toContain("orders-production-invoices-health");
  });

  it("used by a service has variables and read and write permissions", () => {
    const { variables, granted } = using(({ data }) => new Bucket(data, "Invoices"));
    const arn = `arn:${PARTITION}:s3:::orders-dev-invoices-${ACCOUNT}`;
    expect(variables.BUCKET_NAME).toBe(`orders-dev-invoices-${ACCOUNT}`);
    expect(granted).toEqual([
      [["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"], [`${arn}/*`]],
      [["s3:GetObject"], [`${arn}/*`]],
      [["s3:ListBucket"], [arn]],
    ]);
  });

  it("can be owned by another app", () => {
    const { variables } = using((stack) => existingBucket(stack, "Invoices", "acme-invoices"));
    expect(variables.BUCKET_NAME).toBe("acme-invoices");
    expect(refusals(() => existingBucket(ordersStack(), "Invoices", '${file("/etc/passwd")}'))).toEqual([
      "BUCKET_NAME bucketName",
    ]);
  });

  it("refuses a name that AWS refuses", () => {
    expect(refusals(() => new Bucket(ordersStack().data, "Files", { bucketName: "Acme" }))).toEqual([
      "BUCKET_NAME bucketName",
    ]);
  });

  it.each<[BucketProps]>([[{ keepFormer: Duration.hours(3) }], [{ keepFormer: Duration.days(0) }]])(
    "refuses %j",
    (props) => {
      expect(refusals(() => new Bucket(ordersStack().data, "Files", props))).toEqual(["BUCKET_FORMER keepFormer"]);
    },
  );
});

describe("Table", () => {
  const id = { name: "id" } as const;

  it("is billed per request, and protected in production only", () => {
    const { data } = ordersStack(PRODUCTION);
    new Table(data, "Sessions", {
      partitionKey: id,
      sortKey: { name: "at", type: "number" },
      indexes: [{ name: "by-user", partitionKey: { name: "user" }, sortKey: { name: "at", type: "number" } }],
      expiresAt: "expiresAt",
    });
    expect(only(data, "aws_dynamodb_table")).toMatchObject({
      name: "orders-production-sessions",
      billing_mode: "PAY_PER_REQUEST",
      hash_key: "id",
      range_key: "at",
      attribute: [
        { name: "at", type: "N" },
        { name: "id", type: "S" },
        { name: "user", type: "S" },
      ],
      global_secondary_index: [{ name: "by-user", hash_key: "user", range_key: "at", projection_type: "ALL" }],
      ttl: { enabled: true, attribute_name: "expiresAt" },
      server_side_encryption: { enabled: true },
      point_in_time_recovery: { enabled: true },
      deletion_protection_enabled: true,
    });
    const dev = ordersStack().data;
    new Table(dev, "Sessions", { partitionKey: id });
    expect(only(dev, "aws_dynamodb_table")).toMatchObject({
      point_in_time_recovery: { enabled: false },
      deletion_protection_enabled: false,
    });
  });

  it("fails the plan while items still expire and the program does not say so", () => {
    const { data } = ordersStack();
    new Table(data, "Sessions", { partitionKey: id });
    const table = only(data, "aws_dynamodb_table");
    expect(table).not.toHaveProperty("ttl");
    expect(table.lifecycle).toEqual({
      postcondition: [
        {
          condition: "${!try(self.ttl[0].enabled, false)}",
          error_message: expect.stringContaining(
            "aws dynamodb update-time-to-live --table-name orders-dev-sessions --time-to-live-specification Enabled=false,AttributeName=${try(self.ttl[0].attribute_name",
          ),
        },
      ],
    });
  });

  it("used by a service has variables, read and write permissions and an alarm", () => {
    const { variables, granted, alarms } = using(({ data }) => new Table(data, "Sessions", { partitionKey: id }));
    const arn = `arn:${PARTITION}:dynamodb:eu-central-1:${ACCOUNT}:table/orders-dev-sessions`;
    expect(variables.TABLE_NAME).toBe("orders-dev-sessions");
    expect(granted?.map(([, on]) => on)).toEqual([
      [arn, `${arn}/index/*`],
      [arn, `${arn}/index/*`],
    ]);
    expect(granted?.flatMap(([actions]) => actions)).not.toContain("dynamodb:DeleteTable");
    expect(alarms).toEqual(["orders-dev-sessions-health"]);
  });

  it("can be owned by another app", () => {
    const { variables } = using((stack) =>
      existingTable(stack, "Sessions", "arn:aws:dynamodb:eu-central-1:123456789012:table/sessions"),
    );
    expect(variables.TABLE_NAME).toBe("sessions");
    expect(refusals(() => existingTable(ordersStack(), "Sessions", "sessions"))).toEqual(["TABLE_ARN tableArn"]);
  });

  it.each<[TableProps, string]>([
    [{ partitionKey: { name: "" } }, "TABLE_ATTRIBUTE partitionKey"],
    [{ partitionKey: { name: "id" }, sortKey: { name: "id" } }, "TABLE_ATTRIBUTE sortKey"],
    [
      {
        partitionKey: { name: "id" },
        indexes: [{ name: "byOwner", partitionKey: { name: "owner" }, sortKey: { name: "owner" } }],
      },
      "TABLE_ATTRIBUTE indexes.byOwner.sortKey",
    ],
    [
      { partitionKey: id, indexes: [{ name: "byId", partitionKey: { name: "id", type: "number" } }] },
      "TABLE_KEY_TYPE indexes.byId.partitionKey",
    ],
    [{ partitionKey: id, sortKey: { name: "at", type: "date" as never } }, "TABLE_KEY_TYPE sortKey"],
    [{ partitionKey: id, indexes: [{ name: "x", partitionKey: id }] }, "TABLE_INDEX indexes"],
    [
      {
        partitionKey: id,
        indexes: [
          { name: "same", partitionKey: id },
          { name: "same", partitionKey: id },
        ],
      },
      "TABLE_INDEX indexes",
    ],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => new Table(ordersStack().data, "Sessions", props))).toEqual([expected]);
  });
});

describe("ExternalService", () => {
  const SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:payments-AbCdEf";

  it("has variables like an own service, secrets by reference, and network access", () => {
    const { stack, variables, secrets } = using(
      (stack) =>
        new ExternalService(stack, "CardPayments", {
          url: "https://pay.example.com:8443/v1",
          secrets: { API_KEY: SECRET },
          timeout: Duration.millis(1500),
          retryBudgetPercent: 0,
          breakerFailurePercent: 25,
        }),
    );
    expect(variables).toMatchObject({
      CARD_PAYMENTS_URL: "https://pay.example.com:8443/v1",
      CARD_PAYMENTS_TIMEOUT_MS: "1500",
      CARD_PAYMENTS_RETRY_BUDGET_PERCENT: "0",
      CARD_PAYMENTS_BREAKER_FAILURE_PERCENT: "25",
    });
    expect(secrets).toEqual([{ name: "CARD_PAYMENTS_API_KEY", valueFrom: SECRET }]);
    const ports = Object.values(resources(stack, "aws_vpc_security_group_egress_rule")).map(
      ({ from_port: port }) => port,
    );
    expect(ports.sort()).toEqual([443, 8443]);
  });

  it("on an open port needs no second rule", () => {
    const { stack } = using((stack) => new ExternalService(stack, "Payments", { url: "https://pay.example.com" }));
    expect(Object.keys(resources(stack, "aws_vpc_security_group_egress_rule"))).toHaveLength(1);
  });

  const url = "https://pay.example.com";
  it.each<[ExternalServiceProps, string]>([
    [{ url: "https://me:word@pay.example.com" }, "EXTERNAL_URL url"],
    [{ url: "pay.example.com" }, "EXTERNAL_URL url"],
    [{ url: "ftp://pay.example.com" }, "EXTERNAL_URL url"],
    [{ url, secrets: { API_KEY: "sk_live_1234" } }, "EXTERNAL_SECRET secrets.API_KEY"],
    [{ url, secrets: { "api-key": SECRET } }, "EXTERNAL_SECRET secrets.api-key"],
    [{ url, timeout: Duration.minutes(2) }, "EXTERNAL_TIMEOUT timeout"],
    [{ url, retryBudgetPercent: 101 }, "EXTERNAL_PERCENT retryBudgetPercent"],
    [{ url, breakerFailurePercent: 0 }, "EXTERNAL_PERCENT breakerFailurePercent"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => new ExternalService(ordersStack(), "Payments", props))).toEqual([expected]);
  });

  it("does not print a refused URL with a password", () => {
    const make = () => new ExternalService(ordersStack(), "Payments", { url: "https://me:canary@pay.example.com" });
    expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining("canary") }));
  });
});

describe("use", () => {
  it("accepts two of a type if one has a prefix", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders");
    orders.use(new Bucket(stack.data, "Files"));
    orders.use(new Bucket(stack.data, "Invoices"), { prefix: "INVOICES" });
    const { variables } = seen(stack, orders);
    expect(variables.BUCKET_NAME).toContain("orders-dev-files");
    expect(variables.INVOICES_BUCKET_NAME).toContain("orders-dev-invoices");
  });

  it("refuses two of a type without a prefix, an invalid prefix, and the same one twice", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders");
    const files = new Bucket(stack.data, "Files");
    orders.use(files);
    expect(refusals(() => orders.use(new Bucket(stack.data, "Others")))).toEqual([
      "ENVIRONMENT_VARIABLE_TWICE environment.BUCKET_NAME",
    ]);
    expect(refusals(() => orders.use(new Bucket(stack.data, "More"), { prefix: "a-b" }))).toEqual([
      "USE_PREFIX prefix",
    ]);
    expect(refusals(() => orders.use(files))).toEqual(["ADD_ON_TWICE Files"]);
  });

  it("refuses a service that the network cannot reach", () => {
    const endpoints = { vpc: { egress: "endpoints" } } as const;
    const mirror = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror";
    const without = ordersStack({ ...DEV, registryMirror: mirror }, endpoints);
    const orders = new CloudNativeService(without, "Orders");
    expect(refusals(() => orders.use(new Queue(without.data, "Mails")))).toEqual(["BACKING_OUT_OF_REACH use Mails"]);
  });
});

it("can also be in a platform, for all of its services", () => {
  const stack = ordersStack();
  const platform = stack.node.scope!.node.findChild("shop-dev-platform") as AwsStack;
  const orders = new CloudNativeService(stack, "Orders");
  orders.use(new Queue(platform, "Events"));
  expect(seen(stack, orders).variables.QUEUE_URL).toContain("/shop-dev-events");
});
