import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { editAsTeam } from "../cli/support/team";
import { binOf, commit, generate, git, put, textOf, useVersions } from "../cli/support/versions";
import { NODES } from "../support/engines";
import { requiring } from "../support/required-tools";
import { mutations } from "./mutations";
import {
  atMost,
  cleanEnvironment,
  collect,
  EVERYTHING,
  npm,
  run,
  runTests,
  serviceFiles,
  tool,
  writeFiles,
} from "./support/repository";
import { freePort, missingServers, type Servers, startServers } from "./support/servers";

/** A generated service starts processes and waits for them. */
const SLOW = 240_000;
/** Its own tests take minutes on a busy machine. */
const OWN_TESTS = 600_000;
/** Tests of a service that need a server of this machine. */
const NEED_SERVERS = ["postgres", "valkey"];

/** Tests of a service that are not worth a file in every repository. */
const ATTACKS = join(__dirname, "attacks");
const missing = missingServers();
const withServers = requiring(missing);
const BIN = binOf(join(__dirname, "../.."));
let folder: string;
let everything: string;
let servers: Servers | undefined;

/** If the servers are installed, the tests of the service must not be skipped, as in its CI. */
const environment = () => cleanEnvironment(servers ? { CI: "1", ...servers.env } : {});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "antifragile-service-"));
  everything = join(folder, "everything");
  writeFiles(everything, serviceFiles(EVERYTHING));
  cpSync(ATTACKS, join(everything, "test"), { recursive: true });
  const installed = await npm(["install"], everything);
  expect(installed.code, installed.output).toBe(0);
  if (missing.length === 0) servers = await startServers();
});

