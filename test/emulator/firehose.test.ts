import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";
import { linesOf } from "../support/stream";

describeOnEmulator("CloudWatch log lines that Firehose delivers", () => {
  let emulator: Emulator;
  let aws: AwsCaller;
  let s3: S3Client;

  beforeAll(async () => {
    emulator = await Emulator.start({
      log: join(mkdtempSync(join(tmpdir(), "antifragile-emulator-")), "emulator.log"),
      tools,
    });
    aws = new AwsCaller(emulator.url);
    s3 = new S3Client({
      endpoint: emulator.url,
      region: "eu-central-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      forcePathStyle: true,
    });
    const region = "<LocationConstraint>eu-central-1</LocationConstraint>";
    await aws.rest("s3", "PUT", "/archive", `<CreateBucketConfiguration>${region}</CreateBucketConfiguration>`);
  });
  afterAll(async () => {
    s3?.destroy();
    await emulator?.stop();
  });

  const send = async (name: string, destination: object, messages: readonly string[]) => {
    const { DeliveryStreamARN: destinationArn } = await aws.call("firehose", "CreateDeliveryStream", {
      DeliveryStreamName: name,
      ...destination,
    });
    await subscribe(name, destinationArn, messages);
  };
  const subscribe = async (name: string, destinationArn: string, messages: readonly string[]) => {
    const logGroupName = `/${name}`;
    await aws.call("logs", "CreateLogGroup", { logGroupName });
    const roleArn = "arn:aws:iam::123456789012:role/logs";
    const filter = { logGroupName, filterName: "all", filterPattern: "", destinationArn, roleArn };
    await aws.call("logs", "PutSubscriptionFilter", filter);
    await aws.call("logs", "CreateLogStream", { logGroupName, logStreamName: "task" });
    const logEvents = messages.map((message, index) => ({ message, timestamp: Date.now() + index }));
    await aws.call("logs", "PutLogEvents", { logGroupName, logStreamName: "task", logEvents });
  };
  const arrived = async (prefix: string) => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "archive", Prefix: prefix }));
    return Promise.all(
      Contents.map(async ({ Key = "" }) => {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: "archive", Key }));
        return { key: Key, body: Buffer.from((await Body?.transformToByteArray()) ?? []) };
      }),
    );
  };
  const bucket = { RoleARN: "arn:aws:iam::123456789012:role/firehose", BucketARN: "arn:aws:s3:::archive" };
  const unpacked = {
    ...bucket,
    Prefix: "kept/!{timestamp:yyyy/MM/dd}/",
    CompressionFormat: "GZIP",
    ProcessingConfiguration: {
      Enabled: true,
      Processors: [
        { Type: "Decompression", Parameters: [{ ParameterName: "CompressionFormat", ParameterValue: "GZIP" }] },
        { Type: "AppendDelimiterToRecord", Parameters: [{ ParameterName: "Delimiter", ParameterValue: "\\n" }] },
      ],
    },
  };

  it("are decompressed, delimited and compressed as configured, by date, and complete", async () => {
    const line = JSON.stringify({ msg: 'ordered "Käse" 🧀\n\ttwice', lines: [1, 2.5, null] });
    const messages = [line, "plain words", "x".repeat(200_000)];
    await send("kept", { ExtendedS3DestinationConfiguration: unpacked }, messages);
    const objects = await arrived("kept/");
    expect(objects).toHaveLength(1);
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
    expect(objects[0]?.key).toMatch(new RegExp(`^kept/${today}/kept-1-.*\\.gz$`));
    const text = gunzipSync(objects[0]?.body ?? Buffer.of()).toString("utf8");
    expect(text.endsWith("}\n")).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      logGroup: "/kept",
      logStream: "task",
      logEvents: messages.map((message) => ({ message })),
    });
  });

  it("stay as CloudWatch compresses them without a processing configuration", async () => {
    await send("plain", { ExtendedS3DestinationConfiguration: { ...bucket, Prefix: "plain/" } }, ["one"]);
    const [object] = await arrived("plain/");
    expect(JSON.parse(gunzipSync(object?.body ?? Buffer.of()).toString("utf8"))).toMatchObject({ logGroup: "/plain" });
    expect(object?.key).not.toMatch(/\.gz$/);
  });

  it("reach the stream of a destination, complete", async () => {
    await aws.call("kinesis", "CreateStream", { StreamName: "central", ShardCount: 1, Tags: { Owner: "logs" } });
    const { Tags } = await aws.call("kinesis", "ListTagsForStream", { StreamName: "central" });
    expect(Tags).toEqual([{ Key: "Owner", Value: "logs" }]);
    const targetArn = "arn:aws:kinesis:eu-central-1:123456789012:stream/central";
    const roleArn = "arn:aws:iam::123456789012:role/logs";
    const { destination } = await aws.call("logs", "PutDestination", {
      destinationName: "central",
      targetArn,
      roleArn,
    });
    const policy = {
      Statement: [{ Effect: "Allow", Principal: { AWS: "123456789012" }, Action: "logs:PutSubscriptionFilter" }],
    };
    await aws.call("logs", "PutDestinationPolicy", {
      destinationName: "central",
      accessPolicy: JSON.stringify(policy),
    });
    const line = JSON.stringify({ msg: 'ordered "Käse" 🧀\n\ttwice' });
    await subscribe("through", destination.arn, [line]);
    expect(await linesOf(aws, "central")).toMatchObject([
      { logGroup: "/through", logStream: "task", logEvents: [{ message: line }] },
    ]);
  });

  it("are not sent to endpoints outside", async () => {
    const endpoint = { EndpointConfiguration: { Url: "https://in.example.com" }, S3Configuration: bucket };
    await send("outside", { HttpEndpointDestinationConfiguration: endpoint }, ["one"]);
    expect(await arrived("outside")).toEqual([]);
  });
});
