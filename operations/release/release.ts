import {
  MIGRATE,
  type ProcessTemplate,
  type Release,
  type ReleasedTask,
  type ReleaseLock,
  type ReleaseRecord,
} from "../../contract/release";
import { OperationError } from "../command";
import { printable, runAdmin } from "./admin";
import type { Progress } from "./cloud";
import { type Candidate, type Move, type Phase, planBack, planMoves } from "./plan";
import { configHash, familyAndRevision, isOf, readImage, renderTask, revisionOf, shortDigest } from "./task";
import { duration, Interrupted, nothingThere, POLL_MS, throwIfInterrupted, type World } from "./world";

/** A deployment that has neither arrived nor failed by then is taken back. */
const MOVE_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** A step of a release that failed, for which all that moved goes back. */
class StepFailed extends Error {
  constructor(
    message: string,
    readonly move?: Move,
  ) {
    super(message);
  }
}

export interface ReleaseOptions {
  /** By digest; none for the images that are live, with the config of now. */
  readonly images: readonly string[];
  /** Whether to take away the lock of a release that died. */
  readonly unlock: boolean;
  /**
   * Images that were of some stack, where several are released one after the other: then those of others are left out.
   *
   * @default - all images are of this stack
   */
  readonly used?: Set<string>;
}

/** The command `antifragile release`: see {@link carryOut} for what it promises. */
export async function release(world: World, { images: given, unlock, used }: ReleaseOptions): Promise<0 | 1> {
  const { place, print } = world;
  const processes = await ownProcesses(world);
  const sources = [...processes.values()].map(({ source }) => source);
  const images = given.filter((image) => used === undefined || sources.some((source) => isOf(source, image)));
  if (given.length > 0 && images.length === 0) {
    print(`${place.stack} has nothing of these images: it stays as it is\n`);
    return 0;
  }
  for (const image of images) used?.add(image);
  return withLock(world, unlock, async (record, number) => {
    const chosen = chooseImages(processes, record.live, images, place.environment);
    const prepared = await prepare(world, processes, chosen, record.live);
    const candidates = prepared.map(({ candidate }) => candidate);
    const next: Release = {
      number,
      at: "",
      by: world.by,
      images: chosen,
      processes: Object.fromEntries(prepared.map(({ candidate, released }) => [candidate.name, released])),
    };
    if (planMoves(candidates).length === 0 && record.live !== undefined) {
      // Terraform may have written the same task definition anew.
      const same = { ...record.live, images: chosen, processes: next.processes };
      if (JSON.stringify(same) !== JSON.stringify(record.live)) await world.cloud.writeRecord(place, { live: same });
      print(`release ${record.live.number} is live already: ${digests(chosen)}, with this config\n`);
      return 0;
    }
    const migrations = candidates.filter(({ template }) => Object.hasOwn(template.admin, MIGRATE));
    return carryOut(world, { title: `release ${number}`, next, candidates, migrations, record });
  });
}

export interface RollbackOptions {
  /** Number of the release to bring back. @default - the one that was live before */
  readonly to?: number;
  readonly unlock: boolean;
}

/** The command `antifragile rollback`: the very task definitions of an earlier release, its config with them. */
export async function rollback(world: World, { to, unlock }: RollbackOptions): Promise<0 | 1> {
  const { cloud, print } = world;
  const processes = await ownProcesses(world);
  return withLock(world, unlock, async (record, number) => {
    if (record.live === undefined) throw new OperationError("there is no release to go back from", 1);
    const { live } = record;
    const target = chooseEarlier(live, await listReleases(world), to);
    const candidates: Candidate[] = [];
    for (const [name, template] of processes) {
      const earlier = target.processes[name];
      if (earlier === undefined) {
        print(`${name} is not in release ${target.number}: it stays as it is\n`);
        continue;
      }
      if ((await cloud.task(earlier.task))?.definition.status !== "ACTIVE") {
        throw new OperationError(
          `${earlier.task} of release ${target.number} is not there any more: somebody has deregistered it. Nothing has changed`,
          1,
        );
      }
      candidates.push({ name, template, running: await cloud.running(template), wanted: earlier.task });
    }
    const wanted = Object.fromEntries(candidates.map(({ name }) => [name, target.processes[name] as ReleasedTask]));
    const next: Release = {
      number,
      at: "",
      by: world.by,
      images: { ...live.images, ...target.images },
      processes: { ...live.processes, ...wanted },
      of: target.of ?? target.number,
    };
    if (planMoves(candidates).length === 0) {
      print(`release ${target.number} runs already: ${digests(target.images)}\n`);
      return 0;
    }
    print("A rollback undoes no migration: the schema must serve both versions.\n");
    return carryOut(world, {
      title: `release ${number}, which is ${next.of} again,`,
      next,
      candidates,
      migrations: [],
      record,
    });
  });
}

