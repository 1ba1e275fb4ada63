import { defineCommand } from "../contract/command-line";
import { progressReporter, seconds } from "../contract/progress";
import { badUsage, cancelled, type ExitCode, UserError } from "../contract/user-error";
import { type Deployed, deployAgain, deployLocally } from "../emulator/deploy-local";
import type { Context } from "../generator/context";
import { ALLOWANCE_FLAGS, allowancesOf } from "../operations/allowances";
import { deploy } from "../operations/deploy";
import { synthesize } from "../operations/synth";
import { recordedAnswer } from "./recorded-answer";

/** The command `antifragile deploy`, in a generated repository. */
export const runDeploy = defineCommand(
  {
    name: "deploy",
    operands: ["[environment]"],
    description:
      "Deploys the infrastructure of the repository in this folder: one environment, or delivery, to the AWS account of the credentials. Stack after stack, in order of their dependencies, it shows the plan, judges it by the gate, asks, and applies that very plan. Or all of it, with --local, on an emulator on this machine, where it runs behind a local load balancer until Ctrl-C; a second run rolls it over. Exit code 3: the gate refused a plan; 130: interrupted.",
    flags: {
      "auto-approve": { help: "apply each plan that passes the gate without asking" },
      ...ALLOWANCE_FLAGS,
      local: { help: "deploy on an emulator on this machine, and run it until Ctrl-C: needs no account" },
      once: { help: "with --local: destroy it again at once, for CI" },
    },
  },
  async (line, context: Context): Promise<ExitCode> => {
    const [environment] = line.operands;
    const others = ["auto-approve", "allow-delete", "allow-replace", "allow-update"] as const;
    if (line.has("local") && (environment !== undefined || others.some((flag) => line.has(flag)))) {
      throw badUsage(["--local: deploys everything without asking, so it goes with nothing else"], HINT);
    }
    if (line.has("local")) return runLocally(context, line.has("once"));
    if (line.has("once")) throw badUsage(["--once: goes with --local"], HINT);
    if (environment === undefined) throw badUsage(["name an environment, or use --local"], HINT);
    return deploy({
      repository: context.cwd,
      environment,
      autoApprove: line.has("auto-approve"),
      allowances: allowancesOf(line),
      print: context.print,
    });
  },
);

const HINT = "antifragile deploy --help explains it.";

/** Refuses a service that joins the platform of another repository: an emulator starts empty. */
async function refuseJoined(context: Context): Promise<void> {
  const joins = (await recordedAnswer(context, "joins")) ?? "none";
  if (joins === "none") return;
  throw new UserError(
    `this service joins ${joins}, a platform of another repository, and an emulator starts empty: run deploy --local there`,
    2,
  );
}

async function runLocally(context: Context, once: boolean): Promise<ExitCode> {
  await refuseJoined(context);
  const start = context.now();
  const report = progressReporter({
    print: context.print,
    now: context.now,
    color: context.color,
    columns: context.stdoutIsTerminal ? (process.stdout.columns ?? 80) : undefined,
  });
  return context.interruptible(async (signal) => {
    const local = await import("./local");
    const running = once ? undefined : await local.runningDeployment(context.cwd);
    // While it runs, an interruption ends that and destroys; a second one, or one at another time, ends Terraform.
    const terraform = new AbortController();
    let runs = false;
    const interrupt = () => {
      if (!runs) terraform.abort();
    };
    signal.addEventListener("abort", interrupt);
    const use = async (deployed: Deployed) => {
      if (deployed.environments.length === 0) return;
      runs = true;
      try {
        await local.runDeployed(context, deployed, signal);
      } finally {
        runs = false;
        if (signal.aborted) for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, interrupt);
      }
    };
    try {
      const options = { synthesize: () => synthesize(context.cwd), report, signal: terraform.signal };
      if (running !== undefined) {
        await local.buildAndRelease(context, await deployAgain({ ...options, running }));
        context.print(`\n  rolled over, in ${seconds(context.now() - start)}\n`);
        return 0 as const;
      }
      await deployLocally(once ? options : { ...options, use });
    } catch (error) {
      report.failed();
      if (terraform.signal.aborted)
        throw cancelled(
          running === undefined
            ? "the emulator is stopped, and everything applied to it is gone"
            : "the other run goes on",
        );
      if (error instanceof UserError) throw error;
      throw error instanceof Error ? new UserError(error.message, 1) : error;
    }
    context.print(`\n  applied, found as planned, and destroyed, in ${seconds(context.now() - start)}\n`);
    return 0 as const;
  });
}
