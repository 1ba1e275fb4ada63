import { describe, expect, it } from "vitest";
import { UserError } from "../../contract/user-error";
import { admin } from "../../operations/release/admin";
import { Interrupted, type ReleaseContext } from "../../operations/release/context";
import { migrateWith, release, rollback } from "../../operations/release/release";
import { type ReleaseState, releases } from "../../operations/release/releases";
import { FakeCloud, fakeWorld, image, template } from "./support/fake-cloud";

const MIGRATE = { migrate: ["node", "migrate.js"] };

/** Web with a migration, a worker and a job, before their first release. */
function shop() {
  const cloud = new FakeCloud({
    mailer: template("mailer", { kind: "worker" }),
    orders: template("orders", { admin: MIGRATE }),
    report: template("report", { kind: "job" }),
  });
  return { cloud, world: fakeWorld(cloud) };
}

const releaseImage = (cloud: FakeCloud, ...images: string[]) => {
  const world = fakeWorld(cloud);
  return release(world, { images, unlock: false }).then((code) => ({ code, text: world.printed() }));
};

/** State of the releases as `releases --json` prints it. */
async function readState(context: ReleaseContext): Promise<ReleaseState> {
  const printed: string[] = [];
  await releases({ ...context, print: (text) => printed.push(text) }, { json: true });
  return JSON.parse(printed.join(""));
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error(`expected a refusal, got ${String(error)}`);
  return `${error.exitCode} ${error.message}`;
}

describe("a release", () => {
  it("migrates with the new image, then moves workers, web and schedules, and is recorded", async () => {
    const { cloud } = shop();
    const { code, text } = await releaseImage(cloud, image("a"));
    expect(code).toBe(0);
    expect(cloud.calls).toEqual([
      "register shop-dev-mailer:2",
      "register shop-dev-orders:2",
      "register shop-dev-report:2",
      "record started 1",
      "run orders shop-dev-orders:2 node migrate.js",
      "move mailer shop-dev-mailer:2",
      "move orders shop-dev-orders:2",
      "move report shop-dev-report:2",
      "record live 1",
    ]);
    expect(text).toContain("release 1 is live after");
    const { live } = (await cloud.record()) ?? {};
    expect(live).toMatchObject({
      number: 1,
      by: "max",
      images: { orders: image("a") },
      processes: {
        orders: { task: "shop-dev-orders:2", template: 1, config: expect.stringMatching(/^[0-9a-f]{12}$/) },
      },
    });
    expect(cloud.locked).toBeUndefined();
  });

  it("replaces image and command of the bootstrap image together", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    const [container] = cloud.tasks.get("shop-dev-orders:2")?.containerDefinitions ?? [];
    expect(container).toEqual({
      name: "orders",
      image: image("a"),
      command: ["node", "dist/main.js"],
      environment: [],
    });
    expect(cloud.tasks.get("shop-dev-orders:2")).not.toHaveProperty("registeredBy");
  });

  it("keeps the command of an image that Terraform started itself", async () => {
    const cloud = new FakeCloud({ orders: template("orders", { bootstrap: false }) });
    await releaseImage(cloud, image("a"));
    expect(cloud.tasks.get("shop-dev-orders:2")?.containerDefinitions?.[0]?.command).toEqual([
      "node",
      "-e",
      "bootstrap",
    ]);
  });

  it("that is live already changes nothing", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    const before = cloud.calls.length;
    for (const images of [[image("a")], []]) {
      const { code, text } = await releaseImage(cloud, ...images);
      expect(code).toBe(0);
      expect(text).toContain("release 1 is live already: sha256:aaaaaaaa");
    }
    expect(cloud.calls).toHaveLength(before);
  });

  it("of changed config moves the changed services, with the live image", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    cloud.define("shop-dev-orders:3", "orders", { LOG_LEVEL: "debug" });
    Object.assign(cloud.templates, { orders: template("orders", { task: "arn/shop-dev-orders:3" }) });
    expect((await readState(fakeWorld(cloud))).configNotLive).toEqual(["orders"]);
    cloud.calls.length = 0;
    await releaseImage(cloud);
    expect(cloud.calls).toEqual([
      "register shop-dev-orders:4",
      "record started 2",
      "move orders shop-dev-orders:4",
      "record live 2",
    ]);
    const [container] = cloud.tasks.get("shop-dev-orders:4")?.containerDefinitions ?? [];
    expect(container).toMatchObject({ image: image("a"), environment: [{ name: "LOG_LEVEL", value: "debug" }] });
    expect((await readState(fakeWorld(cloud))).configNotLive).toEqual([]);
  });

  it("of a config that was rewritten without changes moves nothing, and reports it as live", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    cloud.define("shop-dev-orders:3", "orders");
    Object.assign(cloud.templates, { orders: template("orders", { task: "arn/shop-dev-orders:3", admin: MIGRATE }) });
    cloud.calls.length = 0;
    expect((await releaseImage(cloud)).text).toContain("is live already");
    expect(cloud.calls).toEqual(["record live 1"]);
    expect((await readState(fakeWorld(cloud))).configNotLive).toEqual([]);
  });

  it("repairs a service that was changed by hand", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    cloud.runs.set("orders", "shop-dev-orders:1");
    expect((await readState(fakeWorld(cloud))).elsewhere).toEqual([
      { service: "orders", runs: "shop-dev-orders:1", released: "shop-dev-orders:2" },
    ]);
    await releaseImage(cloud);
    expect(cloud.runs.get("orders")).toBe("shop-dev-orders:2");
  });

  it("is reported with its number, its images and its user", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    await releaseImage(cloud, image("b"));
    const world = fakeWorld(cloud);
    await releases(world, { json: false });
    expect(
      world
        .printed()
        .split("\n")
        .slice(0, 3)
        .map((line) => line.replace(/ +/g, " ")),
    ).toEqual([
      "release state when image by",
      "2 live 2026-01-01T00:00:03Z sha256:bbbbbbbb max",
      "1 was live 2026-01-01T00:00:03Z sha256:aaaaaaaa max",
    ]);
    expect(await readState(fakeWorld(cloud))).toMatchObject({ live: 2, releases: [{ number: 2 }, { number: 1 }] });
  });
});

