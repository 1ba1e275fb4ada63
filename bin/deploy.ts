import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { styleText } from "node:util";
import { type DeployReport, deployLocally, ToolsMissingError } from "../emulator/deploy-local";
import type { Context } from "../generator/context";
import { badUsage, cancelled, type ExitCode, UserError } from "../generator/errors";

const HELP = `Usage: antifragile deploy --local

  --local  deploys infra/ on an emulator on this machine and takes it away again: no account is needed
  --help   this text
`;

/** `antifragile deploy --local`, in a generated repository. */
export async function runDeploy(context: Context): Promise<ExitCode> {
  if (context.args.includes("--help")) {
    context.print(HELP);
    return 0;
  }
  const unknown = context.args.filter((word) => word !== "--local");
  if (unknown.length > 0 || context.args.length !== 1) {
    throw badUsage(
      unknown.map((word) => `unknown: ${word}`),
      HELP,
    );
  }
  return context.interruptible(async (signal) => {
    const start = context.now();
    const report = reporter(context);
    report.begin("synthesize");
    await synthesize(context, signal);
    const synthesized = join(context.cwd, "infra", "cdktf.out");
    report.done("infra/cdktf.out");
    try {
      await deployLocally({ synthesized, report, signal });
    } catch (error) {
      report.failed();
      if (signal.aborted) throw cancelled("the emulator is stopped, and with it all that was applied");
      if (error instanceof ToolsMissingError) {
        throw new UserError(`${error.message}\nWhat was synthesized is in infra/cdktf.out.`, 1);
      }
      throw error instanceof Error ? new UserError(error.message, 1) : error;
    }
    context.print(`\n  applied, found as planned, and destroyed, in ${seconds(context.now() - start)}\n`);
    return 0 as const;
  });
}

async function synthesize(context: Context, signal: AbortSignal): Promise<void> {
  const main = join(context.cwd, "infra", "main.ts");
  if (!existsSync(main)) {
    throw new UserError(`no infra/main.ts in ${context.cwd}: run this in the repository that antifragile new wrote`, 2);
  }
  let tsx: string;
  try {
    tsx = createRequire(main).resolve("tsx/cli");
  } catch {
    throw new UserError("tsx is not installed here: run npm install first", 2);
  }
  const child = spawn(process.execPath, [tsx, main], {
    cwd: context.cwd,
    signal,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (code !== 0) throw new UserError("infra/main.ts does not synthesize: see above", 1);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** One line a step: what goes on is shown in place on a terminal, and now and then elsewhere. */
function reporter(context: Context): DeployReport & { readonly failed: () => void } {
  const colour = (format: "green" | "red" | "dim", text: string) => (context.colour ? styleText(format, text) : text);
  const inPlace = context.stdoutIsTerminal;
  let title = "";
  let begun = 0;
  let told = 0;
  const line = (mark: string, rest: string) => context.print(`${inPlace ? "\r\u001b[K" : ""}  ${mark} ${rest}\n`);
  const show = (text: string) =>
    context.print(`\r\u001b[K  ${colour("dim", "…")} ${text}`.slice(0, (process.stdout.columns ?? 80) + 8));
  return {
    begin: (text) => {
      title = text;
      begun = told = context.now();
      if (inPlace) show(title);
    },
    progress: (text) => {
      if (inPlace) {
        show(`${title.padEnd(34)} ${text}`);
      } else if (context.now() - told > 15_000) {
        told = context.now();
        context.print(`    ${text}\n`);
      }
    },
    done: (result) => {
      const [first, ...more] = result.split("\n");
      line(colour("green", "✔"), `${title.padEnd(36)} ${seconds(context.now() - begun).padStart(7)}  ${first}`);
      for (const text of more) context.print(`${" ".repeat(50)}${text}\n`);
    },
    failed: () => line(colour("red", "✖"), title),
  };
}
