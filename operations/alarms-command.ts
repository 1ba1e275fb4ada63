import { setTimeout as delay } from "node:timers/promises";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { badUsage, type ExitCode, UserError } from "../contract/user-error";
import { watchAlarms } from "./alarms";
import { AwsCloud } from "./release/aws";
import { findStacks } from "./release/find";

/** Number of alarms that CloudWatch describes in one call. */
const AT_ONCE = 100;

/** The command `antifragile alarms`. */
export const runAlarms = defineCommand(
  {
    name: "alarms",
    operands: ["<environment>"],
    description: "Watches the alarms of an environment's services. Exit code 1: one is in alarm.",
    flags: { minutes: { value: "N", help: "keep watching for N minutes, 0 to 120 (default: 0, look once)" } },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const minutes = line.value("minutes") ?? "0";
    if (!/^\d{1,3}$/.test(minutes) || Number(minutes) > 120) {
      throw badUsage([`--minutes ${minutes}: must be 0 to 120`], "antifragile alarms --help explains it.");
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
  },
);

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
    throw new UserError("the AWS SDK is missing: npm install --save-dev @aws-sdk/client-cloudwatch", 1);
  }
}
