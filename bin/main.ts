import type { Context } from "../generator/context";

/** A command: what `--help` says of it, and where its code is. The code is loaded when the command is called. */
interface Command {
  readonly summary: string;
  readonly load: () => Promise<(context: Context) => Promise<number>>;
}

const commands: Readonly<Record<string, Command>> = {
  new: {
    summary: "write a new service, or a platform for several, and the AWS it runs on",
    load: async () => (await import("../generator/new")).runNew,
  },
  deploy: {
    summary: "deploy a service to an account, or on an emulator on this machine with --local",
    load: async () => (await import("./deploy")).runDeploy,
  },
  plan: {
    summary: "plan an environment and keep the plans, for apply",
    load: async () => (await import("../operations/saved-plans-command")).runPlan,
  },
  apply: {
    summary: "apply the plans that plan has kept",
    load: async () => (await import("../operations/saved-plans-command")).runApply,
  },
  doctor: {
    summary: "tell what is missing before a repository can be deployed",
    load: async () => (await import("./doctor")).runDoctor,
  },
  bootstrap: {
    summary: "make the bucket that holds Terraform's state of an environment",
    load: async () => (await import("../operations/bootstrap-command")).runBootstrap,
  },
  alarms: {
    summary: "look at the alarms of an environment's services, for some minutes",
    load: async () => (await import("../operations/alarms-command")).runAlarms,
  },
  "plan-gate": {
    summary: "refuse a plan that takes away what must not go unnoticed",
    load: async () => (await import("../operations/plan-gate-command")).runPlanGate,
  },
  release: {
    summary: "make an image live: migrate, then workers, web and schedules, all or nothing",
    load: async () => (await import("../operations/release/commands")).runRelease,
  },
  rollback: {
    summary: "make an earlier release live again",
    load: async () => (await import("../operations/release/commands")).runRollback,
  },
  releases: {
    summary: "list releases, and tell which applied config is not live",
    load: async () => (await import("../operations/release/commands")).runReleases,
  },
  migrate: {
    summary: "run the migrations of the release that runs, or of an image",
    load: async () => (await import("../operations/release/commands")).runMigrate,
  },
  admin: {
    summary: "run an admin process of the release that runs",
    load: async () => (await import("../operations/release/commands")).runAdminCommand,
  },
  status: {
    summary: "tell how the services of an account stand: tasks, release, deployment, alarms, scaling",
    load: async () => (await import("../operations/status-command")).runStatus,
  },
  gameday: {
    summary: "kill, delay or starve one of two local instances under load, and report what was lost",
    load: async () => (await import("../operations/gameday/command")).runGamedayCommand,
  },
  "stop-reasons": {
    summary: "tell why a service's tasks stopped",
    load: async () => (await import("../operations/stop-reasons-command")).runStopReasons,
  },
};

const OLDEST_NODE = [20, 19] as const;

function nodeIsTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    "Usage: antifragile <command>",
    "",
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "  antifragile <command> --help  what a command takes",
    "  antifragile --version         the version",
    "",
  ].join("\n");
}

/** Does what the words of the command line say, and returns the exit code. Never throws. */
export async function main(words: readonly string[]): Promise<number> {
  if (nodeIsTooOld(process.versions.node)) {
    process.stderr.write(
      `antifragile needs Node.js ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}. Install the current release from https://nodejs.org\n`,
    );
    return 2;
  }
  // A reader that has seen enough (head, less) closes the pipe: that is no fault.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  const [word, ...args] = words;
  const { createContext, report, unknownCommand } = await import("../generator/process-context");
  try {
    if (word === undefined || word === "--help" || word === "-h" || word === "help") {
      process.stdout.write(help());
      return word === undefined ? 2 : 0;
    }
    const context = createContext(args, __dirname);
    if (word === "--version" || word === "-v") {
      const { packageVersion } = await import("../generator/package-files");
      context.print(`${packageVersion(context.packageRoot)}\n`);
      return 0;
    }
    const command = Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (command === undefined) throw unknownCommand(word, Object.keys(commands));
    return await (await command.load())(context);
  } catch (error) {
    return report(error);
  }
}
