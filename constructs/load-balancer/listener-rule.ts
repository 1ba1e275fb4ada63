import type { IConstruct } from "constructs";
import { Problems } from "../core/errors";
import { QUOTAS } from "../core/quotas";
import { Registry } from "../core/registry";
import { AwsStack } from "../core/stack";
import { HOST_PATTERN, HOST_RULE } from "./certificate";
import { EXPLICIT_PRIORITY, overlaps, type RuleMatch, ruleBand, rulePriority } from "./priority";

export const PATH_PATTERN = /^\/(?!.{128})[A-Za-z0-9_\-.$/~"'@:+*?&]*$/;

/** Requests that a listener rule matches, and its priority on the load balancer. */
export interface ListenerRuleProps {
  readonly hosts?: readonly string[];
  readonly paths?: readonly string[];
  readonly priority?: number;
}

/** Settings of {@link ListenerRuleProps} after defaults and checks. */
export interface ListenerRuleSettings {
  readonly match: RuleMatch;
  readonly priority: number;
  /** True if the user set the priority. */
  readonly explicit: boolean;
}

/**
 * Applies defaults and checks the props. Records LISTENER_RULE_CONDITIONS, LISTENER_RULE_HOST, LISTENER_RULE_PATH and
 * LISTENER_RULE_PRIORITY.
 *
 * @param owner service or group that the rule belongs to, unique on the load balancer
 * @param prefix prefix of the props in messages: `registerWith.`
 */
export function resolveListenerRule(
  problems: Problems,
  props: ListenerRuleProps,
  owner: string,
  prefix: "" | "registerWith." = "",
): ListenerRuleSettings {
  const { hosts = [], paths = [] } = props;
  const { priority = rulePriority({ hosts, paths }, owner) } = props;
  problems.check(hosts.length + paths.length <= 4 && hosts.length <= 3 && paths.length <= 3, {
    code: "LISTENER_RULE_CONDITIONS",
    prop: `${prefix}hosts and ${prefix}paths`,
    problem: `must be at most 3 hosts and 3 paths, 4 together, got ${hosts.length} and ${paths.length}`,
    remedy: "Use wildcards or fewer values: a rule can have 5 in total.",
  });
  for (const host of hosts) {
    problems.check(HOST_PATTERN.test(host), {
      code: "LISTENER_RULE_HOST",
      prop: `${prefix}hosts`,
      problem: `must be host names, got ${JSON.stringify(host)}`,
      remedy: `Use ${HOST_RULE}.`,
    });
  }
  for (const path of paths) {
    problems.check(PATH_PATTERN.test(path), {
      code: "LISTENER_RULE_PATH",
      prop: `${prefix}paths`,
      problem: `must be path patterns, got ${JSON.stringify(path)}`,
      remedy: "Start with / and use up to 128 letters, digits and _-.$/~\"'@:+&, with * and ? as wildcards.",
    });
  }
  problems.check(
    props.priority === undefined ||
      (Number.isInteger(priority) && priority >= EXPLICIT_PRIORITY.min && priority <= EXPLICIT_PRIORITY.max),
    {
      code: "LISTENER_RULE_PRIORITY",
      prop: `${prefix}priority`,
      problem: `must be a whole number from ${EXPLICIT_PRIORITY.min} to ${EXPLICIT_PRIORITY.max}, got ${priority}`,
      remedy: "Use a number in this range, or leave priority out to derive it from hosts and paths.",
    },
  );
  return { match: { hosts, paths }, priority, explicit: props.priority !== undefined };
}

/** Renders the conditions of a rule. A rule without hosts and paths matches every request. */
export function ruleConditions({ hosts, paths }: RuleMatch) {
  return [
    ...(hosts.length === 0 ? [] : [{ hostHeader: { values: [...hosts] } }]),
    ...(paths.length === 0 && hosts.length > 0
      ? []
      : [{ pathPattern: { values: paths.length === 0 ? ["/*"] : [...paths] } }]),
  ];
}

/** A rule on a load balancer that several services of the app share. */
interface Claim extends ListenerRuleSettings {
  /** Name of the load balancer: platform and environment. */
  readonly loadBalancer: string;
  /** Path of the service or group that owns the rule. */
  readonly owner: string;
  readonly targetGroups: number;
}

/** Rules of an app's load balancers. */
const CLAIMS = (): Claim[] => [];

/**
 * Registers a rule on the load balancer of the construct's platform, and compares it with the rules of the app's other
 * services. Rules of other repositories are not known at synth; AWS refuses an equal priority at apply.
 *
 * @param owner path of the construct that the rule belongs to
 * @throws InvalidPropsError LISTENER_RULE_OVERLAP, LISTENER_RULE_PRIORITY_TAKEN, LOAD_BALANCER_QUOTA
 */
export function claimListenerRule(
  scope: IConstruct,
  owner: string,
  rule: ListenerRuleSettings & {
    /** Number of target groups that the rule forwards to. @default 1 */
    readonly targetGroups?: number;
  },
): void {
  const { platformName, environment } = AwsStack.of(scope);
  const loadBalancer = `${platformName}-${environment.name}`;
  const claims = Registry.of(scope.node.root).get(CLAIMS);
  const others = claims.filter((claim) => claim.loadBalancer === loadBalancer);
  const claim = { ...rule, loadBalancer, owner, targetGroups: rule.targetGroups ?? 1 };
  claims.push(claim);

  const problems = new Problems(scope);
  for (const other of others) {
    const sameBand = ruleBand(other.match) === ruleBand(claim.match) && !other.explicit && !claim.explicit;
    if (sameBand && overlaps(other.match, claim.match)) {
      problems.add({
        code: "LISTENER_RULE_OVERLAP",
        prop: "hosts and paths",
        problem: `must not match requests of another rule: ${owner} (${describe(claim.match)}) overlaps ${other.owner} (${describe(other.match)})`,
        remedy: "Narrow one of them, or set priority on the one that should win.",
      });
    } else if (other.priority === claim.priority) {
      problems.add({
        code: "LISTENER_RULE_PRIORITY_TAKEN",
        prop: "priority",
        problem: `must be unique on the load balancer: ${claim.priority} of ${owner} (${describe(claim.match)}) is also the priority of ${other.owner} (${describe(other.match)})`,
        remedy: "Set another priority on one of them.",
      });
    }
  }
  const limit = (quota: "rulesPerLoadBalancer" | "targetGroupsPerLoadBalancer") =>
    environment.quotas?.[quota] ?? QUOTAS[quota];
  const rules = others.length + 1;
  const groups = [...others, claim].reduce((sum, { targetGroups }) => sum + targetGroups, 0);
  problems.check(rules <= limit("rulesPerLoadBalancer") && groups <= limit("targetGroupsPerLoadBalancer"), {
    code: "LOAD_BALANCER_QUOTA",
    prop: "hosts and paths",
    problem: `needs ${rules} rules and ${groups} target groups on load balancer ${loadBalancer}; AWS allows ${limit("rulesPerLoadBalancer")} and ${limit("targetGroupsPerLoadBalancer")}`,
    remedy: "Have AWS raise the quota and set environment.quotas, or create a second platform.",
  });
  problems.throwIfAny();
}

function describe({ hosts, paths }: RuleMatch): string {
  const text = [hosts.join(", "), paths.join(", ")].filter((part) => part !== "").join(" ");
  return text === "" ? "every request" : text;
}
