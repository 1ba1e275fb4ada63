import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { resolveAnswers } from "../../../generator/answers";
import { type Answers, options } from "../../../generator/options";
import { loadTemplates } from "../../../generator/package-files";
import { programOf } from "../../../generator/processes";
import { render } from "../../../generator/render";
import { given } from "../../generator/support/given";

const templates = loadTemplates(join(__dirname, "../../.."));

/** Every choice taken. */
export const EVERYTHING = {
  database: "postgres",
  cache: "valkey",
  queue: "sqs",
  job: true,
  auth: "oidc",
  calls: "payments",
};

/** No choice taken. */
export const NOTHING = { database: "none", cache: "none", queue: "none", job: false, auth: "none", calls: "none" };

/** A repository by its files: path -> text. */
export function repositoryFiles(flags: object): Map<string, string> {
  const { answers, problems } = resolveAnswers(options, given({ flag: { name: "orders", ...flags } }), {
    folder: undefined,
  });
  if (problems.length > 0) throw new Error(problems.join("; "));
  return filesOf(answers as unknown as Answers);
}

/** Files of a repository with these complete answers. */
export function filesOf(answers: Answers): Map<string, string> {
  return new Map([...render(answers, templates)].map(([path, { content }]) => [path, content]));
}

/** The files of a service without the infrastructure, which has tests of its own and needs half a gigabyte. */
export function serviceFiles(flags: object): Map<string, string> {
  const files = repositoryFiles({ ...NOTHING, ...flags });
  // The image is pushed to where the infrastructure keeps images.
  for (const path of [...files.keys()]) if (/^infra\/|^scripts\/image\.ts$/.test(path)) files.delete(path);
  const manifest = JSON.parse(files.get("package.json")!);
  for (const name of ["antifragile", "cdktf", "constructs", "@cdktf/provider-aws"])
    delete manifest.devDependencies[name];
  files.set("package.json", `${JSON.stringify(manifest, undefined, 2)}\n`);
  return files;
}

export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A clean environment: what this test run was started with must not reach the service. */
export const cleanEnvironment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  ...more,
});

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env = cleanEnvironment(),
): Promise<Outcome> {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  const output = collect(child);
  const [code] = await once(child, "close");
  return { code, output: output() };
}

export function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (text += data));
  return () => text;
}

/** npm, as the generator runs it. */
export function npm(args: readonly string[], cwd: string): Promise<Outcome> {
  const [command, ...first] = programOf("npm", {
    env: process.env,
    platform: process.platform,
    execPath: process.execPath,
  });
  return run(command, [...first, ...args, "--no-audit", "--no-fund", "--prefer-offline"], cwd);
}

/** A tool that the repository installed. */
export function tool(
  repository: string,
  script: string,
  args: readonly string[],
  env?: NodeJS.ProcessEnv,
  node = process.execPath,
) {
  return run(node, [join(repository, "node_modules", script), ...args], repository, env);
}

/** Lets that many at a time do something: starting more processes than there are processors makes all of them late. */
export function atMost(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

export interface TestRun {
  readonly passed: number;
  readonly skipped: number;
  /** Full names of the tests that failed, and of files that did not load. */
  readonly failed: readonly string[];
}

interface Report {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly testResults: {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: string[];
    }[];
  }[];
}

/**
 * Runs tests of a generated repository by its own runner.
 *
 * @param only words of the names of the tests to run
 * @param node program of Node.js
 */
export async function runTests(
  repository: string,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
  only = "",
  node = process.execPath,
): Promise<TestRun> {
  const file = join(repository, "report.json");
  rmSync(file, { force: true });
  const name = only.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const args = ["run", ...files, "-t", name, "--reporter=json", `--outputFile=${file}`];
  const { output } = await tool(repository, "vitest/vitest.mjs", args, env, node);
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Error(`no report of ${files.join(", ")}:\n${output}`, { cause });
  }
  const failed = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const tests = assertionResults.filter((test) => test.status === "failed");
    if (tests.length === 0 && status === "failed") return [`${basename(name)}: ${message}`];
    return tests.map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split("\n")[0]}`);
  });
  return { passed: report.numPassedTests, skipped: report.numPendingTests, failed };
}
