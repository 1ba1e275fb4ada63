import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

const root = join(__dirname, "../..");

/** One line of the event stream. */
export type Line = Record<string, unknown> & { readonly msg: string };

/** A process of this service, started as the platform starts it. */
export interface Service {
  readonly process: ChildProcess;
  /** Every line of stdout so far. */
  readonly lines: string[];
  readonly url: string;
  /** Resolves with the first log line that fits, or rejects when the process ends without one. */
  logged(fits: (line: Line) => boolean): Promise<Line>;
  /** Resolves with the exit code. */
  readonly exit: Promise<number | null>;
}

/** The environment that every test starts from: nothing of this machine, a free port, no drain. */
export const environment = {
  PATH: process.env.PATH,
  SERVICE_NAME: "under-test",
  PORT: "0",
  DRAIN_SECONDS: "0",
  SHUTDOWN_SECONDS: "10",
};

/** Starts a file of `src/`; it is killed at the end of the test. */
export function start(file = "main.ts", env: Record<string, string | undefined> = {}): Omit<Service, "url"> {
  const child = spawn(process.execPath, ["--import", "tsx", join("src", file)], {
    cwd: root,
    env: { ...environment, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));

  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const exit = once(child, "close").then(([code]) => code as number | null);
  createInterface({ input: child.stdout! }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });

  const logged = (fits: (line: Line) => boolean) =>
    new Promise<Line>((resolve, reject) => {
      const look = () => {
        const found = lines.map(parsed).find((line) => line !== undefined && fits(line));
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      exit.then((code) => reject(new Error(`exit ${code} without such a line in:\n${lines.join("\n")}`)));
    });
  return { process: child, lines, logged, exit };
}

/** Starts the web process and waits until it listens. */
export async function startWeb(env: Record<string, string | undefined> = {}): Promise<Service> {
  const service = start("main.ts", env);
  const { port } = await service.logged((line) => line.msg === "listening");
  return { ...service, url: `http://127.0.0.1:${port}` };
}

function parsed(line: string): Line | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
