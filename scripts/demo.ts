/**
 * The main job on real input, as a user would do it: the packed package scaffolds a service, which is installed, tested,
 * started, asked and stopped; its infrastructure is deployed to an emulator by Terraform and destroyed again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { progressReporter } from "../contract/progress";

const ROOT = join(__dirname, "..");
const NAME = "orders";

const folder = mkdtempSync(join(tmpdir(), "antifragile-demo-"));
const repository = join(folder, NAME);
const logFile = join(folder, "demo.log");
const log = createWriteStream(logFile);
const timings: { title: string; seconds: number }[] = [];
const children = new Set<ChildProcess>();

/** A step that failed, with what to look at. */
class StepError extends Error {}

/** Only what a new user's shell has: none of npm's variables about this repo. */
const userEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== "INIT_CWD"),
);

const report = progressReporter({
  print: (text) => process.stdout.write(text),
  now: () => performance.now(),
  color: process.stdout.hasColors?.() ?? false,
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
});

async function step(title: string, work: () => Promise<string>): Promise<void> {
  const begun = performance.now();
  report.begin(title);
  try {
    const result = await work();
    timings.push({ title, seconds: (performance.now() - begun) / 1000 });
    report.done(result);
  } catch (error) {
    report.failed();
    throw error;
  }
}

function start(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  log.write(`\n$ ${command} ${args.join(" ")}\n`);
  const child = spawn(command, args, { cwd, env: { ...userEnvironment, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
}

/** Runs a program to its end and returns what it printed; what it printed last is in the error when it fails. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = start(command, args, cwd);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0) return output;
  throw new StepError(
    `${command} ${args.join(" ")} ended with ${code}:\n${output.trimEnd().split("\n").slice(-25).join("\n")}`,
  );
}

const npm = (args: readonly string[], cwd: string) => run("npm", args, cwd);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new StepError("no free port");
  return address.port;
}

/** Waits until a URL answers 200. */
async function answered(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new StepError(`the process ended with ${child.exitCode} before ${url} answered`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new StepError(`${url} did not answer 200 in 20 s`);
}

async function startAndAsk(): Promise<void> {
  const [port, issuerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const issuer = `http://localhost:${issuerPort}`;
  const env = {
    ...parseEnv(readFileSync(join(repository, ".env.example"), "utf8")),
    PORT: String(port),
    AUTH_ISSUER: issuer,
  };
  let service: ChildProcess | undefined;
  await step("start the service", async () => {
    const tokens = start(
      process.execPath,
      [join("node_modules", "tsx", "dist", "cli.mjs"), "scripts/issuer.ts"],
      repository,
      env,
    );
    service = start(process.execPath, ["dist/main.js"], repository, env);
    await answered(`${url}/readyz`, service);
    await answered(`${issuer}/jwks`, tokens);
    return `ready on port ${port}, with an issuer of tokens beside it`;
  });
  await step("ask it over HTTP", async () => {
    const body = JSON.stringify({ lines: [{ sku: "A-1", quantity: 3, unitPriceCents: 250 }] });
    const ask = async (token?: string) => {
      const headers = new Headers({ "content-type": "application/json" });
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      const response = await fetch(`${url}/v1/quotes`, { method: "POST", headers, body });
      return { status: response.status, text: await response.text() };
    };
    const stranger = await ask();
    const token = await (await fetch(`${issuer}/token?scope=quotes:write`)).text();
    const holder = await ask(token);
    if (stranger.status !== 401) throw new StepError(`without a token: ${stranger.status}, not 401: ${stranger.text}`);
    if (holder.status !== 201) throw new StepError(`with a token: ${holder.status}, not 201: ${holder.text}`);
    return `POST /v1/quotes: ${stranger.status} without a token, ${holder.status} with one: ${holder.text.slice(0, 90)}`;
  });
  await step("stop it with SIGTERM", async () => {
    if (service === undefined) throw new StepError("the service was not started");
    const exited = once(service, "exit");
    service.kill("SIGTERM");
    const [code, signal] = (await exited) as [number | null, string | null];
    if (code !== 0) throw new StepError(`it ended with ${code ?? signal}, not 0`);
    return "drained, exit code 0";
  });
}

/** Runs `npm run deploy:local`, which shows its own progress. True when all of it was done. */
async function deployLocally(): Promise<boolean> {
  console.log(`\n  npm run deploy:local   (infra/ on an emulator, by Terraform and the real AWS provider)\n`);
  const begun = Date.now();
  const child = spawn("npm", ["run", "--silent", "deploy:local"], {
    cwd: repository,
    env: userEnvironment,
    stdio: "inherit",
  });
  children.add(child);
  const [code] = (await once(child, "close")) as [number | null];
  children.delete(child);
  timings.push({ title: "deploy:local", seconds: (Date.now() - begun) / 1000 });
  return code === 0;
}

async function main(): Promise<void> {
  console.log(`\n  antifragile demo   in ${folder}\n`);
  let tarball = "";
  await step("pack this package", async () => {
    const output = await npm(["pack", "--ignore-scripts", "--json", "--pack-destination", folder], ROOT);
    const packed = JSON.parse(output.slice(output.indexOf("["))) as { filename: string; size: number }[];
    tarball = join(folder, packed[0]?.filename ?? "");
    return `${packed[0]?.filename}, ${Math.round((packed[0]?.size ?? 0) / 1024)} kB`;
  });
  await step(`npx antifragile new ${NAME} --yes`, async () => {
    const output = await npm(
      ["exec", "--yes", `--package=${tarball}`, "--", "antifragile", "new", NAME, "--yes"],
      folder,
    );
    return /\d+ files/.exec(output)?.[0] ?? "written";
  });
  await step("npm test", async () => {
    const output = await npm(["test"], repository);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: vitest colors its summary
    return /Tests\s+(.*)/.exec(output.replace(/\u001b\[\d+m/g, ""))?.[1] ?? "passed";
  });
  await step("npm run build", async () => {
    await npm(["run", "build"], repository);
    return "dist/";
  });
  await startAndAsk();
  const deployed = await deployLocally();

  console.log(`\n  ${timings.map(({ title, seconds }) => `${title} ${seconds.toFixed(0)} s`).join(" · ")}\n`);
  console.log(`  the repository   ${repository}   yours to look at`);
  console.log(`  its AWS          ${join(repository, "infra", "infrastructure.ts")}`);
  console.log(`  all output       ${logFile}\n`);
  if (!deployed) {
    console.log("  The demo is not complete: the infrastructure was not deployed; see above for what to do.\n");
    process.exitCode = 1;
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    console.log(`\n  stopped; what was made is in ${folder}`);
    process.exit(130);
  });
}
main()
  .catch((error: Error) => {
    console.error(`\n${error instanceof StepError ? error.message : error.stack}\n\n  all output: ${logFile}`);
    process.exitCode = 1;
  })
  .finally(() => {
    for (const child of children) child.kill("SIGTERM");
    log.end();
  });
