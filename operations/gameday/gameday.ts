import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import { UserError } from "../../contract/user-error";
import { startLoadBalancer } from "./load-balancer";
import type { Fault, Plan, Run, Sample } from "./report";

/** Location of a game day. */
export interface GamedayHost {
  /** Folder of the generated repository, with `dist/` built. */
  readonly repository: string;
  readonly env: NodeJS.ProcessEnv;
  readonly print: (text: string) => void;
  /** Aborts the game day. */
  readonly signal: AbortSignal;
}

/** The experiment could not be run, as opposed to a hypothesis that did not hold. */
const notRun = (message: string) => new UserError(message, 2);

/** Processes of this game day. They end with it, however it ends. */
class Processes {
  readonly #running = new Set<ChildProcess>();

  constructor(private readonly host: GamedayHost) {}

  /** Starts a program and resolves with the port that its output names. */
  async start(
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    portOf: (line: string) => number | undefined,
  ): Promise<{ readonly port: number; readonly child: ChildProcess }> {
    const child = spawn(process.execPath, args, {
      cwd: this.host.repository,
      env: { ...this.host.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#running.add(child);
    child.once("exit", () => this.#running.delete(child));
    const lines: string[] = [];
    const listening = new Promise<number>((resolve) => {
      createInterface({ input: child.stdout! }).on("line", (line) => {
        if (lines.length < 20) lines.push(line);
        const port = portOf(line);
        if (port !== undefined) resolve(port);
      });
    });
    const { signal } = this.host;
    const port = await Promise.race([listening, once(child, "exit"), sleep(20_000, undefined, { ref: false, signal })]);
    if (typeof port !== "number") throw notRun(`${args.at(-1)} does not start:\n${lines.join("\n")}`);
    return { port, child };
  }

  end(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }
}

/** Environment for local development: `.env.example`, then `.env`, then the shell. */
function developerEnvironment({ repository, env }: GamedayHost): NodeJS.ProcessEnv {
  const files = [".env.example", ".env"].map((name) => join(repository, name)).filter((file) => existsSync(file));
  return Object.assign({}, ...files.map((file) => parseEnv(readFileSync(file, "utf8"))), env);
}

/** Starts the repository's own OIDC issuer, if it has one. Returns the headers of an authorized request. */
async function startIssuer(
  processes: Processes,
  { repository }: GamedayHost,
  env: NodeJS.ProcessEnv,
): Promise<Record<string, string>> {
  if (!existsSync(join(repository, "scripts/issuer.ts"))) return {};
  env.AUTH_ISSUER = `http://localhost:${await freePort()}`;
  await processes.start(["--import", "tsx", "scripts/issuer.ts"], env, (line) =>
    line.includes("issuer") ? 0 : undefined,
  );
  const answer = await fetch(`${env.AUTH_ISSUER}/token?scope=quotes:read+quotes:write`);
  return { authorization: `Bearer ${await answer.text()}` };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a TCP proxy that can delay everything in both directions. */
async function startDelay(port: number): Promise<{ readonly port: number; setDelay(ms: number): void; close(): void }> {
  let delay = 0;
  const open = new Set<Socket>();
  const forward = (from: Socket, to: Socket) => {
    let last = 0;
    // Keeps the order.
    const later = (work: () => void) => {
      last = Math.max(last, Date.now() + delay);
      setTimeout(work, last - Date.now());
    };
    from.on("data", (chunk) => later(() => to.writable && to.write(chunk)));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => open.delete(from));
    open.add(from);
  };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    forward(near, far);
    forward(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    setDelay(ms) {
      delay = ms;
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Sends one request. Returns the status, or undefined without a response in time. */
function send(url: string, plan: Plan, headers: Record<string, string>, agent?: Agent): Promise<number | undefined> {
  return new Promise((resolve) => {
    const { method, path, body } = plan.request;
    const outgoing = request(url + path, { method, headers, agent, timeout: plan.timeoutMs }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.complete ? answer.statusCode : undefined));
      answer.on("error", () => resolve(undefined));
    });
    // The option `timeout` is for an idle socket; this one is for the whole request.
    const patience = setTimeout(() => outgoing.destroy(), plan.timeoutMs);
    outgoing.on("error", () => resolve(undefined));
    outgoing.on("close", () => {
      clearTimeout(patience);
      resolve(undefined);
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Sends requests at a constant rate, however slow the responses are: callers do not wait for each other. */
async function load(
  url: string,
  plan: Plan,
  headers: Record<string, string>,
  total: number,
  signal: AbortSignal,
): Promise<Sample[]> {
  const agent = new Agent({ keepAlive: true });
  const start = performance.now();
  const sent: Promise<Sample>[] = [];
  try {
    while (sent.length < total) {
      const now = performance.now() - start;
      while (sent.length < total && (sent.length * 1000) / plan.rate <= now) {
        const due = (sent.length * 1000) / plan.rate;
        sent.push(send(url, plan, headers, agent).then((status) => ({ due, done: performance.now() - start, status })));
      }
      await sleep(5, undefined, { signal });
    }
    return await Promise.all(sent);
  } finally {
    agent.destroy();
  }
}

/** Starts two instances and a load balancer, sends requests, and injects the fault into one of the instances. */
export async function runGameday(fault: Fault, plan: Plan, host: GamedayHost): Promise<Run> {
  const { print, signal } = host;
  const say = (text: string) => print(`${new Date().toTimeString().slice(0, 8)}  ${text}\n`);
  const pause = (ms: number) => sleep(ms, undefined, { signal });
  const processes = new Processes(host);
  const closing: (() => unknown)[] = [() => processes.end()];
  try {
    const env = developerEnvironment(host);
    const headers: Record<string, string> = {
      "content-type": "application/json",
      ...(await startIssuer(processes, host, env)),
    };
    const startInstance = (port = 0) =>
      processes.start(
        [join(host.repository, "dist/main.js")],
        { ...env, PORT: String(port), LOG_LEVEL: "info", DRAIN_SECONDS: "0" },
        (line) => {
          const found = line.includes('"listening"') ? /"port":(\d+)/.exec(line) : null;
          return found ? Number(found[1]) : undefined;
        },
      );
    const [a, b] = await Promise.all([startInstance(), startInstance()]);
    const delay = fault === "delay" ? await startDelay(a.port) : undefined;
    closing.push(() => delay?.close());
    const urls = [delay?.port ?? a.port, b.port].map((port) => `http://127.0.0.1:${port}`);
    for (const url of urls) {
      const status = await send(url, plan, headers);
      if (status !== undefined && status < 400) continue;
      const { method, path } = plan.request;
      throw notRun(
        `the service fails before the fault: ${status ?? "no response"} to ${method} ${path}\n` +
          "Start its backing services (docker compose up -d), or correct the request in gameday/hypothesis.json.",
      );
    }

    let start = performance.now();
    const since = () => performance.now() - start;
    let whole: number | undefined = 0;
    let begun = false;
    const balancer = await startLoadBalancer(urls, {
      onChange: (url, healthy) => {
        if (!begun) return;
        whole = healthy && balancer.healthy().length === urls.length ? since() : undefined;
        const name = url === urls[0] ? "A" : "B";
        say(`the load balancer ${healthy ? "registered" : "deregistered"} instance ${name}`);
      },
    });
    closing.push(() => balancer.close());
    // Warm-up: a new process is slow, which is another question. These requests are not counted.
    await load(balancer.url, plan, headers, plan.rate, signal);
    begun = true;
    start = performance.now();
    say(`two instances (ports ${a.port} and ${b.port}), ${plan.rate} requests a second, no retries`);
    const samples = load(balancer.url, plan, headers, plan.rate * plan.seconds, signal);
    samples.catch(() => {});

    const third = (plan.seconds * 1000) / 3;
    await pause(third - since());
    const from = since();
    let until = from;
    if (fault === "kill") {
      a.child.kill("SIGKILL");
      say("killed instance A (SIGKILL); a new one starts");
      whole = undefined;
      await once(a.child, "exit");
      await startInstance(a.port);
      // It may be ready before the next health check.
      if (balancer.healthy().length === urls.length) whole ??= since();
    } else {
      say(fault === "delay" ? `delaying instance A by ${plan.delayMs} ms each way` : "stopped instance A (SIGSTOP)");
      if (fault === "delay") delay?.setDelay(plan.delayMs);
      else a.child.kill("SIGSTOP");
      await pause(third);
      if (fault === "delay") delay?.setDelay(0);
      else a.child.kill("SIGCONT");
      until = since();
      say(fault === "delay" ? "the delay is over" : "continued instance A (SIGCONT)");
    }
    const all = await samples;
    if (whole === undefined) await pause(1000);
    return { fault, samples: all, from, until, whole };
  } finally {
    for (const close of closing) await close();
  }
}
