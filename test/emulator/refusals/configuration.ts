import { aws, type Case } from "./account";

const TOKEN = "00000000-0000-4000-8000-000000000000";

const secret = (Name: string) => aws.call("secretsmanager", "CreateSecret", { Name, SecretString: "x" });
const alias = (AliasName: string, TargetKeyId: string) => aws.call("kms", "CreateAlias", { AliasName, TargetKeyId });

export const cases: Record<string, Case> = {
  // Secrets and parameters
  "secret-scheduled-for-deletion": {
    given: async () => {
      await aws.call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "x", ClientRequestToken: TOKEN });
      await aws.call("secretsmanager", "DeleteSecret", { SecretId: "db", RecoveryWindowInDays: 7 });
    },
    refused: () =>
      aws.call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "y", ClientRequestToken: TOKEN }),
    accepted: async () => {
      await aws.call("secretsmanager", "DeleteSecret", { SecretId: "db", ForceDeleteWithoutRecovery: true });
      return aws.call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "y", ClientRequestToken: TOKEN });
    },
  },
  "ssm-value-size": {
    refused: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "x".repeat(4097) }),
    accepted: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "x".repeat(4096) }),
  },
  "ssm-empty-value": {
    refused: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "" }),
    accepted: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "-" }),
  },
  "ssm-parameter-exists": {
    given: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "1" }),
    refused: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "2" }),
    accepted: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "2", Overwrite: true }),
  },
  "secret-exists": {
    given: () => secret("db"),
    refused: () => secret("db"),
    accepted: () => secret("other"),
  },
  "kms-alias-exists": {
    given: async () => {
      const { KeyMetadata } = await aws.call("kms", "CreateKey");
      await alias("alias/app", KeyMetadata.KeyId);
      return KeyMetadata.KeyId;
    },
    refused: (key) => alias("alias/app", key),
    accepted: (key) => alias("alias/other", key),
  },
};