describe("a release that fails", () => {
  /** State before each move, and the state that must be restored. */
  async function released() {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    cloud.calls.length = 0;
    return { cloud, before: new Map(cloud.runs) };
  }

  it("in its migration moves nothing", async () => {
    const { cloud, before } = await released();
    cloud.ending = { exitCode: 3, reason: "Essential container in task exited", lines: ["no such table\u001b[31m"] };
    const { code, text } = await releaseImage(cloud, image("b"));
    expect(code).toBe(1);
    expect(cloud.runs).toEqual(before);
    expect(cloud.calls.filter((call) => call.startsWith("move"))).toEqual([]);
    expect(text).toContain("    no such table\\u001b[31m\n");
    expect(text).toContain("release 2 stopped before anything moved after");
    expect(text).toContain("migrate of orders ended with 3");
    expect(text).toContain("Still running: release 1 (sha256:aaaaaaaa).");
  });

  it("in web rolls back the workers too, reports the reason, and is recorded as failed", async () => {
    const { cloud, before } = await released();
    cloud.ways.set("orders shop-dev-orders:3", (attempt) =>
      attempt < 3 ? { state: "moving" } : { state: "failed", reason: "alarm shop-dev-orders-errors" },
    );
    const { code, text } = await releaseImage(cloud, image("b"));
    expect(code).toBe(1);
    expect(cloud.runs).toEqual(before);
    expect(cloud.calls).toEqual([
      "register shop-dev-mailer:3",
      "register shop-dev-orders:3",
      "register shop-dev-report:3",
      "record started 2",
      "run orders shop-dev-orders:3 node migrate.js",
      "move mailer shop-dev-mailer:3",
      "move orders shop-dev-orders:3",
      "move mailer shop-dev-mailer:2",
      "record failed 2",
    ]);
    expect(text).toMatch(/✖ release 2 rolled back after 1\d s: orders: alarm shop-dev-orders-errors/);
    expect(text).toContain(
      "Running again: release 1 (sha256:aaaaaaaa).\n  Release 2 (sha256:bbbbbbbb) is recorded as failed.",
    );
    expect(text).toContain("order_lines");
    expect(await cloud.record()).toMatchObject({
      live: { number: 1 },
      failed: { number: 2, by: "max", reason: "orders: alarm shop-dev-orders-errors" },
    });
    expect(cloud.locked).toBeUndefined();
    // A number is used once.
    expect((await releaseImage(cloud, image("c"))).text).toContain("release 3 is live");
    expect(await readState(fakeWorld(cloud))).toMatchObject({
      releases: [
        { number: 3, outcome: "live" },
        { number: 2, outcome: "failed" },
        { number: 1, outcome: "was live" },
      ],
    });
  });

  it("leaves no intermediate state, for a failure of any call", async () => {
    for (let failing = 0; ; failing++) {
      const { cloud, before } = await released();
      let count = 0;
      let refused = "";
      cloud.before = (call) => {
        if (call === "lock" || call.startsWith("record") || count++ !== failing) return;
        refused = call;
        throw new Error(`AccessDenied: ${call}`);
      };
      const code = await releaseImage(cloud, image("b")).then(
        ({ code }) => code,
        () => 1,
      );
      expect(cloud.locked).toBeUndefined();
      if (refused === "") {
        expect({ failing, code }).toEqual({ failing: 7, code: 0 });
        return;
      }
      expect({ refused, code, runs: [...cloud.runs] }).toEqual({ refused, code: 1, runs: [...before] });
    }
  });

  it("reports the services that could not be rolled back", async () => {
    const { cloud } = await released();
    cloud.ways.set("orders shop-dev-orders:3", () => ({ state: "failed", reason: "tasks failed to start." }));
    cloud.before = (call) => {
      if (call === "move mailer shop-dev-mailer:2") throw new Error("AccessDenied");
    };
    const { text } = await releaseImage(cloud, image("b"));
    expect(text).toContain(
      "Not rolled back:\n    mailer was moved to shop-dev-mailer:3 and should run shop-dev-mailer:2: ",
    );
  });

  it("before the first live one restores the bootstrap image", async () => {
    const { cloud } = shop();
    cloud.ways.set("orders shop-dev-orders:2", () => ({ state: "failed", reason: "tasks failed to start." }));
    const { text } = await releaseImage(cloud, image("a"));
    expect(text).toContain("Running again: what ran before the first release.");
    expect(cloud.runs.get("mailer")).toBe("shop-dev-mailer:1");
    expect(await cloud.record()).toEqual({ failed: expect.objectContaining({ number: 1 }) });
  });

  it("rolls back when it is interrupted", async () => {
    const { cloud, before } = await released();
    const world = fakeWorld(cloud);
    cloud.ways.set("orders shop-dev-orders:3", () => {
      world.interrupt();
      return { state: "moving" };
    });
    expect(await release(world, { images: [image("b")], unlock: false })).toBe(130);
    expect(world.printed()).toContain("interrupted");
    expect(cloud.runs).toEqual(before);
    expect(cloud.locked).toBeUndefined();
  });

  it("leaves what has moved with --no-rollback, and the next release goes on from there", async () => {
    const { cloud, before } = await released();
    cloud.ways.set("orders shop-dev-orders:3", () => ({ state: "failed", reason: "alarm shop-dev-orders-errors" }));
    const world = fakeWorld(cloud);
    expect(await release(world, { images: [image("b")], unlock: false, leaveFailed: true })).toBe(1);
    expect(cloud.runs.get("mailer")).toBe("shop-dev-mailer:3");
    expect(cloud.runs.get("report")).toBe(before.get("report"));
    const text = world.printed();
    expect(text).toMatch(
      /✖ release 2 failed and was not rolled back, as --no-rollback asks, after \d+ s: orders: alarm/,
    );
    expect(text).toContain(
      "Left as it is:\n    mailer was moved from shop-dev-mailer:2 to shop-dev-mailer:3\n    orders was",
    );
    expect(text).toContain("recorded as failed");
    expect(text).not.toContain("Running again");
    expect(await cloud.record()).toMatchObject({ live: { number: 1 }, failed: { number: 2 } });
    expect(cloud.locked).toBeUndefined();
    cloud.ways.clear();
    expect((await releaseImage(cloud, image("a"))).code).toBe(0);
    expect(cloud.runs.get("mailer")).not.toBe("shop-dev-mailer:3");
  });

  it("leaves what has moved with --no-rollback when it is interrupted", async () => {
    const { cloud } = await released();
    const world = fakeWorld(cloud);
    cloud.ways.set("orders shop-dev-orders:3", () => {
      world.interrupt();
      return { state: "moving" };
    });
    expect(await release(world, { images: [image("b")], unlock: false, leaveFailed: true })).toBe(130);
    expect(cloud.runs.get("mailer")).toBe("shop-dev-mailer:3");
    expect(world.printed()).toContain("as --no-rollback asks");
  });

  it("rolls back when a deployment never ends", async () => {
    const { cloud, before } = await released();
    cloud.ways.set("orders shop-dev-orders:3", () => ({ state: "moving" }));
    const { code, text } = await releaseImage(cloud, image("b"));
    expect(code).toBe(1);
    expect(text).toContain("orders: not complete after 120 min 0 s");
    expect(cloud.runs).toEqual(before);
  });
});

