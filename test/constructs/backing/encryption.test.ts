import { describe, expect, it } from "vitest";
import {
  Cache,
  CloudNativeService,
  DatabaseBackup,
  DatabaseCapacity,
  type Environment,
  existingTable,
  LogStream,
  PostgresDatabase,
  Table,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, ordersStack, PRODUCTION, refusals, resources } from "../../support/synth";

const STRICT: Environment = { ...PRODUCTION, profile: "strict", account: "123456789012", state: "s3" };
const CUSTOMER: Environment = { ...PRODUCTION, account: "123456789012", encryption: "customer-managed" };
const DATA_KEY = expect.stringMatching(/^\$\{aws_kms_key\.DataKey_\w+\.arn\}$/);

/** A data stack with one of each kind of data. */
function dataStack(environment: Environment) {
  const stack = ordersStack(environment, { listener: undefined });
  const { data } = stack;
  new PostgresDatabase(data, "Database");
  new PostgresDatabase(data, "Ledger", { capacity: DatabaseCapacity.serverless() });
  new Cache(data, "Cache");
  const table = new Table(data, "Sessions", { partitionKey: { name: "id" } });
  new LogStream(data, "Audit");
  return { stack, data, table };
}

describe("the keys of data", () => {
  it.each([
    ["strict", STRICT],
    ["production that chooses so", CUSTOMER],
  ])("are customer-managed in %s: one for all data of a stack, one for each log group", (_, environment) => {
    const program = synthesize(dataStack(environment).data);
    expect(only(program, "aws_db_instance")).toMatchObject({
      kms_key_id: DATA_KEY,
      performance_insights_kms_key_id: DATA_KEY,
    });
    expect(only(program, "aws_rds_cluster").kms_key_id).toEqual(DATA_KEY);
    const instances = Object.values(resources(program, "aws_rds_cluster_instance"));
    expect(instances).not.toEqual([]);
    for (const instance of instances) expect(instance.performance_insights_kms_key_id).toEqual(DATA_KEY);
    expect(only(program, "aws_elasticache_replication_group").kms_key_id).toEqual(DATA_KEY);
    expect(only(program, "aws_dynamodb_table").server_side_encryption).toEqual({
      enabled: true,
      kms_key_arn: DATA_KEY,
    });
    const groups = Object.values(resources(program, "aws_cloudwatch_log_group"));
    expect(groups).not.toEqual([]);
    for (const group of groups) expect(group.kms_key_id).toMatch(/^\$\{aws_kms_key\.(?!DataKey_)\w+\.arn\}$/);
    expect(new Set(groups.map((group) => group.kms_key_id)).size).toBe(groups.length);
    expect(Object.keys(resources(program, "aws_kms_key"))).toHaveLength(1 + groups.length);
  });

  it.each([
    ["production", PRODUCTION],
    ["strict that chooses so", { ...STRICT, encryption: "aws-managed" }],
  ] as [string, Environment][])("are those of AWS in %s", (_, environment) => {
    const program = synthesize(dataStack(environment).data);
    expect(resources(program, "aws_kms_key")).toEqual({});
    expect(Object.keys(resources(program, "aws_cloudwatch_log_group"))).not.toEqual([]);
    expect(JSON.stringify(program)).not.toContain("kms_key");
  });

  it("are refused where the word is unknown", () => {
    const environment = { ...PRODUCTION, encryption: "mine" } as unknown as Environment;
    expect(refusals(() => ordersStack(environment))).toEqual(["ENVIRONMENT_ENCRYPTION environment.encryption"]);
  });

  it("stay those of the backup in a restored database", () => {
    const { data } = ordersStack(CUSTOMER);
    new PostgresDatabase(data, "Restored", { restoreFrom: DatabaseBackup.snapshot("before") });
    expect(only(data, "aws_db_instance")).not.toHaveProperty("kms_key_id");
  });

  it("of a table are used by its readers and writers, through DynamoDB and for this table only", () => {
    const decrypts = (make: (made: ReturnType<typeof dataStack>) => Parameters<CloudNativeService["use"]>[0]) => {
      const made = dataStack(CUSTOMER);
      new CloudNativeService(made.stack, "Orders").use(make(made));
      const policies = Object.entries(resources(synthesize(made.stack), "aws_iam_role_policy"));
      const { policy } = policies.find(([id]) => id.startsWith("Orders_TaskRole"))![1];
      const statements = (policy as { Statement: { Action: string[]; Resource: string[]; Condition?: object }[] })
        .Statement;
      return statements.filter(({ Action }) => Action.includes("kms:Decrypt"));
    };
    const use = (table: string) => ({
      Action: ["kms:Decrypt"],
      Resource: [expect.stringMatching(/:kms:eu-central-1:123456789012:key\/\*$/)],
      Condition: {
        StringEquals: {
          "kms:EncryptionContext:aws:dynamodb:tableName": table,
          "kms:ViaService": "dynamodb.eu-central-1.amazonaws.com",
        },
      },
    });
    expect(decrypts(({ table }) => table)).toMatchObject([use("orders-production-sessions")]);
    const foreign = "arn:aws:dynamodb:eu-central-1:123456789012:table/theirs";
    expect(decrypts(({ stack }) => existingTable(stack, "Theirs", foreign))).toMatchObject([use("theirs")]);
  });
});
