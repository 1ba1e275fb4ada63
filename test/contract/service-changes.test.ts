import { beforeAll, describe, expect, it } from "vitest";
import { type ServiceChange, serviceChanges } from "./support/service-changes";

describe("a change of each prop of a service", () => {
  let changes: readonly ServiceChange[];
  const named = (wanted: (change: ServiceChange) => boolean) =>
    changes.filter(wanted).map(({ prop, text }) => `${prop}: ${text}`);
  beforeAll(() => {
    changes = serviceChanges();
  });

  it("does something, except a rename that keeps the name", () => {
    expect(named(({ atApply, atRelease }) => atApply === "" && !atRelease)).toEqual([
      'renamedFrom: `"Orders"`, with `name: "orders"`',
    ]);
  });

  it("waits for the release as a whole if it concerns the task alone", () => {
    expect(named(({ atApply, atRelease }) => atApply === "" && atRelease)).toEqual([
      'process: `web({ livePath: "/alive" })`',
      'process: `web({ command: ["node", "b.js"] })`',
      "size: `{ cpu: 512, memoryMiB: 1024 }`",
      'architecture: `"x86_64"`',
      'environment: `{ LEVEL: "debug" }`',
      'user: `"2000:2000"`',
    ]);
  });

  it("keeps what a live release needs, where the program no longer has it", () => {
    expect(named(({ keeps }) => keeps)).toEqual([
      'image: `Image.repository({ name: "other" })`',
      "image: `Image.digest(...)`",
      "secrets: none",
      'logs: `new LogStream(stack, "Own")`',
      "addOns: no more `use(database)`",
      "addOns: no more `call(other)`",
    ]);
  });

  it("is refused by the gate where it would interrupt tasks that run", () => {
    const refused = changes.filter((each) => each.refused.length > 0);
    expect(Object.fromEntries(refused.map((each) => [`${each.prop}: ${each.text}`, each.refused.length]))).toEqual({
      "process: `web({ port: 3001 })`": 3,
      'process: `web({ readyPath: "/ready" })`': 1,
      "process: `web()` to `worker()`": 1,
      "process: `web()` to `job()`": 2,
      "deployment: `rolling()` to `codeDeploy(canary())`": 1,
      'logs: `new LogStream(stack, "Own")`': 1,
      "addOns: remove the `Ingress`": 1,
      'name: `"purchases"`': 5,
    });
  });
});