describe("two at once", () => {
  /** Lock of a release by mia that last wrote its heartbeat so long ago. */
  const heldBy = (cloud: FakeCloud, now: () => number, secondsAgo: number) => {
    const lock = { id: "mia's", number: 1, by: "mia", at: "2026-01-01T00:00:00Z" };
    cloud.locked = { lock, beat: new Date(now() - secondsAgo * 1000), version: 7 };
  };

  it("are refused: the second one reports who runs the first", async () => {
    const { cloud, world } = shop();
    heldBy(cloud, world.now, 20);
    for (const unlock of [false, true]) {
      expect(await refusal(release(world, { images: [image("a")], unlock }))).toMatch(
        /^1 release 1 by mia, begun 2026-01-01T00:00:00Z, is running: its last heartbeat was 20 s ago/,
      );
    }
    expect(cloud.calls).toEqual([]);
    expect(cloud.locked?.lock?.id).toBe("mia's");
    expect(await readState(world)).toMatchObject({ underWay: { by: "mia", state: "running" } });
  });

  it("a silent lock is taken over on request only", async () => {
    const { cloud, world } = shop();
    heldBy(cloud, world.now, 300);
    expect(await refusal(release(world, { images: [image("a")], unlock: false }))).toMatch(
      /^1 release 1 by mia.*has been silent since 2025-12-31T23:55:00Z: it died.*release dev --unlock/,
    );
    expect(await readState(world)).toMatchObject({ underWay: { by: "mia", state: "silent" } });
    expect(await release(world, { images: [image("a")], unlock: true })).toBe(0);
    expect(world.printed()).toContain("took over the lock of release 1 by mia");
    expect(cloud.locked).toBeUndefined();
  });

  it("of two concurrent takeovers neither continues", async () => {
    const { cloud, world } = shop();
    heldBy(cloud, world.now, 300);
    const other = { id: "other", number: 2, by: "max", at: "2026-01-01T00:00:00Z" };
    const sleep = async (milliseconds: number) => {
      await cloud.writeLock(undefined, other);
      await world.sleep(milliseconds);
    };
    expect(await refusal(release({ ...world, sleep }, { images: [image("a")], unlock: true }))).toMatch(
      /at the same time/,
    );
    expect(cloud.locked?.lock?.id).toBe("other");
    expect(cloud.calls).toEqual([]);
  });

  it("one that has lost its lock moves, rolls back and records nothing more, and leaves the lock to its owner", async () => {
    const { cloud, world } = shop();
    cloud.before = (call) => {
      if (call === "move mailer shop-dev-mailer:2") heldBy(cloud, world.now, 0);
    };
    expect(await release(world, { images: [image("a")], unlock: false })).toBe(1);
    expect(world.printed()).toMatch(/release 1 by mia has taken the lock. It has moved mailer/);
    expect(cloud.calls.filter((call) => /move|record/.test(call))).toEqual([
      "record started 1",
      "move mailer shop-dev-mailer:2",
    ]);
    expect(cloud.locked?.lock?.id).toBe("mia's");
  });

  it("one that loses its lock between two moves, before it rolls back, or while it prepares changes nothing more", async () => {
    for (const [taken, refused, calls] of [
      ["move mailer", "", ["record started 1", "move mailer shop-dev-mailer:2"]],
      ["move printer", "move printer", ["record started 1", "move mailer shop-dev-mailer:2"]],
      ["register shop-dev-orders", "", []],
    ] as const) {
      const workers = ["mailer", "printer"].map((name) => [name, template(name, { kind: "worker" })] as const);
      const cloud = new FakeCloud({ ...Object.fromEntries(workers), orders: template("orders") });
      const world = fakeWorld(cloud);
      cloud.before = (call) => {
        if (call.startsWith(taken)) heldBy(cloud, world.now, 0);
        if (refused !== "" && call.startsWith(refused)) throw new Error("AccessDenied");
      };
      expect(await release(world, { images: [image("a")], unlock: false })).toBe(1);
      expect(world.printed()).toContain("release 1 stopped after");
      expect(cloud.calls.filter((call) => /^(move|record)/.test(call))).toEqual(calls);
    }
  });

  it("one that loses its lock before it records that everything is live already records nothing", async () => {
    const { cloud, world } = shop();
    await releaseImage(cloud, image("a"));
    cloud.define("shop-dev-orders:3", "orders");
    Object.assign(cloud.templates, { orders: template("orders", { task: "arn/shop-dev-orders:3", admin: MIGRATE }) });
    cloud.calls.length = 0;
    const running = cloud.running.bind(cloud);
    cloud.running = async (process) => {
      heldBy(cloud, world.now, 0);
      return running(process);
    };
    expect(await refusal(release(world, { images: [], unlock: false }))).toBe("1 release 1 by mia has taken the lock");
    expect(cloud.calls).toEqual([]);
  });

  it("never share a number: one that died keeps its own, and is listed", async () => {
    const { cloud, world } = shop();
    await releaseImage(cloud, image("a"));
    const killed = new Error("killed");
    cloud.before = (call) => {
      if (call.startsWith("move orders")) throw killed;
    };
    // What a killed process leaves: neither rollback nor record.
    const unwritten = cloud.writeRecord.bind(cloud);
    cloud.writeRecord = async (place, record) => {
      if (record.failed !== undefined) throw killed;
      await unwritten(place, record);
    };
    expect(await release(world, { images: [image("b")], unlock: false })).toBe(1);
    expect(world.printed()).toContain("it will be listed as died");
    cloud.before = () => undefined;
    cloud.writeRecord = unwritten;
    const { code, text } = await releaseImage(cloud, image("c"));
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("release 3 is live") });
    const { releases: listed } = await readState(world);
    expect(listed.map(({ number, outcome }) => `${number} ${outcome}`)).toEqual(["3 live", "2 died", "1 was live"]);
  });

  it("use the record as of the time that they get the lock", async () => {
    const { cloud, world } = shop();
    let other = false;
    cloud.before = (call) => {
      if (call !== "lock" || other) return;
      other = true;
      cloud.versions.push({ failed: { number: 1, at: "", by: "mia", images: {}, reason: "" } });
    };
    await release(world, { images: [image("a")], unlock: false });
    expect(await cloud.record()).toMatchObject({ live: { number: 2 } });
  });
});

