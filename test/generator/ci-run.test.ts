import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandSpec, parseCommandLine } from "../../contract/command-line";
import { runAlarms } from "../../operations/alarms-command";
import { runDrift } from "../../operations/drift-command";
import { runRelease } from "../../operations/release/commands";
import { runApply, runPlan } from "../../operations/saved-plans-command";
import { ACCOUNTS, CI_FILES, type CiEvent, type CiSystem, type Passed } from "./support/ci-files";
import { type Call, type CiResult, CiWorld, type RunOptions } from "./support/ci-run";

const SPECS: Readonly<Record<string, CommandSpec>> = {
  plan: runPlan.spec,
  apply: runApply.spec,
  release: runRelease.spec,
  alarms: runAlarms.spec,
  drift: runDrift.spec,
};

/** Part of the roles' names, as the construct writes it. */
const PREFIX: Readonly<Record<CiSystem, string>> = {
  "github-actions": "gh",
  gitlab: "gl",
  jenkins: "ci",
  teamcity: "ci",
  travis: "ci",
};

/** Role as which a job runs, in the account of its environment. */
function own(ci: CiSystem, role: string): string {
  const account = role.startsWith("production") ? ACCOUNTS.AWS_ACCOUNT_ID_PRODUCTION : ACCOUNTS.AWS_ACCOUNT_ID;
  return `${account}:role/orders-delivery-${PREFIX[ci]}-${role}`;
}

const TESTS = ["npm run lint", "npm run typecheck", "npm test"];
const STAGING = ["plan staging", "apply staging", "release staging", "alarms staging"];
const PRODUCTION = ["apply production", "release production", "alarms production"];

