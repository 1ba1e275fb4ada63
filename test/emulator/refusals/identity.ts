import { field } from "../../support/aws-call";
import { aws, type Case, iam, many } from "./account";

const ROLE = { AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [] }) };

/** A document with a text that fills it up to this many characters. */
const filled = (characters: number, document: (text: string) => object) => {
  const rest = JSON.stringify(document("")).length;
  return JSON.stringify(document("a".repeat(characters - rest)));
};
const policy = (characters: number) =>
  filled(characters, (text) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: `arn:aws:s3:::${text}` }],
  }));
const trust = (characters: number) =>
  filled(characters, (Service) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" }],
  }));
const assume = (ExternalId: string) =>
  aws.call("sts", "AssumeRole", { RoleArn: "arn:aws:iam::123456789012:role/app", RoleSessionName: "test", ExternalId });
const role = (RoleName = "app") => iam("CreateRole", { ...ROLE, RoleName });
const inline = (PolicyName: string, characters: number) =>
  iam("PutRolePolicy", { RoleName: "app", PolicyName, PolicyDocument: policy(characters) });
const managed = async (PolicyName: string, characters = 200) =>
  field(await iam("CreatePolicy", { PolicyName, PolicyDocument: policy(characters) }), "Arn") as string;
const attach = (PolicyArn: string) => iam("AttachRolePolicy", { RoleName: "app", PolicyArn });
const cognito = (operation: string, params: object) => aws.call("cognito-idp", operation, { ...params });
const userPool = async (DeletionProtection = "INACTIVE"): Promise<string> =>
  (await cognito("CreateUserPool", { PoolName: "people", DeletionProtection })).UserPool.Id;

export const cases: Record<string, Case> = {
  // Identities
  "iam-role-exists": {
    given: () => iam("CreateRole", { ...ROLE, RoleName: "app" }),
    refused: () => iam("CreateRole", { ...ROLE, RoleName: "app" }),
    accepted: () => iam("CreateRole", { ...ROLE, RoleName: "other" }),
  },
  "iam-inline-size": {
    given: async () => {
      await role();
      await inline("first", 6000);
    },
    refused: () => inline("second", 4241),
    accepted: () => inline("second", 4240),
  },
  "iam-managed-size": { refused: () => managed("large", 6145), accepted: () => managed("large", 6144) },
  "iam-trust-size": {
    refused: () => iam("CreateRole", { RoleName: "app", AssumeRolePolicyDocument: trust(2049) }),
    accepted: () => iam("CreateRole", { RoleName: "app", AssumeRolePolicyDocument: trust(2048) }),
  },
  "iam-attachments": {
    given: async () => {
      await role();
      await many(10, async (number) => attach(await managed(`p${number}`)));
      return managed("eleventh");
    },
    refused: (arn) => attach(arn),
    accepted: async (arn) => {
      await iam("DetachRolePolicy", { RoleName: "app", PolicyArn: arn.replace("eleventh", "p0") });
      return attach(arn);
    },
  },
  "iam-boundary-missing": {
    given: () => managed("boundary"),
    refused: (arn) => iam("CreateRole", { ...ROLE, RoleName: "app", PermissionsBoundary: `${arn}-2` }),
    accepted: (arn) => iam("CreateRole", { ...ROLE, RoleName: "app", PermissionsBoundary: arn }),
  },
  "iam-policy-attached": {
    given: async () => {
      await role();
      const arn = await managed("used");
      await attach(arn);
      return arn;
    },
    refused: (PolicyArn) => iam("DeletePolicy", { PolicyArn }),
    accepted: async (PolicyArn) => {
      await iam("DetachRolePolicy", { RoleName: "app", PolicyArn });
      return iam("DeletePolicy", { PolicyArn });
    },
  },
  "iam-policy-exists": {
    given: () => managed("same"),
    refused: () => managed("same"),
    accepted: () => managed("other"),
  },
  "iam-role-with-policies": {
    given: async () => {
      await role();
      await inline("own", 200);
    },
    refused: () => iam("DeleteRole", { RoleName: "app" }),
    accepted: async () => {
      await iam("DeleteRolePolicy", { RoleName: "app", PolicyName: "own" });
      return iam("DeleteRole", { RoleName: "app" });
    },
  },
  "user-pool-protected": {
    given: () => userPool("ACTIVE"),
    refused: (UserPoolId) => cognito("DeleteUserPool", { UserPoolId }),
    accepted: async (UserPoolId) => {
      await cognito("UpdateUserPool", { UserPoolId, DeletionProtection: "INACTIVE" });
      return cognito("DeleteUserPool", { UserPoolId });
    },
  },
  "user-pool-domain-exists": {
    given: async () => {
      await cognito("CreateUserPoolDomain", { UserPoolId: await userPool(), Domain: "people" });
      return userPool();
    },
    refused: (UserPoolId) => cognito("CreateUserPoolDomain", { UserPoolId, Domain: "people" }),
    accepted: (UserPoolId) => cognito("CreateUserPoolDomain", { UserPoolId, Domain: "customers" }),
  },
  "sts-assume-role": {
    given: () => {
      const Statement = [
        {
          Effect: "Allow",
          Principal: { AWS: "123456789012" },
          Action: "sts:AssumeRole",
          Condition: { StringEquals: { "sts:ExternalId": "orders" } },
        },
      ];
      return iam("CreateRole", { RoleName: "app", AssumeRolePolicyDocument: JSON.stringify({ Statement }) });
    },
    refused: () => assume("payments"),
    accepted: () => assume("orders"),
  },
};
