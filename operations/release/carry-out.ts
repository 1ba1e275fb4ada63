import { MIGRATE, type Release, type ReleaseRecord } from "../../contract/release";
import { duration, logLine } from "../../contract/text";
import { isExpired } from "../aws-sdk";
import { runAdmin } from "./admin";
import type { Progress } from "./cloud";
import { Interrupted, POLL_MS, type ReleaseContext, throwIfInterrupted } from "./context";
import { type HeldLock, LockLost } from "./lock";
import { type Candidate, type Move, type Phase, planBack, planMoves } from "./plan";
import { shortDigest } from "./task";

/** Time after which a deployment that is neither complete nor failed is rolled back. */
const MOVE_TIMEOUT_MS = 2 * 60 * 60 * 1000;

/** Exit code of a release: 0 live, 1 failed, 130 interrupted and rolled back. */
export type CarryOutCode = 0 | 1 | 130;

/** Failed step of a release, after which everything that moved is rolled back. */
class StepFailed extends Error {
  constructor(
    message: string,
    readonly move?: Move,
  ) {
    super(message);
  }
}

export interface Work {
  readonly title: string;
  readonly next: Release;
  readonly candidates: readonly Candidate[];
  /** Services whose admin process `migrate` runs first, each with the task definition to run. */
  readonly migrations: readonly Candidate[];
  readonly record: ReleaseRecord;
  readonly lock: HeldLock;
  /** Leaves what has moved where a step fails. @default - it is rolled back */
  readonly leaveFailed?: boolean;
}

/**
 * Migrates with the new image, moves workers, then web services, then schedules. All or nothing: if a step fails, is
 * rolled back by ECS or is interrupted, everything that moved is rolled back unless it is to be left, and the record keeps the
 * reason. The lock is
 * checked before each move and each write of the record: a release that has lost it changes nothing more.
 */
export async function carryOut(context: ReleaseContext, work: Work): Promise<CarryOutCode> {
  const { title, next, candidates, migrations, record, lock } = work;
  const { place, print, now } = context;
  const start = now();
  const moved: Move[] = [];
  const { number, by, images } = next;
  print(`${title} of ${place.stack} to ${place.environment}: ${digests(images)}\n`);
  try {
    const started = { number, by, images, at: new Date(start).toISOString() };
    await lock.writeRecord({ ...record, started });
    context.begun?.();
    for (const { name, template, wanted } of migrations) {
      print(`  ${MIGRATE} of ${name}, as ${wanted}\n`);
      const command = template.admin[MIGRATE] as readonly string[];
      const code = await runAdmin(context, { process: template, task: wanted, command });
      if (code !== 0) throw new StepFailed(`${MIGRATE} of ${name} ended with ${code}`);
    }
    for (const { phase, moves } of planMoves(candidates)) {
      throwIfInterrupted(context);
      await moveAll(context, lock, phase, moves, moved);
    }
    // An interruption that arrived with the last move was answered with the promise to roll back.
    throwIfInterrupted(context);
    await lock.writeRecord({ live: { ...next, at: new Date(now()).toISOString() } });
  } catch (error) {
    return failed(context, work, { error: error as Error, moved, took: now() - start });
  }
  print(`${title} is live after ${duration(now() - start)}\n`);
  return 0;
}

interface Failed {
  readonly error: Error;
  readonly moved: readonly Move[];
  readonly took: number;
}

/** Rolls back what has moved, records the failure, and reports what runs. */
async function failed(context: ReleaseContext, work: Work, { error, moved, took }: Failed): Promise<CarryOutCode> {
  const { next, record, lock, leaveFailed = false } = work;
  const { cloud, place, print, now } = context;
  const reason = error instanceof Interrupted ? "interrupted" : logLine(error.message);
  print(`  ✖ ${reason}\n`);
  let stuck: readonly string[];
  try {
    if (error instanceof LockLost) throw error;
    stuck = leaveFailed ? [] : await rollBack(context, lock, moved);
  } catch (lost) {
    if (!(lost instanceof LockLost)) throw lost;
    const names = moved.map(({ name, to }) => `${name} (${to})`).join(", ");
    print(
      `✖ release ${next.number} stopped after ${duration(took)}: ${lost.message}. It has moved ${names || "nothing"}, rolls nothing more back and records nothing: the release that has the lock decides what runs. antifragile releases ${place.environment} shows it\n`,
    );
    return 1;
  }
  const { number, by, images } = next;
  const { started, ...rest } = record;
  const attempt = { number, by, images, at: new Date(now()).toISOString(), reason: reason.slice(0, 500) };
  let unrecorded: string | undefined;
  try {
    await lock.writeRecord({ ...rest, failed: attempt });
  } catch (unwritten) {
    unrecorded = logLine((unwritten as Error).message);
  }
  const step = error instanceof StepFailed ? error.move : undefined;
  const logs = step === undefined ? [] : await cloud.stoppedTaskLogs(step.template, step.to).catch(() => []);
  print(
    describeFailure(context, {
      number,
      images,
      took,
      reason,
      live: record.live,
      moved,
      stuck,
      left: leaveFailed ? await describeLeft(context, moved) : [],
      unrecorded,
      logs,
      expired: isExpired(error),
    }),
  );
  return error instanceof Interrupted && stuck.length === 0 ? 130 : 1;
}

