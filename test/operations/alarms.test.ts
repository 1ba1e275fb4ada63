import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AlarmState } from "../../operations/alarm-states";
import { watchAlarms } from "../../operations/alarms";
import { runAlarms } from "../../operations/alarms-command";
import { runRelease } from "../../operations/release/commands";
import type { FoundStack } from "../../operations/release/find";
import { keepImage } from "../../operations/release/keep-image";
import { exitCodeOf } from "../support/exit-code";
import { FakeCloud, fakeWorld, image, template } from "./support/fake-cloud";

const BEGAN = new Date("2026-01-01T10:00:00Z");
const BEFORE = new Date("2026-01-01T09:00:00Z");
const AFTER = new Date("2026-01-01T10:01:00Z");

type Look = Readonly<Record<string, string | readonly [state: string, since: Date]>>;

const statesOf = (look: Look): Map<string, AlarmState> =>
  new Map(
    Object.entries(look).map(([name, state]) =>
      typeof state === "string" ? [name, { state, since: AFTER }] : [name, { state: state[0], since: state[1] }],
    ),
  );

/** Watches alarms that have these states, look after look, by a clock of its own. */
async function watch(
  minutes: number,
  looks: readonly Look[],
  {
    names = ["errors", "slow"],
    known = true,
    interruptDuring,
  }: { readonly names?: readonly string[]; readonly known?: boolean; readonly interruptDuring?: "look" | "sleep" } = {},
) {
  const printed: string[] = [];
  const controller = new AbortController();
  let time = 0;
  let look = 0;
  const result = await watchAlarms({
    environment: "staging",
    alarms: names.map((name) => ({ name, stack: "orders", ...(known ? { releaseBegan: BEGAN } : {}) })),
    minutes,
    states: async () => {
      if (interruptDuring === "look" && look === 1) controller.abort();
      return statesOf(looks[Math.min(look++, looks.length - 1)] ?? {});
    },
    print: (text) => void printed.push(text),
    now: () => time,
    sleep: async (milliseconds) => {
      time += milliseconds;
      if (interruptDuring === "sleep") controller.abort();
    },
    interrupted: controller.signal,
  });
  return { ...result, text: printed.join(""), looks: look, time };
}

const QUIET = { errors: "OK", slow: "OK" };

describe("watching alarms", () => {
  it("checks once, or for the minutes that are set", async () => {
    expect(await watch(0, [QUIET])).toMatchObject({ code: 0, looks: 1, time: 0 });
    expect(await watch(5, [QUIET])).toMatchObject({ code: 0, looks: 11, time: 300_000 });
  });

  it("ends at once when one goes off, and names it, its time and the environment", async () => {
    const { code, suspects, text, looks } = await watch(5, [QUIET, QUIET, { ...QUIET, slow: "ALARM" }]);
    expect([code, suspects, looks]).toEqual([1, ["orders"], 3]);
    expect(text).toBe("✖ staging: in alarm: slow (since 2026-01-01T10:01:00Z)\n");
  });

  it("gives an alarm that was in alarm before the release the time to clear", async () => {
    const red: Look = { ...QUIET, errors: ["ALARM", BEFORE] };
    const cleared = await watch(5, [red, red, red, QUIET]);
    expect(cleared).toMatchObject({ code: 0, suspects: [], time: 300_000 });
    expect(cleared.text).toContain(
      "errors (since 2026-01-01T09:00:00Z) was in alarm before the release: it has 5 min to clear",
    );
    expect(cleared.text).toContain("2 of 2 alarms are ok\n  cleared: errors\n");
    const stays = await watch(5, [red]);
    expect(stays).toMatchObject({ code: 1, suspects: [], time: 300_000 });
    expect(stays.text).toContain("in alarm before the release and still: errors (since 2026-01-01T09:00:00Z)");
    expect(stays.text).toContain("antifragile alarms staging --minutes N waits longer");
  });

  it("still ends at once when another goes off meanwhile, or the same one again", async () => {
    const red: Look = { ...QUIET, errors: ["ALARM", BEFORE] };
    expect(await watch(5, [red, { ...red, slow: "ALARM" }])).toMatchObject({ code: 1, suspects: ["orders"], looks: 2 });
    expect(await watch(5, [red, QUIET, { ...QUIET, errors: "ALARM" }])).toMatchObject({ code: 1, looks: 3 });
  });

  it("takes every alarm for new where it is not known when the release began", async () => {
    const red: Look = { ...QUIET, errors: ["ALARM", BEFORE] };
    expect(await watch(5, [red], { known: false })).toMatchObject({
      code: 1,
      suspects: ["orders"],
      looks: 1,
    });
  });

  it("reports an alarm as cleared only if it is ok", async () => {
    const red: Look = { errors: ["ALARM", BEFORE], slow: ["ALARM", BEFORE] };
    const { text } = await watch(5, [red, { errors: "OK", slow: "INSUFFICIENT_DATA" }]);
    expect(text).toContain(
      "1 of 2 alarms are ok\n  cleared: errors\n  not verified, because they have no data: slow\n",
    );
    expect((await watch(5, [red, { errors: "OK" }])).text).toContain("  cleared: errors\n");
    expect((await watch(5, [red, {}])).text).not.toContain("cleared");
  });

  it("ends without looking again when it is interrupted", async () => {
    for (const during of ["look", "sleep"] as const) {
      const interrupted = await watch(5, [QUIET, { ...QUIET, errors: "ALARM" }], { interruptDuring: during });
      expect(interrupted).toMatchObject({ code: 130, suspects: [], text: "" });
      expect(interrupted.looks).toBe(during === "look" ? 2 : 1);
    }
  });

  it("reports alarms without data as not verified", async () => {
    expect((await watch(0, [{ errors: "OK", slow: "INSUFFICIENT_DATA" }])).text).toMatch(/1 of 2.*not verified.*slow/s);
    expect((await watch(0, [{ errors: "OK" }])).text).toContain("not verified, because they have no data: slow");
    expect((await watch(5, [{}], { names: [] })).text).toContain("nothing was verified");
  });
});