export interface MigrateOptions {
  /** By digest. */
  readonly image: string;
  readonly service?: string;
}

/** The command `antifragile migrate --image`: runs `migrate` of an image that is not live. Nothing moves. */
export async function migrateWith(world: World, { image, service }: MigrateOptions): Promise<number> {
  const { cloud, place, print } = world;
  const all = await ownProcesses(world);
  const processes = new Map(
    [...all].filter(
      ([name, { admin, source }]) =>
        (service === undefined || name === service) && Object.hasOwn(admin, MIGRATE) && isOf(source, image),
    ),
  );
  if (processes.size === 0) {
    throw new OperationError(
      `no service${service === undefined ? "" : ` ${service}`} of this image has an admin process ${MIGRATE}: service.addAdminProcess("${MIGRATE}", [...]) declares one`,
      2,
    );
  }
  const images = chooseImages(processes, undefined, [image], place.environment);
  const prepared = await prepare(world, processes, images, (await cloud.record(place))?.live);
  for (const { candidate } of prepared) {
    const { name, template, wanted } = candidate;
    print(`${MIGRATE} of ${name}, as ${wanted}\n`);
    const code = await runAdmin(world, { process: template, task: wanted, command: template.admin[MIGRATE] ?? [] });
    if (code !== 0) return code;
  }
  return 0;
}

interface Work {
  readonly title: string;
  readonly next: Release;
  readonly candidates: readonly Candidate[];
  /** Whose admin process `migrate` runs first, each with what it is to run. */
  readonly migrations: readonly Candidate[];
  readonly record: ReleaseRecord;
}

/**
 * Migrates with the new image, moves workers, then web, then schedules. All or nothing: where a step fails, is given up by
 * ECS or is interrupted, what has moved goes back, and the record says why.
 */
async function carryOut(world: World, { title, next, candidates, migrations, record }: Work): Promise<0 | 1> {
  const { cloud, place, print, now } = world;
  const start = now();
  const moved: Move[] = [];
  print(`${title} of ${place.stack} to ${place.environment}: ${digests(next.images)}\n`);
  try {
    for (const { name, template, wanted } of migrations) {
      print(`  ${MIGRATE} of ${name}, as ${wanted}\n`);
      const command = template.admin[MIGRATE] as readonly string[];
      const code = await runAdmin(world, { process: template, task: wanted, command });
      if (code !== 0) throw new StepFailed(`${MIGRATE} of ${name} ended with ${code}`);
    }
    for (const { phase, moves } of planMoves(candidates)) {
      throwIfInterrupted(world);
      moved.push(...moves);
      await moveAll(world, phase, moves);
    }
    await cloud.writeRecord(place, { live: { ...next, at: new Date(now()).toISOString() } });
  } catch (error) {
    const step = error instanceof StepFailed ? error : undefined;
    const reason = error instanceof Interrupted ? "interrupted" : (error as Error).message;
    print(`  ✖ ${printable(reason)}\n`);
    const stuck = await goBack(world, moved);
    const { number, by, images } = next;
    const at = new Date(now()).toISOString();
    const failed = { number, by, images, at, reason: printable(reason).slice(0, 500) };
    await cloud.writeRecord(place, { ...record, failed }).catch((unwritten: Error) => {
      print(`  the record was not written: ${printable(unwritten.message)}\n`);
    });
    const words =
      step?.move === undefined ? [] : await cloud.lastWords(step.move.template, step.move.to).catch(() => []);
    print(
      describeFailure(world, { number, images, took: now() - start, reason, live: record.live, moved, stuck, words }),
    );
    return 1;
  }
  print(`${title} is live after ${duration(now() - start)}\n`);
  return 0;
}

