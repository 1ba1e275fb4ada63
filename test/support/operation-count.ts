import { type Profiler, Session } from "node:inspector";

/** Number of runs of each function and each of its blocks, by location: a count of work that does not depend on the load. */
export type Operations = ReadonlyMap<string, number>;

/** Counts what some code does, in the program's own files and in the packages that it uses. */
export function countOperations(act: () => void): Operations {
  const session = new Session();
  session.connect();
  try {
    post(session, "Profiler.enable");
    post(session, "Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    act();
    const { result } = post<Profiler.TakePreciseCoverageReturnType>(session, "Profiler.takePreciseCoverage");
    const counts = new Map<string, number>();
    for (const { url, functions } of result) {
      for (const { functionName, ranges } of functions) {
        const at = `${functionName || "(a function without a name)"} of ${url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, "")}:${ranges[0]?.startOffset}`;
        counts.set(at, (counts.get(at) ?? 0) + ranges.reduce((sum, { count }) => sum + count, 0));
      }
    }
    return counts;
  } finally {
    session.disconnect();
  }
}

function post<T>(session: Session, method: string, parameters?: object): T {
  let answer: T | undefined;
  let problem: Error | null = null;
  // Answers before it returns.
  session.post(method, parameters, (error: Error | null, result?: object) => {
    problem = error;
    answer = result as T;
  });
  if (problem !== null) throw problem;
  return answer as T;
}

/** Functions that do more than `factor` times the work for twice the input, however little work it is in all. */
export function growingFaster(small: Operations, large: Operations, factor: number, atLeast: number): string[] {
  return [...large]
    .filter(([at, count]) => count >= atLeast && count > factor * (small.get(at) ?? 0))
    .map(([at, count]) => `${at}: ${small.get(at) ?? 0} -> ${count}`);
}