afterAll(async () => {
  await servers?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Another repository with the packages of the first. */
function repository(name: string, files: ReadonlyMap<string, string>): string {
  const target = join(folder, name);
  writeFiles(target, files);
  symlinkSync(join(everything, "node_modules"), join(target, "node_modules"));
  return target;
}

withServers.it("has the servers that its tests need", () => expect(servers).toBeDefined());

describe("a service with all options", () => {
  it("passes its own tests", { timeout: OWN_TESTS }, async () => {
    const { failed, skipped, passed } = await runTests(everything, [], environment());
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(100);
    if (servers) expect(skipped).toBe(0);
  });

  it("fails tests without their server in CI, and skips them elsewhere", { timeout: SLOW }, async () => {
    const nowhere = { PGHOST: "127.0.0.1", PGPORT: "1" };
    const here = await runTests(everything, ["test/job.test.ts"], cleanEnvironment(nowhere));
    expect(here).toEqual({ passed: 0, skipped: 1, failed: [] });
    const inCi = await runTests(everything, ["test/job.test.ts"], cleanEnvironment({ ...nowhere, CI: "1" }));
    expect(inCi.failed.join()).toContain("docker compose up -d postgres");
  });
});

describe("a service without options", () => {
  it("passes its own tests", { timeout: OWN_TESTS }, async () => {
    const { failed, skipped, passed } = await runTests(repository("nothing", serviceFiles({})), [], environment());
    expect(failed).toEqual([]);
    expect(skipped).toBe(0);
    expect(passed).toBeGreaterThan(30);
  });
});

describe("a service of the oldest version, edited as a team would and upgraded", () => {
  const versionOf = useVersions();

  it("compiles, passes its linter and its own tests", { timeout: OWN_TESTS }, async () => {
    const target = join(folder, "upgraded");
    const needs = ["--database=postgres", "--cache=valkey", "--queue=sqs", "--job", "--calls=payments"];
    await generate(versionOf("0.0.1"), target, needs);
    editAsTeam(target);
    put(target, "services/stock/index.js", "// Another service.\n");
    git(target, "init", "--quiet");
    commit(target);

    const upgraded = await run(process.execPath, [BIN, "upgrade", "--no-install"], target);
    expect(upgraded.code, upgraded.output).toBe(0);
    expect(textOf(target, "Dockerfile")).toContain("LABEL team=orders");
    const exist = ["services/stock/index.js", "test/logs.test.ts"].map((path) => existsSync(join(target, path)));
    expect(exist).toEqual([true, false]);

    // The infrastructure has other packages.
    for (const path of ["infra", "scripts/image.ts"]) rmSync(join(target, path), { recursive: true });
    symlinkSync(join(everything, "node_modules"), join(target, "node_modules"));
    for (const [program, ...args] of [
      ["tsx/dist/cli.mjs", "scripts/generate.ts"],
      ["typescript/bin/tsc"],
      ["@biomejs/biome/bin/biome", "check", "src", "test", "scripts"],
    ] as const) {
      const { code, output } = await tool(target, program, args);
      expect(code, output).toBe(0);
    }
    const files = ["auth", "config", "contract", "http", "postgres"].map((name) => `test/${name}.test.ts`);
    const { failed, skipped, passed } = await runTests(target, files, environment());
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(50);
    if (servers) expect(skipped).toBe(0);
  });
});

/** For each choice the words that only it brings. */
const TRACES: Record<keyof typeof EVERYTHING, RegExp> = {
  database: /postgres|\bpg\b|(?<!u)PG[A-Z]{3}|migrat|getQuote/i,
  cache: /valkey|redis/i,
  queue: /sqs|\bqueue\b|QUEUE_|\bworker\b/i,
  job: /\bjob\b/i,
  auth: /jose|oidc|AUTH_[A-Z]|issuer/i,
  calls: /payments|breaker/i,
};

const turn = atMost(2);
const variantName = (choices: object) => `variant-${Object.keys(choices).join("-")}`;
const VARIANTS = [{}, EVERYTHING, ...Object.entries(EVERYTHING).map(([key, value]) => ({ [key]: value }))];

const NEWER = NODES.slice(1);
const ALONE = VARIANTS.filter((choices) => Object.keys(choices).length === 1).map(
  // Those above run on the oldest version of Node.js, these on the newer ones in turn.
  (choices, index) => [choices, NEWER[index % NEWER.length] ?? process.execPath] as const,
);

// With those above, every pair of choices is in a service whose tests run.
describe.concurrent.each(ALONE)("only with %j, on %s", (choices, node) => {
  it("passes its own tests", { timeout: OWN_TESTS }, ({ expect }) =>
    turn(async () => {
      const target = repository(`tests-${Object.keys(choices).join("-")}`, serviceFiles(choices));
      const { failed, skipped } = await runTests(target, [], environment(), "", node);
      expect({ failed, skipped }).toEqual({ failed: [], skipped: servers ? 0 : skipped });
    }),
  );
});

/** Compiler errors of all variants, by folder. */
let compiling: Promise<ReadonlyMap<string, string>> | undefined;
async function compileAll(): Promise<ReadonlyMap<string, string>> {
  const folders = VARIANTS.map((choices) => repository(variantName(choices), serviceFiles(choices)));
  const compiler = join(everything, "node_modules/typescript");
  const args = ["--import", "tsx", join(__dirname, "support/compile.ts"), compiler, ...folders];
  const { code, output } = await turn(() => run(process.execPath, args, __dirname));
  expect(code, output).toBe(0);
  return new Map((JSON.parse(output) as string[]).map((errors, index) => [folders[index]!, errors]));
}

describe.concurrent.each(VARIANTS)("with %j", (choices) => {
  it("compiles and passes its linter", { timeout: SLOW }, async ({ expect }) => {
    const target = join(folder, variantName(choices));
    compiling ??= compileAll();
    expect((await compiling).get(target)).toBe("");
    await turn(async () => {
      const lint = await tool(target, "@biomejs/biome/bin/biome", ["check"]);
      expect(lint.code, lint.output).toBe(0);
    });
  });

  it("contains only the chosen options", ({ expect }) => {
    const others = /^(README\.md|\.antifragile\.json|package-lock\.json)$/;
    const own = [...serviceFiles(choices)].filter(([path]) => !others.test(path));
    const text = own.map(([path, content]) => `${path}\n${content}`).join("\n");
    for (const [key, words] of Object.entries(TRACES)) {
      if (key in choices) expect(text).toMatch(words);
      else expect(words.exec(text)?.[0], `of ${key}`).toBeUndefined();
    }
  });
});

describe.concurrent("a mutation", () => {
  it.for(mutations.map((mutation, index) => ({ ...mutation, index })))(
    "detects: $factor, $wrong ($file)",
    { timeout: 2 * SLOW },
    async ({ file, from, to, test, notices, index }, { skip, expect }) => {
      if (NEED_SERVERS.includes(test)) withServers.running(skip);
      const files = serviceFiles(EVERYTHING);
      const target = repository(
        `mutation-${index}`,
        files.set(
          file,
          files.get(file)!.replace(from, () => to),
        ),
      );
      cpSync(ATTACKS, join(target, "test"), { recursive: true });
      const { failed } = await turn(() => runTests(target, [`test/${test}.test.ts`], environment(), notices));
      expect(failed.join("\n")).toContain(notices);
    },
  );
});

describe("the image", () => {
  const dockerfile = serviceFiles(EVERYTHING).get("Dockerfile")!;
  const stages = dockerfile.split(/^FROM /m).slice(1);
  const last = stages.at(-1)!;
  const command = (name: string): string[] => JSON.parse(new RegExp(`${name} (\\[.*\\])`).exec(last)![1]!);

  it("has one base image, by digest, and runs as a non-root user", () => {
    const names = stages.map((stage) => / AS (\S+)/.exec(stage)?.[1]);
    const bases = stages.map((stage) => stage.split(/\s/)[0]).filter((base) => !names.includes(base));
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:24[^@]*@sha256:[0-9a-f]{64}$/);
    expect(/^USER (\S+)$/m.exec(last)?.[1]).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(last).not.toMatch(/^(RUN|ADD)/m);
  });

  it("starts, is healthy, migrates and stops, with only the files that the Dockerfile copies", {
    timeout: SLOW,
  }, async () => {
    const built = await tool(everything, "typescript/bin/tsc", ["-p", "tsconfig.build.json"]);
    expect(built.code, built.output).toBe(0);
    const image = join(folder, "image");
    mkdirSync(image);
    cpSync(join(everything, "package-lock.json"), join(image, "package-lock.json"));
    for (const [, sources] of last.matchAll(/^COPY --from=\S+ ((?:\S+ )+)\S+$/gm)) {
      for (const source of sources!
        .trim()
        .split(" ")
        .map((each) => each.replace(/^\/app\//, ""))) {
        if (source !== "node_modules") cpSync(join(everything, source), join(image, source), { recursive: true });
      }
    }
    // What `npm prune --omit=dev` leaves.
    const installed = await npm(["ci", "--omit=dev", "--ignore-scripts"], image);
    expect(installed.code, installed.output).toBe(0);
    expect(existsSync(join(image, "node_modules/typescript"))).toBe(false);

    const port = await freePort();
    const env = cleanEnvironment({
      ...declared(),
      ...servers?.env,
      NODE_ENV: "production",
      PORT: String(port),
      DRAIN_SECONDS: "0",
    });
    const [program, ...args] = command("\nCMD");
    const service = spawn(program!, args, { cwd: image, env, stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void service.kill("SIGKILL"));
    const output = collect(service);
    await expect.poll(() => output(), { timeout: 20_000 }).toContain('"listening"');
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    const [probe, ...how] = command("  CMD");
    expect((await run(probe!, how, image, env)).code).toBe(0);
    expect((await run(probe!, how, image, { ...env, PORT: "1" })).code).toBe(1);
    if (servers) {
      const migrated = await run("node", ["dist/admin/migrate.js"], image, env);
      expect(migrated.code, migrated.output).toBe(0);
    }
    service.kill("SIGTERM");
    expect(await once(service, "close")).toEqual([0, null]);
    for (const line of output().trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("level");
  });

  /** Variables that .env.example sets. */
  function declared(): Record<string, string> {
    const lines = serviceFiles(EVERYTHING)
      .get(".env.example")!
      .matchAll(/^([A-Z_]+)=(.*)$/gm);
    return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
  }
});

describe("npm run dev", () => {
  it("serves, and issues a token for requests, without an account", { timeout: SLOW }, async () => {
    const target = repository("dev", serviceFiles({ auth: "oidc" }));
    const [port, issuerPort] = [await freePort(), await freePort()];
    const issuer = `http://localhost:${issuerPort}`;
    writeFileSync(join(target, ".env"), `PORT=${port}\nAUTH_ISSUER=${issuer}\n`);
    const script = JSON.parse(readFileSync(join(target, "package.json"), "utf8")).scripts.dev as string;
    expect(script).toMatch(/^tsx \S+$/);
    const args = [join(target, "node_modules/tsx/dist/cli.mjs"), script.replace("tsx ", "")];
    const dev = spawn(process.execPath, args, {
      cwd: target,
      env: cleanEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void dev.kill("SIGKILL"));
    const output = collect(dev);
    await expect.poll(() => output(), { timeout: 30_000 }).toContain('"listening"');

    const [, tokenUrl] = /curl '([^']+)'/.exec(output())!;
    const token = await (await fetch(tokenUrl!)).text();
    const body = JSON.stringify({ lines: [{ sku: "tea", quantity: 2, unitPriceCents: 250 }] });
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const answer = await fetch(`http://localhost:${port}/v1/quotes`, { method: "POST", body, headers });
    expect(await answer.json()).toMatchObject({ totalCents: 500 });
    dev.kill("SIGTERM");
    await once(dev, "close");
    await expect(fetch(`http://localhost:${port}/livez`)).rejects.toThrow();
  });
});

describe("npm run gameday", () => {
  const lenient = { answeredPercent: 1, p99Ms: 60_000, recoverySeconds: 60 };
  const plan = JSON.parse(serviceFiles({}).get("gameday/hypothesis.json")!);
  const start = (target: string, args: readonly string[]) => {
    const bin = join(__dirname, "../../bin/antifragile.ts");
    const child = spawn(process.execPath, ["--import", "tsx", bin, "gameday", ...args], {
      cwd: target,
      env: cleanEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    return { child, output: collect(child) };
  };
  /** With a hypothesis of its own. */
  function withHypotheses(name: string, choices: object, hypothesis: object): string {
    const target = repository(name, serviceFiles(choices));
    const hypotheses = { ...plan.hypotheses, kill: hypothesis, delay: hypothesis };
    writeFileSync(join(target, "gameday/hypothesis.json"), JSON.stringify({ ...plan, hypotheses }));
    return target;
  }

  it("kills one of two instances under load, counts every request, and draws a chart", { timeout: SLOW }, async () => {
    const target = withHypotheses("gameday-kill", { auth: "oidc" }, lenient);
    const { child, output } = start(target, ["kill", "--seconds", "6", "--rate", "30"]);
    expect(await once(child, "close"), output()).toEqual([0, null]);
    expect(output()).toContain("killed instance A (SIGKILL)");
    expect(output()).toMatch(/^held: \d+ of 180 requests lost \([\d.]+ %\) {2}gameday\/kill\.svg$/m);
    const requests = [...output().matchAll(/^(?:before|during|after) +(\d+) /gm)].map(([, count]) => Number(count));
    expect(requests.reduce((sum, count) => sum + count, 0)).toBe(180);
    expect(readFileSync(join(target, "gameday/kill.svg"), "utf8")).toMatch(/^<svg [\s\S]*of 180 requests lost/);
  });

  it("exits with 1 if the hypothesis did not hold", { timeout: SLOW }, async () => {
    const target = withHypotheses("gameday-delay", {}, { ...lenient, p99Ms: 100 });
    const { child, output } = start(target, ["delay", "--seconds", "6", "--rate", "20"]);
    expect(await once(child, "close"), output()).toEqual([1, null]);
    expect(output()).toMatch(/^✖ p99 < 100 ms: \d+ ms$/m);
    expect(output()).toMatch(/^not held: /m);
  });

  it("leaves no process behind when it is interrupted", { timeout: SLOW }, async () => {
    const { child, output } = start(withHypotheses("gameday-stop", {}, lenient), ["kill", "--seconds", "300"]);
    await expect.poll(output, { timeout: 60_000 }).toMatch(/ports /);
    const ports = /ports (\d+) and (\d+)/.exec(output())!.slice(1);
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([130, null]);
    for (const port of ports) await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
  });

  it.each([
    [["flood"], "name one of: kill, delay, starve"],
    [[], "<kill|delay|starve>: is missing"],
    [["kill", "--seconds", "301"], "--seconds: use a whole number from 6 to 300"],
    [["kill", "--rate", "1001"], "--rate: use a whole number from 1 to 1000"],
    [["kill", "--retries", "3"], "--retries"],
  ])("exits with 2, and starts nothing, for %j", { timeout: SLOW }, async (args, problem) => {
    const { child, output } = start(everything, args);
    expect(await once(child, "close")).toEqual([2, null]);
    expect(output()).toContain(problem);
    expect(output()).toContain("antifragile gameday --help explains it.");
    expect(output()).not.toContain("hypothesis     ");
  });

  it("exits with 2 if the service fails before the fault", { timeout: SLOW }, async () => {
    const target = withHypotheses("gameday-refused", {}, lenient);
    const wrong = { ...plan, request: { method: "GET", path: "/nowhere" } };
    writeFileSync(join(target, "gameday/hypothesis.json"), JSON.stringify(wrong));
    const { child, output } = start(target, ["kill"]);
    expect(await once(child, "close")).toEqual([2, null]);
    expect(output()).toContain("the service fails before the fault: 404 to GET /nowhere");
  });
});
