import { join } from "node:path";
import { styleText } from "node:util";
import { type DeployReport, deployLocally, ToolsMissingError } from "../emulator/deploy-local";
import { ANSWERS_FILE } from "../generator/answers-file";
import type { Context } from "../generator/context";
import { cancelled, type ExitCode, UserError } from "../generator/errors";
import { programOf } from "../generator/processes";
import { OperationError } from "../operations/command";
import { deploy, synthesize } from "../operations/deploy";

const HELP = `Usage: antifragile deploy <environment> [--auto-approve] [--allow-delete ADDRESS]... [--allow-replace ADDRESS]...
       antifragile deploy --local

Deploys the infrastructure of the repository in this folder.

  <environment>            to the AWS account that the credentials are for, by cdktf and Terraform, stack after stack; or
                           delivery, which is one for all environments
  --auto-approve           does not ask before each plan is applied
  --allow-delete ADDRESS   lets a plan delete this service, database, key ...: what must not go unnoticed is refused
  --allow-replace ADDRESS  lets a plan replace it
  --local                  on an emulator on this machine, and takes it away again: no account is needed
  --help                   this text
`;

/** `antifragile deploy`, in a generated repository. */
export async function runDeploy(context: Context): Promise<ExitCode> {
  const [first, ...more] = context.args;
  if (first === "--help" || first === "-h") {
    context.print(HELP);
    return 0;
  }
  if (first === undefined || (first.startsWith("-") && (first !== "--local" || more.length > 0))) {
    throw new UserError(
      `name an environment, or --local${first === undefined ? "" : `, not ${context.args.join(" ")}`}\n\n${HELP}`,
      2,
    );
  }
  try {
    if (first === "--local") return await runLocally(context);
    const npm = programOf("npm", { env: context.env, platform: context.platform, execPath: process.execPath });
    return await deploy({ repository: context.cwd, environment: first, flags: more, print: context.print, npm });
  } catch (error) {
    if (error instanceof OperationError) throw new UserError(error.message, error.outcome);
    throw error;
  }
}

/** A service on a platform of another repository: on an emulator, which is empty, there is none. */
async function refuseJoined(context: Context): Promise<void> {
  const text = await context.readText(join(context.cwd, ANSWERS_FILE)).catch(() => "{}");
  const joins = /"joins":\s*"([a-z0-9-]+)"/.exec(text)?.[1] ?? "none";
  if (joins === "none") return;
  throw new UserError(
    `this service stands on ${joins}, a platform of another repository, and an emulator is empty: deploy --local there`,
    2,
  );
}

async function runLocally(context: Context): Promise<ExitCode> {
  await refuseJoined(context);
  const start = context.now();
  const report = reporter(context);
  report.begin("synthesize");
  const synthesized = await synthesize(context.cwd);
  report.done("infra/cdktf.out");
  return context.interruptible(async (signal) => {
    try {
      await deployLocally({ synthesized, report, signal });
    } catch (error) {
      if (error instanceof ToolsMissingError) {
        throw new UserError(`${error.message}\nWhat was synthesized is in infra/cdktf.out.`, 1);
      }
      report.failed();
      if (signal.aborted) throw cancelled("the emulator is stopped, and with it all that was applied");
      throw error instanceof Error ? new UserError(error.message, 1) : error;
    }
    context.print(`\n  applied, found as planned, and destroyed, in ${seconds(context.now() - start)}\n`);
    return 0 as const;
  });
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** One line a step: what goes on is shown in place on a terminal, and now and then elsewhere. */
function reporter(context: Context): DeployReport & { readonly failed: () => void } {
  const colour = (format: "green" | "red" | "dim", text: string) => (context.color ? styleText(format, text) : text);
  const inPlace = context.stdoutIsTerminal;
  const clear = inPlace ? "\r\u001b[K" : "";
  let title = "";
  let begun = 0;
  let told = 0;
  const show = (text: string) => {
    const width = process.stdout.columns ?? 80;
    context.print(`${clear}  ${colour("dim", "…")} ${text.slice(0, width - 5)}`);
  };
  return {
    begin: (text) => {
      title = text;
      begun = told = context.now();
      if (inPlace) show(title);
    },
    progress: (text) => {
      if (inPlace) {
        show(`${title.padEnd(36)} ${text}`);
      } else if (context.now() - told > 15_000) {
        told = context.now();
        context.print(`    ${text}\n`);
      }
    },
    done: (result, milliseconds = context.now() - begun) => {
      const [first, ...more] = result.split("\n");
      const time = seconds(milliseconds).padStart(7);
      context.print(`${clear}  ${colour("green", "✔")} ${title.padEnd(36)} ${time}  ${first}\n`);
      for (const text of more) context.print(`${" ".repeat(50)}${text}\n`);
    },
    failed: () => context.print(`${clear}  ${colour("red", "✖")} ${title}\n`),
  };
}
