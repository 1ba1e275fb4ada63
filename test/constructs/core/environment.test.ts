import { dirname, join, resolve } from "node:path";
import { App } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  DeliveryStack,
  type Environment,
  insecureHttp,
  LogStream,
  Platform,
  PROFILES,
  placeholder,
  selectEnvironments,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { placeholdersIn } from "../../../contract/placeholders";
import { DEV, only, PRODUCTION, refusals, resources } from "../../support/synth";

const ACCOUNT = "123456789012";
const STRICT: Environment = {
  name: "strict",
  region: "eu-central-1",
  profile: "strict",
  account: ACCOUNT,
  state: "s3",
};
const WAITING: Environment = {
  name: "staging",
  region: "eu-central-1",
  profile: "production",
  account: placeholder("the 12 digits of its AWS account"),
};

const stack = (environment: Environment, app = new App()) =>
  new AwsStack(app, "shop", { environment, lifetime: "service" });
/** `terraform` block of a stack, without the parts that no test covers. */
const backendOf = (made: AwsStack) =>
  (made.toTerraform() as { terraform: { backend: Record<string, object> } }).terraform.backend;

describe("a placeholder", () => {
  it("is found anywhere in plain data, by its path", () => {
    const data = {
      a: placeholder("one"),
      b: { c: ["x", placeholder("two")], d: 1, e: undefined, f: null },
      g: () => 1,
    };
    expect(placeholdersIn(data, "data")).toEqual([
      { path: "data.a", what: "one" },
      { path: "data.b.c[1]", what: "two" },
    ]);
  });

  it("is refused where it is needed, all at once, without further validation errors", () => {
    const variables = { PGHOST: placeholder("host of your database") };
    expect(refusals(() => stack({ ...WAITING, ...{ variables } }))).toEqual([
      "ENVIRONMENT_UNKNOWN environment.account",
      "ENVIRONMENT_UNKNOWN environment.variables.PGHOST",
    ]);
  });
});

describe("choosing environments", () => {
  const FILE = "infra/environments.ts";

  it("selects complete environments, and reports the skipped ones with the reasons", () => {
    expect(selectEnvironments([DEV, WAITING, PRODUCTION], undefined, FILE)).toEqual({
      selected: [DEV, PRODUCTION],
      skipped: ["environment staging is left out: infra/environments.ts lacks staging.account"],
    });
  });

  it("selects one by name", () => {
    expect(selectEnvironments([DEV, WAITING, PRODUCTION], "dev", FILE)).toEqual({ selected: [DEV], skipped: [] });
  });

  it("fails for an incomplete one by name, with file, property and description", () => {
    const act = () => selectEnvironments([DEV, WAITING], "staging", FILE);
    expect(refusals(act)).toEqual(["ENVIRONMENT_UNKNOWN staging.account"]);
    expect(act).toThrow(/^infra\/environments\.ts: staging\.account .*\n.*the 12 digits of its AWS account/);
  });

  it("fails for an unknown name, with the existing ones", () => {
    expect(() => selectEnvironments([DEV, PRODUCTION], "moon", FILE)).toThrow(/"moon"\n.*dev, production/);
  });
});

