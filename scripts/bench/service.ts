/** The generated service beside bare Fastify, what each of its parts costs, and its event loop under hostile requests. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { serviceFiles, writeFiles } from "../../test/templates/support/repository";
import { freePort } from "../../test/templates/support/servers";
import { folder, ROUNDS, type Spread, spreadOf } from "./measure";
import { npmInstall } from "./peers";
import { ratioRow, row } from "./rows";
import { changed, VARIANTS, type Variant } from "./service-variants";

/** Requests of a round to each server, and connections that send them. */
const REQUESTS = 700;
const CONNECTIONS = 16;

const service = join(folder, "service");

/** Compiles the service, or a variant of it, into a folder. */
async function compile(name: string, variant?: Variant): Promise<void> {
  await build({
    entryPoints: ["src/**/*.ts", "scripts/issuer.ts"],
    absWorkingDir: service,
    outbase: ".",
    outdir: name,
    platform: "node",
    target: "node20",
    format: "cjs",
    logLevel: "error",
    plugins: [
      {
        name: "variant",
        setup: ({ onLoad }) =>
          onLoad({ filter: new RegExp(`src[\\\\/]${variant?.file ?? "none"}$`) }, ({ path }) => ({
            contents: changed(readFileSync(path, "utf8"), variant!),
            loader: "ts",
          })),
      },
    ],
  });
  copyFileSync(join(service, "openapi.yaml"), join(service, name, "openapi.yaml"));
}

interface Server {
  readonly port: number;
  readonly child: ChildProcess;
}

/** Lets a process report the delay of its event loop. */
const REPORT = `const h=require("node:perf_hooks").monitorEventLoopDelay({resolution:5});h.enable();
process.on("message",(m)=>{if(m==="reset")h.reset();else process.send({p99:h.percentile(99)/1e6,max:h.max/1e6})});process.channel.unref();`;

async function start(file: string, env: NodeJS.ProcessEnv): Promise<Server> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      "--import",
      `data:text/javascript,${encodeURIComponent(`import{createRequire}from"node:module";const require=createRequire("/");${REPORT}`)}`,
      file,
    ],
    {
      cwd: service,
      env: { PATH: process.env.PATH, ...env, PORT: String(port), SERVICE_NAME: "orders", DRAIN_SECONDS: "0" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    },
  );
  await answers(port);
  return { port, child };
}

/** Waits until a process listens. */
async function answers(port: number): Promise<void> {
  const agent = new Agent();
  for (let tries = 0; ; tries++) {
    try {
      await send({ port, agent, path: "/livez" });
      return;
    } catch (error) {
      if (tries === 150) throw error;
      await sleep(200);
    }
  }
}

interface Sent {
  readonly port: number;
  readonly agent: Agent;
  readonly path: string;
  readonly token?: string;
  readonly body?: string;
}

/** Sends a request, and returns the status and the text of the response. */
async function send({ port, agent, path, token, body }: Sent): Promise<{ status: number; text: string }> {
  const headers = {
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
  };
  const sent = request({ host: "127.0.0.1", port, agent, path, headers, method: body === undefined ? "GET" : "POST" });
  sent.end(body);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode, text };
}

const BODY = JSON.stringify({ lines: [{ sku: "A-1", quantity: 2, unitPriceCents: 1250 }] });

/** CPU of all threads of a process, in milliseconds, as the scheduler of Linux counts it. */
function cpuOf({ child }: Server): number {
  const threads = readdirSync(`/proc/${child.pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${child.pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each) / 1e6;
}

const peakMiB = ({ child }: Server) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))![1]) / 1024;

/** CPU of a request, in milliseconds; each request sends the next token. */
async function load(server: Server, tokens: readonly string[]): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const before = cpuOf(server);
  const left = [...tokens];
  const caller = async () => {
    for (let token = left.pop(); token !== undefined; token = left.pop()) {
      const { status, text } = await send({ port: server.port, agent, path: "/v1/quotes", token, body: BODY });
      if (status !== 201) throw new Error(`${status}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
  agent.destroy();
  return (cpuOf(server) - before) / tokens.length;
}

/** A megabyte that takes a parser or a validator the longest, and many small requests. */
const HOSTILE: readonly string[] = [
  "[".repeat(500_000) + "]".repeat(500_000),
  JSON.stringify({ lines: Array.from({ length: 20_000 }, () => ({ sku: 1, quantity: "x" })) }),
  JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`key${n}`, n]))),
  JSON.stringify({ lines: [{ sku: "\u0000".repeat(150_000), quantity: 1, unitPriceCents: 1 }] }),
];

