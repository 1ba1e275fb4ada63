import {
  MIGRATE,
  type ProcessTemplate,
  type Release,
  type ReleasedTask,
  type ReleaseRecord,
} from "../../contract/release";
import { numbersOf } from "../../contract/release-schema";
import { logLine } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import { runAdmin } from "./admin";
import { type CarryOutCode, carryOut, digests } from "./carry-out";
import { noRecord, type ReleaseContext } from "./context";
import { HeldLock } from "./lock";
import { type Candidate, planMoves } from "./plan";
import { servicesOf } from "./services";
import { configHash, familyAndRevision, isOf, readImage, renderTask, revisionOf } from "./task";

export interface ReleaseOptions {
  /** By digest; none for the images that are live, with the current config. */
  readonly images: readonly string[];
  /** Takes over the lock of a release that died. */
  readonly unlock: boolean;
  /**
   * Images that some stack has used, where several are released one after the other: images of other stacks are left out.
   *
   * @default - all images belong to this stack
   */
  readonly used?: Set<string>;
  /** Leaves what has moved where a step fails. @default - it is rolled back */
  readonly leaveFailed?: boolean;
}

/** Releases images with the config that is applied: see {@link carryOut} for the guarantees. */
export async function release(
  context: ReleaseContext,
  { images: given, unlock, used, leaveFailed }: ReleaseOptions,
): Promise<CarryOutCode> {
  const { place, print } = context;
  const processes = await ownProcesses(context);
  const sources = [...processes.values()].map(({ source }) => source);
  const images = given.filter((image) => used === undefined || sources.some((source) => isOf(source, image)));
  if (given.length > 0 && images.length === 0) {
    print(`${place.stack} has nothing of these images: it stays as it is\n`);
    return 0;
  }
  for (const image of images) used?.add(image);
  return withLock(context, unlock, async (record, number, lock) => {
    const chosen = chooseImages(processes, record.live, images, place.environment);
    const prepared = await prepare(context, processes, chosen, record.live);
    const candidates = prepared.map(({ candidate }) => candidate);
    const next: Release = {
      number,
      at: "",
      began: new Date(context.now()).toISOString(),
      by: context.by,
      images: chosen,
      processes: Object.fromEntries(prepared.map(({ candidate, released }) => [candidate.name, released])),
    };
    if (planMoves(candidates).length === 0 && record.live !== undefined) {
      // Terraform may have written the same task definition again.
      const same = { ...record.live, images: chosen, processes: next.processes };
      if (JSON.stringify(same) !== JSON.stringify(record.live)) await lock.writeRecord({ live: same });
      print(`release ${record.live.number} is live already: ${digests(chosen)}, with this config\n`);
      return 0;
    }
    const migrations = candidates.filter(({ template }) => Object.hasOwn(template.admin, MIGRATE));
    return carryOut(context, { title: `release ${number}`, next, candidates, migrations, record, lock, leaveFailed });
  });
}

export interface RollbackOptions {
  /** Number of the release to restore. @default - the previously live release */
  readonly to?: number;
  readonly unlock: boolean;
  /** Number of the release to roll back; another one that is live by now stays. @default - the one that is live */
  readonly only?: number;
}

/** Makes the task definitions of an earlier release live again, and its config with them. */
export async function rollback(context: ReleaseContext, { to, unlock, only }: RollbackOptions): Promise<CarryOutCode> {
  const { cloud, print } = context;
  const processes = await ownProcesses(context);
  return withLock(context, unlock, async (record, number, lock) => {
    if (record.live === undefined) throw new UserError("no release is live, so none can be rolled back", 1);
    const { live } = record;
    if (only !== undefined && live.number !== only) {
      throw new UserError(`release ${live.number} is live by now, not ${only}`, 1);
    }
    const target = chooseEarlier(live, (await listReleases(context)).releases, to);
    const candidates: Candidate[] = [];
    for (const [name, template] of processes) {
      const earlier = target.processes[name];
      if (earlier === undefined) {
        print(`${name} is not in release ${target.number}: it stays as it is\n`);
        continue;
      }
      if ((await cloud.task(earlier.task))?.definition.status !== "ACTIVE") {
        throw new UserError(
          `${earlier.task} of release ${target.number} no longer exists: it was deregistered. Nothing has changed`,
          1,
        );
      }
      candidates.push({ name, template, running: await cloud.running(template), wanted: earlier.task });
    }
    const wanted = Object.fromEntries(candidates.map(({ name }) => [name, target.processes[name] as ReleasedTask]));
    const next: Release = {
      number,
      at: "",
      began: new Date(context.now()).toISOString(),
      by: context.by,
      images: { ...live.images, ...target.images },
      processes: { ...live.processes, ...wanted },
      of: target.of ?? target.number,
    };
    if (planMoves(candidates).length === 0) {
      print(`release ${target.number} is already live: ${digests(target.images)}\n`);
      return 0;
    }
    print("A rollback does not undo migrations: the schema must work with both versions.\n");
    return carryOut(context, {
      title: `release ${number}, which is ${next.of} again,`,
      next,
      candidates,
      migrations: [],
      record,
      lock,
    });
  });
}

