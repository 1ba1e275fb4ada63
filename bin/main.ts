import { isOlder, OLDEST_NODE } from "../contract/version";
import type { Context } from "../generator/context";
import { type Output, surviveOutput } from "./output";

/** Command: its line in the help, and its code, which is loaded when the command is called. */
interface Command {
  readonly summary: string;
  /** The output is all that the command does: a disk that is full makes it fail. */
  readonly onlyPrints?: true;
  readonly load: () => Promise<(context: Context) => Promise<number>>;
}

const commands: Readonly<Record<string, Command>> = {
  new: {
    summary: "create a service, or a platform for several, and the AWS it runs on",
    load: async () => (await import("../generator/new")).runNew,
  },
  deploy: {
    summary: "deploy a service to an account, or on an emulator on this machine with --local",
    load: async () => (await import("./deploy")).runDeploy,
  },
  plan: {
    summary: "plan an environment and save the plans, for apply",
    load: async () => (await import("../operations/saved-plans-command")).runPlan,
  },
  apply: {
    summary: "apply the plans that plan has saved",
    load: async () => (await import("../operations/saved-plans-command")).runApply,
  },
  drift: {
    summary: "list the resources of an environment that differ from the code",
    onlyPrints: true,
    load: async () => (await import("../operations/drift-command")).runDrift,
  },
  doctor: {
    summary: "check what is missing before a repository can be deployed",
    onlyPrints: true,
    load: async () => (await import("./doctor")).runDoctor,
  },
  bootstrap: {
    summary: "create the bucket that holds Terraform's state of an environment",
    load: async () => (await import("../operations/bootstrap-command")).runBootstrap,
  },
  alarms: {
    summary: "watch the alarms of an environment's services",
    load: async () => (await import("../operations/alarms-command")).runAlarms,
  },
  "plan-gate": {
    summary: "refuse a plan that deletes, replaces or weakens services, databases or keys",
    onlyPrints: true,
    load: async () => (await import("../operations/plan-gate-command")).runPlanGate,
  },
  release: {
    summary: "make an image live: migrate, then move workers, web and schedules, all or nothing",
    load: async () => (await import("../operations/release/commands")).runRelease,
  },
  rollback: {
    summary: "make an earlier release live again",
    load: async () => (await import("../operations/release/commands")).runRollback,
  },
  releases: {
    summary: "list releases, and show which applied config is not live",
    onlyPrints: true,
    load: async () => (await import("../operations/release/commands")).runReleases,
  },
  migrate: {
    summary: "run the migrations of the live release, or of an image",
    load: async () => (await import("../operations/release/commands")).runMigrate,
  },
  admin: {
    summary: "run an admin process of the live release",
    load: async () => (await import("../operations/release/commands")).runAdminCommand,
  },
  status: {
    summary: "show the services of an account: tasks, release, deployment, alarms, scaling",
    onlyPrints: true,
    load: async () => (await import("../operations/status-command")).runStatus,
  },
  gameday: {
    summary: "kill, delay or starve one of two local instances under load, and report what was lost",
    load: async () => (await import("../operations/gameday/command")).runGamedayCommand,
  },
  "stop-reasons": {
    summary: "show why a service's tasks stopped",
    onlyPrints: true,
    load: async () => (await import("../operations/stop-reasons-command")).runStopReasons,
  },
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    "Usage: antifragile <command>",
    "",
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "  antifragile <command> --help  flags of a command",
    "  antifragile --version         the version",
    "",
  ].join("\n");
}

/** Runs a command line and returns the exit code. Never throws. */
export async function main(words: readonly string[]): Promise<number> {
  if (isOlder(process.versions.node, OLDEST_NODE)) {
    process.stderr.write(
      `antifragile needs Node.js ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}. Install the current release from https://nodejs.org\n`,
    );
    return 2;
  }
  const output = surviveOutput([process.stdout, process.stderr]);
  const { createContext, report, unknownCommand } = await import("../generator/process-context");
  // Node.js would print the line of the source, which is the whole bundle.
  process.on("uncaughtException", (error) => process.exit(report(error)));
  const [word, ...args] = words;
  try {
    const asksForHelp = word === undefined || word === "--help" || word === "-h" || word === "help";
    if (asksForHelp && (word !== "help" || args.length === 0)) {
      process.stdout.write(help());
      return word === undefined ? 2 : await printed(output);
    }
    const [name = "", ownArgs] = word === "help" ? [args[0], ["--help"]] : [word, args];
    const context = createContext(ownArgs, __dirname);
    if (name === "--version" || name === "-v" || name === "-V") {
      const { packageVersion } = await import("../generator/package-files");
      context.print(`${packageVersion(context.packageRoot)}\n`);
      return await printed(output);
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw unknownCommand(name, Object.keys(commands));
    const code = await (await command.load())(context);
    if (code !== 0 || command.onlyPrints !== true) return code;
    return await printed(output);
  } catch (error) {
    return report(error);
  }
}

/** Exit code of a command that has printed all that it was asked for, once the last write has ended. */
async function printed(output: Output): Promise<0 | 1> {
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  const failure = output.failure();
  if (failure === undefined) return 0;
  process.stderr.write(`✖ the output could not be written: ${failure}\n`);
  return 1;
}
