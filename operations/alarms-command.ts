import { defineCommand } from "../contract/command-line";
import { type Interruption, listenForInterruption } from "../contract/interruption";
import type { Release } from "../contract/release";
import { timestamp } from "../contract/text";
import { badUsage, type ExitCode, UserError } from "../contract/user-error";
import { alarmStates } from "./alarm-states";
import { type WatchedAlarm, watchAlarms } from "./alarms";
import { AwsClients, awsErrorForUser } from "./aws-sdk";
import { chooseStacks, PLACE, type ReleaseCommandContext, releaseContext } from "./release/commands";
import type { FoundStack } from "./release/find";
import { rollback } from "./release/release";
import { servicesOf } from "./release/services";

export interface AlarmsContext extends ReleaseCommandContext {
  /** @default - CloudWatch */
  readonly states?: typeof alarmStates;
}

/** Age of a release after which an alarm no longer rolls it back automatically. */
const ROLLBACK_WITHIN_MIN = 60;

/** The command `antifragile alarms`. */
export const runAlarms = defineCommand(
  {
    name: "alarms",
    operands: ["<environment>"],
    description:
      "Watches the alarms of an environment's services after a release. One that goes off ends it at once; one that was in alarm before the release has the time to clear. Exit code 1: one went off, or has not cleared; 130: interrupted.",
    flags: {
      minutes: { value: "N", help: "keep watching for N minutes, 0 to 120 (default: 0, check once)" },
      rollback: {
        help: `roll the stack of an alarm that goes off back to the release before, unless its release has been live for more than ${ROLLBACK_WITHIN_MIN} min; exit code 1 all the same`,
      },
      ...PLACE,
    },
  },
  async (line, context: AlarmsContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const minutes = line.value("minutes") ?? "0";
    if (!/^\d{1,3}$/.test(minutes) || Number(minutes) > 120) {
      throw badUsage([`--minutes ${minutes}: must be 0 to 120`], "antifragile alarms --help explains it.");
    }
    const stacks = await chooseStacks(context.cwd, line, true);
    const { print, states = alarmStates } = context;
    const interruption = listenForInterruption({
      onStop: (signal) =>
        print(`\n  interrupted by ${signal}: no alarm is watched any more, and no release is rolled back\n`),
      onForce: () => process.exit(130),
    });
    const regions = new Map(stacks.map(({ region }) => [region, new AwsClients({ region, print })]));
    try {
      const watched = await Promise.all(stacks.map((stack) => readStack(stack, context, interruption)));
      const result = await watchAlarms({
        environment,
        alarms: watched.flatMap(({ alarms }) => alarms),
        minutes: Number(minutes),
        states: async () => {
          const each = [...regions].map(([region, clients]) =>
            states(
              watched
                .filter(({ stack }) => stack.region === region)
                .flatMap(({ alarms }) => alarms.map(({ name }) => name)),
              clients,
            ),
          );
          return new Map((await Promise.all(each)).flatMap((found) => [...found]));
        },
        print,
        now: () => performance.now(),
        sleep: interruption.sleep,
        interrupted: interruption.signal,
      });
      // A rollback listens for itself: it is rolled back when it is interrupted.
      interruption.dispose();
      for (const { stack, live } of watched.filter(({ stack }) => result.suspects.includes(stack.stack))) {
        const flags = ["stack", ...(line.has("platform") ? (["platform", "region"] as const) : [])] as const;
        const place = flags.map((flag) => `--${flag} ${stack[flag]}`).join(" ");
        const command = `antifragile rollback ${environment} ${place}`;
        if (await rollBackOrAdvise(stack, live, { automatic: line.has("rollback"), command }, context)) return 130;
      }
      return result.code;
    } catch (error) {
      throw awsErrorForUser(error);
    } finally {
      interruption.dispose();
      for (const clients of regions.values()) clients.destroy();
    }
  },
);

interface WatchedStack {
  readonly stack: FoundStack;
  readonly live: Release | undefined;
  readonly alarms: readonly WatchedAlarm[];
}

async function readStack(stack: FoundStack, context: AlarmsContext, interruption: Interruption): Promise<WatchedStack> {
  const own = releaseContext(stack, context, () => ({
    ...interruption,
    // The watch goes on listening.
    dispose: () => undefined,
  }));
  try {
    const processes = await servicesOf(own);
    const live = (await own.cloud.record(stack))?.live;
    const releaseBegan = live?.began === undefined ? undefined : new Date(live.began);
    const names = [...new Set([...processes.values()].flatMap(({ alarms = [] }) => alarms))];
    return { stack, live, alarms: names.map((name) => ({ name, stack: stack.stack, releaseBegan })) };
  } finally {
    own.done?.();
  }
}

/**
 * Rolls a stack back after an alarm where that was asked for, or prints the command that does.
 *
 * @returns true when it was interrupted
 */
async function rollBackOrAdvise(
  stack: FoundStack,
  live: Release | undefined,
  { automatic, command }: { readonly automatic: boolean; readonly command: string },
  context: AlarmsContext,
): Promise<boolean> {
  const { print } = context;
  const own = releaseContext(stack, context);
  try {
    if (live === undefined) {
      print(`  ${stack.stack} has no release to roll back\n`);
    } else if (!automatic || own.now() - Date.parse(live.at) > ROLLBACK_WITHIN_MIN * 60_000) {
      const reason = automatic ? `, since it is live since ${timestamp(live.at)}` : "";
      print(`  Release ${live.number} of ${stack.stack} stays live${reason}. To roll it back: ${command}\n`);
    } else {
      print(`  rolling back release ${live.number} of ${stack.stack}\n`);
      const code = await rollback(own, { unlock: false, only: live.number });
      if (code !== 0) print(`  The rollback failed: see above. To roll back again: ${command}\n`);
    }
  } catch (error) {
    const reason = awsErrorForUser(error);
    if (!(reason instanceof UserError)) throw error;
    print(`✖ not rolled back: ${reason.message}\n  To roll back: ${command}\n`);
  } finally {
    own.done?.();
  }
  return own.interrupted.aborted;
}
