import { type AwsClients, loadSdk } from "./aws-sdk";

/** State of an alarm in CloudWatch. */
export interface AlarmState {
  /** `OK`, `ALARM`, `INSUFFICIENT_DATA`. */
  readonly state: string;
  /** Time of the last state change. */
  readonly since: Date | undefined;
}

/** Number of alarms that CloudWatch describes in one call. */
const AT_ONCE = 100;

/** Reads the states of metric and composite alarms, by name; an alarm that does not exist is omitted. */
export async function alarmStates(
  names: readonly string[],
  clients: AwsClients,
): Promise<ReadonlyMap<string, AlarmState>> {
  const states = new Map<string, AlarmState>();
  if (names.length === 0) return states;
  const { CloudWatchClient, paginateDescribeAlarms } = await loadSdk(
    "@aws-sdk/client-cloudwatch",
    () => import("@aws-sdk/client-cloudwatch"),
  );
  const client = clients.get(CloudWatchClient);
  const unique = [...new Set(names)];
  for (let from = 0; from < unique.length; from += AT_ONCE) {
    const AlarmNames = unique.slice(from, from + AT_ONCE);
    const pages = paginateDescribeAlarms({ client }, { AlarmNames, AlarmTypes: ["MetricAlarm", "CompositeAlarm"] });
    for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages) {
      for (const alarm of [...MetricAlarms, ...CompositeAlarms]) {
        const { AlarmName = "", StateValue = "", StateTransitionedTimestamp, StateUpdatedTimestamp } = alarm;
        states.set(AlarmName, { state: StateValue, since: StateTransitionedTimestamp ?? StateUpdatedTimestamp });
      }
    }
  }
  return states;
}
