import { Annotations, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { Registry } from "./registry";

/** A reason why props cannot work. */
export interface Problem {
  /** Stable code, for searching: `SCALING_MIN_GT_MAX`. */
  readonly code: string;
  /** The prop in the user's words: `scaling.min`. */
  readonly prop: string;
  /** The rule and the value that breaks it, as in "must be at most 4, got 9"; lower case, no full stop. */
  readonly problem: string;
  /** Instruction that solves it, as a sentence. */
  readonly remedy: string;
}

/** Writes a problem as users see it, with the path of the construct that has it. */
export function formatProblem(path: string, problem: Problem): string {
  return `${path}: ${withoutPath(problem)}`;
}

function withoutPath({ code, prop, problem, remedy }: Problem): string {
  return `${prop} ${problem}\n  ${remedy}  [${code}]`;
}

/** Thrown at synth when props cannot work. Names the construct, the prop, the value, the allowed values and the remedy. */
export class InvalidPropsError extends Error {
  override readonly name = "InvalidPropsError";
  /** Path of the construct: `orders-dev-service/Orders`. */
  readonly path: string;
  readonly problems: readonly Problem[];

  /** @param others errors of other constructs that were found at the same time; their problems are added to these */
  constructor(path: string, problems: readonly Problem[], others: readonly InvalidPropsError[] = []) {
    const own = problems.map((problem) => formatProblem(path, problem));
    super([...own, ...others.map(({ message }) => message)].join("\n"));
    this.path = path;
    this.problems = [...problems, ...others.flatMap((other) => other.problems)];
    // Node prints every enumerable property of an uncaught error, and with it each problem a second time.
    for (const property of ["path", "problems"]) Object.defineProperty(this, property, { enumerable: false });
  }
}

/** Collects all problems of a construct's props, so that one synth shows all of them. */
export class Problems {
  readonly #found: Problem[] = [];

  constructor(private readonly scope: IConstruct) {}

  /** Records a problem. */
  add(problem: Problem): void {
    this.#found.push(problem);
  }

  /** Records a problem unless `condition` holds. */
  check(condition: boolean, problem: Problem): void {
    if (!condition) this.add(problem);
  }

  /** @throws InvalidPropsError with all problems recorded so far */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new InvalidPropsError(this.scope.node.path, this.#found);
  }
}

/** Creates the error for a single problem. */
export function invalid(scope: IConstruct, problem: Problem): InvalidPropsError {
  return new InvalidPropsError(scope.node.path, [problem]);
}

interface SynthCheck {
  readonly scope: IConstruct;
  readonly find: () => readonly Problem[];
}

const SYNTH_CHECKS = (): SynthCheck[] => [];

/** Checks a construct when its stack is written, for conditions that only the finished app can meet. */
export function validateAtSynth(scope: IConstruct, find: () => readonly Problem[]): void {
  Registry.of(TerraformStack.of(scope)).get(SYNTH_CHECKS).push({ scope, find });
}

/** @throws InvalidPropsError with all problems that the checks of a stack's constructs find */
export function runSynthChecks(stack: TerraformStack): void {
  const [first, ...others] = Registry.of(stack)
    .get(SYNTH_CHECKS)
    .map(({ scope, find }) => new InvalidPropsError(scope.node.path, find()))
    .filter(({ problems }) => problems.length > 0);
  if (first !== undefined) throw new InvalidPropsError(first.path, first.problems, others);
}

/** Warns about props that are allowed and will hurt. */
export function warn(scope: IConstruct, problem: Problem): void {
  Annotations.of(scope).addWarning(withoutPath(problem));
}