describe("antifragile alarms", () => {
  const usage = (...args: string[]) => exitCodeOf(() => runAlarms({ args, print: () => undefined, cwd: tmpdir() }));

  it("accepts one environment and up to two hours", async () => {
    expect(await usage()).toBe(2);
    expect(await usage("staging", "production")).toBe(2);
    expect(await usage("staging", "--minutes", "121")).toBe(2);
    expect(await usage("staging", "--minutes", "x")).toBe(2);
    expect(await usage("--help")).toBe(0);
  });

  /** Account with two releases of `orders`, whose alarm is in alarm since a time. */
  async function afterReleases(since: Date, flags: readonly string[], { minutesLater = 1, other = false } = {}) {
    const cloud = new FakeCloud({ orders: template("orders", { alarms: ["orders-errors"] }) });
    const world = fakeWorld(cloud);
    let time = BEGAN.getTime();
    const printed: string[] = [];
    const print = (text: string) => void printed.push(text);
    const contextOf = (place: FoundStack) => ({ ...world, place, print, now: () => time });
    const place = ["--stack", "orders", "--platform", "shop", "--region", "eu-central-1"];
    for (const digit of ["a", "b"]) {
      expect(
        await runRelease({ args: ["dev", "--image", image(digit), ...place], cwd: tmpdir(), print, contextOf }),
      ).toBe(0);
    }
    printed.length = 0;
    time += minutesLater * 60_000;
    const states = async () => {
      if (other) {
        const another = ["dev", "--image", image("c"), ...place];
        await runRelease({ args: another, cwd: tmpdir(), print: () => undefined, contextOf });
      }
      return statesOf({ "orders-errors": ["ALARM", since] });
    };
    const code = await runAlarms({ args: ["dev", ...flags, ...place], cwd: tmpdir(), print, contextOf, states });
    const { live } = (await cloud.record()) ?? {};
    return { code, text: printed.join(""), live };
  }

  it("names the command that rolls back, and leaves the release live", async () => {
    const { code, text, live } = await afterReleases(AFTER, []);
    expect([code, live?.number]).toEqual([1, 2]);
    expect(text).toContain(
      "Release 2 of orders stays live. To roll it back: antifragile rollback dev --stack orders --platform shop --region eu-central-1\n",
    );
  });

  it("rolls back by itself where that is asked for, and still ends with 1", async () => {
    const { code, text, live } = await afterReleases(AFTER, ["--rollback"]);
    expect(live).toMatchObject({ number: 3, of: 1, images: { orders: image("a") } });
    expect(code).toBe(1);
    expect(text).toContain("rolling back release 2 of orders");
  });

  it("rolls back neither for an alarm from before the release, nor a release that is old", async () => {
    const before = await afterReleases(BEFORE, ["--rollback"]);
    expect([before.code, before.live?.number]).toEqual([1, 2]);
    const old = await afterReleases(AFTER, ["--rollback"], { minutesLater: 61 });
    expect([old.code, old.live?.number]).toEqual([1, 2]);
    expect(old.text).toMatch(/Release 2 of orders stays live, since it is live since .* To roll it back/);
  });

  it("ends with 130 when a rollback is interrupted, and begins no other", async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-alarms-"));
    const names = ["billing", "orders"];
    const manifest = { stacks: Object.fromEntries(names.map((name) => [`${name}-dev-service`, {}])) };
    const worlds = new Map(
      names.map((name) => {
        const stack = join(folder, "infra/cdktf.out/stacks", `${name}-dev-service`);
        mkdirSync(stack, { recursive: true });
        const parameter = { name: `/antifragile/dev/shop/releases/${name}/processes/${name}` };
        const program = {
          provider: { aws: [{ region: "eu-central-1" }] },
          resource: { aws_ssm_parameter: { parameter } },
        };
        writeFileSync(join(stack, "cdk.tf.json"), JSON.stringify(program));
        const cloud = new FakeCloud({ [name]: template(name, { source: name, alarms: [`${name}-errors`] }) });
        return [name, { ...fakeWorld(cloud), cloud }] as const;
      }),
    );
    writeFileSync(join(folder, "infra/cdktf.out/manifest.json"), JSON.stringify(manifest));
    const printed: string[] = [];
    const print = (text: string) => void printed.push(text);
    const contextOf = (place: FoundStack) => {
      const world = worlds.get(place.stack);
      if (world === undefined) throw new Error(`there is no ${place.stack}`);
      return { ...world, place, print };
    };
    for (const digit of ["a", "b"]) {
      const images = names.flatMap((name) => ["--image", image(digit, name)]);
      expect(await runRelease({ args: ["dev", ...images], cwd: folder, print, contextOf })).toBe(0);
    }
    const [billing, orders] = [...worlds.values()];
    if (billing === undefined || orders === undefined) throw new Error("two stacks are needed");
    billing.cloud.before = (call) => {
      if (call.startsWith("move")) billing.interrupt();
    };
    const states = async () =>
      statesOf({
        "billing-errors": ["ALARM", new Date("2030-01-01")],
        "orders-errors": ["ALARM", new Date("2030-01-01")],
      });
    const code = await runAlarms({ args: ["dev", "--rollback"], cwd: folder, print, contextOf, states });
    expect(code).toBe(130);
    expect((await billing.cloud.record())?.failed).toMatchObject({ number: 3, reason: "interrupted" });
    expect((await orders.cloud.record())?.live?.number).toBe(2);
    expect(printed.join("")).not.toContain("of orders\n  rolling back");
    expect(printed.join("")).toContain("To roll back again: antifragile rollback dev --stack billing\n");
  });

  it("documents how long after a release it rolls back", async () => {
    const printed: string[] = [];
    await runAlarms({ args: ["--help"], print: (text) => void printed.push(text), cwd: tmpdir() });
    expect(printed.join("").replace(/\s+/g, " ")).toContain("unless its release has been live for more than 60 min");
  });

  it("leaves a release alone that another one has made live meanwhile", async () => {
    const { code, text, live } = await afterReleases(AFTER, ["--rollback"], { other: true });
    expect([code, live?.number]).toEqual([1, 3]);
    expect(text).toContain("not rolled back: release 3 is live by now, not 2");
  });
});

describe("keeping an image", () => {
  it("does not tag images of other registries", async () => {
    await expect(keepImage(`public.ecr.aws/nginx/nginx@sha256:${"a".repeat(64)}`)).resolves.toBeUndefined();
  });
});