describe("state", () => {
  it("is a file next to the app by default", () => {
    const app = new App();
    const beside = dirname(resolve(app.outdir));
    expect(backendOf(stack(DEV, app))).toEqual({ local: { path: join(beside, "terraform.shop-dev-service.tfstate") } });
  });

  it("is in the bucket of account and region: encrypted, locked, for this account only", () => {
    expect(backendOf(stack({ ...DEV, account: ACCOUNT, state: "s3" }))).toEqual({
      s3: {
        bucket: "antifragile-state-123456789012-eu-central-1",
        region: "eu-central-1",
        key: "shop-dev-service/terraform.tfstate",
        encrypt: true,
        use_lockfile: true,
        allowed_account_ids: [ACCOUNT],
      },
    });
  });

  it("can be in a given bucket, with a given KMS key", () => {
    const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/0f1e";
    const state = { bucket: "acme-state", region: "eu-west-1", kmsKeyArn };
    expect(backendOf(stack({ ...DEV, state }))).toMatchObject({
      s3: { bucket: "acme-state", region: "eu-west-1", kms_key_id: kmsKeyArn, encrypt: true, use_lockfile: true },
    });
  });

  it("has a key for each stack and environment", () => {
    const app = new App();
    const keys = [DEV, PRODUCTION].flatMap((environment) => {
      const platform = new Platform(app, "shop", { environment: { ...environment, account: ACCOUNT, state: "s3" } });
      const service = platform.stack("orders");
      return [platform, service, service.data].map((made) => (backendOf(made).s3 as { key: string }).key);
    });
    keys.push(
      (
        backendOf(new DeliveryStack(app, "orders", { region: "eu-central-1", account: ACCOUNT, state: "s3" })).s3 as {
          key: string;
        }
      ).key,
    );
    expect(new Set(keys).size).toBe(7);
  });

  it.each([
    ["s3 without an account", { ...DEV, state: "s3" }, "environment.state"],
    ["a bucket with upper-case letters", { ...DEV, state: { bucket: "Acme" } }, "environment.state.bucket"],
    ["an expression", { ...DEV, state: { bucket: '${file("/etc/passwd")}' } }, "environment.state.bucket"],
    ["a region that is none", { ...DEV, state: { bucket: "acme", region: "x" } }, "environment.state.region"],
    ["a key's id alone", { ...DEV, state: { bucket: "acme", kmsKeyArn: "0f1e" } }, "environment.state.kmsKeyArn"],
    ["another word", { ...DEV, state: "gcs" }, "environment.state"],
  ])("refuses %s", (_, environment, prop) => {
    expect(refusals(() => stack(environment as Environment))).toEqual([`ENVIRONMENT_STATE ${prop}`]);
  });
});

describe("a profile", () => {
  const withLogs = (environment: Environment) => {
    const made = stack(environment);
    new LogStream(made, "Logs");
    return made;
  };
  const environmentOf = (profile: Environment["profile"]): Environment => ({ ...STRICT, profile });

  it.each([
    ["dev", 30, 0],
    ["production", 365, 0],
    ["strict", 365, 1],
  ] as const)("%s keeps logs for %i days, with %i KMS keys", (profile, days, keys) => {
    const made = withLogs(environmentOf(profile));
    expect(only(made, "aws_cloudwatch_log_group").retention_in_days).toBe(days);
    expect(Object.keys(resources(made, "aws_kms_key"))).toHaveLength(keys);
    if (keys > 0)
      expect(only(made, "aws_cloudwatch_log_group").kms_key_id).toMatch(/^\$\{aws_kms_key\.Logs_Key_\w+\.arn\}$/);
  });

  it("synthesizes a complete platform", () => {
    for (const profile of PROFILES) {
      expect(() => synthesize(new Platform(new App(), "shop", { environment: environmentOf(profile) }))).not.toThrow();
    }
  });

  it("strict requires an account, and state outside of local files", () => {
    const { account, ...anywhere } = STRICT;
    expect(refusals(() => stack(anywhere))).toContain("ENVIRONMENT_STRICT environment.account");
    expect(refusals(() => stack({ ...STRICT, state: "local" }))).toEqual(["ENVIRONMENT_STRICT environment.state"]);
  });

  it("strict refuses plain HTTP, which the others allow explicitly", () => {
    const platform = (profile: Environment["profile"]) =>
      new Platform(new App(), "shop", { environment: environmentOf(profile), listener: insecureHttp() });
    expect(() => platform("production")).not.toThrow();
    expect(refusals(() => platform("strict"))).toEqual(["LISTENER_PLAIN listener"]);
  });
});
