import { createHash } from "node:crypto";

/** Conditions that a request must meet to match a rule. */
export interface RuleMatch {
  /** Host names; none means any. */
  readonly hosts: readonly string[];
  /** Path patterns, such as `/v1/*`; none means any. */
  readonly paths: readonly string[];
}

/** Priorities that a user may set. They come before all derived ones. */
export const EXPLICIT_PRIORITY = { min: 1, max: 999 } as const;

/** Kinds of rules, and the number of priorities for each: more specific rules first. */
const BANDS = [
  { of: "host and path of 3 parts and more", size: 6_000 },
  { of: "host and path of 2 parts", size: 6_000 },
  { of: "host and path of 1 part", size: 6_000 },
  { of: "path of 3 parts and more", size: 6_000 },
  { of: "path of 2 parts", size: 6_000 },
  { of: "path of 1 part", size: 6_000 },
  { of: "host", size: 8_000 },
  { of: "host with a wildcard", size: 4_999 },
  { of: "redirect to HTTPS", size: 1 },
  // Only one such rule can exist, so AWS refuses a second one from another repository.
  { of: "any", size: 1 },
] as const;

const REDIRECT = BANDS.findIndex(({ of }) => of === "redirect to HTTPS");
const ANY = BANDS.findIndex(({ of }) => of === "any");

function startOf(band: number): number {
  return BANDS.slice(0, band).reduce((sum, { size }) => sum + size, EXPLICIT_PRIORITY.max + 1);
}

/** Priority of the rule that redirects port 80 to HTTPS, which no rule of a service has. */
export const REDIRECT_PRIORITY = startOf(REDIRECT);

/**
 * Derives a rule's priority on a shared listener from its conditions and its owner alone, so that it is the same at every
 * synth. Conditions that move to another owner get another priority: the rule that they come from still has the old one while
 * Terraform applies the change, and AWS refuses a priority that is in use.
 *
 * Rules with host and path come first, followed by those with a path, those with a host, and those that match everything. Of
 * two rules with paths, the one with more segments before its first wildcard comes first.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-rules
 */
export function rulePriority(match: RuleMatch, owner: string): number {
  const band = ruleBand(match);
  const key = JSON.stringify([[...match.hosts].sort(), [...narrowing(match)].sort(), owner]);
  return startOf(band) + (createHash("sha256").update(key).digest().readUInt32BE(0) % (BANDS[band]?.size ?? 1));
}

/** Returns the kind of a rule. Rules of the same kind have no defined order. */
export function ruleBand(match: RuleMatch): number {
  const paths = narrowing(match);
  if (paths.length > 0) return (match.hosts.length > 0 ? 0 : 3) + (3 - Math.min(3, ...paths.map(depth)));
  if (match.hosts.length === 0) return ANY;
  return match.hosts.some((host) => host.includes("*")) ? 7 : 6;
}

/** Returns true if some request matches both rules. */
export function overlaps(a: RuleMatch, b: RuleMatch): boolean {
  const meet = (mine: readonly string[], theirs: readonly string[]) =>
    mine.length === 0 ||
    theirs.length === 0 ||
    mine.some((one) => theirs.some((other) => patternsMeet(one.toLowerCase(), other.toLowerCase())));
  // Hosts are case-insensitive, paths are not. Reporting too many overlaps of paths is the safe choice.
  return meet(a.hosts, b.hosts) && meet(narrowing(a), narrowing(b));
}

/** Returns true if every text that matches `inner` certainly matches `outer`, too. */
export function covers(outer: string, inner: string): boolean {
  // Works from the end: true if the rest of the outer pattern covers the rest of the inner one, by the inner one's next
  // character. A wildcard of the inner pattern stands for texts that only a wildcard of the outer one matches.
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

/** Returns the paths that exclude some requests; a path that matches everything makes the rule match everything. */
function narrowing({ paths }: RuleMatch): readonly string[] {
  return paths.some((path) => path === "/*" || path === "*") ? [] : paths;
}

/** Number of segments of a path before its first wildcard, at least one. */
function depth(path: string): number {
  const parts = path.split("/").slice(1);
  const wild = parts.findIndex((part) => /[*?]/.test(part));
  return Math.max(1, wild === -1 ? parts.length : wild);
}

/** Returns true if some text matches both patterns; `*` stands for any text, `?` for any one character. */
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
