import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SAME_CTRL_C_MS } from "../../contract/interruption";
import { image, template } from "../operations/support/fake-cloud";
import { closeTerminal, runInTerminal } from "../support/in-terminal";
import { requiring } from "../support/required-tools";
import { Terminal } from "../support/terminal";
import { FaultTable } from "./support/acting-faults";
import { OUTPUT_ENDS, until, useChildren } from "./support/child";
import { NO_CREDENTIALS, PLACE, useCli } from "./support/cli";
import type { FakeAws } from "./support/fake-aws";

const table = new FaultTable();
let aws: FakeAws;
const packed = useCli((each) => {
  aws = each;
});
const start = useChildren(() => ({ cwd: packed.folder, env: environment() }));

function environment(): NodeJS.ProcessEnv {
  return { ...NO_CREDENTIALS, ...aws.variables };
}

const cli = packed.command;
const release = (digit: string, ...more: string[]) => cli("release", "dev", "--image", image(digit), ...more, ...PLACE);
const run = (command: readonly string[]) => start(command).ended;

/** Waits until the fake AWS has seen a call. */
const called = (call: string) =>
  until(
    () => aws.calls.includes(call),
    () => `no call ${call} in:\n${aws.calls.join("\n")}`,
  );

/** A first release, so that there is something to roll back to. */
async function released(): Promise<void> {
  expect(await run(release("a"))).toMatchObject({ code: 0 });
  expect(aws.running).toEqual({ mailer: "mailer:2", orders: "orders:2" });
  aws.calls.length = 0;
}

/** Compares the output of the commands with the actual services, record and lock. */
async function agrees(expected: { live: number; running: Record<string, string>; note?: string }): Promise<void> {
  expect(aws.running).toEqual(expected.running);
  expect(aws.record.live?.number).toBe(expected.live);
  const status = await run(cli("status", "dev", "--platform", "shop", "--region", "eu-central-1", "--json"));
  expect(status.code).toBe(0);
  const [first] = JSON.parse(status.text) as { release: Record<string, number | null> }[];
  expect(first?.release.live).toBe(expected.live);
}

/** The next release makes everything whole, whatever was left. */
async function heals(...flags: string[]): Promise<void> {
  const next = await run(release("f", ...flags));
  expect(next, next.text).toMatchObject({ code: 0 });
  expect(aws.lock).toBeUndefined();
  expect(aws.record).toMatchObject({ live: { images: { orders: image("f") } } });
  expect(aws.record.started).toBeUndefined();
  expect(new Set(Object.values(aws.running).map((task) => task.split(":")[1])).size).toBe(1);
}

const BEFORE = { mailer: "mailer:2", orders: "orders:2" };
const AFTER = { mailer: "mailer:3", orders: "orders:3" };

describe("a release whose output is closed", () => {
  it.each(OUTPUT_ENDS)(table.title("continues and completes: %s", "closed output"), async (_title, script) => {
    await released();
    const { code, text } = await run(["bash", "--norc", "-c", script, "bash", ...release("b")]);
    expect({ code, text }).toEqual({ code: 0, text: "" });
    await agrees({ live: 2, running: AFTER });
    expect(aws.lock).toBeUndefined();
  });

  requiring(Terminal.missing).it("completes when its terminal is closed, under a shell that goes on", async () => {
    await released();
    const command = { words: release("b"), env: environment(), folder: packed.folder };
    const { code, text } = await runInTerminal({
      ...command,
      prepare: (terminal) => {
        aws.before = async (call) => void (call === "UpdateService orders" && (await closeTerminal(terminal)));
      },
    });
    expect(code, text).toBe(0);
    await agrees({ live: 2, running: AFTER });
  });

  it("fails if the output is its only purpose, with one sentence", async () => {
    const full = openSync("/dev/full", "w");
    const { code, text } = await start(cli("--help"), full).ended;
    closeSync(full);
    expect({ code, text }).toEqual({ code: 1, text: "✖ the output could not be written: ENOSPC\n" });
  });
});

