import { randomUUID } from "node:crypto";
import {
  HEARTBEAT_MS,
  type LockHolder,
  type ReleaseLock,
  type ReleaseRecord,
  SILENT_AFTER_MS,
} from "../../contract/release";
import { duration, logLine, timestamp } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import type { ReleaseContext } from "./context";

/** Error of a release whose lock another one has taken: it must not touch anything any more. */
export class LockLost extends UserError {
  constructor(holder: LockHolder | undefined) {
    super(
      holder?.lock === undefined
        ? "the lock was removed"
        : `release ${holder.lock.number} by ${logLine(holder.lock.by)} has taken the lock`,
      1,
    );
  }
}

/** Pause in which two commands that take over the same lock at once see each other. */
const SETTLE_MS = 1_000;

/** Lock of a stack's releases, held by this command. */
export class HeldLock {
  #lock: ReleaseLock;
  readonly #timer: NodeJS.Timeout;

  private constructor(
    private readonly context: ReleaseContext,
    lock: ReleaseLock,
  ) {
    this.#lock = lock;
    this.#timer = setInterval(() => void this.#beat(), HEARTBEAT_MS).unref();
  }

  get id(): string {
    return this.#lock.id;
  }

  /**
   * Takes the lock, or takes over one whose holder is silent.
   *
   * @throws UserError that names the holder
   */
  static async acquire(context: ReleaseContext, number: number, takeOver: boolean): Promise<HeldLock> {
    const { cloud, place, by, now, print } = context;
    const lock = { id: randomUUID(), number, by, at: new Date(now()).toISOString() };
    const holder = await cloud.lock(place, lock);
    // An answer that was lost made the call repeat: the lock is this command's own.
    if (holder === undefined || holder.lock?.id === lock.id) return new HeldLock(context, lock);
    if (!takeOver) throw new UserError(describeHolder(holder, context), 1);
    if (!isSilent(holder, now())) {
      throw new UserError(
        `${describeHolder(holder, context)}\n--unlock takes over a silent lock only: interrupt that release, or wait until its lock is silent for ${duration(SILENT_AFTER_MS)}`,
        1,
      );
    }
    const version = await cloud.writeLock(place, lock);
    await context.sleep(SETTLE_MS);
    const after = await cloud.lockedBy(place);
    if (version !== holder.version + 1 || after?.lock?.id !== lock.id) {
      if (after?.lock?.id === lock.id) await cloud.unlock(place);
      throw new UserError("another command took over the lock at the same time: nothing was changed. Try again", 1);
    }
    print(`took over the lock of ${name(holder)}, silent since ${timestamp(holder.beat)}\n`);
    return new HeldLock(context, lock);
  }

  /** Writes the number that this release has. */
  async rename(number: number): Promise<void> {
    if (number === this.#lock.number) return;
    await this.check();
    this.#lock = { ...this.#lock, number };
    await this.context.cloud.writeLock(this.context.place, this.#lock);
  }

  /** @throws LockLost where the lock is not this command's any more */
  async check(): Promise<void> {
    const holder = await this.context.cloud.lockedBy(this.context.place);
    if (holder?.lock?.id !== this.#lock.id) throw new LockLost(holder);
  }

  /** Writes the record of the releases. @throws LockLost */
  async writeRecord(record: ReleaseRecord): Promise<void> {
    await this.check();
    await this.context.cloud.writeRecord(this.context.place, record);
  }

  /** Removes the lock if it is still this command's own. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    const { cloud, place } = this.context;
    const holder = await cloud.lockedBy(place);
    if (holder?.lock?.id === this.#lock.id) await cloud.unlock(place);
  }

  async #beat(): Promise<void> {
    try {
      await this.check();
      await this.context.cloud.writeLock(this.context.place, this.#lock);
    } catch {
      // The next move checks the lock, and reports it.
    }
  }
}

/** True where the holder of a lock has not written its heartbeat for too long, or cannot be read. */
export function isSilent({ lock, beat }: LockHolder, now: number): boolean {
  return lock === undefined || now - beat.getTime() > SILENT_AFTER_MS;
}

/** Sentence about who holds a lock and since when it is silent, with what to do. */
export function describeHolder(holder: LockHolder, { place, now }: Pick<ReleaseContext, "place" | "now">): string {
  const { environment } = place;
  if (!isSilent(holder, now())) {
    const heard = duration(Math.max(0, now() - holder.beat.getTime()));
    return `${name(holder)} is running: its last heartbeat was ${heard} ago. Wait for it; antifragile releases ${environment} shows what runs`;
  }
  return `${name(holder)} holds the lock and has been silent since ${timestamp(holder.beat)}: it died. antifragile release ${environment} --unlock takes over and completes it; antifragile releases ${environment} shows what runs`;
}

function name({ lock }: LockHolder): string {
  if (lock === undefined) return "an unreadable lock, written by hand,";
  return `release ${lock.number} by ${logLine(lock.by)}, begun ${timestamp(lock.at)},`;
}