describe("a rollback", () => {
  async function twice() {
    const { cloud } = shop();
    for (const digit of ["a", "b", "c"]) await releaseImage(cloud, image(digit));
    cloud.calls.length = 0;
    return cloud;
  }

  it("restores the exact task definitions that were live before, and migrates nothing", async () => {
    const cloud = await twice();
    const world = fakeWorld(cloud);
    expect(await rollback(world, { unlock: false })).toBe(0);
    expect(cloud.calls).toEqual([
      "record started 4",
      "move mailer shop-dev-mailer:3",
      "move orders shop-dev-orders:3",
      "move report shop-dev-report:3",
      "record live 4",
    ]);
    expect(world.printed()).toContain("does not undo migrations");
    expect(await cloud.record()).toMatchObject({ live: { number: 4, of: 2, images: { orders: image("b") } } });
  });

  it("repeated restores an earlier release, and never the one that it came from", async () => {
    const cloud = await twice();
    await rollback(fakeWorld(cloud), { unlock: false });
    await rollback(fakeWorld(cloud), { unlock: false });
    expect(await cloud.record()).toMatchObject({ live: { number: 5, of: 1 } });
    expect(await refusal(rollback(fakeWorld(cloud), { unlock: false }))).toContain(
      "no earlier one exists to roll back to",
    );
  });

  it("restores the named release, and refuses an unknown one", async () => {
    const cloud = await twice();
    await rollback(fakeWorld(cloud), { to: 1, unlock: false });
    expect(cloud.runs.get("orders")).toBe("shop-dev-orders:2");
    expect(await refusal(rollback(fakeWorld(cloud), { to: 9, unlock: false }))).toMatch(
      /^2 release 9 is not recorded; choose one of 3, 2, 1/,
    );
  });

  it("is refused if a task definition no longer exists, before anything moves", async () => {
    const cloud = await twice();
    cloud.tasks.delete("shop-dev-orders:3");
    expect(await refusal(rollback(fakeWorld(cloud), { unlock: false }))).toContain(
      "shop-dev-orders:3 of release 2 no longer exists",
    );
    expect(cloud.calls).toEqual([]);
  });

  it("that fails rolls back to the live release", async () => {
    const cloud = await twice();
    cloud.ways.set("orders shop-dev-orders:3", () => ({ state: "failed", reason: "tasks failed to start." }));
    expect(await rollback(fakeWorld(cloud), { unlock: false })).toBe(1);
    expect(cloud.runs.get("mailer")).toBe("shop-dev-mailer:4");
    expect(await cloud.record()).toMatchObject({ live: { number: 3 }, failed: { number: 4 } });
  });
});

