import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

interface Exception {
  readonly service: string;
  readonly operation: string;
  readonly path: string;
  readonly reason: string;
  readonly source: string;
  readonly needed: boolean;
}

interface Case {
  readonly refused: (aws: AwsCaller) => Promise<unknown>;
  readonly accepted: (aws: AwsCaller) => Promise<unknown>;
  readonly code: string;
  /** The place of the value and the constraint in the message. */
  readonly message: RegExp;
}

const TRUST = JSON.stringify({ Version: "2012-10-17", Statement: [] });
const PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern";

const role = (aws: AwsCaller, change: object) =>
  aws.call("iam", "CreateRole", { AssumeRolePolicyDocument: TRUST, ...change });
const tagged = (Value: string) => [{ Key: "Team", Value }];
const logGroup = (aws: AwsCaller, name: string, team: string) =>
  aws.call("logs", "CreateLogGroup", { logGroupName: name, tags: { Team: team } });
const parameter = (aws: AwsCaller, Name: string, change: object) =>
  aws.call("ssm", "PutParameter", { Name, Type: "String", Value: "1", ...change });
const clusterWith = (aws: AwsCaller, value: string) =>
  aws.call("ecs", "CreateCluster", { clusterName: "main", tags: [{ key: "Team", value }] });
const rule = (aws: AwsCaller, Priority: number) =>
  aws.call("elasticloadbalancing", "SetRulePriorities", { RulePriorities: [{ RuleArn: "arn", Priority }] });
const versioning = (aws: AwsCaller, status: string) =>
  aws.rest(
    "s3",
    "PUT",
    "/files?versioning",
    `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`,
  );
const group = (aws: AwsCaller, params: object) => aws.rest("xray", "POST", "/CreateGroup", { ...params });

const cases: Record<string, Case> = {
  "a pattern, in a list of tags of a query service": {
    refused: (aws) => role(aws, { RoleName: "tagged", Tags: tagged("R&D") }),
    accepted: (aws) => role(aws, { RoleName: "tagged", Tags: tagged("R+D") }),
    code: "ValidationError",
    message: new RegExp(`Value 'R&amp;D' at 'tags\\.1\\.member\\.value' ${PATTERN}`),
  },
  "a pattern, in a map of tags of a JSON service": {
    refused: (aws) => logGroup(aws, "/tagged", "R&D"),
    accepted: (aws) => logGroup(aws, "/tagged", "R+D"),
    code: "InvalidParameterException",
    message: new RegExp(`Value 'R&D' at 'tags\\.Team\\.member' ${PATTERN}`),
  },
  "a pattern with classes of Unicode": {
    refused: (aws) => clusterWith(aws, "R&D"),
    accepted: (aws) => clusterWith(aws, "Größe"),
    code: "InvalidParameterException",
    message: new RegExp(`'tags\\.1\\.member\\.value' ${PATTERN}`),
  },
  "a length": {
    refused: (aws) => role(aws, { RoleName: "r".repeat(65) }),
    accepted: (aws) => role(aws, { RoleName: "r".repeat(64) }),
    code: "ValidationError",
    message: /'roleName' failed to satisfy constraint: Member must have length less than or equal to 64/,
  },
  "a range": {
    refused: (aws) => rule(aws, 50_001),
    accepted: (aws) =>
      rule(aws, 50_000).catch((error: { code: string }) => expect(error.code).not.toBe("ValidationError")),
    code: "ValidationError",
    message: /'rulePriorities\.1\.member\.priority' .* Member must have value less than or equal to 50000/,
  },
  "an enum": {
    refused: (aws) => parameter(aws, "/enum", { Tier: "Cheap" }),
    accepted: (aws) => parameter(aws, "/enum", { Tier: "Standard" }),
    code: "ValidationException",
    message: /Value 'Cheap' at 'tier' .* Member must satisfy enum value set: \[Standard, Advanced/,
  },
  "a required member inside another": {
    refused: (aws) => parameter(aws, "/required", { Tags: [{ Key: "Team" }] }),
    accepted: (aws) => parameter(aws, "/required", { Tags: tagged("payments") }),
    code: "ValidationException",
    message: /Value at 'tags\.1\.member\.value' .* Member must not be null/,
  },
  "an enum in the XML of S3, whose operations differ by their query": {
    refused: (aws) => versioning(aws, "On"),
    accepted: (aws) => versioning(aws, "Enabled"),
    code: "InvalidArgument",
    message: /Value 'On' at 'versioningConfiguration\.status' .* \[Enabled, Suspended\]/,
  },
  "a required member of a REST service": {
    refused: (aws) => group(aws, { FilterExpression: "fault" }),
    accepted: (aws) => group(aws, { GroupName: "faults", FilterExpression: "fault" }),
    code: "ValidationException",
    message: /'groupName' .* Member must not be null/,
  },
};

describeOnEmulator("the emulator checks requests against AWS's models", () => {
  let emulator: Emulator;
  let aws: AwsCaller;
  let exceptions: Exception[];

  beforeAll(async () => {
    const log = join(mkdtempSync(join(tmpdir(), "antifragile-validation-")), "emulator.log");
    emulator = await Emulator.start({ log, tools, catalogue: false });
    aws = new AwsCaller(emulator.url);
    exceptions = (await (await fetch(`${emulator.url}/antifragile/model-exceptions`)).json()) as Exception[];
    const region = "<LocationConstraint>eu-central-1</LocationConstraint>";
    await aws.rest("s3", "PUT", "/files", `<CreateBucketConfiguration>${region}</CreateBucketConfiguration>`);
  });

  afterAll(() => emulator?.stop());

  test.each(Object.entries(cases))("%s", async (_name, { refused, accepted, code, message }) => {
    await expect(refused(aws)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(accepted(aws).then(() => "accepted")).resolves.toBe("accepted");
  });

  test("names all violations of a request at once", async () => {
    const request = role(aws, { RoleName: "a b", Description: "→", Tags: tagged("R&D") });
    await expect(request).rejects.toMatchObject({
      message: expect.stringMatching(/3 validation errors detected: .*roleName.*description.*tags/),
    });
  });

  test("hides a sensitive value", async () => {
    const secret = aws.call("secretsmanager", "CreateSecret", { Name: "a", SecretString: "s".repeat(65_537) });
    await expect(secret).rejects.toMatchObject({
      message: expect.stringMatching(/^\S+ 1 validation error detected: Value at/),
    });
  });

  test("has few exceptions, each with a reason, a source and a value that the model still refuses", () => {
    expect(exceptions.length).toBeLessThanOrEqual(20);
    for (const { reason, source } of exceptions) {
      expect(reason).toMatch(/\w/);
      expect(source).toMatch(/^https:\/\//);
    }
    // Remove the listed rows from emulator/python/model_exceptions.py.
    expect(exceptions.filter(({ needed }) => !needed)).toEqual([]);
  });
});
