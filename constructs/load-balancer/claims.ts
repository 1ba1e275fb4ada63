import type { IConstruct } from "constructs";
import type { Problems } from "../core/errors";
import { overlaps, type RuleMatch, ruleBand } from "./priority";

/** A rule on a load balancer that some services of the app share. */
export interface Claim {
  /** Which load balancer: platform and environment. */
  readonly loadBalancer: string;
  /** Whose rule it is: path of the service. */
  readonly owner: string;
  readonly match: RuleMatch;
  readonly priority: number;
  /** Whether the user chose the priority. */
  readonly explicit: boolean;
  /** How many target groups the rule forwards to. @default 1 */
  readonly targetGroups?: number;
}

/** How many rules and target groups the load balancer may have. */
export interface LoadBalancerLimits {
  readonly rules: number;
  readonly targetGroups: number;
}

const CLAIMS = new WeakMap<IConstruct, Claim[]>();

/**
 * Notes a rule, and what it has against those of the app's other services. Rules of other repos cannot be seen at synth:
 * one with the same priority is refused by AWS at apply.
 *
 * Notes INGRESS_OVERLAP, INGRESS_PRIORITY_TAKEN, LOAD_BALANCER_QUOTA.
 */
export function claimRule(problems: Problems, root: IConstruct, claim: Claim, limits: LoadBalancerLimits): void {
  const claims = CLAIMS.get(root) ?? [];
  const others = claims.filter(({ loadBalancer }) => loadBalancer === claim.loadBalancer);
  for (const other of others) {
    const sameKind = ruleBand(other.match) === ruleBand(claim.match) && !other.explicit && !claim.explicit;
    if (sameKind && overlaps(other.match, claim.match)) {
      problems.add({
        code: "INGRESS_OVERLAP",
        prop: "hosts and paths",
        problem: `some requests are wanted by ${claim.owner} (${describe(claim.match)}) and by ${other.owner} (${describe(other.match)})`,
        remedy: "Make one of them narrower, or give the one that should win a priority.",
      });
    } else if (other.priority === claim.priority) {
      problems.add({
        code: "INGRESS_PRIORITY_TAKEN",
        prop: "priority",
        problem: `${claim.priority} of ${claim.owner} (${describe(claim.match)}) is that of ${other.owner} (${describe(other.match)}) too`,
        remedy: "Give one of them another priority.",
      });
    }
  }
  const rules = others.length + 1;
  const groups = [...others, claim].reduce((sum, { targetGroups = 1 }) => sum + targetGroups, 0);
  if (rules > limits.rules || groups > limits.targetGroups) {
    problems.add({
      code: "LOAD_BALANCER_QUOTA",
      prop: "hosts and paths",
      problem: `makes ${rules} rules and ${groups} target groups on load balancer ${claim.loadBalancer}; AWS allows ${limits.rules} and ${limits.targetGroups}`,
      remedy: "Ask AWS for more and say so in environment.quotas, or make a second platform.",
    });
  }
  CLAIMS.set(root, [...claims, claim]);
}

function describe({ hosts, paths }: RuleMatch): string {
  const text = [hosts.join(", "), paths.join(", ")].filter((part) => part !== "").join(" ");
  return text === "" ? "every request" : text;
}
