import { createHash } from "node:crypto";

/** What a request must have for a rule to take it. */
export interface RuleMatch {
  /** Host names; none means any. */
  readonly hosts: readonly string[];
  /** Path patterns, as `/v1/*`; none means any. */
  readonly paths: readonly string[];
}

/** Priorities that a user may give; they come before all others. */
export const EXPLICIT_PRIORITY = { min: 1, max: 999 } as const;

/** A kind of rule, and how many priorities there are for it: the narrower the earlier. */
const BANDS = [
  { of: "host and path of 3 parts and more", size: 6_000 },
  { of: "host and path of 2 parts", size: 6_000 },
  { of: "host and path of 1 part", size: 6_000 },
  { of: "path of 3 parts and more", size: 6_000 },
  { of: "path of 2 parts", size: 6_000 },
  { of: "path of 1 part", size: 6_000 },
  { of: "host", size: 8_000 },
  { of: "host with a wildcard", size: 5_000 },
  // There can be one alone, so that a second one in another repo is refused by AWS.
  { of: "any", size: 1 },
] as const;

/**
 * A rule's priority on a shared listener, from what it matches alone: the same in every repo and at every synth.
 *
 * A rule on host and path comes before one on a path, that before one on a host, that before one that takes all; of two on
 * paths the one with more parts before the first wildcard is first.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-rules
 */
export function rulePriority(match: RuleMatch): number {
  const band = ruleBand(match);
  const start = BANDS.slice(0, band).reduce((sum, { size }) => sum + size, EXPLICIT_PRIORITY.max + 1);
  const key = JSON.stringify([[...match.hosts].sort(), [...narrowing(match)].sort()]);
  return start + (createHash("sha256").update(key).digest().readUInt32BE(0) % (BANDS[band]?.size ?? 1));
}

/** Which kind of rule it is; rules of one kind have no order that anybody meant. */
export function ruleBand(match: RuleMatch): number {
  const paths = narrowing(match);
  if (paths.length > 0) return (match.hosts.length > 0 ? 0 : 3) + (3 - Math.min(3, ...paths.map(depth)));
  if (match.hosts.length === 0) return 8;
  return match.hosts.some((host) => host.includes("*")) ? 7 : 6;
}

/** Whether some request is taken by both. */
export function overlaps(a: RuleMatch, b: RuleMatch): boolean {
  const meet = (mine: readonly string[], theirs: readonly string[]) =>
    mine.length === 0 ||
    theirs.length === 0 ||
    mine.some((one) => theirs.some((other) => patternsMeet(one.toLowerCase(), other.toLowerCase())));
  // Hosts are compared without case, paths are not; to say too much of paths is the safe side.
  return meet(a.hosts, b.hosts) && meet(narrowing(a), narrowing(b));
}

/** Whether every text that fits `inner` surely fits `outer` too. */
export function covers(outer: string, inner: string): boolean {
  // From the end: whether what is left of the outer one covers what is left of the inner one, by where the latter begins.
  // A wildcard of the inner one stands for texts that only a wildcard of the outer one takes.
  let rest = Array.from({ length: inner.length + 1 }, (_, at) => at === inner.length);
  for (const sign of [...outer].reverse()) {
    const here: boolean[] = [];
    for (let at = inner.length; at >= 0; at -= 1) {
      const taken = inner[at] !== "*" && (sign === "?" || sign === inner[at]);
      here[at] =
        sign === "*"
          ? rest[at] === true || (at < inner.length && here[at + 1] === true)
          : at < inner.length && taken && rest[at + 1] === true;
    }
    rest = here;
  }
  return rest[0] === true;
}

/** Paths that leave some requests out; one of them that does not makes the rule match all. */
function narrowing({ paths }: RuleMatch): readonly string[] {
  return paths.some((path) => path === "/*" || path === "*") ? [] : paths;
}

/** Parts of a path before its first wildcard, at least one. */
function depth(path: string): number {
  const parts = path.split("/").slice(1);
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  return Math.max(1, wild === -1 ? parts.length : wild);
}

/** Whether some text fits both patterns; `*` stands for any text, `?` for any one character. */
function patternsMeet(a: string, b: string): boolean {
  const known = new Map<number, boolean>();
  const meet = (i: number, j: number): boolean => {
    const key = i * (b.length + 1) + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    known.set(key, false);
    const [x, y] = [a[i], b[j]];
    let result: boolean;
    if (x === undefined && y === undefined) result = true;
    else if (x === "*") result = meet(i + 1, j) || (y !== undefined && meet(i, j + 1));
    else if (y === "*") result = meet(i, j + 1) || (x !== undefined && meet(i + 1, j));
    else result = x !== undefined && y !== undefined && (x === y || x === "?" || y === "?") && meet(i + 1, j + 1);
    known.set(key, result);
    return result;
  };
  return meet(0, 0);
}
