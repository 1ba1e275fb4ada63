import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runningProgram, synthPrograms } from "./program";

export const ROOT = join(__dirname, "../..");

/** Names of all examples. */
export const EXAMPLES = readdirSync(join(ROOT, "examples")).sort();

/** Synthesizes an example in a process of its own, as a user does, into a folder of its own, and returns that folder. */
export function synthExample(name: string): string {
  const outdir = mkdtempSync(join(tmpdir(), `antifragile-${name}-`));
  execFileSync(process.execPath, runningProgram(join(ROOT, "examples", name, "main.ts")), {
    cwd: ROOT,
    env: { ...process.env, CDKTF_OUTDIR: outdir },
    encoding: "utf8",
  });
  return outdir;
}

/** Synthesizes all examples in one process, which is faster, and returns the folder of each. */
export function synthExamples(): ReadonlyMap<string, string> {
  const { outdirs } = synthPrograms(EXAMPLES.map((name) => join(ROOT, "examples", name, "main.ts")));
  return new Map(EXAMPLES.map((name, index) => [name, outdirs[index]!]));
}

/** Names of the stacks in a folder that was synthesized into. */
export function stackNames(outdir: string): string[] {
  return readdirSync(join(outdir, "stacks")).sort();
}

/** A stack's Terraform JSON. */
export function stackJson(outdir: string, stack: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(outdir, "stacks", stack, "cdk.tf.json"), "utf8"));
}
