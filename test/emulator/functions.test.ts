import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const FUNCTIONS = "/2015-03-31/functions";
const CODE = `import { appendFileSync } from "node:fs";
export async function handler(event) {
  appendFileSync(process.env.FILE, JSON.stringify(event) + "\\n");
  if (process.env.FAILS) throw new TypeError("not today");
  console.log("not the answer");
  if (process.env.CALLS) return { status: (await fetch(process.env.CALLS)).status };
  return { as: process.env.AWS_ACCESS_KEY_ID };
}`;

describeOnEmulator("functions", () => {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-emulator-"));
  let emulator: Emulator;
  let aws: AwsCaller;
  let s3: S3Client;

  beforeAll(async () => {
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    aws = new AwsCaller(emulator.url);
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    s3 = new S3Client({ endpoint: emulator.url, region: "eu-central-1", credentials, forcePathStyle: true });
    const region = "<LocationConstraint>eu-central-1</LocationConstraint>";
    await aws.rest("s3", "PUT", "/kept", `<CreateBucketConfiguration>${region}</CreateBucketConfiguration>`);
  });
  afterAll(async () => {
    s3?.destroy();
    await emulator?.stop();
  });

  const make = async (name: string, variables: Record<string, string> = {}) => {
    const file = join(folder, name);
    await aws.call("iam", "CreateRole", {
      RoleName: name,
      AssumeRolePolicyDocument: JSON.stringify({
        Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
      }),
    });
    const { FunctionArn } = await aws.rest("lambda", "POST", FUNCTIONS, {
      FunctionName: name,
      Role: `arn:aws:iam::123456789012:role/${name}`,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Code: { ZipFile: Buffer.from(zipSync({ "index.mjs": strToU8(CODE) })).toString("base64") },
      Environment: { Variables: { FILE: file, ...variables } },
    });
    const calls = () => (existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : []);
    return { arn: FunctionArn as string, calls: () => calls().map((line) => JSON.parse(line)) };
  };
  const write = async (name: string, destinationArn: string) => {
    const logGroupName = `/${name}`;
    await aws.call("logs", "CreateLogGroup", { logGroupName });
    await aws.rest("lambda", "POST", `${FUNCTIONS}/${name}/policy`, {
      StatementId: "logs",
      Action: "lambda:InvokeFunction",
      Principal: "logs.amazonaws.com",
      SourceArn: `arn:aws:logs:eu-central-1:123456789012:log-group:${logGroupName}:*`,
    });
    await aws.call("logs", "PutSubscriptionFilter", {
      logGroupName,
      filterName: "all",
      filterPattern: "",
      destinationArn,
    });
    await aws.call("logs", "CreateLogStream", { logGroupName, logStreamName: "task" });
    const logEvents = [{ message: "a line", timestamp: Date.now() }];
    await aws.call("logs", "PutLogEvents", { logGroupName, logStreamName: "task", logEvents });
  };

  it("run, and receive log lines as CloudWatch sends them", async () => {
    const { arn, calls } = await make("taker");
    await write("taker", arn);
    expect(calls()).toHaveLength(1);
    const batch = JSON.parse(gunzipSync(Buffer.from(calls()[0].awslogs.data, "base64")).toString("utf8"));
    expect(batch).toMatchObject({
      messageType: "DATA_MESSAGE",
      logGroup: "/taker",
      logEvents: [{ message: "a line" }],
    });
  });

  it("answer synchronous calls, and report a failure", async () => {
    await make("asked");
    expect(await aws.rest("lambda", "POST", `${FUNCTIONS}/asked/invocations`, { a: 1 })).toEqual({
      as: "role-account-id",
    });
    await make("failing", { FAILS: "1" });
    expect(await aws.rest("lambda", "POST", `${FUNCTIONS}/failing/invocations`, {})).toEqual({
      errorType: "TypeError",
      errorMessage: "not today",
    });
  });

  it("call services while they run", async () => {
    await make("caller", { CALLS: `${emulator.url}/antifragile/leftovers` });
    expect(await aws.rest("lambda", "POST", `${FUNCTIONS}/caller/invocations`, {})).toMatchObject({ status: 200 });
  });

  it("are retried as configured, and a failed event goes to the configured bucket", async () => {
    const { arn, calls } = await make("refuser", { FAILS: "1" });
    await aws.rest("lambda", "PUT", `/2019-09-25/functions/refuser/event-invoke-config`, {
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: "arn:aws:s3:::kept" } },
    });
    await write("refuser", arn);
    expect(calls()).toHaveLength(2);
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "kept" }));
    expect(Contents.map(({ Key }) => Key)).toEqual([expect.stringMatching(/^aws\/lambda\/async\/refuser\/\d{4}\//)]);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: "kept", Key: Contents[0]?.Key }));
    expect(JSON.parse((await Body?.transformToString()) ?? "")).toMatchObject({
      requestContext: { condition: "RetriesExhausted" },
      requestPayload: calls()[0],
      responsePayload: { errorMessage: "not today" },
    });
  });
});
