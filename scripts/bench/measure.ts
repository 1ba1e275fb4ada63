/** Measures processes in pairs that run in turn, so that a busy machine slows down both sides of a ratio. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(__dirname, "../..");
export const ROUNDS = 7;
/** Folder of everything that a run writes. */
export const folder = mkdtempSync(join(tmpdir(), "antifragile-bench-"));

let runs = 0;
/** Path of a folder that does not exist yet. */
export const fresh = () => join(folder, String(++runs));

export interface Cost {
  readonly userSeconds: number;
  readonly mebibytes: number;
  /** Output of the program. */
  readonly output: string;
}

// The peer's own check of its templates takes ten times as long as the rest, and has no counterpart here.
const env = { ...process.env, CI: "1", CDK_VALIDATION: "false" };

/** Runs a program in a separate process, which reports its CPU time at the end. */
export function measure(program: string, cwd = ROOT): Cost {
  const last = `process.on("exit",()=>{const u=process.resourceUsage();require("node:fs").writeSync(2,JSON.stringify({userSeconds:u.userCPUTime/1e6,mebibytes:u.maxRSS/1024}))});`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", `${last}${program}`], {
    cwd,
    encoding: "utf8",
    env,
  });
  const report = /\{"userSeconds".*\}$/.exec(stderr)?.[0];
  if (status !== 0 || report === undefined) throw new Error(`${program}\nended with ${status}:\n${stderr}`);
  return { ...(JSON.parse(report) as Omit<Cost, "output">), output: stdout };
}

/** User CPU of a command and of the processes that it waits for, as the shell counts it. */
export function measureCommand(command: string, cwd: string): { userSeconds: number } {
  const { stderr, status } = spawnSync("bash", ["-c", `TIMEFORMAT='user %U'; time { ${command} >/dev/null 2>&1; }`], {
    cwd,
    encoding: "utf8",
    env,
  });
  const seconds = /user ([\d.]+)/.exec(stderr)?.[1];
  if (status !== 0 || seconds === undefined) throw new Error(`${command}\nended with ${status}:\n${stderr}`);
  return { userSeconds: Number(seconds) };
}

export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)]!, lowest: sorted[0]!, highest: sorted.at(-1)! };
}

type Run = () => { readonly userSeconds: number };

/** Ratios of pairs that ran one after the other. */
export function ratioOf(mine: Run, reference: Run, divisor = 1, rounds = ROUNDS): Spread {
  return spreadOf(Array.from({ length: rounds }, () => mine().userSeconds / reference().userSeconds / divisor));
}

/** The same of two programs. */
export const ratio = (program: () => string, reference: () => string, rounds?: number): Spread =>
  ratioOf(
    () => measure(program()),
    () => measure(reference()),
    1,
    rounds,
  );
