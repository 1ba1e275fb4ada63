import type { ProcessTemplate, ReleaseLock, ReleaseRecord } from "../../contract/release";
import { printable } from "./admin";
import { describeLock, digests, type Listed, listReleases } from "./release";
import { familyAndRevision, revisionOf } from "./task";
import { nothingThere, type World } from "./world";

/** What runs of a stack's services, what is next, and what was. */
export interface ReleaseState {
  readonly live?: number;
  /** The release that is being made. */
  readonly underWay?: ReleaseLock;
  /** Services whose config is applied, and that run with another. */
  readonly configNotLive: readonly string[];
  /** Services that run another task definition than their release says. */
  readonly elsewhere: readonly { readonly service: string; readonly runs: string; readonly released: string }[];
  /** The newest first. */
  readonly releases: readonly Listed[];
}

/** Asks AWS how releases of a stack stand; needs no more than to read. */
export async function readState(world: World): Promise<ReleaseState> {
  const { cloud, place } = world;
  const processes = await cloud.processes(place);
  const record = await cloud.record(place);
  if (processes.size === 0 || record === undefined) throw nothingThere(world);
  const releases = await listReleases(world);
  return {
    live: record.live?.number,
    underWay: await cloud.lockedBy(place),
    configNotLive: configNotLive(processes, record),
    elsewhere: await elsewhere(world, processes, record),
    releases,
  };
}

/** Services that Terraform has written another task definition for than the one that their release was made from. */
export function configNotLive(processes: ReadonlyMap<string, ProcessTemplate>, { live }: ReleaseRecord): string[] {
  if (live === undefined) return [];
  return [...processes]
    .filter(([name, { owner, task }]) => owner === "pipeline" && live.processes[name]?.template !== revisionOf(task))
    .map(([name]) => name);
}

async function elsewhere(
  { cloud }: World,
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

/** The command `antifragile releases`. */
export async function releases(world: World, { json }: { readonly json: boolean }): Promise<0> {
  const state = await readState(world);
  world.print(json ? `${JSON.stringify(state, null, 2)}\n` : describe(world, state));
  return 0;
}

function describe({ place }: World, state: ReleaseState): string {
  const { environment, stack } = place;
  const lines =
    state.releases.length === 0
      ? [`${stack} has no release in ${environment} yet: the bootstrap image runs`]
      : table(state.releases);
  if (state.underWay !== undefined) lines.push("", describeLock(state.underWay, environment));
  if (state.configNotLive.length > 0) {
    lines.push(
      "",
      `config not live: ${state.configNotLive.join(", ")}. To make it live: antifragile release ${environment}`,
    );
  }
  for (const { service, runs, released } of state.elsewhere) {
    lines.push("", `${service} runs ${runs}, which is not what release ${state.live} made (${released})`);
  }
  return `${lines.join("\n")}\n`;
}

function table(releases: readonly Listed[]): string[] {
  const rows = releases.map(({ number, outcome, at, by, images, of, reason }) => [
    String(number),
    outcome,
    at.replace(/\.\d+Z$/, "Z"),
    digests(images),
    by,
    of !== undefined ? `${of} again` : (reason ?? ""),
  ]);
  const all = [["release", "state", "when", "image", "by", ""], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => printable(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).trimEnd());
}
