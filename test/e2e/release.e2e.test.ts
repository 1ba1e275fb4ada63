import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Readable } from "node:stream";
import { RegisterScalableTargetCommand } from "@aws-sdk/client-application-auto-scaling";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, UpdateServiceCommand } from "@aws-sdk/client-ecs";
import { GetScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { DeleteParameterCommand, GetParametersByPathCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReleaseLock, ReleaseRecord } from "../../contract/release";
import type { Permission } from "../../contract/release-permissions";
import type { Change } from "../../emulator";
import { AwsCloud } from "../../operations/release/aws";
import {
  type ReleaseCommandContext,
  runAdminCommand,
  runExec,
  runLogs,
  runMigrate,
  runRelease,
  runReleases,
  runRollback,
  runRun,
  runShow,
} from "../../operations/release/commands";
import type { ReleaseState } from "../../operations/release/releases";
import { runSecret } from "../../operations/secret-command";
import { runStatus } from "../../operations/status-command";
import { OPERATOR_STATEMENTS } from "../../scripts/docs-operators";
import { ACTING_FAULTS } from "../cli/support/acting-faults";
import type { Ended } from "../cli/support/child";
import { usePackedCli } from "../cli/support/cli";
import { operator } from "../iam/operators";
import { itWithIam } from "../iam/packages";

import { judgeDeployment } from "../iam/recorded/judge";
import { image } from "../operations/support/fake-cloud";
import { callsIn, type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { ROOT } from "../support/examples";
import { exitCodeOf } from "../support/exit-code";
import { FaultProxy } from "../support/faulty-endpoint";
import { PlatformCopy } from "../support/platform-copy";
import { expireAt, type Fault, type Left, RELEASE_FAULTS } from "../support/release-faults";

const APP = join(ROOT, "test/e2e/apps/release.ts");
const STACKS = ["shop-dev-platform", "orders-dev-data", "orders-dev-service"];
const PLACE = ["--stack", "orders", "--platform", "shop", "--region", "eu-central-1"];

/** Access key of who calls a command. */
const keyOf = (command: string) => command.replace(" ", "-");

/** Actions that IAM requires in addition to the one with the name of the call. */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  "ecs:RegisterTaskDefinition": ["iam:PassRole", "ecs:TagResource"],
  "ecs:RunTask": ["iam:PassRole", "ecs:TagResource"],
  "scheduler:UpdateSchedule": ["iam:PassRole"],
};

describeOnEmulator("releases of three process types", () => {
  let shop: Deployment;
  let called = "";
  /** Access key of the commands: of the role that releases, or of a person, with the name of the command. */
  let caller = "release.dev";

  const inVersion = async (version: string, variables: Readonly<Record<string, string>>) =>
    (await shop.inVersion(version, variables))("orders-dev-service");
  const service = () => shop.stack("orders-dev-service");

  /** A command as on the command line, but that waiting takes no time; its clock can be ahead by some milliseconds. */
  async function command(
    run: (context: ReleaseCommandContext) => Promise<number>,
    args: readonly string[],
    { interrupted = false, ahead = 0 } = {},
  ) {
    const printed: string[] = [];
    const start = readFileSync(shop.emulator.log, "utf8").length;
    const code = await shop.signedIn(
      () =>
        exitCodeOf(() =>
          run({
            args,
            cwd: shop.results,
            print: (text) => printed.push(text),
            contextOf: (place, print) => {
              const cloud = new AwsCloud(place.region);
              return {
                cloud,
                place,
                print,
                now: () => Date.now() + ahead,
                sleep: () => new Promise((resolve) => setTimeout(resolve, 20)),
                interrupted: interrupted ? AbortSignal.abort() : new AbortController().signal,
                by: "max",
                done: () => cloud.destroy(),
              };
            },
          }),
        ),
      caller,
    );
    called += readFileSync(shop.emulator.log, "utf8").slice(start);
    return { code, text: printed.join("") };
  }
  const release = (...args: string[]) => command(runRelease, ["dev", ...args, ...PLACE]);
  const stateOf = async () => {
    const { text } = await command(runReleases, ["dev", "--json", ...PLACE]);
    return JSON.parse(text) as ReleaseState;
  };

  const serviceOf = async (name: string) => {
    const { services = [] } = await shop.clients.ecs.send(
      new DescribeServicesCommand({ cluster: "shop-dev", services: [name] }),
    );
    return services[0] ?? {};
  };
  const scheduled = async () => {
    const scheduler = new SchedulerClient({
      endpoint: shop.emulator.url,
      region: shop.region,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    const { Target } = await scheduler.send(new GetScheduleCommand({ Name: "shop-dev-report" }));
    scheduler.destroy();
    return Target?.EcsParameters?.TaskDefinitionArn;
  };
  /** Running image, command and config variables, by service. */
  const running = async () => {
    const tasks = {
      orders: (await serviceOf("orders")).taskDefinition,
      mailer: (await serviceOf("mailer")).taskDefinition,
      report: await scheduled(),
    };
    const all = await Promise.all(
      Object.entries(tasks).map(async ([name, taskDefinition]) => {
        const described = await shop.clients.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
        const [container = {}] = described.taskDefinition?.containerDefinitions ?? [];
        const variables = Object.fromEntries((container.environment ?? []).map((each) => [each.name, each.value]));
        return [name, { task: taskDefinition, image: container.image, command: container.command, variables }] as const;
      }),
    );
    return Object.fromEntries(all);
  };
  const named = (changes: readonly Change[], type: string) =>
    changes
      .filter(({ address }) => address.startsWith(`${type}.`))
      .map(({ address, attributes }) => ({
        address: address.replace(/_[0-9A-F]{8}$/, ""),
        attributes: Object.keys(attributes),
      }));

  beforeAll(async () => {
    shop = await deploy(APP, { name: "release", stacks: STACKS });
    await shop.apply();
  });
  afterAll(() => shop?.end());

  it("start with an empty repository: the first apply is steady, and admin processes are refused", async () => {
    const { orders, mailer, report } = await running();
    for (const each of [orders, mailer, report]) {
      expect(each?.image).toMatch(/^public\.ecr\.aws\/docker\/library\/node@sha256:/);
    }
    expect(await stateOf()).toMatchObject({ releases: [], configNotLive: [] });
    expect((await release()).code).toBe(2);
    expect((await command(runAdminCommand, ["dev", "seed", ...PLACE])).code).toBe(1);
  });

  it("replace image and command without a code change, after a migration", async () => {
    await shop.emulator.endNextTask({ family: "shop-dev-orders", lines: ["3 migrations"] });
    const { code, text } = await release("--image", image("a"));
    expect(text).toContain("    3 migrations\n");
    expect(text).toMatch(/release 1 is live after/);
    expect(code).toBe(0);
    expect(await running()).toMatchObject({
      orders: { image: image("a"), command: ["node", "dist/main.js"], variables: { LOG_LEVEL: "info" } },
      mailer: { image: image("a"), command: ["node", "dist/worker.js"] },
      report: { image: image("a"), command: ["node", "dist/job.js"] },
    });
    expect((await running()).orders?.variables).not.toHaveProperty("BOOTSTRAP_HEALTHY");
    expect((await release("--image", image("a"))).text).toContain("release 1 is live already");
  });

  it("all roll back when ECS rolls one back, and the reasons are reported", async () => {
    const before = await running();
    await shop.emulator.rollBackNext({ cluster: "shop-dev", service: "orders", stoppedReason: "no such table" });
    const { code, text } = await release("--image", image("b"));
    expect(code).toBe(1);
    expect(text).toContain("release 2 rolled back after");
    expect(text).toContain(
      "Running again: release 1 (sha256:aaaaaaaa).\n  Release 2 (sha256:bbbbbbbb) is recorded as failed.",
    );
    expect(text).toMatch(/Last lines of the failed tasks:\n.*no such table/);
    expect(await running()).toEqual(before);
  });

  it("are not changed by a plan, nor are changes by AWS", async () => {
    expect((await release("--image", image("c"))).code).toBe(0);
    const [id, dimension] = ["service/shop-dev/orders", "ecs:service:DesiredCount"] as const;
    // A scheduled action writes the bounds, the scaler the count.
    await shop.clients.applicationAutoScaling.send(
      new RegisterScalableTargetCommand({
        ServiceNamespace: "ecs",
        ResourceId: id,
        ScalableDimension: dimension,
        MinCapacity: 3,
        MaxCapacity: 4,
      }),
    );
    for (const name of ["orders", "mailer"]) {
      await shop.clients.ecs.send(new UpdateServiceCommand({ cluster: "shop-dev", service: name, desiredCount: 3 }));
    }
    const before = await running();
    const { changes } = await service().plan();
    expect(changes).toEqual([]);
    expect(await running()).toEqual(before);
  });

  it("start again when their service is replaced", async () => {
    const before = await running();
    const addresses = await service().resources();
    await service().apply({
      replace: addresses.find((address) => address.startsWith("aws_ecs_service.Orders_")) ?? "",
    });
    expect((await running()).orders).toEqual(before.orders);
    expect((await service().plan()).changes).toEqual([]);
  });

  it("would be undone if Terraform released: the same changes are differences, by name", async () => {
    const { changes } = await (await inVersion("terraform", { OWNER: "terraform" })).plan();
    expect(named(changes, "aws_ecs_service")).toEqual([
      { address: "aws_ecs_service.Mailer", attributes: ["task_definition"] },
      { address: "aws_ecs_service.Orders", attributes: ["task_definition"] },
    ]);
    expect(named(changes, "aws_scheduler_schedule")).toEqual([
      { address: "aws_scheduler_schedule.Report", attributes: ["target"] },
    ]);
  });

  it("deploy changed config, which is reported as not live until then", async () => {
    const before = await running();
    const second = await inVersion("2", { VERSION: "2" });
    const { changes } = await second.plan();
    expect(named(changes, "aws_ecs_service")).toEqual([]);
    expect(named(changes, "aws_ecs_task_definition")).toMatchObject([
      { address: "aws_ecs_task_definition.Orders_Task" },
    ]);
    await second.applyPlanned();
    expect(await running()).toEqual(before);
    expect(readFileSync(second.log, "utf8")).toContain("orders runs with the configuration of its last release");
    expect(await stateOf()).toMatchObject({ configNotLive: ["orders"], elsewhere: [] });

    expect((await release()).text).toContain("release 4 is live after");
    expect((await running()).orders).toMatchObject({ image: image("c"), variables: { LOG_LEVEL: "debug" } });
    expect(await stateOf()).toMatchObject({ live: 4, configNotLive: [], elsewhere: [] });
    const log = readFileSync(second.log, "utf8").length;
    expect((await second.plan()).changes).toEqual([]);
    expect(readFileSync(second.log, "utf8").slice(log)).not.toContain("configuration of its last release");
  });

  it("roll back to the exact task definitions of an earlier release", async () => {
    const { code, text } = await command(runRollback, ["dev", "--to", "1", ...PLACE]);
    expect(code).toBe(0);
    expect(text).toContain("A rollback does not undo migrations");
    expect(await running()).toMatchObject({
      orders: { image: image("a"), variables: { LOG_LEVEL: "info" } },
      mailer: { image: image("a") },
      report: { image: image("a") },
    });
    const { releases } = await stateOf();
    expect(releases.map(({ number, outcome, of }) => [number, outcome, of])).toEqual([
      [5, "live", 1],
      [4, "was live", undefined],
      [3, "was live", undefined],
      [2, "failed", undefined],
      [1, "was live", undefined],
    ]);
  });

  it("have admin processes, which exit with the code of their tasks", async () => {
    await shop.emulator.endNextTask({ family: "shop-dev-orders", exitCode: 7, lines: ["one", "two"] });
    const seed = await command(runAdminCommand, ["dev", "seed", ...PLACE, "--", "--count", "3"]);
    expect(seed.code).toBe(7);
    expect(seed.text).toContain("    one\n    two\n");
    expect((await command(runMigrate, ["dev", "--image", image("d"), ...PLACE])).code).toBe(0);
    expect((await command(runAdminCommand, ["dev", "seed", ...PLACE], { interrupted: true })).code).toBe(130);
  });

  it("are looked after on call with the commands alone, which call what docs/commands.md lists", async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-on-call-"));
    const [path, before] = [process.env.PATH, called];
    // A stand-in for AWS's program: ends as if the shell in the container had ended with 3.
    writeFileSync(join(folder, "session-manager-plugin"), "#!/bin/sh\n[ $# = 0 ] || exit 3\n", { mode: 0o755 });
    process.env.PATH = [folder, path].join(delimiter);
    /** Runs a command, and compares its calls with the actions that the page lists for it. */
    const onCall = async (name: string, run: Parameters<typeof command>[0], ...args: string[]) => {
      called = "";
      caller = keyOf(name);
      const result = await command(run, args).finally(() => {
        caller = "release.dev";
      });
      const listed = new Set(OPERATOR_STATEMENTS[name]?.flatMap(({ actions }) => actions));
      const made = callsIn(called);
      expect([name, made.filter((call) => call !== "sts:GetCallerIdentity" && !listed.has(call))]).toEqual([name, []]);
      expect(made.length, name).toBeGreaterThan(0);
      return result;
    };
    try {
      expect(await release("--image", image("e"))).toMatchObject({ code: 0 });
      const { live } = await stateOf();
      caller = "status";
      const status = await command(runStatus as typeof runShow, ["dev", "--region", shop.region]);
      caller = "release.dev";
      expect(status).toMatchObject({ code: 0, text: expect.stringMatching(/orders +dev/) });
      const shown = await onCall("show", runShow, "dev", "orders", "--json", ...PLACE);
      expect(JSON.parse(shown.text)).toMatchObject([{ service: "orders", image: image("e"), secrets: [] }]);

      await shop.emulator.endNextTask({ family: "shop-dev-report", lines: ["reported 3 orders"] });
      const job = await onCall("run", runRun, "dev", "report", ...PLACE);
      expect(job).toMatchObject({ code: 0, text: expect.stringContaining("reported 3 orders") });
      const logs = await onCall("logs", runLogs, "dev", "report", "--filter", "reported", "--json", ...PLACE);
      expect(JSON.parse(logs.text)).toMatchObject({ service: "report", message: "reported 3 orders" });
      expect(await onCall("exec", runExec, "dev", "orders", ...PLACE, "--", "date")).toMatchObject({ code: 3 });

      const input = Readable.from(["s3cret\n"]);
      const secret = await onCall(
        "secret set",
        (context) => runSecret({ ...context, input }),
        ...["set", "stripe-key", "dev", "--region", shop.region],
      );
      expect(secret).toMatchObject({ code: 0, text: expect.stringContaining("parameter/secrets/dev/stripe-key") });
      expect(secret.text).not.toContain("s3cret");

      expect((await command(runRollback, ["dev", ...PLACE])).code).toBe(0);
      expect((await running()).orders?.image).not.toBe(image("e"));
      expect((await stateOf()).live).not.toEqual(live);
    } finally {
      process.env.PATH = path;
      rmSync(folder, { recursive: true });
      called = before;
      await shop.clients.ssm
        .send(new DeleteParameterCommand({ Name: "/secrets/dev/stripe-key" }))
        .catch(() => undefined);
    }
  });

  describe("of the packed executable, behind a proxy", () => {
    const packed = usePackedCli();
    const OLD = image("0");
    // In a registry that is not ECR, where no tag keeps it.
    const NEW = image("1").replace(/^\d+/, "registry");
    const HEALED = image("2");

    /** A release that a fault has hit, and what there is right after it. */
    interface Hit {
      readonly copy: PlatformCopy;
      readonly left: Left | undefined;
      readonly end: Pick<Ended, "code" | "text">;
      readonly images: readonly string[];
      readonly record: ReleaseRecord;
      readonly lock: ReleaseLock | undefined;
      readonly calls: readonly string[];
    }
    const hits = new Map<string, Hit>();
    const steps = () => [...hits.keys()].filter((title) => title.startsWith("expired credentials"));
    let status: readonly { readonly platform: string; readonly release: { readonly live: number | null } }[];
    let calledBefore: string;

    async function hit(copy: PlatformCopy, [left, inject]: readonly [Left | undefined, Fault[1]]): Promise<Hit> {
      const aws = await FaultProxy.to(shop.emulator.url, copy.releases);
      const folder = mkdtempSync(join(tmpdir(), "antifragile-hit-"));
      try {
        const words = packed.command("release", "dev", "--image", NEW, ...copy.place);
        const end = await inject({ words, aws, copy, folder });
        const [images, record, lock] = [await copy.images(), await copy.read("record"), await copy.read("lock")];
        return { copy, left, end, images, record, lock, calls: [...aws.calls] };
      } finally {
        aws.stop();
        rmSync(folder, { recursive: true });
      }
    }

    /** Copies the platform for each fault, and releases there: in peace first, and then several at once with their faults. */
    async function hitAll(faults: Readonly<Record<string, readonly [Left | undefined, Fault[1]]>>): Promise<void> {
      const left: (() => Promise<void>)[] = [];
      for (const [title, fault] of Object.entries(faults)) {
        const copy = await PlatformCopy.of("shop", `copy-${hits.size + left.length}`, shop.emulator.url);
        const first = await command(runRelease, ["dev", "--image", OLD, ...copy.place]);
        expect(first, first.text).toMatchObject({ code: 0 });
        left.push(async () => void hits.set(title, await hit(copy, fault)));
      }
      const lane = async () => {
        for (let next = left.shift(); next !== undefined; next = left.shift()) await next();
      };
      await Promise.all(Array.from({ length: 4 }, lane));
    }

    beforeAll(async () => {
      calledBefore = called;
      caller = "faults";
      await hitAll({ "no fault": ["live", expireAt(Number.POSITIVE_INFINITY)] });
      const calls = hits.get("no fault")?.calls ?? [];
      // Each call where it comes first, and the record of what is live, which comes last.
      const places = calls.flatMap((call, place) =>
        calls.indexOf(call) === place || (call === "PutParameter record" && calls.lastIndexOf(call) === place)
          ? [place]
          : [],
      );
      const expired = places.map(
        (place) => [`expired credentials at call ${place}, ${calls[place]}`, [undefined, expireAt(place)]] as const,
      );
      await hitAll({ ...RELEASE_FAULTS, ...Object.fromEntries(expired) });
      const { text } = await command(runStatus as typeof runShow, ["dev", "--region", shop.region, "--json"]);
      status = JSON.parse(text);
    });
    afterAll(() => {
      called = calledBefore;
      caller = "release";
    });

    /** Compares exit code, words, lock, record, status and what runs; returns the state that they agree on. */
    function agreed({ copy, end: { code, text }, images, record, lock }: Hit): Left {
      expect(text).not.toMatch(/internal error|\n {4}at /);
      expect(status.find(({ platform }) => platform === copy.name)?.release.live).toBe(record.live?.number);
      const { live, started, failed } = record;
      if (code === 0) {
        expect({ live, started, images }).toMatchObject({
          live: { number: 2, images: { orders: NEW } },
          images: [NEW],
        });
        expect(started).toBeUndefined();
        expect(lock !== undefined, text).toBe(text.includes("the lock was not removed"));
        return "live";
      }
      expect(live, text).toMatchObject({ number: 1, images: { orders: OLD } });
      if (lock?.id === "x") {
        expect({ code, started }).toMatchObject({ code: 1, started: { number: 2 } });
        expect([...images].sort(), text).toEqual([OLD, NEW].sort());
        expect(text).toContain("release 7 by mia has taken the lock");
        return "left to another";
      }
      if (lock === undefined) {
        expect({ images, started }).toEqual({ images: [OLD] });
        // The screen of a terminal that was closed shows nothing.
        if (text !== "") {
          expect(text.includes("is recorded as failed"), text).toBe(failed !== undefined);
          expect(code, text).toBe(text.includes("interrupted by") ? 130 : 1);
        }
        return "rolled back";
      }
      // What it did not record, it does not claim, and what moved it names, unless it was killed.
      expect(failed).toBeUndefined();
      expect(text).not.toMatch(/Running again|recorded as failed\./);
      if (code === 1 && images.includes(NEW)) expect(text).toMatch(/was moved to .* and should run/);
      return "cut off";
    }

    /** The next release makes everything whole: ten minutes later, when a lock that was left is silent. */
    async function heals({ copy, record, end }: Hit): Promise<void> {
      const next = await command(runRelease, ["dev", "--image", HEALED, "--unlock", ...copy.place], { ahead: 600_000 });
      expect(next, next.text).toMatchObject({ code: 0 });
      const { live, started, failed } = await copy.read("record");
      expect(live.images).toEqual({ orders: HEALED });
      const [images, lock] = [await copy.images(), await copy.read("lock")];
      expect({ images, lock, started, failed }).toEqual({ images: [HEALED] });
      const list = JSON.parse((await command(runReleases, ["dev", "--json", ...copy.place])).text) as ReleaseState;
      const second = list.releases.find(({ number }) => number === 2);
      const begun = record.failed !== undefined ? "failed" : record.started !== undefined ? "died" : "live";
      expect(second?.outcome).toBe(end.code === 0 ? "was live" : begun);
    }

    it.each(Object.keys(RELEASE_FAULTS))("withstand: %s", async (title) => {
      const found = hits.get(title) as Hit;
      expect(agreed(found), found.end.text).toBe(found.left);
      await heals(found);
    });

    it("withstand expired credentials at each step", async () => {
      expect(steps().length).toBeGreaterThan(10);
      for (const title of steps()) {
        const found = hits.get(title) as Hit;
        expect(found.end.text, title).toMatch(/credentials|security token/);
        agreed(found);
        await heals(found);
      }
    });

    it("are tried with every fault", () => {
      const untried = ACTING_FAULTS.filter((fault) => ![...hits.keys()].some((title) => title.startsWith(fault)));
      expect(untried).toEqual([]);
    });
  });

  it("call exactly what their policy allows", async () => {
    const statements = JSON.parse(
      readFileSync(join(shop.results, "cdktf.out", "release-statements.json"), "utf8"),
    ) as Permission[];
    const allowed = new Set(statements.flatMap(({ actions }) => actions));
    const own = callsIn(called, "eu-central-1");
    const needed = new Set(own.flatMap((action) => [action, ...(IMPLIED[action] ?? [])]));
    expect([...needed].sort()).toEqual([...allowed].sort());
  });

  it("leave no lock, and are deleted with their stack", async () => {
    const told = async () => {
      const path = { Path: "/antifragile/dev/shop/releases", Recursive: true };
      const { Parameters = [] } = await shop.clients.ssm.send(new GetParametersByPathCommand(path));
      return Parameters.map(({ Name = "" }) => Name.replace("/antifragile/dev/shop/releases/orders/", "")).sort();
    };
    expect(await told()).toEqual(["processes/mailer", "processes/orders", "processes/report", "record"]);
    await service().destroy();
    expect(await told()).toEqual([]);
  });

  itWithIam("are deployed and released by roles, and looked after by people, who may make every call", async () => {
    const people = ["exec", "logs", "run", "secret set", "show", "status"].map((name) => operator(keyOf(name), [name]));
    const { problems, simulated } = await judgeDeployment(shop, (key) => people.find(({ name }) => name === key));
    expect(problems).toEqual([]);
    for (const { name } of people) expect([name, simulated[name]]).toEqual([name, expect.any(Number)]);
    expect(simulated["deployed-delivery-gh-dev-release"]).toBeGreaterThan(50);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(300);
  });
});
