import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll } from "vitest";

const root = join(__dirname, "../..");

/** Folders that are built into `dist/`. */
const SOURCES = ["bin", "constructs", "contract", "emulator", "generator", "operations", "templates"];

/** Unpacked package. */
export interface Packed {
  readonly folder: string;
  /** Executable file. */
  readonly bin: string;
  readonly tarball: string;
}

/** Newest change below a folder, in milliseconds. */
function newest(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    // Python writes its caches when it runs.
    (entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"),
  );
  return Math.max(...entries.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

/**
 * Packs the built package and unpacks it into a folder of its own, as a user gets it. Refuses a build that is older than
 * the sources, so that no test passes on yesterday's code.
 */
export function unpackPackage(): Packed {
  const built = join(root, "dist/bin/antifragile.js");
  const sources = Math.max(...SOURCES.map((folder) => newest(join(root, folder))));
  if (!existsSync(built) || statSync(built).mtimeMs < sources) {
    throw new Error("dist/ is missing or older than its sources: run npm run build");
  }
  const temp = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-packed-")));
  mkdirSync(join(temp, "unpacked"));
  const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", temp], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const tarball = join(temp, JSON.parse(packed.toString())[0].filename);
  execFileSync("tar", ["-xzf", tarball, "-C", join(temp, "unpacked")]);
  const folder = join(temp, "unpacked/package");
  return { folder, tarball, bin: join(folder, "dist/bin/antifragile.js") };
}

/** Unpacks the package before the tests of a file, and removes it after them. */
export function usePackage(): Packed {
  const packed = {} as { -readonly [key in keyof Packed]: Packed[key] };
  beforeAll(() => void Object.assign(packed, unpackPackage()));
  afterAll(() => {
    if (packed.tarball !== undefined) rmSync(dirname(packed.tarball), { recursive: true, force: true });
  });
  return packed;
}

/** Result of a run of the executable. */
export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Output of a command that succeeded. @throws Error with the end of what it printed, for one that did not */
export function succeeded({ code, stdout, stderr }: Result, command = "it"): string {
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
  return stdout;
}

/** Runs a program to its end, with its input closed or given. */
export function run(
  command: readonly string[],
  cwd: string,
  {
    input = "",
    env = {},
    group = false,
    onOutput,
  }: {
    input?: string;
    env?: NodeJS.ProcessEnv;
    /** Gives the program a process group, which `kill` signals as Ctrl-C does: npm does not pass a signal on to everything. */
    group?: boolean;
    onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  } = {},
): Promise<Result> {
  const { CI, NODE_OPTIONS, npm_execpath, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), { cwd, env: { ...inherited, ...env }, detached: group });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      onOutput?.(stdout, (signal) => process.kill((group ? -1 : 1) * (child.pid as number), signal));
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