describe.each(Object.keys(CI_FILES) as CiSystem[])("a run of the file for %s", (ci) => {
  let world: CiWorld;
  let delivered: CiResult;
  beforeAll(async () => {
    world = new CiWorld(ci);
    delivered = await deliver();
  });
  afterAll(() => world.end());

  /** A push, and what follows once a person has read the plans of production. */
  async function deliver(options: Partial<RunOptions> = {}): Promise<CiResult> {
    const push = await world.run({ event: { kind: "push" }, approve: ci !== "travis", ...options });
    if (ci !== "travis" || push.failed !== undefined || push.plans.length === 0 || options.approve === false)
      return push;
    // Its approval is a build of its own, with the id of the plans.
    return world.again({ event: { kind: "manual", given: { PLANS: push.plans[0]! } }, approve: true, ...options });
  }

  /** Deployments: commands in order, without their flags, and without repeated look-ups of the image. */
  const deployed = (calls: readonly Call[]) =>
    calls.flatMap(({ words: [program, command, environment] }) =>
      program === "antifragile" ? `${command} ${environment}` : [],
    );
  const npmCalls = (calls: readonly Call[]) =>
    calls.filter(({ words }) => words[0] === "npm").map(({ words }) => words.join(" "));
  const nothingDeployed = (calls: readonly Call[]) => calls.every(({ role }) => role === "none");

  it("goes from a push to production: test, image, plan, apply, release, alarms, each with its own role", async () => {
    const { calls, failed, waiting } = delivered;
    expect([failed, waiting]).toEqual([undefined, undefined]);
    expect(
      npmCalls(calls)
        .filter((call) => TESTS.includes(call))
        .slice(0, 3),
    ).toEqual(TESTS);
    expect(deployed(calls)).toEqual([...STAGING, "plan production", ...PRODUCTION]);
    for (const { role, words } of calls) {
      const [program, command, environment] = words;
      if (program === "antifragile") {
        const kind = command === "alarms" ? "release" : command;
        expect(role).toBe(own(ci, `${environment}-${kind}`));
      } else if (words.join(" ") === "npm run image") expect(role).toBe(own(ci, "image"));
      // Tests run without a role.
      else if (TESTS.includes(words.join(" "))) expect(role).toMatch(ci === "travis" ? /^keys$/ : /^none$/);
    }
  });

  it("passes arguments that the commands accept: this commit, its image by digest, the plans that were approved", async () => {
    const { calls, plans } = delivered;
    for (const { words } of calls.filter((call) => call.words[0] === "antifragile")) {
      const [, command = "", environment, ...flags] = words;
      const line = parseCommandLine(SPECS[command]!, [environment!, ...flags]);
      const value = (flag: string) => line.value(flag);
      if (command === "plan" || command === "apply") expect(value("commit")).toBe(world.sha);
      if (command === "alarms") expect(Number(value("minutes"))).toBeGreaterThan(0);
      if (environment === "production" && command === "plan") expect(plans).toEqual([value("upload")]);
      if (environment === "production" && command === "apply") {
        expect([plans, line.has("only-saved")]).toEqual([[value("download")], true]);
      }
    }
  });

  it("deploys another environment after staging and before production, which it stops when it fails", async () => {
    const other = new CiWorld(ci, "qa");
    try {
      const QA = STAGING.map((call) => call.replace("staging", "qa"));
      const { calls, failed } = await other.run({ event: { kind: "push" } });
      expect(failed).toBeUndefined();
      expect(deployed(calls)).toEqual([...STAGING, ...QA, "plan production"]);
      expect(calls.find(({ words }) => words.join(" ").startsWith("antifragile plan qa"))?.role).toBe(
        own(ci, "qa-plan"),
      );
      const stopped = await other.run({ event: { kind: "push" }, fail: { "alarms-qa": 1 } });
      expect(deployed(stopped.calls)).toEqual([...STAGING, ...QA]);
    } finally {
      other.end();
    }
  });

  it("waits for a person after the plans of production, and does nothing there without one", async () => {
    const { calls, failed } = await deliver({ approve: false });
    expect(failed).toBeUndefined();
    expect(deployed(calls)).toEqual([...STAGING, "plan production"]);
  });

  it.each<[string, Record<string, number>, string[]]>([
    ["a failing test", { test: 1 }, []],
    ["a refused plan of staging", { "plan-staging": 3 }, STAGING.slice(0, 1)],
    ["a failed apply", { "apply-staging": 1 }, STAGING.slice(0, 2)],
    ["a failed release", { "release-staging": 1 }, STAGING.slice(0, 3)],
    ["a red alarm", { "alarms-staging": 1 }, STAGING],
    ["a refused plan of production", { "plan-production": 3 }, [...STAGING, "plan production"]],
    ["a failed apply of production", { "apply-production": 1 }, [...STAGING, "plan production", "apply production"]],
    ["a red alarm in production", { "alarms-production": 1 }, [...STAGING, "plan production", ...PRODUCTION]],
  ])("is stopped by %s", async (_, fail, until) => {
    const { calls, failed } = await deliver({ fail });
    expect(failed).toBeDefined();
    expect(deployed(calls)).toEqual(until);
  });

  it("lets a newer commit pass one that waits, whose late approval changes nothing and says so", async () => {
    const late = new CiWorld(ci);
    try {
      const waited: Passed = new Map();
      const first = await late.run({ event: { kind: "push" }, passed: waited });
      const newer = { sha: late.commit("feat: second version"), id: "200" };
      const second = await late.again({ event: { kind: "push", ...newer } });
      expect([first.failed, second.failed]).toEqual([undefined, undefined]);
      const approve = (event: Pick<CiEvent, "sha"> & Partial<CiEvent>, passed: Passed) => {
        const PLANS = second.plans.find((id) => id.startsWith(event.sha)) ?? "";
        return ci === "travis"
          ? late.again({ event: { ...event, kind: "manual", given: { PLANS } }, approve: true })
          : late.again({ event: { ...event, kind: "push" }, approve: true, only: "waiting", passed });
      };
      expect((await approve(newer, second.passed)).failed).toBeUndefined();
      const before = deployed(second.calls).length + PRODUCTION.length;
      const refused = await approve({ sha: late.sha }, waited);
      expect(deployed(refused.calls).slice(before)).toEqual(["apply production"]);
      expect(refused.failed).toMatch(/^production$/i);
      expect(refused.output).toContain(`commit ${late.sha} is older than ${newer.sha}, which production has`);

      // The older run, repeated from its start, or whose tests took longer than those of the newer.
      const start = refused.calls.length;
      const again = await late.again({ event: { kind: "push", attempt: 2 } });
      expect(deployed(again.calls.slice(start))).toEqual(["plan staging"]);
      expect(again.failed).toMatch(/^staging$/i);
      expect(again.output).toContain(`commit ${late.sha} is older than ${newer.sha}, which staging has`);
    } finally {
      late.end();
    }
  });

  it("only tests a pull request, also of a fork, without any role and where none can be assumed", async () => {
    const event = { kind: "pull-request", fork: true } as const;
    const { calls, failed, waiting } = await world.run({ event, approve: true });
    expect([failed, waiting]).toEqual([undefined, undefined]);
    expect(npmCalls(calls)).toEqual(["npm ci", ...TESTS]);
    expect(nothingDeployed(calls)).toBe(true);
    for (const job of CI_FILES[ci].jobs(world.text, { ...event, sha: world.sha, id: "1" })) {
      // GitHub and GitLab give no token, the agents of the others have no role, and Travis CI gives no keys.
      expect(job.runsOn).not.toMatch(/id-token|^delivery$|exists\("delivery"\)/);
      expect(Object.keys(job.variables(new Map())).filter((name) => /TOKEN|KEY/.test(name))).toEqual([]);
    }
  });

  it("allows deletions to the plans of one manual run, and to no other", async () => {
    const given = { ALLOW_DELETE: "aws_a.b aws_c.d", DEPLOY: "yes" };
    const allowed = ({ calls }: { readonly calls: readonly Call[] }) =>
      calls
        .filter(({ words }) => words.includes("--allow-delete"))
        .map(({ words }) => words[words.indexOf("--allow-delete") + 1]);
    expect(allowed(await world.run({ event: { kind: "manual", given } }))).toEqual([
      given.ALLOW_DELETE,
      given.ALLOW_DELETE,
    ]);
    expect(allowed(delivered)).toEqual(["", ""]);
  });

  it("turns red where any of its lines is broken", async () => {
    const ofEnvironment = (environment: string) => [
      `npm run doctor -- ${environment}`,
      ...["plan", "apply", "release", "alarms"].map((command) => `antifragile ${command} ${environment}`),
    ];
    const { passed, plans } = await deliver();
    const events: CiEvent["kind"][] = ci === "travis" ? ["push", "manual"] : ["push"];
    const green: string[] = [];
    for (const line of [
      ...["npm ci", ...TESTS, "npm run image"],
      ...["staging", "production"].flatMap(ofEnvironment),
    ]) {
      const broken = line.replace(/^(npm run|npm|antifragile) /, "$1 x");
      // The other jobs are those of the run that passed.
      const only = { edit: (text: string) => text.replace(line, broken), only: "edited", approve: true } as const;
      const runs = events.map((kind) => ({ ...only, event: { kind, given: { PLANS: plans[0] ?? "" } }, passed }));
      const failed: (string | undefined)[] = [];
      for (const run of runs) failed.push((await world.again(run)).failed);
      if (failed.every((job) => job === undefined)) green.push(line);
    }
    expect(green).toEqual([]);
  });
});