export interface MigrateOptions {
  /** By digest. */
  readonly image: string;
  readonly service?: string;
}

/** Runs `migrate` of an image that is not live. Deploys nothing. */
export async function migrateWith(context: ReleaseContext, { image, service }: MigrateOptions): Promise<number> {
  const { cloud, place, print } = context;
  const all = await ownProcesses(context);
  const processes = new Map(
    [...all].filter(
      ([name, { admin, source }]) =>
        (service === undefined || name === service) && Object.hasOwn(admin, MIGRATE) && isOf(source, image),
    ),
  );
  if (processes.size === 0) {
    throw new UserError(
      `no service${service === undefined ? "" : ` ${service}`} of this image has an admin process ${MIGRATE}: service.addAdminProcess("${MIGRATE}", [...]) declares one`,
      2,
    );
  }
  const images = chooseImages(processes, undefined, [image], place.environment);
  const prepared = await prepare(context, processes, images, (await cloud.record(place))?.live);
  for (const { candidate } of prepared) {
    const { name, template, wanted } = candidate;
    print(`${MIGRATE} of ${name}, as ${wanted}\n`);
    const code = await runAdmin(context, { process: template, task: wanted, command: template.admin[MIGRATE] ?? [] });
    if (code !== 0) return code;
  }
  return 0;
}

/** Services that a release may move. */
async function ownProcesses(context: ReleaseContext): Promise<ReadonlyMap<string, ProcessTemplate>> {
  const all = await servicesOf(context);
  const own = new Map([...all].filter(([, { owner }]) => owner === "pipeline"));
  if (own.size === 0) {
    throw new UserError(
      `${[...all.keys()].join(", ")} is released by terraform apply, by the digest in the code. To use this command, set releaseOwner: "pipeline"`,
      2,
    );
  }
  return own;
}

/** Runs work under the lock, with the record as it is then and the number of this attempt. */
async function withLock(
  context: ReleaseContext,
  takeOver: boolean,
  work: (record: ReleaseRecord, number: number, lock: HeldLock) => Promise<CarryOutCode>,
): Promise<CarryOutCode> {
  const { cloud, place, print } = context;
  const before = await cloud.record(place);
  if (before === undefined) throw noRecord(context);
  const lock = await HeldLock.acquire(context, nextNumber(before), takeOver);
  try {
    // Another release may have ended in the meantime.
    const record = (await cloud.record(place)) ?? before;
    const number = nextNumber(record);
    await lock.rename(number);
    return await work(record, number, lock);
  } finally {
    await lock.release().catch((error: Error) => {
      print(
        `  the lock was not removed: ${logLine(error.message)}. It is silent from now on: --unlock of the next release takes it over\n`,
      );
    });
  }
}

function nextNumber(record: ReleaseRecord): number {
  return Math.max(0, ...numbersOf(record)) + 1;
}

/** Image of each source: the one that was given, or the one that is live. */
export function chooseImages(
  processes: ReadonlyMap<string, ProcessTemplate>,
  live: Release | undefined,
  images: readonly string[],
  environment: string,
): Record<string, string> {
  const sources = [...new Set([...processes.values()].map(({ source }) => source))].sort();
  const chosen: Record<string, string> = {};
  for (const image of images) {
    if (readImage(image) === undefined) {
      throw new UserError(
        `${image} has no digest: use registry/name@sha256:<64 hex digits>; a tag can move, so it does not identify an image`,
        2,
      );
    }
    const of = sources.filter((source) => isOf(source, image));
    const [source] = of;
    if (source === undefined || of.length > 1) {
      throw new UserError(`${image} is not an image of ${sources.join(" or ")}`, 2);
    }
    if (chosen[source] !== undefined) throw new UserError(`--image is set twice for ${source}: set it once`, 2);
    chosen[source] = image;
  }
  for (const source of sources) chosen[source] ??= live?.images[source] ?? "";
  const missing = sources.filter((source) => chosen[source] === "");
  if (missing.length > 0) {
    throw new UserError(
      `${missing.join(", ")} has no release yet: antifragile release ${environment} ${missing.map((source) => `--image <registry>/${source}@sha256:...`).join(" ")}`,
      2,
    );
  }
  return Object.fromEntries(sources.map((source) => [source, chosen[source] as string]));
}

