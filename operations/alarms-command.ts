import { setTimeout as delay } from "node:timers/promises";
import { defineCommand } from "../contract/command-line";
import type { Release } from "../contract/release";
import { badUsage, type ExitCode, UserError } from "../contract/user-error";
import { alarmStates } from "./alarm-states";
import { type WatchedAlarm, watchAlarms } from "./alarms";
import { AwsClients, awsErrorForUser } from "./aws-sdk";
import { chooseStacks, PLACE, type ReleaseCommandContext, releaseContext } from "./release/commands";
import type { FoundStack } from "./release/find";
import { rollback } from "./release/release";

export interface AlarmsContext extends ReleaseCommandContext {
  /** @default - CloudWatch */
  readonly states?: typeof alarmStates;
}

/** Age of a release after which an alarm no longer rolls it back automatically. */
const ROLLBACK_WITHIN_MS = 60 * 60_000;

/** The command `antifragile alarms`. */
export const runAlarms = defineCommand(
  {
    name: "alarms",
    operands: ["<environment>"],
    description:
      "Watches the alarms of an environment's services after a release. One that goes off ends it at once; one that was in alarm before the release has the time to clear. Exit code 1: one went off, or has not cleared.",
    flags: {
      minutes: { value: "N", help: "keep watching for N minutes, 0 to 120 (default: 0, check once)" },
      rollback: {
        help: "roll the stack of an alarm that goes off back to the release before; exit code 1 all the same",
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
    const watched = await Promise.all(stacks.map((stack) => readStack(stack, context))).catch((error) => {
      throw awsErrorForUser(error);
    });
    const { print, states = alarmStates } = context;
    const regions = new Map(stacks.map(({ region }) => [region, new AwsClients({ region, print })]));
    try {
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
        sleep: async (milliseconds) => void (await delay(milliseconds)),
      });
      for (const { stack, live } of watched.filter(({ stack }) => result.suspects.includes(stack.stack))) {
        await answer(stack, live, line.has("rollback"), stacks.length > 1, context);
      }
      return result.code;
    } catch (error) {
      throw awsErrorForUser(error);
    } finally {
      for (const clients of regions.values()) clients.destroy();
    }
  },
);

interface WatchedStack {
  readonly stack: FoundStack;
  readonly live: Release | undefined;
  readonly alarms: readonly WatchedAlarm[];
}

async function readStack(stack: FoundStack, context: AlarmsContext): Promise<WatchedStack> {
  const { cloud, done } = releaseContext(stack, context);
  try {
    const processes = await cloud.processes(stack);
    const live = (await cloud.record(stack))?.live;
    const releaseBegan = live?.began === undefined ? undefined : new Date(live.began);
    const names = [...new Set([...processes.values()].flatMap(({ alarms = [] }) => alarms))];
    return { stack, live, alarms: names.map((name) => ({ name, stack: stack.stack, releaseBegan })) };
  } finally {
    done?.();
  }
}

/** Rolls a stack back after an alarm where that was asked for, or says how to. */
async function answer(
  stack: FoundStack,
  live: Release | undefined,
  automatic: boolean,
  several: boolean,
  context: AlarmsContext,
): Promise<void> {
  const { print } = context;
  const command = `antifragile rollback ${stack.environment}${several ? ` --stack ${stack.stack}` : ""}`;
  const own = releaseContext(stack, context);
  try {
    if (live === undefined) return print(`  ${stack.stack} has no release to roll back\n`);
    const old = own.now() - Date.parse(live.at) > ROLLBACK_WITHIN_MS;
    if (!automatic || old) {
      const reason = automatic ? `, since it is live since ${live.at}` : "";
      return print(`  Release ${live.number} of ${stack.stack} stays live${reason}. To roll it back: ${command}\n`);
    }
    print(`  rolling back release ${live.number} of ${stack.stack}\n`);
    const code = await rollback(own, { unlock: false, only: live.number });
    if (code !== 0) print(`  The rollback failed: see above. To roll back again: ${command}\n`);
  } catch (error) {
    const reason = awsErrorForUser(error);
    if (!(reason instanceof UserError)) throw error;
    print(`✖ not rolled back: ${reason.message}\n  To roll back: ${command}\n`);
  } finally {
    own.done?.();
  }
}
