import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { App, Testing } from "cdktf";
import { unzipSync } from "fflate";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  anotherAccount,
  archive,
  CloudNativeService,
  Duration,
  httpEndpoint,
  kinesis,
  LogArchive,
  type LogDestination,
  LogStream,
  type LogStreamProps,
  openSearch,
  sharedArchive,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

const KINESIS = "arn:aws:kinesis:eu-central-1:123456789012:stream/lines";
const DOMAIN = {
  domainArn: "arn:aws:es:eu-west-1:123456789012:domain/logs",
  endpoint: "https://search-logs-abc.eu-west-1.es.amazonaws.com",
};
const CENTRAL = "arn:aws:logs:eu-central-1:210987654321:destination:central";

function stream(props: LogStreamProps = {}, environment = DEV) {
  const stack = ordersStack(environment);
  return { stack, logs: new LogStream(stack, "Logs", { name: "/shop/dev/orders", ...props }) };
}
const sent = (...destinations: LogDestination[]) => stream({ destinations });

describe("an archive", () => {
  it("is encrypted with a key of its own, closed to the public and to plain HTTP, and keeps versions", () => {
    const { stack } = sent(archive());
    expect(only(stack, "aws_s3_bucket_public_access_block")).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    expect(only(stack, "aws_s3_bucket_server_side_encryption_configuration").rule).toMatchObject([
      {
        bucket_key_enabled: true,
        apply_server_side_encryption_by_default: {
          sse_algorithm: "aws:kms",
          kms_master_key_id: expect.stringContaining("aws_kms_key.Logs_Delivery_Archive_Key"),
        },
      },
    ]);
    expect(only(stack, "aws_s3_bucket_ownership_controls").rule).toEqual({ object_ownership: "BucketOwnerEnforced" });
    expect(only(stack, "aws_s3_bucket_versioning")).toMatchObject({ versioning_configuration: { status: "Enabled" } });
    expect(only(stack, "aws_s3_bucket_policy").policy).toMatchObject({
      Statement: [{ Effect: "Deny", Action: "s3:*", Condition: { Bool: { "aws:SecureTransport": "false" } } }],
    });
  });

  const ends = (props: Parameters<typeof archive>[0], environment = DEV) => {
    const { stack } = stream({ destinations: [archive(props)] }, environment);
    const [rule] = only(stack, "aws_s3_bucket_lifecycle_configuration").rule as Record<string, unknown>[];
    return { expiration: rule?.expiration, transition: rule?.transition };
  };

  it("ends lines by its own time, and puts those that stay long into cold storage", () => {
    expect(ends({})).toEqual({ expiration: [{ days: 30 }], transition: undefined });
    expect(ends({}, PRODUCTION)).toEqual({
      expiration: [{ days: 365 }],
      transition: [{ days: 90, storage_class: "GLACIER" }],
    });
    expect(ends({ keep: Duration.days(120), coldAfter: Duration.days(30) })).toEqual({
      expiration: [{ days: 120 }],
      transition: [{ days: 30, storage_class: "GLACIER" }],
    });
  });

  it("stays when its stack goes, in production alone", () => {
    expect(only(stream({ destinations: [archive()] }).stack, "aws_s3_bucket").force_destroy).toBe(true);
    expect(only(stream({ destinations: [archive()] }, PRODUCTION).stack, "aws_s3_bucket").force_destroy).toBe(false);
  });

  it.each([
    [{ keep: Duration.hours(1) }, "ARCHIVE_KEEP keep"],
    [{ keep: Duration.days(100), coldAfter: Duration.days(30) }, "ARCHIVE_COLD coldAfter"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => sent(archive(props)))).toEqual([expected]);
  });

  it("is shared by services of other stacks, each below a prefix of its own", () => {
    const platform = shop();
    const kept = new LogArchive(platform, "Archive");
    const stacks = ["orders", "payments"].map((name) => {
      const stack = platform.stack(name);
      const logs = new LogStream(stack, "Logs", { name: `/shop/dev/${name}`, destinations: [sharedArchive(kept)] });
      new CloudNativeService(stack, name === "orders" ? "Orders" : "Payments", { logs });
      return stack;
    });
    expect(Object.values(resources(platform, "aws_ssm_parameter")).map(({ name }) => name)).toContain(
      "/antifragile/dev/shop/archive",
    );
    const [orders, payments] = stacks.map((stack) => {
      expect(resources(stack, "aws_s3_bucket")).toEqual({});
      const { extended_s3_configuration: to } = only(stack, "aws_kinesis_firehose_delivery_stream");
      return to as { prefix: string; error_output_prefix: string; bucket_arn: string };
    });
    expect(orders).toMatchObject({
      prefix: "shop/dev/orders/!{timestamp:yyyy/MM/dd}/",
      error_output_prefix: "failed/shop/dev/orders/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
      bucket_arn: expect.stringContaining("insecure_value"),
    });
    expect(payments?.prefix).toBe("shop/dev/payments/!{timestamp:yyyy/MM/dd}/");
    const written = Object.values(resources(stacks[0]!, "aws_iam_role_policy")).map(({ policy }) =>
      JSON.stringify(policy),
    );
    expect(written.join()).toContain("/shop/dev/orders/*");
    expect(written.join()).not.toContain("/shop/dev/payments/*");
  });

  it("of another repo is found by the name of its stack", () => {
    const stack = ordersStack();
    const kept = LogArchive.fromStackName(stack, "Kept", "shop");
    new LogStream(stack, "Logs", { destinations: [sharedArchive(kept)] });
    const { bucket_arn: bucket } = only(stack, "aws_kinesis_firehose_delivery_stream").extended_s3_configuration as {
      bucket_arn: string;
    };
    expect(bucket).toMatch(/aws_ssm_parameter\.Kept_Contract.*bucketArn/);
    expect(refusals(() => LogArchive.fromStackName(ordersStack(), "Kept", "../x"))).toEqual([
      "ARCHIVE_STACK stackName",
    ]);
  });

  it("that others share is one in its stack", () => {
    const platform = shop();
    const [first, second] = ["First", "Second"].map((id) => new LogArchive(platform, id));
    const stack = platform.stack("orders");
    new LogStream(stack, "A", { destinations: [sharedArchive(first!)] });
    expect(refusals(() => new LogStream(stack, "B", { destinations: [sharedArchive(second!)] }))).toEqual([
      "ARCHIVE_TWICE scope",
    ]);
  });
});

