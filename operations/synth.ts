import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { defineCommand } from "../contract/command-line";
import { listenForInterruption } from "../contract/interruption";
import { cancelled, UserError } from "../contract/user-error";
import { isDelivery } from "./synthesized";

/** The command `antifragile synth`, in a generated repository. */
export const runSynth = defineCommand(
  {
    name: "synth",
    operands: ["[environment]"],
    description:
      "Synthesizes the infrastructure of the repository in this folder to Terraform in infra/cdktf.out: all complete environments, or one.",
    flags: {},
  },
  async (line, { cwd }: { readonly cwd: string }): Promise<0> => {
    await synthesize(cwd, line.operands[0]);
    return 0;
  },
);

/**
 * Synthesizes `infra/main.ts` of a generated repository, as `npm run synth` does, and returns the output folder.
 *
 * @param environment required environment; a placeholder in it is an error. Default: all complete environments
 */
export async function synthesize(repository: string, environment?: string): Promise<string> {
  const main = join(repository, "infra", "main.ts");
  if (!existsSync(main)) {
    throw new UserError(
      `no infra/main.ts in ${repository}: run this command in a repository that antifragile new generated`,
      2,
    );
  }
  tsxOf(main);
  const words = environment === undefined || isDelivery(environment) ? [] : [environment];
  const code = await inForeground([process.execPath, join(__dirname, "run-program.js"), main, ...words], repository);
  if (code === 130) throw cancelled("nothing was changed");
  if (code !== 0) throw new UserError("infra/main.ts cannot be synthesized: fix the errors above", 1);
  return join(repository, "infra", "cdktf.out");
}

/** Path of the tsx that a repository has installed for its programs. @throws UserError where it has none */
export function tsxOf(program: string): string {
  try {
    return createRequire(program).resolve("tsx/cli");
  } catch {
    throw new UserError("tsx is not installed here: run npm install first", 2);
  }
}

/** Runs a program and shows its output; 130 where it was interrupted. */
export async function inForeground([program, ...args]: readonly string[], cwd: string): Promise<number> {
  const child = spawn(program as string, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  // A reader of this command that goes away must not end the program.
  child.stdout.on("data", (chunk) => void process.stdout.write(chunk));
  child.stderr.on("data", (chunk) => void process.stderr.write(chunk));
  const interruption = listenForInterruption({
    onStop: () => void child.kill("SIGTERM"),
    onForce: () => void child.kill("SIGKILL"),
  });
  try {
    const [code] = await once(child, "close");
    return interruption.signal.aborted ? 130 : (code ?? 1);
  } finally {
    interruption.dispose();
  }
}
