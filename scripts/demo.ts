/**
 * The main job on real input, as a user would do it: the packed package scaffolds a service, which is installed, tested,
 * started, asked and stopped; its infrastructure is deployed to an emulator by Terraform, what was deployed answers a request
 * through a local load balancer, and all of it is destroyed again.
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
const children = new Set<ChildProcess>();
/** Interrupts groups of processes. */
const groups = new Set<() => void>();

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
  report.begin(title);
  try {
    report.done(await work());
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
    return describeQuote(url, await (await fetch(`${issuer}/token?scope=quotes:write`)).text());
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

/**
 * Runs `npm run deploy:local`, which shows its own progress, asks what it has deployed, and ends it as Ctrl-C does. True when
 * all of it was done.
 */
async function deployLocally(): Promise<boolean> {
  console.log(`\n  npm run deploy:local   (infra/ on an emulator, by Terraform and the real AWS provider)\n`);
  const child = spawn("npm", ["run", "--silent", "deploy:local"], {
    cwd: repository,
    env: userEnvironment,
    stdio: ["ignore", "pipe", "inherit"],
    // Ctrl-C reaches a group of processes, and so does the signal below.
    detached: true,
  });
  const interrupt = () => process.kill(-(child.pid as number), "SIGINT");
  groups.add(interrupt);
  let output = "";
  let asked: Promise<string> | undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    process.stdout.write(chunk);
    output += chunk;
    if (asked !== undefined || !output.includes("Ctrl-C drains")) return;
    asked = askDeployed(output);
    asked.catch(() => undefined).finally(interrupt);
  });
  await once(child, "close");
  groups.delete(interrupt);
  const answer = await asked;
  if (answer !== undefined) console.log(`\n  what was deployed answered ${answer}`);
  // Interrupted, npm has no exit code: it waits for the command, whose last line reports success.
  return answer !== undefined && output.includes("found as planned, and destroyed");
}

/** Calls the service through the local load balancer, by the URL and the token that `deploy:local` has printed. */
async function askDeployed(output: string): Promise<string> {
  const url = /^ {2}(http:\/\/127\.0\.0\.1:\d+) /m.exec(output)?.[1];
  const issuer = /^ {2}token .*'(http:[^']+)'/m.exec(output)?.[1];
  if (url === undefined || issuer === undefined) throw new StepError("deploy:local printed no URL, or no token");
  return describeQuote(url, await (await fetch(issuer)).text());
}

/** Creates a quote with a token, fails to do so without one, and describes both. */
async function describeQuote(url: string, token: string): Promise<string> {
  const body = JSON.stringify({ lines: [{ sku: "A-1", quantity: 3, unitPriceCents: 250 }] });
  const ask = async (authorization?: string) => {
    const headers = new Headers({ "content-type": "application/json" });
    if (authorization !== undefined) headers.set("authorization", authorization);
    const response = await fetch(`${url}/v1/quotes`, { method: "POST", headers, body });
    return { status: response.status, text: await response.text() };
  };
  const stranger = await ask();
  const holder = await ask(`Bearer ${token}`);
  if (stranger.status !== 401) throw new StepError(`without a token: ${stranger.status}, not 401: ${stranger.text}`);
  if (holder.status !== 201) throw new StepError(`with a token: ${holder.status}, not 201: ${holder.text}`);
  const { totalCents } = JSON.parse(holder.text) as { totalCents: number };
  return `POST /v1/quotes: ${stranger.status} without a token, ${holder.status} with one, totalCents ${totalCents}`;
}

interface Stacks {
  /** Version of the engine. */
  readonly version: string;
  readonly stacks: Readonly<Record<string, { readonly workingDirectory: string }>>;
}

/** Versions of engine and provider in what `deploy:local` has synthesized. */
function describeVersions(): string {
  const outdir = join(repository, "infra", "cdktf.out");
  const read = (...path: string[]): unknown => JSON.parse(readFileSync(join(outdir, ...path), "utf8"));
  const { version, stacks } = read("manifest.json") as Stacks;
  const [stack] = Object.values(stacks);
  const program = read(stack?.workingDirectory ?? "", "cdk.tf.json") as {
    readonly terraform: { readonly required_providers: { readonly aws: { readonly version: string } } };
  };
  return `cdktf ${version}, AWS provider ${program.terraform.required_providers.aws.version}`;
}

async function main(): Promise<void> {
  console.log(`\n  antifragile demo   in ${folder}\n`);
  let tarball = "";
  await step("pack this package", async () => {
    const output = await npm(["pack", "--ignore-scripts", "--json", "--pack-destination", folder], ROOT);
    const packed = JSON.parse(output.slice(output.indexOf("["))) as { filename: string; size: number }[];
    tarball = join(folder, packed[0]?.filename ?? "");
    return `${packed[0]?.filename}, ${Math.round((packed[0]?.size ?? 0) / 1000)} kB`;
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

  console.log(`\n  done in          ${Math.round(performance.now() / 1000)} s`);
  console.log(`  the repository   ${repository}   yours to look at`);
  console.log("  infrastructure   infra/infrastructure.ts in it");
  if (deployed) console.log(`  its versions     ${describeVersions()}; others: docs/engines.md`);
  console.log(`  all output       ${logFile}\n`);
  if (!deployed) {
    console.log(
      "  The demo is not complete: the service was not deployed, or did not answer; see above for what to do.\n",
    );
    process.exitCode = 1;
  }
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    for (const child of children) child.kill(signal);
    for (const interrupt of groups) interrupt();
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
