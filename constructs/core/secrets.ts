import { Fn, TerraformLocal } from "cdktf";
import type { Construct } from "constructs";
import { endpointOf } from "../../contract/partition";
import type { Statement } from "./iam";
import { asArgument } from "./literal";
import { isReference } from "./reference";

/** ECS starts no task for a key without the two colons that separate it from a stage and a version. */
const SECRET_ARN =
  /^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\s:]+(:[^\s:]*:[^\s:]*:[^\s:]*)?|ssm:[a-z0-9-]+:\d{12}:parameter\/\S+)$/;

/** Returns true for the ARN of a secret (or of one of its keys) or of a parameter, including tokens that resolve to one. */
export function isSecretReference(text: string): boolean {
  return isReference(text) || (SECRET_ARN.test(text) && !/[$%]\{/.test(text));
}

/** Service that stores a secret: Secrets Manager or Systems Manager Parameter Store. */
export type SecretStore = "secretsmanager" | "ssm";

/** Stores that the ARN of a secret can be of: both if it is known only at apply. */
export function storesOf(arn: string): readonly SecretStore[] {
  if (isReference(arn)) return ["secretsmanager", "ssm"];
  return [arn.split(":")[2] === "ssm" ? "ssm" : "secretsmanager"];
}

/**
 * The ARN of a secret without what ECS lets follow: a key within the secret, a version. Parameters have no such suffix.
 *
 * @param id id of the local value that holds an ARN which is known only at apply: its expression has quotes, which would
 * make the policies that contain it invalid JSON until then
 */
export function withoutKey(scope: Construct, id: string, arn: string): string {
  if (!isReference(arn)) return arn.split(":").slice(0, 7).join(":");
  const parts = Fn.split(":", asArgument(arn));
  return new TerraformLocal(scope, id, Fn.join(":", Fn.slice(parts, 0, Fn.min([7, Fn.lengthOf(parts)])))).asString;
}

const READ: Readonly<Record<SecretStore, { readonly action: string; readonly context: string }>> = {
  secretsmanager: { action: "secretsmanager:GetSecretValue", context: "kms:EncryptionContext:SecretARN" },
  ssm: { action: "ssm:GetParameters", context: "kms:EncryptionContext:PARAMETER_ARN" },
};

/**
 * Statements that allow a role to read secrets of one store, also those that a customer-managed key encrypts: the store
 * decrypts in the role's name. The policy of that key must allow it as well, as one that delegates to IAM does.
 *
 * @param arns may grow until synth
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/secure-string-parameter-kms-encryption.html
 */
export function readsSecrets(
  store: SecretStore,
  { partition, region }: { readonly partition: string; readonly region: string },
  arns: readonly string[],
): Statement[] {
  const { action, context } = READ[store];
  return [
    { actions: [action], resources: arns },
    {
      actions: ["kms:Decrypt"],
      resources: [`arn:${partition}:kms:${region}:*:key/*`],
      conditions: { StringEquals: { "kms:ViaService": endpointOf(store, region), [context]: arns } },
    },
  ];
}

export const SECRET_REFERENCE_RULE =
  "Use arn:aws:secretsmanager:...:secret:<name>, arn:aws:secretsmanager:...:secret:<name>:<key>:: or arn:aws:ssm:...:parameter/... as values, and uppercase letters, digits and _ in names.";

/**
 * Endings of the names of variables that hold secrets, before any qualifier. Only the ending counts: `TOKEN_ISSUER`,
 * `PASSWORD_MIN_LENGTH` and `PG_CREDENTIALS_ARN` refer to a secret but hold none.
 */
const SECRET_NAMES = [
  /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY)$/,
  /(^|_)(CREDENTIALS?|CONNECTION_STRING|AUTH_DATA|ACCESS_KEY_ID|(SIGNING|ENCRYPTION|MASTER|ACCOUNT)_KEY)$/,
  /_PWD$/,
];
/** Suffixes that may follow the name of a secret. */
const QUALIFIERS = /(_?\d+|_(VALUE|BASE64|B64|HEX|PEM|JSON|CURRENT|PREVIOUS|PRIMARY|SECONDARY|OLD|NEW))+$/;

/** Returns true if the name of a variable suggests that its value is a secret. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(QUALIFIERS, "");
  return SECRET_NAMES.some((pattern) => pattern.test(words));
}

/** Patterns of values that are secrets, whatever the variable is called. */
const SECRET_VALUES: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]*:[^/?#\s@]+@/i, "a URL with a password"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\b(AKIA|ASIA)[A-Z2-7]{16}\b/, "an AWS access key"],
  [/\b(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}/, "a GitHub token"],
  [/\bglpat-[\w-]{20,}/, "a GitLab token"],
  [/\bxox[abprs]-[\w-]{10,}/, "a Slack token"],
  [/\b(sk|rk)_live_\w{16,}/, "a Stripe key"],
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/, "a signed token (JWT)"],
];

/** Returns the kind of secret that a plain value holds; undefined if it looks like none. */
export function secretIn(value: string): string | undefined {
  return SECRET_VALUES.find(([pattern]) => pattern.test(value))?.[1];
}