/** Longest delay of the event loop while callers send the worst that they may. */
async function delayUnderAttack(server: Server, token: string): Promise<{ p99: number; max: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  server.child.send("reset");
  const attacks = Array.from({ length: 40 }, (_, n) => HOSTILE[n % HOSTILE.length]!);
  for (let from = 0; from < attacks.length; from += 4) {
    await Promise.all(
      attacks
        .slice(from, from + 4)
        .map((body) => send({ port: server.port, agent, path: "/v1/quotes", token, body }).catch(() => {})),
    );
  }
  agent.destroy();
  server.child.send("report");
  const [report] = await once(server.child, "message");
  return report as { p99: number; max: number };
}

/** Cost of a part of the service. */
export interface PartCost {
  readonly part: string;
  /** Microseconds of CPU of a request. */
  readonly microseconds: Spread;
}

/** Measures the service, and returns the costs of its parts. */
export async function serviceRows(): Promise<readonly PartCost[]> {
  writeFiles(service, serviceFiles({ auth: "oidc" }));
  npmInstall(service);
  await compile("full");
  for (const [index, variant] of VARIANTS.entries()) await compile(`without-${index}`, variant);
  copyFileSync(join(__dirname, "bare-fastify.cjs"), join(service, "bare-fastify.cjs"));
  const children: ChildProcess[] = [];
  try {
    const issuerPort = await freePort();
    const issuer = `http://127.0.0.1:${issuerPort}`;
    const auth = { AUTH_ISSUER: issuer, AUTH_AUDIENCE: "orders" };
    children.push(
      spawn(process.execPath, [join(service, "full/scripts/issuer.js")], {
        env: { PATH: process.env.PATH, ...auth },
        stdio: ["ignore", "ignore", "inherit"],
      }),
    );
    await answers(issuerPort);
    const newToken = async () =>
      (await send({ port: issuerPort, agent: new Agent(), path: "/token?scope=quotes:write" })).text;
    const token = await newToken();
    const repeated = Array<string>(REQUESTS).fill(token);
    const started = async (file: string) => {
      const server = await start(file, auth);
      children.push(server.child);
      return server;
    };
    const bare = await started("bare-fastify.cjs");
    const full = await started("full/src/main.js");
    const variants: Server[] = [];
    for (const index of VARIANTS.keys()) variants.push(await started(`without-${index}/src/main.js`));
    for (const server of [bare, full, ...variants]) await load(server, repeated);
    const rounds: number[][] = [];
    for (let round = 0; round < 3 * ROUNDS; round++) {
      const costs: number[] = [];
      for (const server of [bare, full, ...variants]) costs.push(await load(server, repeated));
      rounds.push(costs);
    }
    const ratios = rounds.map(([ofBare, ofFull]) => ofFull! / ofBare!);
    ratioRow(
      "generated service, CPU of a request / bare Fastify with JWT check and validation",
      spreadOf(ratios),
      1.43,
    );
    const ratiosOfNew: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const tokens: string[] = [];
      while (tokens.length < REQUESTS) tokens.push(await newToken());
      const ofBare = await load(bare, tokens);
      ratiosOfNew.push((await load(full, tokens)) / ofBare);
    }
    ratioRow("generated service, CPU of a request, each with a new token / bare Fastify", spreadOf(ratiosOfNew));
    const [ofFull, ofBare] = [peakMiB(full), peakMiB(bare)];
    row(
      "generated service, memory / bare Fastify",
      `${(ofFull / ofBare).toFixed(2)} (${Math.round(ofFull)} MiB)`,
      "<= 1.2",
    );
    const [mine, theirs] = [await delayUnderAttack(full, token), await delayUnderAttack(bare, token)];
    row(
      "generated service, 99th percentile of the event-loop delay under hostile requests",
      `${Math.round(mine.p99)} ms`,
      "",
    );
    row(
      "generated service, longest delay / bare Fastify",
      `${Math.round(mine.max)} / ${Math.round(theirs.max)} ms`,
      "",
    );
    return VARIANTS.map(({ part }, index) => ({
      part,
      microseconds: spreadOf(rounds.map((costs) => 1000 * (costs[1]! - costs[2 + index]!))),
    }));
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}
