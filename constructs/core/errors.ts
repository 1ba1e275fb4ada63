import type { IConstruct } from "constructs";

/** One thing that is wrong with what the user asked for. */
export interface Problem {
  /** Stable name, for searching and for suppressing: `SCALING_MIN_GT_MAX`. */
  readonly code: string;
  /** The prop in the user's words: `scaling.min`. */
  readonly prop: string;
  /** What is wrong, with the value and the bound; lower case, no full stop. */
  readonly problem: string;
  /** What to do instead, as a sentence. */
  readonly remedy: string;
}

/** Thrown at synth when props cannot work. Names the construct, the prop, the value, what is allowed and the remedy. */
export class InvalidPropsError extends Error {
  override readonly name = "InvalidPropsError";
  /** Path of the construct: `orders-dev-service/Orders`. */
  readonly path: string;
  readonly problems: readonly Problem[];

  constructor(path: string, problems: readonly Problem[]) {
    super(problems.map((p) => `${path}: ${p.prop} ${p.problem}\n  ${p.remedy}  [${p.code}]`).join("\n"));
    this.path = path;
    this.problems = problems;
  }
}

/** Collects everything that is wrong with a construct's props, so that one synth shows all of it. */
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

  /** @throws InvalidPropsError with all problems noted so far */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new InvalidPropsError(this.scope.node.path, this.#found);
  }
}

/** The error for a single problem. */
export function invalid(scope: IConstruct, problem: Problem): InvalidPropsError {
  return new InvalidPropsError(scope.node.path, [problem]);
}
