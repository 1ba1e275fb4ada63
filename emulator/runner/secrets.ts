import type { AccountClient } from "./client";

/**
 * Value of a secret or parameter that a container refers to, as ECS resolves it when a task starts: an ARN of Secrets Manager,
 * with a JSON key, a stage and a version where it has them, or a parameter's ARN or name.
 */
export async function resolveSecret(account: AccountClient, valueFrom: string): Promise<string> {
  const parts = valueFrom.split(":");
  if (parts[2] !== "secretsmanager") {
    const { Parameter } = await account.call<{ Parameter: { Value: string } }>("ssm", "GetParameter", {
      Name: valueFrom,
      WithDecryption: true,
    });
    return Parameter.Value;
  }
  const [key = "", stage = "", version = ""] = parts.slice(7);
  const { SecretString = "" } = await account.call<{ SecretString?: string }>("secretsmanager", "GetSecretValue", {
    SecretId: parts.slice(0, 7).join(":"),
    ...(stage === "" ? {} : { VersionStage: stage }),
    ...(version === "" ? {} : { VersionId: version }),
  });
  if (key === "") return SecretString;
  const value = (JSON.parse(SecretString) as Record<string, unknown>)[key];
  if (value === undefined) throw new Error(`${valueFrom} has no key ${key}`);
  return typeof value === "string" ? value : JSON.stringify(value);
}