async function moveAll(world: World, phase: Phase, moves: readonly Move[]): Promise<void> {
  const { cloud, print, now, sleep } = world;
  const start = now();
  let left: { readonly move: Move; readonly progress: () => Promise<Progress> }[] = [];
  for (const move of moves) {
    try {
      left.push({ move, progress: await cloud.move(move.template, move.to) });
    } catch (error) {
      throw new StepFailed(`${move.name}: ${(error as Error).message}`, move);
    }
  }
  for (;;) {
    const states = await Promise.all(left.map(async (each) => ({ ...each, now: await each.progress() })));
    for (const { move, now: state } of states) {
      if (state.state === "failed") throw new StepFailed(`${move.name}: ${state.reason}`, move);
      if (state.state === "live") print(`  ✔ ${phase.padEnd(9)} ${move.name}  ${move.from} -> ${move.to}\n`);
    }
    left = states.filter(({ now: state }) => state.state === "moving");
    const [slow] = left;
    if (slow === undefined) return;
    if (now() - start > MOVE_TIMEOUT_MS) {
      throw new StepFailed(`${slow.move.name}: not there after ${duration(MOVE_TIMEOUT_MS)}`, slow.move);
    }
    await sleep(POLL_MS);
    throwIfInterrupted(world);
  }
}

/** Brings back what has moved, and returns what could not be. Not interrupted: only all or nothing is a state to leave. */
async function goBack(world: World, moved: readonly Move[]): Promise<string[]> {
  const { cloud } = world;
  // A sleep that ends at once would ask AWS without a pause.
  const patient: World = {
    ...world,
    interrupted: new AbortController().signal,
    sleep: (milliseconds) => (world.interrupted.aborted ? pause(milliseconds) : world.sleep(milliseconds)),
  };
  const stuck: string[] = [];
  for (const { moves } of planBack(moved)) {
    for (const move of moves) {
      try {
        // ECS may be there already, or on its way.
        await moveAll({ ...patient, print: () => undefined }, "workers", [move]);
        world.print(`  ↩ ${move.name} runs ${await cloud.running(move.template)} again\n`);
      } catch (error) {
        stuck.push(`${move.name}, which should run ${move.to}: ${(error as Error).message}`);
      }
    }
  }
  return stuck;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

interface Failure {
  readonly number: number;
  readonly images: Release["images"];
  readonly took: number;
  readonly reason: string;
  readonly live: Release | undefined;
  readonly moved: readonly Move[];
  readonly stuck: readonly string[];
  readonly words: readonly string[];
}

function describeFailure({ place }: World, failure: Failure): string {
  const { number, images, took, reason, live, moved, stuck, words } = failure;
  const what = moved.length === 0 ? "stopped before anything moved" : "rolled back";
  const running =
    live === undefined ? "what ran before the first release" : `release ${live.number} (${digests(live.images)})`;
  const lines = [
    `✖ release ${number} ${what} after ${duration(took)}: ${printable(reason)}`,
    `  ${moved.length === 0 ? "Running still" : "Running again"}: ${running}. Release ${number} (${digests(images)}) is kept as failed.`,
  ];
  if (stuck.length > 0) {
    lines.push("  NOT brought back, look at these by hand:", ...stuck.map((each) => `    ${printable(each)}`));
  }
  if (words.length > 0) {
    lines.push("  Last lines of the failed tasks:", ...words.map((each) => `    ${printable(each)}`));
  }
  lines.push(`  Next: mend and release again; antifragile releases ${place.environment} lists them.`);
  return `${lines.join("\n")}\n`;
}

/** Services that a release may move. */
async function ownProcesses(world: World): Promise<ReadonlyMap<string, ProcessTemplate>> {
  const all = await world.cloud.processes(world.place);
  if (all.size === 0) throw nothingThere(world);
  const own = new Map([...all].filter(([, { owner }]) => owner === "pipeline"));
  if (own.size === 0) {
    throw new OperationError(
      `${[...all.keys()].join(", ")}: terraform apply releases, by the digest in the code. For this command, say releaseOwner: "pipeline"`,
      2,
    );
  }
  return own;
}

/** Does what must not be done twice at once, with the record as it is then and the number of the next attempt. */
async function withLock(
  world: World,
  unlock: boolean,
  work: (record: ReleaseRecord, number: number) => Promise<0 | 1>,
): Promise<0 | 1> {
  const { cloud, place, by, now } = world;
  if (unlock) await cloud.unlock(place);
  const before = await cloud.record(place);
  if (before === undefined) throw nothingThere(world);
  const lock = { number: nextNumber(before), by, at: new Date(now()).toISOString() };
  const holder = await cloud.lock(place, lock);
  if (holder !== undefined) throw new OperationError(describeLock(holder, place.environment), 1);
  try {
    // Another one may have ended between the two.
    const record = (await cloud.record(place)) ?? before;
    return await work(record, nextNumber(record));
  } finally {
    await cloud.unlock(place);
  }
}

export function describeLock({ number, by, at }: ReleaseLock, environment: string): string {
  return `release ${number} is being made by ${printable(by)} since ${at}: wait for it. If it died, --unlock takes its lock away; antifragile releases ${environment} tells what runs`;
}

function nextNumber({ live, failed }: ReleaseRecord): number {
  return Math.max(live?.number ?? 0, failed?.number ?? 0) + 1;
}

/** The image of each source: what was given, or what is live. */
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
      throw new OperationError(
        `${image} has no digest: use registry/name@sha256:<64 hex digits>; a tag can be moved, so it says nothing of what runs`,
        2,
      );
    }
    const of = sources.filter((source) => isOf(source, image));
    const [source] = of;
    if (source === undefined || of.length > 1) {
      throw new OperationError(`${image} is an image of none of: ${sources.join(", ")}`, 2);
    }
    if (chosen[source] !== undefined) throw new OperationError(`two images of ${source} are given; give one`, 2);
    chosen[source] = image;
  }
  for (const source of sources) chosen[source] ??= live?.images[source] ?? "";
  const missing = sources.filter((source) => chosen[source] === "");
  if (missing.length > 0) {
    throw new OperationError(
      `there is no release of ${missing.join(", ")} yet: antifragile release ${environment} ${missing.map((source) => `--image <registry>/${source}@sha256:...`).join(" ")}`,
      2,
    );
  }
  return Object.fromEntries(sources.map((source) => [source, chosen[source] as string]));
}

