import { describe, expect, it } from "vitest";
import { isSecretName, secretIn } from "../../../constructs/core/secrets";

describe("names of variables", () => {
  it.each([
    "PASSWORD",
    "DB_PASSWORD",
    "PGPASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "dbPassword",
    "REDIS_PASSWORD_2",
    "SESSION_SECRET",
    "clientSecret",
    "JWT_SECRET_BASE64",
    "GITHUB_TOKEN",
    "authToken",
    "STRIPE_API_KEY",
    "APIKEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "TLS_PRIVATE_KEY",
    "TLS_PRIVATE_KEY_PEM",
    "ENCRYPTION_KEY_OLD",
    "DB_CREDENTIALS",
    "DATABASE_CONNECTION_STRING",
    "ECS_ENGINE_AUTH_DATA",
    "KEY_PASSPHRASE",
    "ADMIN_PWD",
  ])("%s is a secret", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    "PG_CREDENTIALS_ARN",
    "DB_SECRET_ARN",
    "SECRET_NAME",
    "TOKEN_ISSUER",
    "TOKEN_AUDIENCE",
    "ACCESS_TOKEN_TTL",
    "PASSWORD_MIN_LENGTH",
    "PASSWORD_FILE",
    "MAX_TOKENS",
    "API_KEY_HEADER",
    "KEY_ID",
    "PUBLIC_KEY",
    "SORT_KEY",
    "PARTITION_KEY",
    "KEYCLOAK_URL",
    "MONKEY",
    "COMPASS_POINT",
    "PWD",
    "SECRETARY",
    "TOKENIZER",
  ])("%s is not", (name) => {
    expect(isSecretName(name)).toBe(false);
  });

  it("are detected in any notation and with any prefix", () => {
    const words = ["password", "secret", "token", "api_key", "private_key"];
    const before = ["", "db_", "my_own_", "x2_", "a_b_c_"];
    const styles = [
      (name: string) => name.toUpperCase(),
      (name: string) => name,
      (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    ];
    for (const word of words) {
      for (const prefix of before) {
        for (const style of styles) {
          const name = style(`${prefix}${word}`);
          expect([name, isSecretName(name)]).toEqual([name, true]);
          expect([name, isSecretName(`${name}_ARN`)]).toEqual([name, false]);
        }
      }
    }
  });
});

describe("values of variables", () => {
  it.each([
    ["postgres://app:hunter2@db.example.com/app", "a URL with a password"],
    ["amqps://user:p%40ss@mq:5671", "a URL with a password"],
    ["redis://:secret@cache:6379", "a URL with a password"],
    ["jdbc:postgresql://u:p@db/app", "a URL with a password"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a private key"],
    ["AKIAIOSFODNN7EXAMPLE", "an AWS access key"],
    [`ghp_${"a".repeat(36)}`, "a GitHub token"],
    ["glpat-abcdefghijklmnopqrst", "a GitLab token"],
    ["xoxb-1234567890-abc", "a Slack token"],
    ["sk_live_abcdefghijklmnop", "a Stripe key"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "a signed token (JWT)"],
  ])("%s contains %s", (value, what) => {
    expect(secretIn(value)).toBe(what);
  });

  it.each([
    "https://issuer.example.com/a:b@c",
    "https://example.com?mail=a:b@c",
    "postgres://app@db.example.com/app",
    "http://localhost:4318",
    "mailto:someone@example.com",
    "user@example.com",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf",
    "-----BEGIN PUBLIC KEY-----",
    "12:30",
    "",
  ])("%s contains none", (value) => {
    expect(secretIn(value)).toBeUndefined();
  });

  it("are detected anywhere in a URL", () => {
    for (const scheme of ["http", "https", "postgresql", "mongodb+srv", "amqp", "ldaps"]) {
      for (const user of ["", "me", "me%40here"]) {
        for (const around of ["", " ", "url=", "a,", '{"url":"']) {
          const value = `${around}${scheme}://${user}:pw@host/x`;
          expect([value, secretIn(value)]).toEqual([value, "a URL with a password"]);
          expect(secretIn(`${around}${scheme}://${user || "me"}@host:80/x`)).toBeUndefined();
        }
      }
    }
  });
});
