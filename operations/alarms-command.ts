import { setTimeout as delay } from "node:timers/promises";
import { watchAlarms } from "./alarms";
import { type Call, OperationError, type Outcome, readFlags, run } from "./command";
import { AwsCloud } from "./release/aws";
import { findStacks } from "./release/find";

const USAGE = `Usage: antifragile alarms <environment> [--minutes N]

Looks at the alarms of the environment's services, and ends with 1 as soon as one is in alarm.

  --minutes N  goes on looking for so long, 0 to 120; default: 0, once
`;

/** How many alarms CloudWatch tells of at once. */
const AT_ONCE = 100;

/** The command `antifragile alarms`. */
export function runAlarms({ args, print, cwd }: Call & { readonly cwd: string }): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(USAGE);
      return 0;
    }
    const { flags, operands } = readFlags(args, { minutes: {} }, USAGE);
    const [environment, ...more] = operands;
    const [minutes = "0"] = flags.minutes ?? [];
    if (environment === undefined || more.length > 0) throw new OperationError(`name one environment\n${USAGE}`, 2);
    if (!/^\d{1,3}$/.test(minutes) || Number(minutes) > 120) {
      throw new OperationError(`--minutes ${minutes} is not 0 to 120\n${USAGE}`, 2);
    }
    const stacks = await findStacks(cwd, environment);
    const names: { region: string; name: string }[] = [];
    for (const stack of stacks) {
      const processes = await new AwsCloud(stack.region).processes(stack);
      for (const { alarms = [] } of processes.values()) {
        names.push(...alarms.map((name) => ({ region: stack.region, name })));
      }
    }
    return watchAlarms({
      alarms: [...new Set(names.map(({ name }) => name))],
      minutes: Number(minutes),
      states: async () => {
        const regions = [...new Set(names.map(({ region }) => region))];
        const states = await Promise.all(
          regions.map((region) =>
            statesOf(
              region,
              names.filter((each) => each.region === region).map(({ name }) => name),
            ),
          ),
        );
        return new Map(states.flatMap((each) => [...each]));
      },
      print,
      now: () => performance.now(),
      sleep: async (milliseconds) => void (await delay(milliseconds)),
    });
  });
}

async function statesOf(region: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { CloudWatchClient, DescribeAlarmsCommand } = await loadCloudWatch();
  const client = new CloudWatchClient({ region });
  try {
    const states = new Map<string, string>();
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const { MetricAlarms = [] } = await client.send(
        new DescribeAlarmsCommand({ AlarmNames: names.slice(from, from + AT_ONCE) }),
      );
      for (const { AlarmName = "", StateValue = "" } of MetricAlarms) states.set(AlarmName, StateValue);
    }
    return states;
  } finally {
    client.destroy();
  }
}

async function loadCloudWatch() {
  try {
    return await import("@aws-sdk/client-cloudwatch");
  } catch {
    throw new OperationError("the AWS SDK is missing: npm install --save-dev @aws-sdk/client-cloudwatch", 1);
  }
}
