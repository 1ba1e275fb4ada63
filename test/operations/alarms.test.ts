import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { watchAlarms } from "../../operations/alarms";
import { runAlarms } from "../../operations/alarms-command";
import { keepImage } from "../../operations/release/keep-image";
import { exitCodeOf } from "../support/exit-code";

/** Watches two alarms that have these states, look after look, by a clock of its own. */
async function watch(minutes: number, looks: readonly Readonly<Record<string, string>>[], alarms = ["errors", "slow"]) {
  const said: string[] = [];
  let time = 0;
  let look = 0;
  const code = await watchAlarms({
    alarms,
    minutes,
    states: async () => new Map(Object.entries(looks[Math.min(look++, looks.length - 1)] ?? {})),
    print: (text) => void said.push(text),
    now: () => time,
    sleep: async (milliseconds) => {
      time += milliseconds;
    },
  });
  return { code, text: said.join(""), looks: look, time };
}

const QUIET = { errors: "OK", slow: "OK" };

describe("watching alarms", () => {
  it("looks once, or for as long as told", async () => {
    expect(await watch(0, [QUIET])).toMatchObject({ code: 0, looks: 1, time: 0 });
    expect(await watch(5, [QUIET])).toMatchObject({ code: 0, looks: 11, time: 300_000 });
  });

  it("ends at once when one goes off, and names it and the way back", async () => {
    const { code, text, looks } = await watch(5, [QUIET, QUIET, { ...QUIET, slow: "ALARM" }]);
    expect([code, looks]).toEqual([1, 3]);
    expect(text).toContain("in alarm: slow");
    expect(text).toContain("antifragile rollback");
  });

  it("does not take silence for proof, and says so", async () => {
    expect((await watch(0, [{ errors: "OK", slow: "INSUFFICIENT_DATA" }])).text).toMatch(/1 of 2.*not proved.*slow/s);
    expect((await watch(0, [{ errors: "OK" }])).text).toContain("not proved, since they have no data: slow");
    expect((await watch(5, [{}], [])).text).toContain("nothing is proved");
  });
});

describe("antifragile alarms", () => {
  const call = (...args: string[]) => exitCodeOf(() => runAlarms({ args, print: () => undefined, cwd: tmpdir() }));

  it("takes one environment and up to two hours", async () => {
    expect(await call()).toBe(2);
    expect(await call("staging", "production")).toBe(2);
    expect(await call("staging", "--minutes", "121")).toBe(2);
    expect(await call("staging", "--minutes", "x")).toBe(2);
    expect(await call("--help")).toBe(0);
  });
});

describe("keeping an image", () => {
  it("leaves images of other registries as they are", async () => {
    await expect(keepImage(`public.ecr.aws/nginx/nginx@sha256:${"a".repeat(64)}`)).resolves.toBeUndefined();
  });
});
