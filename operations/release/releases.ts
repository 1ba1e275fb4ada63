import type { LockHolder, ProcessTemplate, ReleaseLock, ReleaseRecord } from "../../contract/release";
import { formatTable } from "../../contract/table";
import { logLine, timestamp } from "../../contract/text";
import { digests } from "./carry-out";
import { noRecord, type ReleaseContext } from "./context";
import { describeHolder, isSilent } from "./lock";
import { type Listed, listReleases } from "./release";
import { servicesOf } from "./services";
import { familyAndRevision, revisionOf } from "./task";

/** State of a stack's releases. */
export interface ReleaseState {
  readonly live?: number;
  /** Release that holds the lock: running while the lock beats, dead when it is silent. */
  readonly underWay?: ReleaseLock & { readonly state: "running" | "silent"; readonly beat: string };
  /** Services whose applied config is not live. */
  readonly configNotLive: readonly string[];
  /** Services that run another task definition than the live release recorded. */
  readonly elsewhere: readonly { readonly service: string; readonly runs: string; readonly released: string }[];
  /** The newest first. */
  readonly releases: readonly Listed[];
  /** Versions of the record that cannot be read, each with the reason. */
  readonly unreadable: readonly string[];
}

interface Seen {
  readonly state: ReleaseState;
  readonly holder: LockHolder | undefined;
}

async function read(context: ReleaseContext): Promise<Seen> {
  const { cloud, place, now } = context;
  const processes = await servicesOf(context);
  const record = await cloud.record(place);
  if (record === undefined) throw noRecord(context);
  const holder = await cloud.lockedBy(place);
  const silent = holder !== undefined && isSilent(holder, now());
  const { releases, unreadable } = await listReleases(context, silent ? undefined : holder?.lock?.number);
  const state: ReleaseState = {
    live: record.live?.number,
    underWay: holder?.lock && {
      ...holder.lock,
      state: silent ? "silent" : "running",
      beat: holder.beat.toISOString(),
    },
    configNotLive: configNotLive(processes, record),
    elsewhere: await elsewhere(context, processes, record),
    releases,
    unreadable,
  };
  return { state, holder };
}

/** Services for which Terraform has written a newer task definition than the one that their release was created from. */
export function configNotLive(processes: ReadonlyMap<string, ProcessTemplate>, { live }: ReleaseRecord): string[] {
  if (live === undefined) return [];
  return [...processes]
    .filter(([name, { owner, task }]) => owner === "pipeline" && live.processes[name]?.template !== revisionOf(task))
    .map(([name]) => name);
}

async function elsewhere(
  { cloud }: ReleaseContext,
  processes: ReadonlyMap<string, ProcessTemplate>,
  { live }: ReleaseRecord,
): Promise<ReleaseState["elsewhere"]> {
  const own = [...processes].filter(([name, { owner }]) => owner === "pipeline" && live?.processes[name] !== undefined);
  const all = await Promise.all(
    own.map(async ([service, process]) => ({
      service,
      runs: familyAndRevision(await cloud.running(process)),
      released: live?.processes[service]?.task ?? "",
    })),
  );
  return all.filter(({ runs, released }) => runs !== released);
}

/** Prints the releases of a stack. */
export async function releases(context: ReleaseContext, { json }: { readonly json: boolean }): Promise<0> {
  const { state, holder } = await read(context);
  context.print(json ? `${JSON.stringify(state, null, 2)}\n` : describe(context, state, holder));
  return 0;
}

function describe(context: ReleaseContext, state: ReleaseState, holder: LockHolder | undefined): string {
  const { environment, stack } = context.place;
  const lines =
    state.releases.length === 0
      ? [`${stack} has no release in ${environment} yet: the bootstrap image runs`]
      : table(state.releases);
  if (holder !== undefined) lines.push("", describeHolder(holder, context));
  if (state.configNotLive.length > 0) {
    lines.push(
      "",
      `config not live: ${state.configNotLive.join(", ")}. To make it live: antifragile release ${environment}`,
    );
  }
  for (const { service, runs, released } of state.elsewhere) {
    lines.push("", `${service} runs ${runs}, which is not what release ${state.live} recorded (${released})`);
  }
  if (state.unreadable.length > 0) lines.push("", ...state.unreadable.map(logLine));
  return `${lines.join("\n")}\n`;
}

function table(releases: readonly Listed[]): string[] {
  const rows = releases.map(({ number, outcome, at, by, images, of, reason }) => [
    String(number),
    outcome,
    timestamp(at),
    digests(images),
    by,
    of !== undefined ? `${of} again` : (reason ?? ""),
  ]);
  return [formatTable(["release", "state", "when", "image", "by", ""], rows).trimEnd()];
}
