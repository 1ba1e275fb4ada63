import { join } from "node:path";

/** Arguments for Node.js by which it runs a TypeScript program that uses this library. */
export function runningProgram(main: string, ...words: readonly string[]): string[] {
  return [join(__dirname, "run-program.cjs"), main, ...words];
}