/** Task definition that each process is to run; registers those that do not exist yet. */
async function prepare(
  { cloud }: ReleaseContext,
  processes: ReadonlyMap<string, ProcessTemplate>,
  images: Readonly<Record<string, string>>,
  live: Release | undefined,
): Promise<{ readonly candidate: Candidate; readonly released: ReleasedTask }[]> {
  const prepared: { candidate: Candidate; released: ReleasedTask }[] = [];
  for (const [name, template] of processes) {
    const described = await cloud.task(template.task);
    if (described === undefined) {
      throw new UserError(`${template.task} no longer exists: apply the stack of ${name} again`, 1);
    }
    const image = images[template.source] as string;
    const rendered = renderTask(described, template, image);
    const config = configHash(rendered, template.container);
    const before = live?.processes[name];
    const unchanged = before !== undefined && before.config === config && live?.images[template.source] === image;
    const task = unchanged ? before.task : familyAndRevision(await cloud.register(rendered));
    prepared.push({
      candidate: { name, template, running: await cloud.running(template), wanted: task },
      released: { task, template: revisionOf(template.task), config },
    });
  }
  return prepared;
}

/** Attempt in the list of releases. */
export type Listed = Release & {
  readonly outcome: "live" | "was live" | "failed" | "died" | "running";
  readonly reason?: string;
};

export interface ReleaseList {
  /** Recorded attempts, the newest first. */
  readonly releases: readonly Listed[];
  /** Versions of the record that cannot be read, each with the reason. */
  readonly unreadable: readonly string[];
}

/**
 * Lists all recorded attempts.
 *
 * @param running number of the release that holds a beating lock
 */
export async function listReleases({ cloud, place }: ReleaseContext, running?: number): Promise<ReleaseList> {
  const { records, unreadable } = await cloud.history(place);
  const listed = new Map<number, Listed>();
  for (const { live, failed } of records) {
    if (failed !== undefined && !listed.has(failed.number)) {
      listed.set(failed.number, { ...failed, processes: {}, outcome: "failed" });
    }
    if (live !== undefined && !listed.has(live.number)) {
      listed.set(live.number, {
        ...live,
        outcome: [...listed.values()].some(({ outcome }) => outcome === "live") ? "was live" : "live",
      });
    }
  }
  for (const { started } of records) {
    if (started === undefined || listed.has(started.number)) continue;
    const state =
      started.number === running
        ? ({ outcome: "running" } as const)
        : ({ outcome: "died", reason: "it ended without a result: killed, or cut off from AWS" } as const);
    listed.set(started.number, { ...started, processes: {}, ...state });
  }
  return { releases: [...listed.values()].sort((a, b) => b.number - a.number), unreadable };
}

/** Release that a rollback restores. */
export function chooseEarlier(live: Release, listed: readonly Listed[], to: number | undefined): Listed {
  if (to !== undefined) {
    const found = listed.find(({ number }) => number === to);
    if (found === undefined || !["live", "was live"].includes(found.outcome)) {
      const known = listed.filter(({ outcome }) => outcome === "was live").map(({ number }) => number);
      throw new UserError(
        `release ${to} ${found === undefined ? "is not recorded" : `was never live: it ${found.outcome === "running" ? "is running" : found.outcome}`}; ${known.length === 0 ? "no other release exists to roll back to" : `choose one of ${known.join(", ")}`}`,
        2,
      );
    }
    return found;
  }
  // A release that was rolled back to keeps its place in the order: a second rollback must not restore the bad one.
  const from = live.of ?? live.number;
  const earlier = listed.find(({ number, outcome, of }) => number < from && outcome === "was live" && of === undefined);
  if (earlier === undefined) {
    throw new UserError(
      `release ${live.number} is the oldest recorded release: no earlier one exists to roll back to`,
      1,
    );
  }
  return earlier;
}