describe("a release that is interrupted", () => {
  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)(
    table.title("by %s rolls back, records it and ends with 130", "SIGHUP", "SIGTERM", "SIGINT"),
    async (signal) => {
      await released();
      aws.slow.add("orders:3");
      const { child, ended, text } = start(release("b"));
      await called("UpdateService orders");
      child.kill(signal);
      const { code } = await ended;
      expect(text()).toContain(`interrupted by ${signal}`);
      expect(code, text()).toBe(130);
      await agrees({ live: 1, running: BEFORE });
      expect(aws.record.failed).toMatchObject({ number: 2, reason: "interrupted" });
      expect(aws.lock).toBeUndefined();
    },
  );

  it(
    table.title(
      "by a second Ctrl-C exits at once, reports the remaining state, and the next release completes it",
      "second SIGINT",
    ),
    async () => {
      await released();
      aws.slow.add("mailer:3");
      // The way back takes long, too: the second Ctrl-C comes while it goes on.
      aws.slow.add("mailer:2");
      const { child, ended, text } = start(release("b"));
      await called("UpdateService mailer");
      child.kill("SIGINT");
      await until(() => text().includes("interrupted by"), text);
      await delay(SAME_CTRL_C_MS + 50);
      child.kill("SIGINT");
      expect(await ended).toMatchObject({ code: 130, text: expect.stringContaining("the lock stays") });
      expect(aws.lock).toMatchObject({ number: 2 });
      expect(aws.record).toMatchObject({ live: { number: 1 }, started: { number: 2 } });
      aws.slow.clear();
      expect(await run(release("c"))).toMatchObject({ code: 1, text: expect.stringMatching(/heartbeat was .* ago/) });
      expect(await run(release("c", "--unlock"))).toMatchObject({
        code: 1,
        text: expect.stringContaining("a silent lock only"),
      });
      aws.silenceLock();
      await heals("--unlock");
      const list = await run(cli("releases", "dev", ...PLACE));
      expect(list.text).toMatch(/^3 +live[\s\S]*^2 +died[\s\S]*^1 +was live/m);
    },
  );

  it(table.title("by SIGKILL leaves a silent lock, and is listed as died", "SIGKILL"), async () => {
    await released();
    aws.slow.add("mailer:3");
    const { child, ended } = start(release("b"));
    await called("UpdateService mailer");
    child.kill("SIGKILL");
    expect(await ended).toMatchObject({ code: null, signal: "SIGKILL" });
    aws.slow.clear();
    aws.silenceLock();
    expect((await run(release("c"))).text).toMatch(/^✖ release 2 by .* has been silent since/);
    const status = await run(cli("status", "dev", "--region", "eu-central-1"));
    expect(status.text).toMatch(/orders +dev +1 \(2 died\)/);
    await heals("--unlock");
  });

  it("by the end of npm, which forwards no signals, rolls back", async () => {
    await released();
    aws.slow.add("orders:3");
    const script = join(packed.folder, "under-npm.sh");
    writeFileSync(script, `npm_lifecycle_event=release ${release("b").join(" ")} &\nwait\n`);
    const shell = start(["sh", script]);
    await called("UpdateService orders");
    shell.child.kill("SIGKILL");
    const { text } = await shell.ended;
    expect(text).toContain("interrupted by the end of npm");
    await agrees({ live: 1, running: BEFORE });
    expect(aws.lock).toBeUndefined();
  });
});

describe("a release with --detach", () => {
  /** Process of the release, and the file of its output. */
  const background = (text: string) => {
    const [, pid = "", file = ""] = /as process (\d+): .* its output: (.*)\n/.exec(text) ?? [];
    return { pid: Number(pid), output: () => readFileSync(file, "utf8") };
  };

  it("returns when it has begun, and completes although its terminal and npm end", async () => {
    await released();
    aws.slow.add("orders:3");
    const script = `npm_lifecycle_event=release ${release("b", "--detach").join(" ")} | head -100`;
    const { code, text } = await run(["sh", "-c", script]);
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("release 2 of orders to dev") });
    const { output } = background(text);
    await called("UpdateService orders");
    expect(aws.record).toMatchObject({ live: { number: 1 }, started: { number: 2 } });
    aws.slow.clear();
    await until(() => output().includes("release 2 is live after"), output);
    await agrees({ live: 2, running: AFTER });
  });

  it("is rolled back by a signal to its process", async () => {
    await released();
    aws.slow.add("orders:3");
    const { text } = await run(release("b", "--detach"));
    const { pid, output } = background(text);
    await called("UpdateService orders");
    process.kill(pid, "SIGTERM");
    await until(() => output().includes("is recorded as failed"), output);
    await agrees({ live: 1, running: BEFORE });
  });

  it("shows why it did not begin, with that exit code", async () => {
    const { code, text } = await run(cli("release", "dev", "--detach", "--image", "nonsense", ...PLACE));
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("nonsense") });
    expect(text).not.toContain("background");
  });
});

