import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandContext, type CommandLine, defineCommand } from "../../contract/command-line";
import { badUsage, type ExitCode, UserError } from "../../contract/user-error";
import { draw } from "./chart";
import { runGameday } from "./gameday";
import { FAULTS, type Fault, isLost, judge, type Plan, table } from "./report";

const FLAGS = {
  seconds: { value: "SECONDS", help: "length of the experiment, 6 to 300 (default: gameday/hypothesis.json)" },
  rate: { value: "RATE", help: "requests per second, 1 to 1000 (default: gameday/hypothesis.json)" },
} as const;

interface GamedayContext extends CommandContext {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** The command `antifragile gameday`. */
export const runGamedayCommand = defineCommand(
  {
    name: "gameday",
    operands: [`<${FAULTS.join("|")}>`],
    description:
      "Starts two instances of the service in this folder and a load balancer that never retries, sends requests at a constant rate, and injects a fault into one of them. The hypothesis is in gameday/hypothesis.json. Exit code: 0 the hypothesis held, 1 it did not, 2 the experiment could not be run.",
    flags: FLAGS,
  },
  (line, context: GamedayContext): Promise<ExitCode> => {
    const { print, cwd, env } = context;
    return context.interruptible(async (signal) => {
      const { fault, plan } = read(line, context);
      build(cwd);
      const { answeredPercent, p99Ms, recoverySeconds } = plan.hypotheses[fault];
      print(
        `hypothesis     at least ${answeredPercent} % of requests answered, p99 < ${p99Ms} ms, back to two instances in ${recoverySeconds} s\n`,
      );
      const result = await runGameday(fault, plan, { repository: cwd, env, print, signal }).catch((error) => {
        if (signal.aborted) return undefined;
        throw error;
      });
      if (result === undefined) return 130;
      const verdict = judge(result, plan.hypotheses[fault]);
      const chart = `gameday/${fault}.svg`;
      writeFileSync(join(cwd, chart), draw(result, verdict, plan.hypotheses[fault]));
      const lost = result.samples.filter(isLost);
      const failed = lost.filter(({ status }) => status !== undefined).length;
      const { lostBefore, underWay } = verdict;
      if (lost.length > 0) {
        print(
          `lost           ${underWay} were in flight when the fault began, ${lost.length - underWay - lostBefore} were sent later; ` +
            `${failed} got an error, ${lost.length - failed} no response\n`,
        );
      }
      if (lostBefore > 0) {
        print(`               ${lostBefore} were lost before the fault: this computer is too busy for that rate\n`);
      }
      print(`${["", ...table(verdict, chart)].join("\n")}\n`);
      if (signal.aborted) return 130;
      return verdict.held ? 0 : 1;
    });
  },
);

function read(
  line: CommandLine<typeof FLAGS>,
  { cwd, platform }: GamedayContext,
): { readonly fault: Fault; readonly plan: Plan } {
  const usage = (problem: string) => badUsage([problem], "antifragile gameday --help explains it.");
  const fault = FAULTS.find((each) => each === line.operands[0]);
  if (!fault) throw usage(`name one of: ${FAULTS.join(", ")}`);
  if (fault === "starve" && platform === "win32") throw usage("starve needs SIGSTOP, which Windows does not have");
  const file = "gameday/hypothesis.json";
  let written: Plan;
  try {
    written = JSON.parse(readFileSync(join(cwd, file), "utf8"));
  } catch (error) {
    throw usage(`run it in the folder of a service with a valid ${file}: ${(error as Error).message}`);
  }
  const number = (flag: "seconds" | "rate", least: number, most: number): number => {
    const value = Number(line.value(flag) ?? written[flag]);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw usage(`--${flag}: use a whole number from ${least} to ${most}`);
  };
  return { fault, plan: { ...written, seconds: number("seconds", 6, 300), rate: number("rate", 1, 1000) } };
}

function build(repository: string): void {
  const tsc = [join(repository, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"];
  const { status } = spawnSync(process.execPath, tsc, { cwd: repository, stdio: "inherit" });
  if (status !== 0) throw new UserError("the service does not compile; npm run build shows why", 2);
}
