import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Arguments for Node.js by which it runs a TypeScript program that uses this library. */
export function runningProgram(main: string, ...words: readonly string[]): string[] {
  return [join(__dirname, "run-program.cjs"), main, ...words];
}

/**
 * Synthesizes several such programs in one process, since loading engine and provider takes longer than most programs. Returns a
 * new folder, and the folder in it that each program has synthesized into.
 */
export function synthPrograms(
  mains: readonly string[],
  { env = process.env, args = [] }: { readonly env?: NodeJS.ProcessEnv; readonly args?: readonly string[] } = {},
): { readonly folder: string; readonly outdirs: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-programs-"));
  const program = join(__dirname, "run-program.cjs");
  execFileSync(process.execPath, [...args, program, "--each", folder, ...mains], {
    cwd: join(__dirname, "../.."),
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  return { folder, outdirs: mains.map((_, index) => join(folder, String(index))) };
}
