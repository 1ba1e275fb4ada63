import { setTimeout as sleep } from "node:timers/promises";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { ProcessTemplate } from "../../contract/release";
import { AwsCloud } from "../../operations/release/aws";
import { familyAndRevision } from "../../operations/release/task";
import { ENVIRONMENT, SERVICE } from "./run-names";

/** Answer without its place and time. */
export interface Finding {
  readonly answer: "yes" | "no";
  readonly detail?: string;
}

/** Findings by the id of their assumption. One that is not settled has none. */
export type Findings = Record<string, Finding>;

/** Times of the questions. */
export interface Patience {
  /** Time after which an answer that did not arrive is "no". */
  readonly milliseconds: number;
  readonly pollMilliseconds: number;
}

/** Writes to `/tmp`, asks for the credentials of the task role, and reports both in one line. */
const PROBE = `const { statSync, writeFileSync } = require("node:fs");
writeFileSync("/tmp/probe", "x");
const mode = (statSync("/tmp").mode & 0o7777).toString(8);
fetch("http://169.254.170.2" + process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)
  .then((answer) => answer.json())
  .then(({ AccessKeyId }) => console.log(JSON.stringify({ user: process.getuid(), mode, credentials: AccessKeyId !== undefined })));`;

interface Report {
  readonly user: number;
  readonly mode: string;
  readonly credentials: boolean;
}

/** Returns the first result that is not undefined; undefined if there is none in time, or after an interruption. */
async function poll<T>(
  patience: Patience,
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const end = Date.now() + patience.milliseconds; !signal.aborted; ) {
    const result = await ask();
    if (result !== undefined || Date.now() > end) return result;
    await sleep(patience.pollMilliseconds, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** Runs a task of the program, and reads what it and EventBridge write to the logs. */
export async function askTask(run: string, region: string, patience: Patience, signal: AbortSignal): Promise<Findings> {
  const cloud = new AwsCloud(region);
  const place = { environment: ENVIRONMENT, platform: run, stack: SERVICE };
  const process = (await cloud.processes(place)).get(SERVICE);
  if (process === undefined) return {}; // another program
  const task = await cloud.runTask(process, familyAndRevision(process.task), ["node", "-e", PROBE]);
  const ended = await poll(patience, signal, async () => {
    const state = await cloud.taskState(process, task);
    return state.stopped ? state : undefined;
  });
  if (ended === undefined) {
    await cloud.stopTask(process, task, "verification ended");
    return {};
  }
  const { lines } = await cloud.lines(process, task, undefined);
  const arrived = await stoppedTaskArrives(run, region, task, patience, signal);
  return { ...judgeTask(ended, lines), ...(signal.aborted ? {} : { "stopped-tasks-policy": arrived }) };
}

/** Findings of the lines that a task wrote. */
export function judgeTask(
  { exitCode, reason }: { readonly exitCode: number | undefined; readonly reason: string | undefined },
  lines: readonly string[],
): Findings {
  const found = lines.find((line) => line.startsWith("{"));
  if (found === undefined) {
    const detail = [reason, lines.find((line) => line.includes("Error"))].filter(Boolean).join("; ");
    if (/unable to assume|assume the role/i.test(detail)) return { "task-role-condition": { answer: "no", detail } };
    if (/EACCES|EROFS|EPERM|tmpfs/.test(detail)) return { "tmpfs-mode": { answer: "no", detail } };
    return {};
  }
  const { user, mode, credentials } = JSON.parse(found) as Report;
  const detail = `user ${user}, mode ${mode}, exit code ${exitCode}`;
  return {
    "tmpfs-mode": { answer: user !== 0 && mode === "1777" ? "yes" : "no", detail },
    "task-role-condition": { answer: credentials ? "yes" : "no" },
  };
}

async function stoppedTaskArrives(
  run: string,
  region: string,
  task: ProcessTemplate["task"],
  patience: Patience,
  signal: AbortSignal,
): Promise<Finding> {
  const logs = new CloudWatchLogsClient({ region });
  const logGroupName = `/${run}/${ENVIRONMENT}/stopped-tasks`;
  try {
    const event = await poll(patience, signal, async () => {
      const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
      return events.find(({ message = "" }) => message.includes(task));
    });
    if (event !== undefined) return { answer: "yes" };
    return { answer: "no", detail: `no event after ${Math.ceil(patience.milliseconds / 60_000)} min` };
  } finally {
    logs.destroy();
  }
}
