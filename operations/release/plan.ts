import type { ProcessTemplate } from "../../contract/release";

/** A process on its way to another task definition. */
export interface Candidate {
  readonly name: string;
  readonly template: ProcessTemplate;
  /** Family and revision of what runs now. */
  readonly running: string;
  /** Family and revision of what is to run. */
  readonly wanted: string;
}

/** One process that goes over from one task definition to another. */
export interface Move {
  readonly name: string;
  readonly template: ProcessTemplate;
  readonly from: string;
  readonly to: string;
}

export const PHASES = ["workers", "web", "schedules"] as const;
/** Moves that run at the same time; a phase starts when all moves of the previous one are complete. */
export type Phase = (typeof PHASES)[number];

const PHASE_OF: Readonly<Record<ProcessTemplate["kind"], Phase>> = { worker: "workers", web: "web", job: "schedules" };

/** Phases with their moves, in order; none is empty. */
export type MovePlan = readonly { readonly phase: Phase; readonly moves: readonly Move[] }[];

/**
 * Orders the moves of a release: workers first, because they must understand new messages before the web processes send
 * them; then web, then schedules, which are the easiest to roll back.
 */
export function planMoves(candidates: readonly Candidate[]): MovePlan {
  const moves = candidates
    .filter(({ running, wanted }) => running !== wanted)
    .map(({ running, wanted, ...rest }): Move => ({ ...rest, from: running, to: wanted }));
  return inPhases(moves);
}

/** The way back of what has moved, or begun to: the other way round. */
export function planBack(moved: readonly Move[]): MovePlan {
  return [...inPhases(moved.map((move) => ({ ...move, from: move.to, to: move.from })))].reverse();
}

function inPhases(moves: readonly Move[]): MovePlan {
  return PHASES.map((phase) => ({
    phase,
    moves: moves.filter(({ template }) => PHASE_OF[template.kind] === phase).sort((a, b) => (a.name < b.name ? -1 : 1)),
  })).filter(({ moves: own }) => own.length > 0);
}
