import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { localEnvironment, renderEnvExample } from "../scripts/environment";
import { ConfigError, loadConfig, type Variable } from "../src/config";
import { configDeclaration } from "../src/config-declaration";
import { start } from "./support/service";

const file = (name: string) => readFileSync(join(__dirname, "..", name), "utf8");
const variables = Object.entries<Variable>(configDeclaration);

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("the environment", () => {
  it("is valid for local development", () => {
    expect(loadConfig(localEnvironment())).toMatchObject({ SERVICE_NAME: configDeclaration.SERVICE_NAME.local });
  });

  it("must contain every variable that has no default", () => {
    const required = variables.filter(([, variable]) => variable.default === undefined && !variable.optional);
    expect(problemsOf({}).map((problem) => problem.split(" ")[0])).toEqual(required.map(([name]) => name));
  });

  it("reports all problems at once, without values", () => {
    const env = {
      ...localEnvironment(),
      PORT: "canary-1",
      LOG_LEVEL: "canary-2",
      OTEL_EXPORTER_OTLP_ENDPOINT: "canary-3",
    };
    const problems = problemsOf(env);
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual([
      "PORT",
      "LOG_LEVEL",
      "OTEL_EXPORTER_OTLP_ENDPOINT",
    ]);
    expect(problems.join()).not.toContain("canary");
  });

  it("must leave time to finish requests after the drain", () => {
    expect(problemsOf({ ...localEnvironment(), DRAIN_SECONDS: "25", SHUTDOWN_SECONDS: "25" })).toHaveLength(1);
  });

  it("ends the process with 78 and one line if it is invalid", async () => {
    const service = start("main.ts", { PORT: "canary", SHUTDOWN_SECONDS: "0" });
    expect(await service.exit).toBe(78);
    expect(service.lines).toHaveLength(1);
    expect(JSON.parse(service.lines[0]!)).toMatchObject({ level: "fatal", problems: { length: 2 } });
    expect(service.lines[0]).not.toContain("canary");
  });
});

describe("the declaration", () => {
  it("matches .env.example", () => {
    expect(file(".env.example"), "run `npm run generate`").toBe(renderEnvExample());
  });

  it("matches the environment in compose.yaml", () => {
    const { services } = parse(file("compose.yaml"));
    const given: Record<string, string> = services.service.environment;
    // The AWS clients read AWS_... themselves.
    const names = Object.keys(given).filter((name) => !name.startsWith("AWS_"));
    expect(names.sort()).toEqual(Object.keys(localEnvironment()).sort());
    expect(problemsOf(given)).toEqual([]);
  });

  it("has no default for a secret", () => {
    const secrets = variables.filter(([, variable]) => variable.secret);
    expect(secrets.filter(([, variable]) => variable.default !== undefined)).toEqual([]);
  });
});
