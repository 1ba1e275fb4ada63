import type { TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  type CloudNativeServiceProps,
  ExternalService,
  existingCache,
  existingDatabase,
  InvalidPropsError,
  type ServiceStack,
} from "../../constructs";
import { synthesize } from "../../constructs/testing";
import { ordersStack } from "../support/synth";
import { EVERYTHING, repositoryFiles } from "../templates/support/repository";

/** A value that must be found nowhere but where it was put. */
const CANARY = "canary-7f3a9c";
const ARN = `arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf`;

const service = (props: CloudNativeServiceProps) => (stack: ServiceStack) =>
  new CloudNativeService(stack, "Orders", props);
const database = { host: "db.example.com", databaseName: "orders", user: "orders", credentialsArn: ARN };

/** Every input of the library that may contain a secret by mistake. */
const INPUTS: Record<string, (stack: ServiceStack) => unknown> = {
  "a variable with a secret's name": service({ environment: { DB_PASSWORD: CANARY } }),
  "a variable with a URL": service({ environment: { DATABASE: `postgres://app:${CANARY}@db.example.com/app` } }),
  "a secret's value for its ARN": service({ secrets: { API_KEY: CANARY } }),
  "the URL of an outside service": (stack) =>
    new ExternalService(stack, "Pay", { url: `https://me:${CANARY}@pay.example.com` }),
  "a secret of an outside service": (stack) =>
    new ExternalService(stack, "Pay", { url: "https://pay.example.com", secrets: { API_KEY: CANARY } }),
  "the URL of a cache": (stack) => existingCache(stack, "Cache", { url: `rediss://:${CANARY}@cache.example.com` }),
  "the password of a cache": (stack) => existingCache(stack, "Cache", { url: "rediss://cache", passwordArn: CANARY }),
  "the credentials of a database": (stack) =>
    existingDatabase(stack, "Database", { ...database, credentialsArn: CANARY }),
};

describe("a secret that is passed by mistake", () => {
  it.each(Object.entries(INPUTS))("as %s is refused, not printed, and in no program", (_, make) => {
    const stack = ordersStack();
    let refusal: unknown;
    try {
      make(stack);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(InvalidPropsError);
    expect(String((refusal as Error).stack)).not.toContain(CANARY);
    const stacks = stack.node.root.node.children.filter((child) => "prepareStack" in child);
    const programs = stacks.map((each) => JSON.stringify(synthesize(each as TerraformStack))).join();
    expect(programs.length).toBeGreaterThan(1000);
    expect(programs).not.toContain(CANARY);
  });
});

describe("a secret in an environment variable of the user", () => {
  it("is in no generated file and in no program", () => {
    const kept = { ...process.env };
    const names = [
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "GITHUB_TOKEN",
      "NPM_TOKEN",
      "PGPASSWORD",
      "REDIS_PASSWORD",
    ];
    for (const name of names) process.env[name] = CANARY;
    try {
      const texts = [...repositoryFiles(EVERYTHING).values()].join("\n");
      expect(texts.length).toBeGreaterThan(10_000);
      expect(texts).not.toContain(CANARY);
      const stack = ordersStack();
      const orders = new CloudNativeService(stack, "Orders", { secrets: { API_KEY: ARN } });
      orders.use(existingDatabase(stack, "Database", database));
      expect(JSON.stringify(synthesize(stack))).toContain(ARN);
      expect(JSON.stringify(stack.toTerraform())).not.toContain(CANARY);
    } finally {
      process.env = kept;
    }
  });
});