describe("the steps that are simulated", () => {
  it("are the actions of GitHub; those of Travis CI's Terraform, and Docker, are stand-ins", async () => {
    const world = new CiWorld("github-actions");
    try {
      const { simulated } = await world.run({ event: { kind: "push" }, approve: true });
      expect(simulated).toEqual([
        "actions/checkout",
        "actions/setup-node",
        "aws-actions/configure-aws-credentials",
        "hashicorp/setup-terraform",
      ]);
      const fork = await world.run({ event: { kind: "push", fork: true }, approve: true });
      expect(fork.calls.map(({ words }) => words.join(" "))).toEqual(["npm ci", ...TESTS]);
    } finally {
      world.end();
    }
  });
});

describe.each(["github-actions", "gitlab"] as const)("a scheduled run of the file for %s", (ci) => {
  let world: CiWorld;
  beforeAll(() => {
    world = new CiWorld(ci);
  });
  afterAll(() => world.end());
  const ofCommands = (calls: readonly Call[]) =>
    calls.flatMap(({ role, words: [program, ...words] }) =>
      program === "antifragile" ? `${words.join(" ")} as ${role}` : [],
    );

  it("compares each environment with the code, as the role that plans, and does nothing else", async () => {
    const { calls, failed } = await world.run({ event: { kind: "schedule" } });
    expect(failed).toBeUndefined();
    expect(ofCommands(calls)).toEqual(
      ["staging", "production"].map((each) => `drift ${each} as ${own(ci, `${each}-plan`)}`),
    );
    expect(calls.filter(({ words }) => words[0] === "npm").map(({ words }) => words[1])).toEqual(["ci", "ci"]);
    for (const { words } of calls.filter((call) => call.words[0] === "antifragile")) {
      expect(() => parseCommandLine(SPECS.drift!, words.slice(2))).not.toThrow();
    }
  });

  it("fails where something differs", async () => {
    const { failed } = await world.run({ event: { kind: "schedule" }, fail: { "drift-staging": 3 } });
    expect(failed).toMatch(/^drift/);
  });
});
