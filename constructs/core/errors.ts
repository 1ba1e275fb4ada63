import { Annotations, TerraformStack } from "cdktf";
import type { IConstruct } from "constructs";
import { withPlaceholders } from "./reference";
import { Registry } from "./registry";

/** A reason why a set of props is not valid. */
export interface Problem {
  /** Stable code to search for: `SCALING_MIN_GT_MAX`. */
  readonly code: string;
  /** Prop as the user wrote it: `scaling.min`. */
  readonly prop: string;
  /** Rule and the value that breaks it, as in "must be at most 4, got 9"; lowercase, without a period. */
  readonly problem: string;
  /** Instruction that solves the problem, as a sentence. */
  readonly remedy: string;
}

/** Formats a problem for the user, with the path of the construct that has it. */
export function formatProblem(path: string, problem: Problem): string {
  return `${withPlaceholders(path)}: ${withoutPath(problem)}`;
}

function withoutPath({ code, prop, problem, remedy }: Problem): string {
  return withPlaceholders(`${prop} ${problem}\n  ${remedy}  [${code}]`);
}

/**
 * Error thrown at synth when props are not valid. Names the construct, the prop, the value, the allowed values and the
 * remedy.
 */
export class InvalidPropsError extends Error {
  override readonly name = "InvalidPropsError";
  /** Path of the construct: `orders-dev-service/Orders`. */
  readonly path: string;
  readonly problems: readonly Problem[];

  /** @param others errors of other constructs found at the same time; their problems are appended */
  constructor(path: string, problems: readonly Problem[], others: readonly InvalidPropsError[] = []) {
    const own = problems.map((problem) => formatProblem(path, problem));
    super([...own, ...others.map(({ message }) => message)].join("\n"));
    this.path = withPlaceholders(path);
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

  /** Records a problem unless the value is one of a closed set. */
  checkOneOf(value: string, allowed: readonly string[], { code, prop }: Pick<Problem, "code" | "prop">): void {
    this.check(allowed.includes(value), {
      code,
      prop,
      problem: `${JSON.stringify(value)} is not a supported value`,
      remedy: `Use one of: ${allowed.join(", ")}.`,
    });
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

/** Registers a check that runs at synth, for conditions that only the complete app can meet. */
export function validateAtSynth(scope: IConstruct, find: () => readonly Problem[]): void {
  Registry.of(TerraformStack.of(scope)).get(SYNTH_CHECKS).push({ scope, find });
}

/** Runs the checks of a stack's constructs. */
export function synthErrors(stack: TerraformStack): InvalidPropsError[] {
  return Registry.of(stack)
    .get(SYNTH_CHECKS)
    .map(({ scope, find }) => new InvalidPropsError(scope.node.path, find()))
    .filter(({ problems }) => problems.length > 0);
}

/** @throws InvalidPropsError with the problems of all errors */
export function throwAll([first, ...others]: readonly InvalidPropsError[]): void {
  if (first !== undefined) throw new InvalidPropsError(first.path, first.problems, others);
}

/** Adds a warning about props that are allowed but likely to cause trouble. */
export function warn(scope: IConstruct, problem: Problem): void {
  Annotations.of(scope).addWarning(withoutPath(problem));
}
