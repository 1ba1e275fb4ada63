import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { draw } from "../../operations/gameday/chart";
import { startLoadBalancer } from "../../operations/gameday/load-balancer";
import {
  FAULTS,
  type Hypothesis,
  judge,
  type Plan,
  percentile,
  type Run,
  recoveredAt,
  type Sample,
  table,
} from "../../operations/gameday/report";

const plan: Plan = JSON.parse(readFileSync(join(__dirname, "../../templates/service/gameday/hypothesis.json"), "utf8"));
const hypothesis: Hypothesis = { answeredPercent: 99, p99Ms: 50, recoverySeconds: 2 };

/** A request every 10 ms for 6 s, answered in 5 ms unless changed. */
function samples(change: (sample: Sample) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: 600 }, (_, index) => {
    const sample = { due: index * 10, done: index * 10 + 5, status: 201 };
    return { ...sample, ...change(sample) };
  });
}

const run = (more: Partial<Run> = {}): Run => ({
  fault: "kill",
  samples: samples(),
  from: 2000,
  until: 2000,
  whole: 3000,
  ...more,
});

/** An instance that is ready, and answers or drops each request. */
async function stub(what: "answer" | "drop"): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url === "/readyz") return void response.end();
    asked += 1;
    if (what === "answer") response.end();
    else request.socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

describe("the load balancer", () => {
  it("sends no request twice, not even one that was lost", async () => {
    const [good, bad] = [await stub("answer"), await stub("drop")];
    const balancer = await startLoadBalancer([good.url, bad.url], { probeMs: 60_000 });
    onTestFinished(balancer.close);
    const statuses: number[] = [];
    for (let sent = 0; sent < 6; sent++) statuses.push((await fetch(balancer.url)).status);
    expect(statuses.sort()).toEqual([200, 200, 200, 502, 502, 502]);
    expect([good.asked(), bad.asked()]).toEqual([3, 3]);
  });
});

describe("a game day", () => {
  it("has a hypothesis for each fault, in numbers that can hold and can fail", () => {
    expect(Object.keys(plan.hypotheses).sort()).toEqual([...FAULTS].sort());
    for (const { answeredPercent, p99Ms, recoverySeconds } of Object.values(plan.hypotheses)) {
      expect(answeredPercent).toBeGreaterThan(0);
      expect(answeredPercent).toBeLessThanOrEqual(100);
      expect(p99Ms).toBeGreaterThan(0);
      expect(recoverySeconds).toBeGreaterThan(0);
    }
  });

  it("holds when no caller noticed it", () => {
    const verdict = judge(run(), hypothesis);
    expect(verdict).toMatchObject({ held: true, lost: 0, underWay: 0, lostBefore: 0 });
    expect(verdict.claims.map(({ measured }) => measured)).toEqual(["100 %", "5 ms", "1 s"]);
  });

  it.each([
    ["an error of the service", 500],
    ["an error of the load balancer", 502],
    ["no response", undefined],
  ])("counts %s as lost", (_, status) => {
    const lost = ({ due }: Sample) => (due >= 2000 && due < 2070 ? { status } : {});
    const verdict = judge(run({ samples: samples(lost) }), hypothesis);
    expect(verdict).toMatchObject({ held: false, lost: 7 });
    expect(verdict.claims[0]).toMatchObject({ measured: "98.83 %", held: false });
    expect(table(verdict, "gameday/kill.svg").at(-1)).toBe(
      "not held: 7 of 600 requests lost (1.17 %)  gameday/kill.svg",
    );
  });

  it("does not count a refusal as lost: it is a response", () => {
    expect(judge(run({ samples: samples(() => ({ status: 400 })) }), hypothesis).lost).toBe(0);
  });

  it("separates requests in flight from later ones, and from those lost before the fault", () => {
    const lost = ({ due }: Sample) => {
      if (due === 1000) return { status: undefined };
      if (due === 1990) return { status: 502, done: 2001 };
      return due >= 2000 && due < 2030 ? { status: 502 } : {};
    };
    expect(judge(run({ samples: samples(lost) }), hypothesis)).toMatchObject({ lost: 5, lostBefore: 1, underWay: 1 });
  });

  it("counts response times from the scheduled time of a request", () => {
    const late = ({ due }: Sample) => (due >= 2000 && due < 2100 ? { done: 2500 } : {});
    const verdict = judge(run({ samples: samples(late) }), hypothesis);
    expect(verdict.claims[1]).toMatchObject({ measured: "440 ms", held: false });
  });

  it("ends when both instances are healthy and no later request is lost", () => {
    const lost = ({ due }: Sample) => (due === 5000 ? { status: 502 } : {});
    expect(recoveredAt(run())).toBe(3000);
    expect(recoveredAt(run({ samples: samples(lost) }))).toBe(5005);
    expect(recoveredAt(run({ until: 4000 }))).toBe(4000);
    expect(judge(run({ samples: samples(lost) }), hypothesis).claims[2]).toMatchObject({
      measured: "3.01 s",
      held: false,
    });
    expect(judge(run({ whole: undefined }), hypothesis).claims[2]).toMatchObject({ measured: "never", held: false });
  });

  it("has each request in one phase", () => {
    const { phases } = judge(run(), hypothesis);
    expect(phases.map(({ name, requests }) => [name, requests])).toEqual([
      ["before", 200],
      ["during", 100],
      ["after", 300],
    ]);
    const never = judge(run({ whole: undefined }), hypothesis).phases;
    expect(never.reduce((sum, { requests }) => sum + requests, 0)).toBe(600);
  });

  it("is rounded against the service", () => {
    const one = ({ due }: Sample) => (due === 2000 ? { status: 502 } : {});
    const many = Array.from({ length: 100 }, (_, copy) => samples(copy === 0 ? one : undefined)).flat();
    const verdict = judge(run({ samples: many }), { ...hypothesis, answeredPercent: 100 });
    expect(verdict.claims[0]).toMatchObject({ measured: "99.99 %", held: false });
    expect(table(verdict, "").at(-1)).toMatch(/^not held: 1 of 60 000 requests lost \(0\.01 %\)/);
  });

  it("reports no response time without a response", () => {
    const verdict = judge(run({ samples: samples(() => ({ status: undefined })) }), hypothesis);
    expect(verdict.claims.map(({ measured, held }) => [measured, held])).toEqual([
      ["0 %", false],
      ["-", false],
      ["4 s", false],
    ]);
    expect(percentile([], 99)).toBeUndefined();
    expect(percentile([3, 1, 2], 50)).toBe(2);
  });

  it("is drawn with every loss", () => {
    const lost = ({ due }: Sample) => (due >= 2000 && due < 2500 ? { status: 502 } : {});
    const broken = run({ samples: samples(lost) });
    const red = (of: Run) => draw(of, judge(of, hypothesis), hypothesis).split('fill="#dc2626"').length - 1;
    // One is the legend.
    expect(red(run())).toBe(1);
    expect(red(broken)).toBe(3);
    const chart = draw(broken, judge(broken, hypothesis), hypothesis);
    expect(chart).toContain("not held: 50 of 600 requests lost (8.34 %)");
    expect(chart).not.toMatch(/NaN|Infinity|undefined/);
    expect(draw(run({ samples: [] }), judge(run({ samples: [] }), hypothesis), hypothesis)).not.toMatch(/NaN|Infinity/);
  });
});