describe("a release whose calls fail", () => {
  it.each(["drop", "throttle"] as const)(
    table.title("for a while (%s) goes on", "dropped connections", "throttling"),
    async (fault) => {
      await released();
      aws.fault = (call, nth) =>
        /^(DescribeServices|PutParameter record)/.test(call) && nth > 1 && nth < 6 ? fault : undefined;
      const { code, text } = await run(release("b"));
      expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("AWS does not answer") });
      await agrees({ live: 2, running: AFTER });
    },
  );

  it("because of missing permissions rolls back at once", async () => {
    await released();
    aws.fault = (call) => (call === "UpdateService orders" ? "deny" : undefined);
    const { code, text } = await run(release("b"));
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringMatching(/not authorized/) });
    aws.fault = () => undefined;
    expect(aws.running).toEqual(BEFORE);
    expect(aws.lock).toBeUndefined();
    await heals();
  });

  it.each(["UpdateService mailer", "UpdateService orders", "PutParameter record"])(
    "with credentials that expired at %s renews them",
    async (call) => {
      await released();
      aws.before = (next) => {
        if (next !== call || aws.accessKey === "second") return;
        aws.expiredKeys.add("first");
        aws.accessKey = "second";
      };
      const { code, text } = await run(release("b"));
      expect({ code, text }).toMatchObject({ code: 0 });
      await agrees({ live: 2, running: AFTER });
    },
  );

  it.each([
    ["UpdateService orders", { mailer: "mailer:3", orders: "orders:2" }, 1],
    // Before the start is recorded, before the workers, before the web service, and before the end is recorded.
    ["GetParameter lock", AFTER, 4],
  ] as const)("with credentials that cannot be renewed at %s reports what runs", async (call, running, nth) => {
    await released();
    let seen = 0;
    aws.before = (next) => {
      if (next === call && ++seen === nth) aws.expiredKeys.add("first");
    };
    const { code, text } = await run(release("b"));
    expect(code).toBe(1);
    expect(text).toContain("failed and could NOT be rolled back");
    expect(text).not.toMatch(/Running again|recorded as failed\./);
    expect(text).toContain("renew the AWS credentials, then");
    expect(aws.running).toEqual(running);
    aws.expiredKeys.clear();
    aws.before = () => undefined;
    expect(aws.record).toMatchObject({ live: { number: 1 }, started: { number: 2 } });
    aws.silenceLock();
    await heals("--unlock");
  });

  it(
    table.title(
      "with credentials that expire at each step in turn reports what runs, and is completed by the next",
      "expired credentials",
    ),
    async () => {
      await released();
      expect(await run(release("b"))).toMatchObject({ code: 0 });
      const steps = aws.calls.filter(
        (call, index, all) => all.indexOf(call) === index && !/^Get(Role)?Credentials/.test(call),
      );
      expect(steps.length).toBeGreaterThan(8);
      let image = "b";
      for (const step of steps) {
        image = image === "b" ? "c" : "b";
        const before = aws.record.live?.number;
        let expired = false;
        aws.before = (call) => {
          expired ||= call === step;
          if (expired) aws.expiredKeys.add("first");
        };
        const { code, text } = await run(release(image));
        aws.before = () => undefined;
        aws.expiredKeys.clear();
        expect(expired, step).toBe(true);
        const what = `${step}:\n${text}`;
        expect(text, what).not.toMatch(/internal error|\n {4}at /);
        if (code === 0) {
          // The release was live and recorded before.
          expect(step, what).toMatch(/DeleteParameter .*lock/);
          expect(aws.record.live?.number, what).not.toBe(before);
        } else {
          expect(code, what).toBe(1);
          expect(text, what).toMatch(/credentials/);
          expect(aws.record.live?.number, what).toBe(before);
        }
        aws.silenceLock();
        const next = await run(release(image, "--unlock"));
        expect(next.code, `${what}\n${next.text}`).toBe(0);
        expect(aws.lock, what).toBeUndefined();
        const { processes } = aws.record.live as unknown as { processes: Record<string, { task: string }> };
        const recorded = Object.entries(processes).map(([name, { task }]) => [name, task.replace("shop-dev-", "")]);
        expect(Object.fromEntries(recorded), what).toEqual(aws.running);
      }
    },
  );

  it(
    table.title("and whose lock is taken over stops, and leaves everything to the new owner", "taken lock"),
    async () => {
      await released();
      aws.before = (call) => {
        if (call === "UpdateService mailer") {
          aws.put(
            "/antifragile/dev/shop/releases/orders/lock",
            JSON.stringify({ id: "x", number: 7, by: "mia", at: "" }),
          );
        }
      };
      const { code, text } = await run(release("b"));
      expect({ code, text }).toMatchObject({
        code: 1,
        text: expect.stringContaining("release 7 by mia has taken the lock"),
      });
      expect(aws.lock).toMatchObject({ id: "x" });
      expect(aws.running).toEqual({ mailer: "mailer:3", orders: "orders:2" });
    },
  );
});