describe("an invalid release", () => {
  it.each([
    [["orders:latest"], /^2 orders:latest has no digest/],
    [[image("a", "payments")], /^2 .*payments@.* is not an image of orders/],
    [[image("a"), image("b")], /^2 --image is set twice for orders/],
    [[], /^2 orders has no release yet: antifragile release dev --image <registry>\/orders@sha256/],
  ])("is refused: %j", async (images, message) => {
    const { cloud, world } = shop();
    expect(await refusal(release(world, { images, unlock: false }))).toMatch(message);
    expect(cloud.calls).toEqual([]);
    expect(cloud.locked).toBeUndefined();
  });

  it("is one of services that Terraform releases, or that do not exist", async () => {
    const terraforms = new FakeCloud({ orders: template("orders", { owner: "terraform" }) });
    expect(await refusal(release(fakeWorld(terraforms), { images: [image("a")], unlock: false }))).toMatch(
      /^2 orders is released by terraform apply/,
    );
    expect(await refusal(release(fakeWorld(new FakeCloud({})), { images: [image("a")], unlock: false }))).toMatch(
      /^1 services of orders on shop in dev were not found/,
    );
  });
});

describe("an admin process", () => {
  it("runs with the live release and the added arguments, and exits with the code of its task", async () => {
    const { cloud } = shop();
    Object.assign(cloud.templates.mailer?.admin ?? {}, { seed: ["node", "seed.js"] });
    await releaseImage(cloud, image("a"));
    cloud.calls.length = 0;
    cloud.ending = { exitCode: 7, lines: ["one", "two"] };
    const world = fakeWorld(cloud);
    expect(await admin(world, { name: "seed", args: ["--count", "3"] })).toBe(7);
    expect(cloud.calls).toEqual(["run mailer shop-dev-mailer:2 node seed.js --count 3"]);
    expect(world.printed()).toContain("    one\n    two\n");
  });

  it("is refused before the first release, if it does not exist, and if two services have it", async () => {
    const { cloud, world } = shop();
    expect(await refusal(admin(world, { name: "migrate", args: [] }))).toMatch(/^1 orders has no release yet/);
    expect(await refusal(admin(world, { name: "seed", args: [] }))).toMatch(/^2 .*choose one of migrate \(orders\)/);
    Object.assign(cloud.templates.mailer?.admin ?? {}, MIGRATE);
    expect(await refusal(admin(world, { name: "migrate", args: [] }))).toMatch(
      /mailer and orders: choose one with --service/,
    );
  });

  it("is stopped when it is interrupted", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    const world = fakeWorld(cloud);
    cloud.ending = { stopped: false };
    world.interrupt();
    await expect(admin(world, { name: "migrate", args: [] })).rejects.toThrow(Interrupted);
    expect(cloud.calls.at(-1)).toBe("stop task");
  });

  it("exits with 1 if its container did not start", async () => {
    const { cloud } = shop();
    await releaseImage(cloud, image("a"));
    cloud.ending = { exitCode: undefined, reason: "CannotPullContainerError" };
    const world = fakeWorld(cloud);
    expect(await admin(world, { name: "migrate", args: [] })).toBe(1);
    expect(world.printed()).toContain("CannotPullContainerError");
  });

  it("migrates with an image that is not live, and moves nothing", async () => {
    const { cloud, world } = shop();
    expect(await migrateWith(world, { image: image("b") })).toBe(0);
    expect(cloud.calls).toEqual(["register shop-dev-orders:2", "run orders shop-dev-orders:2 node migrate.js"]);
  });
});
