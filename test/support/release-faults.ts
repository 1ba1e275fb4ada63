import { setTimeout as delay } from "node:timers/promises";
import { type Ended, OUTPUT_ENDS, type Started, start, until } from "../cli/support/child";
import { NO_CREDENTIALS } from "../cli/support/cli";
import type { FaultProxy } from "./faulty-endpoint";
import { closeTerminal, runInTerminal, typeCtrlC, typeSecondCtrlC } from "./in-terminal";
import type { PlatformCopy } from "./platform-copy";
import { Terminal } from "./terminal";

/** A release that a fault hits: the words of its command, the AWS that it calls, and what it moves. */
export interface FaultyRelease {
  readonly words: readonly string[];
  readonly aws: FaultProxy;
  readonly copy: PlatformCopy;
  /** Empty folder of its own. */
  readonly folder: string;
}

/** State in which a release leaves everything. */
export type Left = "live" | "rolled back" | "cut off" | "left to another";

export type Fault = readonly [left: Left, inject: (release: FaultyRelease) => Promise<Pick<Ended, "code" | "text">>];

const environment = ({ aws }: FaultyRelease): NodeJS.ProcessEnv => ({ ...NO_CREDENTIALS, ...aws.variables });
const begin = (release: FaultyRelease, shell: readonly string[] = []): Started =>
  start([...shell, ...release.words], { cwd: release.folder, env: environment(release) });

/** Holds the first call of a name, and does something meanwhile. */
function during({ aws }: FaultyRelease, name: string, act: () => unknown): void {
  let held = false;
  aws.before = async (call) => {
    if (call !== name || held) return;
    held = true;
    await act();
  };
}

/** The last move of services, when workers are moved already. */
const HALFWAY = "UpdateService orders";

const signal =
  (name: NodeJS.Signals) =>
  async (release: FaultyRelease): Promise<Ended> => {
    const { child, ended } = begin(release);
    during(release, HALFWAY, () => child.kill(name));
    return ended;
  };

/** Does something to the terminal of a release halfway. */
const inTerminal = (act: (terminal: Terminal) => unknown) => (release: FaultyRelease) =>
  runInTerminal({
    ...release,
    env: environment(release),
    prepare: (terminal) => during(release, HALFWAY, () => act(terminal)),
  });

const closed = (script: string) => (release: FaultyRelease) =>
  begin(release, ["bash", "--norc", "-c", script, "bash"]).ended;

/** AWS fails some calls of a name, and then answers again. */
const forAWhile = (fault: "drop" | "throttle") => (release: FaultyRelease) => {
  release.aws.fault = (call, nth) =>
    /^(DescribeServices|UpdateService orders|PutParameter record)/.test(call) && nth < 4 ? fault : undefined;
  return begin(release).ended;
};

/** Another release takes the lock, by hand or after this one was silent. */
const takeLock = ({ copy }: FaultyRelease) =>
  copy.write("lock", JSON.stringify({ id: "x", number: 7, by: "mia", at: "2026-01-01T00:00:00Z" }));

/** Credentials expire with the call of this place in the order of calls, and are the same when they are fetched again. */
export const expireAt =
  (place: number) =>
  async (release: FaultyRelease): Promise<Ended> => {
    const { aws } = release;
    aws.before = () => void (aws.calls.length >= place && aws.expiredKeys.add(aws.accessKey));
    return begin(release).ended.finally(() => aws.expiredKeys.clear());
  };

/** Every fault that a release withstands, with the state in which it leaves everything. */
export const RELEASE_FAULTS: Readonly<Record<string, Fault>> = {
  ...Object.fromEntries(OUTPUT_ENDS.map(([title, script]) => [`closed output: ${title}`, ["live", closed(script)]])),
  SIGHUP: ["rolled back", signal("SIGHUP")],
  SIGTERM: ["rolled back", signal("SIGTERM")],
  SIGINT: ["rolled back", signal("SIGINT")],
  "SIGINT, by Ctrl-C in a terminal": ["rolled back", inTerminal(typeCtrlC)],
  "second SIGINT, by Ctrl-C in a terminal": [
    "cut off",
    inTerminal(async (terminal) => {
      await typeSecondCtrlC(terminal);
      await delay(300);
    }),
  ],
  "closed output: a terminal that is closed, under a shell that goes on": ["live", inTerminal(closeTerminal)],
  "SIGHUP, since its terminal is closed": [
    "rolled back",
    async (release) => {
      const terminal = new Terminal({ env: environment(release) });
      during(release, HALFWAY, () => closeTerminal(terminal));
      terminal.open(`exec ${release.words.map((word) => `'${word}'`).join(" ")}`, release.folder);
      await until(
        () => release.aws.calls.includes("DeleteParameter lock"),
        () => release.aws.calls.join("\n"),
      );
      // The proxy has not answered yet.
      await delay(300);
      return { code: null, text: "" };
    },
  ],
  SIGKILL: [
    "cut off",
    async (release) => {
      const { child, ended } = begin(release);
      during(release, HALFWAY, async () => {
        child.kill("SIGKILL");
        await ended;
      });
      return ended;
    },
  ],
  "dropped connections": ["live", forAWhile("drop")],
  throttling: ["live", forAWhile("throttle")],
  "credentials that expire and are renewed": [
    "live",
    (release) => {
      during(release, HALFWAY, () => {
        release.aws.expiredKeys.add(release.aws.accessKey);
        release.aws.accessKey = "second";
      });
      return begin(release).ended;
    },
  ],
  "damaged record": [
    "live",
    async (release) => {
      await release.copy.write("record", '{"live":{"number":"none"}}');
      return begin(release).ended;
    },
  ],
  "taken lock": [
    "left to another",
    async (release) => {
      during(release, "UpdateService mailer", () => takeLock(release));
      return begin(release).ended;
    },
  ],
  "taken lock, and then a step that fails": [
    "left to another",
    async (release) => {
      release.aws.fault = (call) => (call === HALFWAY ? "deny" : undefined);
      during(release, HALFWAY, () => takeLock(release));
      return begin(release).ended;
    },
  ],
};