describe("lines", () => {
  it("go to the archive whole, unpacked, one batch a line, compressed and by date", () => {
    const { stack } = sent(archive());
    expect(only(stack, "aws_kinesis_firehose_delivery_stream")).toMatchObject({
      name: "shop-dev-orders-archive",
      server_side_encryption: { enabled: true },
      extended_s3_configuration: {
        compression_format: "GZIP",
        processing_configuration: {
          enabled: true,
          processors: [
            { type: "Decompression", parameters: [{ parameter_name: "CompressionFormat", parameter_value: "GZIP" }] },
            { type: "AppendDelimiterToRecord", parameters: [{ parameter_name: "Delimiter", parameter_value: "\\n" }] },
          ],
        },
        cloudwatch_logging_options: { enabled: true },
      },
    });
    expect(only(stack, "aws_cloudwatch_log_subscription_filter")).toMatchObject({
      filter_pattern: "",
      destination_arn: expect.stringContaining("aws_kinesis_firehose_delivery_stream"),
      role_arn: expect.stringContaining("aws_iam_role"),
      depends_on: [expect.stringMatching(/^aws_iam_role_policy\./)],
    });
  });

  it("are sent by roles that act for this account alone", () => {
    const { stack } = sent(archive());
    for (const role of Object.values(resources(stack, "aws_iam_role"))) {
      expect(role.assume_role_policy).toMatchObject({
        Statement: [{ Condition: { StringEquals: { "aws:SourceAccount": expect.any(String) } } }],
      });
    }
  });

  it("go to an endpoint with its secret by reference; what it does not take becomes a dead letter", () => {
    const secretArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:logs-AbCdEf";
    const { stack } = sent(httpEndpoint({ url: "https://in.example.com/v1/logs", secretArn }));
    const { http_endpoint_configuration: to } = only(stack, "aws_kinesis_firehose_delivery_stream");
    expect(to).toMatchObject({
      url: "https://in.example.com/v1/logs",
      retry_duration: 300,
      s3_backup_mode: "FailedDataOnly",
      secrets_manager_configuration: { enabled: true, secret_arn: secretArn },
      s3_configuration: { prefix: "failed/shop/dev/orders/!{timestamp:yyyy/MM/dd}/" },
    });
    expect(to).not.toHaveProperty("access_key");
  });

  it("go to a Kinesis stream, and to another account, which is let in by its own owner", () => {
    const { stack } = sent(kinesis(KINESIS), anotherAccount(CENTRAL));
    expect(
      Object.values(resources(stack, "aws_cloudwatch_log_subscription_filter")).map((filter) => [
        filter.destination_arn,
        "role_arn" in filter,
      ]),
    ).toEqual([
      [CENTRAL, false],
      [KINESIS, true],
    ]);
    expect(resources(stack, "aws_s3_bucket")).toEqual({});
  });

  it("go to OpenSearch by a function that CloudWatch alone may call, and that may store into its own indices alone", () => {
    const { stack } = sent(openSearch(DOMAIN));
    expect(only(stack, "aws_lambda_function")).toMatchObject({
      function_name: "shop-dev-orders-opensearch-logs",
      architectures: ["arm64"],
      filename: "functions/to-opensearch.zip",
      handler: "to-opensearch.handler",
      environment: { variables: { ENDPOINT: DOMAIN.endpoint, INDEX: "shop-dev-orders", REGION: "eu-west-1" } },
      depends_on: [
        expect.stringMatching(/^aws_cloudwatch_log_group\./),
        expect.stringMatching(/^aws_iam_role_policy\./),
      ],
    });
    expect(only(stack, "aws_lambda_permission")).toMatchObject({
      action: "lambda:InvokeFunction",
      principal: "logs.amazonaws.com",
      source_account: expect.any(String),
      source_arn: expect.stringMatching(/^arn:.*:log-group:.*:\*$/),
    });
    const filter = only(stack, "aws_cloudwatch_log_subscription_filter");
    expect(filter).toMatchObject({
      destination_arn: expect.stringContaining("aws_lambda_function."),
      depends_on: [expect.stringMatching(/^aws_lambda_permission\./)],
    });
    expect(filter).not.toHaveProperty("role_arn");
    const { Statement: granted } = only(stack, "aws_iam_role_policy").policy as {
      Statement: { Action: string[]; Resource: string[] }[];
    };
    expect(granted.find(({ Action }) => Action.includes("es:ESHttpPost"))?.Resource).toEqual([
      `${DOMAIN.domainArn}/shop-dev-orders-*/_bulk`,
    ]);
    expect(granted.flatMap(({ Action }) => Action).filter((action) => action.startsWith("ec2:"))).toEqual([]);
    expect(Object.values(resources(stack, "aws_cloudwatch_log_group"))).toContainEqual(
      expect.objectContaining({ name: "/aws/lambda/shop-dev-orders-opensearch-logs", retention_in_days: 30 }),
    );
  });

  it("that OpenSearch does not take are dead letters, below the function's own prefix", () => {
    const { stack, logs } = sent(openSearch(DOMAIN));
    expect(only(stack, "aws_lambda_function_event_invoke_config")).toMatchObject({
      maximum_retry_attempts: 2,
      destination_config: { on_failure: { destination: expect.stringMatching(/^\$\{aws_s3_bucket\./) } },
    });
    const policy = JSON.stringify(only(stack, "aws_iam_role_policy").policy);
    expect(policy).toContain("/aws/lambda/async/shop-dev-orders-opensearch-logs/*");
    expect(logs.archive).toBeDefined();
    const alarm = only(stack, "aws_cloudwatch_metric_alarm");
    expect(alarm).toMatchObject({
      alarm_name: "shop-dev-orders-opensearch-logs-failed",
      alarm_description: expect.stringContaining(
        "under aws/lambda/async/shop-dev-orders-opensearch-logs/ in the archive",
      ),
    });
    expect(JSON.stringify(alarm.metric_query)).toMatch(
      /DeliveryErrors.*AsyncEventsDropped.*DestinationDeliveryFailures.*AsyncEventAge/,
    );
  });

  it("go to a domain in a network from there, and nowhere else", () => {
    const vpc = { vpcId: "vpc-1", workloadSubnetIds: ["subnet-1", "subnet-2"] };
    const { stack } = sent(openSearch({ ...DOMAIN, index: "orders", vpc: { vpc, securityGroupId: "sg-domain" } }));
    expect(only(stack, "aws_lambda_function").vpc_config).toMatchObject({
      subnet_ids: ["subnet-1", "subnet-2"],
      security_group_ids: [expect.stringContaining("aws_security_group.")],
    });
    expect(only(stack, "aws_vpc_security_group_egress_rule")).toMatchObject({
      referenced_security_group_id: "sg-domain",
      from_port: 443,
      to_port: 443,
    });
    expect(only(stack, "aws_vpc_security_group_ingress_rule")).toMatchObject({ security_group_id: "sg-domain" });
    expect(JSON.stringify(only(stack, "aws_iam_role_policy").policy)).toContain("ec2:CreateNetworkInterface");
  });

  it("are sent by the same bytes, wherever and whenever it is synthesized", () => {
    const synthesized = () => {
      const { stack } = sent(openSearch(DOMAIN));
      const folder = Testing.fullSynth(stack);
      const zip = readFileSync(join(folder, "stacks", stack.node.id, "functions/to-opensearch.zip"));
      const contract = only(stack, "aws_lambda_function").source_code_hash;
      rmSync(folder, { recursive: true });
      return { zip, contract };
    };
    onTestFinished(() => void vi.useRealTimers().unstubAllEnvs());
    const one = synthesized();
    vi.useFakeTimers({ now: Date.parse("2031-07-01") }).stubEnv("TZ", "Pacific/Auckland");
    expect(new Date().getHours()).toBe(12);
    const other = synthesized();
    expect(other).toEqual(one);
    expect(createHash("sha256").update(one.zip).digest("base64")).toBe(one.contract);
    const files = unzipSync(one.zip);
    expect(Object.keys(files)).toEqual(["to-opensearch.mjs"]);
    expect(Buffer.from(files["to-opensearch.mjs"]!).toString("utf8")).toContain("export async function handler");
  });

  it("keep their resources and names when another one is put before them", () => {
    const ENDPOINT = httpEndpoint({ url: "https://in.example.com/v1/logs" });
    const others = [archive(), ENDPOINT, kinesis(KINESIS), anotherAccount(CENTRAL), openSearch(DOMAIN)];
    const twins = [
      httpEndpoint({ url: "https://other.example.com/v1/logs" }),
      kinesis(KINESIS.replace("lines", "copies")),
      anotherAccount(CENTRAL.replace("central", "other")),
      openSearch({ ...DOMAIN, domainArn: DOMAIN.domainArn.replace("logs", "other") }),
      // The same domain, by another index.
      openSearch({ ...DOMAIN, index: "other" }),
    ];
    /** Addresses of what belongs to the destinations, with the names of the resources. */
    const named = (...destinations: LogDestination[]) =>
      Object.entries(synthesize(sent(...destinations).stack).resource ?? {}).flatMap(([type, all]) =>
        Object.entries(all as Record<string, { name?: string; function_name?: string }>)
          .filter(([id]) => /^Logs_Delivery_(?!Archive_|DeadLetters_|Sender_|Log_)/.test(id))
          .map(([id, { name, function_name: lambda }]) => `${type}.${id} ${name ?? lambda}`),
      );
    for (const own of others) {
      const alone = named(own);
      expect(alone.length).toBeGreaterThan(1);
      for (const first of [...others.filter((other) => other !== own), ...twins]) {
        const after = named(first, own);
        expect(alone.filter((each) => !after.includes(each))).toEqual([]);
        expect(new Set(after.map((each) => each.split(" ")[0])).size).toBe(after.length);
      }
    }
  });

  it("that do not arrive set off an alarm, wherever they go", () => {
    const { stack, logs } = sent(archive(), kinesis(KINESIS));
    expect(logs.alarms.map(({ alarmName }) => alarmName)).toEqual([
      "shop-dev-orders-archive-failed",
      "shop-dev-orders-kinesis-lines-failed",
    ]);
    const alarms = Object.values(resources(stack, "aws_cloudwatch_metric_alarm"));
    const measured = alarms.map(({ metric_query: rows }) =>
      (rows as { metric?: { metric_name: string } }[]).flatMap(({ metric }) => metric?.metric_name ?? []),
    );
    expect(measured).toEqual([
      ["DeliveryErrors"],
      ["DeliveryErrors", "OutputDecompressedRecords.Failed", "DeliveryToS3.DataFreshness"],
    ]);
    for (const alarm of alarms) expect(alarm).toHaveProperty("alarm_actions");
  });

  it("are hidden, counted and searched as asked", () => {
    const { stack, logs } = stream({
      mask: ["EmailAddress", "PhoneNumber-DE"],
      counts: [
        { name: "Refused", pattern: '{ $.msg = "refused" }', alarmAbove: 10 },
        { name: "Errors", pattern: '{ $.level = "error" }' },
      ],
      queries: { "Slow requests": "filter durationMs > 1000" },
    });
    expect(only(stack, "aws_cloudwatch_log_data_protection_policy").policy_document).toMatchObject({
      Statement: [
        { Operation: { Audit: { FindingsDestination: {} } } },
        {
          DataIdentifier: [
            expect.stringMatching(/:dataprotection::aws:data-identifier\/EmailAddress$/),
            expect.stringMatching(/PhoneNumber-DE$/),
          ],
          Operation: { Deidentify: { MaskConfig: {} } },
        },
      ],
    });
    expect(Object.keys(resources(stack, "aws_cloudwatch_log_metric_filter"))).toHaveLength(2);
    expect(logs.alarms.map(({ alarmName }) => alarmName)).toEqual(["shop-dev-orders-lines-refused"]);
    expect(only(stack, "aws_cloudwatch_metric_alarm")).toMatchObject({ threshold: 10 });
    expect(only(stack, "aws_cloudwatch_query_definition")).toMatchObject({
      name: "shop/dev/orders/Slow requests",
      query_string: "filter durationMs > 1000",
    });
  });

  it("keep what looks like an expression as text", () => {
    const { stack } = stream({
      counts: [{ name: "Odd", pattern: '"${file(1)}"' }],
      queries: { Odd: 'filter @message like "${file(1)}"' },
    });
    expect(JSON.stringify(stack.toTerraform())).toMatch(/\$\$\{file\(1\)\}.*\$\$\{file\(1\)\}/);
  });

  it.each<[LogStreamProps, string[]]>([
    [{ destinations: [archive(), kinesis(KINESIS), anotherAccount(CENTRAL)] }, ["LOG_DESTINATIONS destinations"]],
    [{ destinations: [archive(), archive()] }, ["LOG_DESTINATION_TWICE destinations"]],
    [{ destinations: [kinesis("${file(1)}")] }, ["LOG_KINESIS_ARN destinations.kinesis"]],
    [{ destinations: [anotherAccount(KINESIS)] }, ["LOG_ACCOUNT_ARN destinations.anotherAccount"]],
    [
      {
        destinations: [httpEndpoint({ url: "http://in.example.com", secretArn: "abc", retry: Duration.hours(3) })],
      },
      [
        "LOG_ENDPOINT_URL destinations.url",
        "LOG_ENDPOINT_SECRET destinations.secretArn",
        "LOG_ENDPOINT_RETRY destinations.retry",
      ],
    ],
    [
      {
        destinations: [
          openSearch({ domainArn: "logs", endpoint: "http://logs.example.com/a", index: "Orders" }),
          openSearch({ ...DOMAIN, index: "${file(1)}" }),
        ],
      },
      [
        "LOG_OPENSEARCH_DOMAIN destinations.openSearch.domainArn",
        "LOG_OPENSEARCH_ENDPOINT destinations.openSearch.endpoint",
        "LOG_OPENSEARCH_INDEX destinations.openSearch.index",
        "LOG_OPENSEARCH_INDEX destinations.openSearch.index",
      ],
    ],
    [{ mask: ["e-mail"] }, ["LOG_MASK mask"]],
    [{ counts: [{ name: "a b", pattern: "x" }] }, ["LOG_COUNT counts.a b"]],
    [{ counts: [{ name: "Open", pattern: "{ $.level = 50" }] }, ["LOG_COUNT counts.Open"]],
    [{ counts: [{ name: "Open", pattern: "[ip, user" }] }, ["LOG_COUNT counts.Open"]],
    [{ counts: [{ name: "Open", pattern: '"not found' }] }, ["LOG_COUNT counts.Open"]],
    [{ queries: { "a/b": "x" } }, ["LOG_QUERY queries.a/b"]],
  ])("refuse %j", (props, expected) => {
    expect(refusals(() => stream(props))).toEqual(expected);
  });
});

describe("an app with a shared archive", () => {
  it("applies the archive's stack first", () => {
    const platform = shop();
    const stack = platform.stack("orders");
    new LogStream(stack.data, "Audit", { destinations: [sharedArchive(new LogArchive(platform, "Archive"))] });
    expect(stack.data.dependencies).toContain(platform);
    expect(new App()).toBeDefined();
  });
});