async function moveAll(
  context: ReleaseContext,
  lock: HeldLock,
  phase: Phase,
  moves: readonly Move[],
  begun: Move[] = [],
): Promise<void> {
  const { cloud, print, now, sleep } = context;
  const start = now();
  let left: { readonly move: Move; readonly progress: () => Promise<Progress> }[] = [];
  for (const move of moves) {
    await lock.check();
    // A failed call may have taken effect, so it counts as started.
    begun.push(move);
    try {
      left.push({ move, progress: await cloud.move(move.template, move.to) });
    } catch (error) {
      if (isExpired(error)) throw error;
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
      throw new StepFailed(`${slow.move.name}: not complete after ${duration(MOVE_TIMEOUT_MS)}`, slow.move);
    }
    await sleep(POLL_MS);
    throwIfInterrupted(context);
  }
}

/**
 * Rolls back what has moved, and returns the moves that could not be rolled back. Ignores interruptions, because a partial rollback is inconsistent.
 *
 * @throws LockLost where another release has the lock by now
 */
async function rollBack(context: ReleaseContext, lock: HeldLock, moved: readonly Move[]): Promise<string[]> {
  const { cloud } = context;
  // An interrupted sleep ends at once, which would call AWS without pauses.
  const patient: ReleaseContext = {
    ...context,
    print: () => undefined,
    interrupted: new AbortController().signal,
    sleep: (milliseconds) => (context.interrupted.aborted ? pause(milliseconds) : context.sleep(milliseconds)),
  };
  const stuck: string[] = [];
  for (const { moves } of planBack(moved)) {
    for (const move of moves) {
      try {
        // ECS may have rolled it back already, or may be about to.
        await moveAll(patient, lock, "workers", [move]);
        context.print(`  ↩ ${move.name} runs ${await cloud.running(move.template)} again\n`);
      } catch (error) {
        if (error instanceof LockLost) throw error;
        stuck.push(`${move.name} was moved to ${move.from} and should run ${move.to}: ${(error as Error).message}`);
      }
    }
  }
  return stuck;
}

/** Lines on the services that were not rolled back on purpose; ECS may have rolled some back itself. */
function describeLeft({ cloud }: ReleaseContext, moved: readonly Move[]): Promise<string[]> {
  return Promise.all(
    moved.map(async ({ name, template, from, to }) => {
      const running = await cloud.running(template).catch(() => undefined);
      return `${name} was moved from ${from} to ${to}${running === from ? ", and AWS has rolled it back" : ""}`;
    }),
  );
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
  /** Lines on what runs where it was left on purpose. */
  readonly left: readonly string[];
  /** Reason why the failure is not in the record. */
  readonly unrecorded: string | undefined;
  readonly logs: readonly string[];
  readonly expired: boolean;
}

function describeFailure({ place }: ReleaseContext, failure: Failure): string {
  const { number, images, took, reason, live, moved, stuck, left, unrecorded, logs, expired } = failure;
  const { environment } = place;
  const ended =
    moved.length === 0
      ? "stopped before anything moved"
      : left.length > 0
        ? "failed and was not rolled back, as --no-rollback asks,"
        : stuck.length === 0
          ? "rolled back"
          : "failed and could NOT be rolled back";
  const before =
    live === undefined ? "what ran before the first release" : `release ${live.number} (${digests(live.images)})`;
  const lines = [`✖ release ${number} ${ended} after ${duration(took)}: ${reason}`];
  if (left.length > 0) lines.push("  Left as it is:", ...left.map((each) => `    ${logLine(each)}`));
  else if (stuck.length === 0) lines.push(`  ${moved.length === 0 ? "Still running" : "Running again"}: ${before}.`);
  else {
    const back = moved.length - stuck.length;
    lines.push("  Not rolled back:", ...stuck.map((each) => `    ${logLine(each)}`));
    if (back > 0) lines.push(`  ${back} of ${moved.length} moves were rolled back to ${before}.`);
  }
  lines.push(
    unrecorded === undefined
      ? `  Release ${number} (${digests(images)}) is recorded as failed.`
      : `  Release ${number} (${digests(images)}) is not recorded as failed (${unrecorded}): it will be listed as died.`,
  );
  if (logs.length > 0) lines.push("  Last lines of the failed tasks:", ...logs.map((each) => `    ${logLine(each)}`));
  const renew = expired ? "renew the AWS credentials, then " : "";
  if (left.length > 0) {
    const image = live === undefined ? "" : "; without --image, the images of the live release run again";
    lines.push(
      `  Next: ${renew}look at the tasks, then antifragile release ${environment} with an image that works${image}.`,
    );
    return `${lines.join("\n")}\n`;
  }
  lines.push(
    stuck.length === 0 && unrecorded === undefined
      ? `  Next: ${renew || "fix the cause and "}release again; antifragile releases ${environment} lists all attempts.`
      : `  Next: ${renew}antifragile releases ${environment} shows what runs; antifragile release ${environment} --unlock completes it.`,
  );
  return `${lines.join("\n")}\n`;
}

/** Short digests of images. */
export function digests(images: Readonly<Record<string, string>>): string {
  return Object.values(images).map(shortDigest).join(", ");
}