describe("a damaged record", () => {
  const RECORD = "/antifragile/dev/shop/releases/orders/record";

  it.each(["not json", "null", '{"live":{"number":5}}'])(
    table.title("is skipped and named: %s", "damaged record"),
    async (text) => {
      await released();
      expect(await run(release("b"))).toMatchObject({ code: 0 });
      aws.put(RECORD, text);
      const status = await run(cli("status", "dev", "--region", "eu-central-1"));
      expect(status.text).toMatch(/orders +dev +unreadable/);
      const list = await run(cli("releases", "dev", ...PLACE));
      expect(list).toMatchObject({ code: 0, text: expect.stringMatching(/version \d+ of .*record is skipped/) });
      expect(await run(cli("rollback", "dev", ...PLACE))).toMatchObject({ code: 0 });
      expect(aws.running).toEqual(BEFORE);
      expect(aws.record).toMatchObject({ live: { number: 3, of: 1 } });
      await heals();
    },
  );

  it("that was deleted is reported differently from services that were never applied", async () => {
    aws.parameters.delete(RECORD);
    expect(await run(release("b"))).toMatchObject({ code: 1, text: expect.stringContaining("was deleted") });
  });
});

it("a release is tried with every fault", () => expect(table.untried).toEqual([]));

describe("alarms that are watched", () => {
  const ALARMS = () => cli("alarms", "dev", "--minutes", "60", ...PLACE);

  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)(
    "are not any more after %s, which ends with 130",
    async (signal) => {
      const { child, ended, text } = start(ALARMS());
      await called("DescribeAlarms");
      child.kill(signal);
      expect(await ended, text()).toMatchObject({ code: 130 });
      expect(text()).toBe(
        `\n  interrupted by ${signal}: no alarm is watched any more, and no release is rolled back\n`,
      );
    },
  );

  it("count where they are composite", async () => {
    aws.alarms.set("mailer-errors", { state: "ALARM", since: Date.now(), composite: true });
    const { code, text } = await run(cli("alarms", "dev", ...PLACE));
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringMatching(/✖ dev: in alarm: .*mailer-errors/) });
  });

  it("are not asked for where the command is interrupted before", async () => {
    const { child, ended, text } = start(ALARMS());
    // The answer would otherwise overtake the signal.
    aws.before = async () => void (child.kill("SIGTERM") && (await delay(500)));
    expect(await ended, text()).toMatchObject({ code: 130 });
    expect(aws.calls).not.toContain("DescribeAlarms");
  });
});

describe("an admin process", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("is stopped by %s, and no rollback is announced", async (signal) => {
    const orders = template("orders", { bootstrap: false, admin: { report: ["report"] } });
    aws.put("/antifragile/dev/shop/releases/orders/processes/orders", JSON.stringify(orders));
    const { child, ended, text } = start(cli("admin", "dev", "report", ...PLACE));
    aws.before = (call) => void (call === "RunTask" && child.kill(signal));
    expect(await ended, text()).toMatchObject({ code: 130 });
    expect(aws.calls.at(-1)).toBe("StopTask");
    expect(text()).toBe(
      `report of orders, as shop-dev-orders:1\n\ninterrupted by ${signal}: stopping the task; Ctrl-C now leaves it running\n`,
    );
  });
});

describe("a read-only command", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("releases ends at once by %s", async (signal) => {
    const { child, ended } = start(cli("releases", "dev", ...PLACE));
    aws.before = () => void child.kill(signal);
    expect(await ended).toMatchObject({ code: 130, text: "" });
  });

  it.each(["releases", "status", "alarms"])(
    "%s survives dropped calls and reports refusals in a sentence",
    async (name) => {
      const args = name === "status" ? ["dev", "--region", "eu-central-1"] : ["dev", ...PLACE];
      aws.fault = (_, nth) => (nth === 1 ? "throttle" : undefined);
      expect(await run(cli(name, ...args))).toMatchObject({ code: 0 });
      for (const [fault, message] of [
        ["deny", "✖ AWS: AccessDeniedException: not authorized\n"],
        ["expire", "the AWS credentials have expired"],
      ] as const) {
        aws.fault = () => fault;
        const { code, text } = await run(cli(name, ...args));
        expect({ code, text }).toMatchObject({ code: 1, text: expect.stringContaining(message) });
        expect(text).not.toContain("a fault in antifragile");
      }
    },
  );
});
