import { createHash } from "node:crypto";

/** What a request must have for a rule to take it. */
export interface RuleMatch {
  /** Host names; none means any. */
  readonly hosts: readonly string[];
  /** Path patterns, as `/v1/*`; none means any. */
  readonly paths: readonly string[];
}

/** Each kind of rule has its own band, the narrower the earlier. Priorities below the first band are for explicit ones. */
const BANDS = { hostAndPath: 10_000, path: 20_000, host: 30_000, any: 40_000 } as const;
const BAND_SIZE = 10_000;

/** Priorities that a user may give. */
export const EXPLICIT_PRIORITY = { min: 1, max: BANDS.hostAndPath - 1 } as const;

/**
 * A rule's priority on a shared listener, from what it matches alone: the same in every repo and at every synth.
 *
 * A rule on host and path comes before one on a path, that before one on a host, that before one that takes all.
 *
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html#listener-rules
 */
export function rulePriority(match: RuleMatch): number {
  const paths = match.paths.filter((path) => path !== "/*" && path !== "*");
  const band =
    match.hosts.length > 0
      ? paths.length > 0
        ? BANDS.hostAndPath
        : BANDS.host
      : paths.length > 0
        ? BANDS.path
        : BANDS.any;
  const key = JSON.stringify([[...match.hosts].sort(), [...paths].sort()]);
  return band + (createHash("sha256").update(key).digest().readUInt32BE(0) % BAND_SIZE);
}