/** What each process is to run; task definitions that there are not yet are registered. */
async function prepare(
  { cloud }: World,
  processes: ReadonlyMap<string, ProcessTemplate>,
  images: Readonly<Record<string, string>>,
  live: Release | undefined,
): Promise<{ readonly candidate: Candidate; readonly released: ReleasedTask }[]> {
  const prepared: { candidate: Candidate; released: ReleasedTask }[] = [];
  for (const [name, template] of processes) {
    const described = await cloud.task(template.task);
    if (described === undefined) {
      throw new OperationError(`${template.task} is not there any more: apply the stack of ${name} again`, 1);
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

/** One line of the list of releases. */
export type Listed = Release & { readonly outcome: "live" | "was live" | "failed"; readonly reason?: string };

/** All attempts that are remembered, the newest first. */
export async function listReleases({ cloud, place }: World): Promise<Listed[]> {
  const listed = new Map<number, Listed>();
  for (const { live, failed } of await cloud.history(place)) {
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
  return [...listed.values()].sort((a, b) => b.number - a.number);
}

/** The release that a rollback brings back. */
export function chooseEarlier(live: Release, listed: readonly Listed[], to: number | undefined): Listed {
  if (to !== undefined) {
    const found = listed.find(({ number }) => number === to);
    if (found === undefined || found.outcome === "failed") {
      const known = listed.filter(({ outcome }) => outcome === "was live").map(({ number }) => number);
      throw new OperationError(
        `release ${to} ${found === undefined ? "is not remembered" : "failed"}; ${known.length === 0 ? "there is no other to go back to" : `there are: ${known.join(", ")}`}`,
        2,
      );
    }
    return found;
  }
  // What a rollback brought back stands where it stood first: going back once more must not bring the bad one.
  const from = live.of ?? live.number;
  const earlier = listed.find(({ number, outcome, of }) => number < from && outcome === "was live" && of === undefined);
  if (earlier === undefined) {
    throw new OperationError(`release ${live.number} is the first that is remembered: there is none to go back to`, 1);
  }
  return earlier;
}

export function digests(images: Readonly<Record<string, string>>): string {
  return Object.values(images).map(shortDigest).join(", ");
}
