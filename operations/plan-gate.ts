import { ALLOWABLE, type Allowable, type Allowances } from "./allowances";
import { HARMLESS, type Protection } from "./harmful-changes";
import { lostAccess } from "./live-access";
import { PROTECTED } from "./protected-resources";
import { OPENING, PEERS, SECURITY_GROUP_RULES } from "./security-group-rules";
import {
  type Attributes,
  attributes,
  isMarked,
  type ResourceChange,
  regionOf,
  type TerraformPlan,
} from "./terraform-plan";

/** Harm that a plan would do to a protected resource. */
export interface Finding {
  readonly address: string;
  readonly action: Allowable;
  /** Resource type in words: `service`. */
  readonly what: string;
  /** Consequence for its users. */
  readonly effect: string;
  /** Changes that cause it: `name: "a" -> "b"`. Sensitive values are omitted. */
  readonly because: readonly string[];
  /** Safe ways to the same end. */
  readonly instead: readonly string[];
}

export interface Verdict {
  readonly refused: readonly Finding[];
  readonly allowed: readonly Finding[];
  /** Allowances that the plan does not need. Left in place, they would allow a later plan. */
  readonly unused: readonly string[];
}

/** Harm that a plan would do to protected resources, split by whether the user has allowed it. */
export function judgePlan(plan: TerraformPlan, allowances: Allowances = {}): Verdict {
  const findings = [
    ...plan.resource_changes.flatMap(find),
    ...closings(plan),
    ...collisions(plan),
    ...abandonments(plan),
    ...losses(plan),
  ];
  const isAllowed = ({ address, action }: Finding) => allowances[action]?.includes(address) ?? false;
  const unused = ALLOWABLE.flatMap((action) =>
    (allowances[action] ?? [])
      .filter((address) => !findings.some((each) => each.address === address && each.action === action))
      .map((address) => `--allow-${action} ${address}`),
  );
  return {
    refused: findings.filter((each) => !isAllowed(each)),
    allowed: findings.filter(isAllowed),
    unused,
  };
}

function find(resource: ResourceChange): Finding[] {
  const { address, type, change } = resource;
  const protection = Object.hasOwn(PROTECTED, type) ? PROTECTED[type] : undefined;
  if (protection === undefined) return [];
  const { what, deleted, replaced = deleted, replacedAfter = replaced, only = () => true } = protection;
  const finding = (action: Allowable, effect: string | undefined, because: readonly string[] = []): Finding[] =>
    effect === undefined || effect === HARMLESS || !only(attributes(change.before), attributes(change.after))
      ? []
      : [{ address, action, what, effect, because, instead: [] }];
  if (!change.actions.includes("delete")) return weakenings(resource, protection);
  if (!change.actions.includes("create")) return finding("delete", deleted);
  const isCreatedFirst = change.actions[0] === "create";
  return finding("replace", isCreatedFirst ? replacedAfter : replaced, reasons(change, protection));
}

/** One finding for all harmful changes of a resource in place. */
function weakenings({ address, change }: ResourceChange, { what, changes = [] }: Protection): Finding[] {
  if (!change.actions.includes("update")) return [];
  const resource = { before: attributes(change.before), after: attributes(change.after) };
  const harmful = changes.flatMap(({ path: pattern, harms, effect, instead }) =>
    pathsOf(resource.before, pattern.split("."))
      .filter((path) => !isMarked(change.after_unknown, path))
      .filter((path) => {
        const [before, after] = [at(resource.before, path), at(resource.after, path)];
        return JSON.stringify(before) !== JSON.stringify(after) && harms(before, after, resource);
      })
      .map((path) => ({ because: describeChange(change, path), effect, instead })),
  );
  if (harmful.length === 0) return [];
  const unique = (texts: readonly (string | undefined)[]) => [...new Set(texts.filter((text) => text !== undefined))];
  return [
    {
      address,
      action: "update",
      what,
      effect: unique(harmful.map(({ effect }) => effect)).join("; "),
      because: harmful.map(({ because }) => because),
      instead: unique(harmful.map(({ instead }) => instead)),
    },
  ];
}

/**
 * Rules of security groups that close while others for the same peers open: Terraform does not order them, and tasks that run
 * still need the old one.
 */
function closings({ resource_changes: changes }: TerraformPlan): Finding[] {
  const rules = changes.filter(({ type }) => Object.hasOwn(SECURITY_GROUP_RULES, type));
  const peers = (type: string, { security_group_id: group, ...rule }: Attributes) =>
    JSON.stringify([SECURITY_GROUP_RULES[type], group, ...PEERS.map((name) => rule[name] ?? null)]);
  const opened = new Set(
    rules
      .filter(({ change }) => change.actions.includes("create"))
      .map(({ type, change }) => peers(type, attributes(change.after))),
  );
  return rules.flatMap(({ address, type, change }): Finding[] => {
    const [before, after] = [attributes(change.before), attributes(change.after)];
    const moved = OPENING.filter(
      (name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null),
    ).filter((name) => !isMarked(change.after_unknown, [name]));
    const finding = (action: Allowable, because: readonly string[]): Finding[] => [
      {
        address,
        action,
        what: "rule of a security group",
        effect: "it closes at once, while tasks that run still use it: their connections fail until new tasks run",
        because,
        instead: ["open the new port or peer beside the old one first, and close the old one in a later deployment"],
      },
    ];
    const [first, second] = change.actions;
    if (first === "update" && moved.length > 0) {
      return finding(
        "update",
        moved.map((name) => describeChange(change, [name])),
      );
    }
    if (first !== "delete") return [];
    if (second === "create")
      return finding(
        "replace",
        moved.map((name) => describeChange(change, [name])),
      );
    return opened.has(peers(type, before)) ? finding("delete", ["another rule for the same peers is created"]) : [];
  });
}

/**
 * Listener rules that give up a priority which another rule takes in the same plan: Terraform does not order them, and AWS
 * refuses a priority that is in use.
 */
function collisions({ resource_changes: changes }: TerraformPlan): Finding[] {
  const rules = changes.filter(({ type, change }) => LISTENER_RULES.includes(type) && change.actions[0] !== "no-op");
  const place = (rule: unknown) => {
    const { listener_arn: listener, priority } = attributes(rule);
    return listener === undefined || priority === undefined ? undefined : `${listener} ${priority}`;
  };
  return rules.flatMap(({ address, change }): Finding[] => {
    const taken = place(change.before);
    const taker = rules.find((other) => other.address !== address && place(other.change.after) === taken);
    if (taken === undefined || taker === undefined || place(change.after) === taken) return [];
    const [first, second] = change.actions;
    const action = first === "update" ? "update" : second === undefined ? "delete" : "replace";
    const { priority } = attributes(change.before);
    return [
      {
        address,
        action,
        what: "listener rule",
        effect: `${taker.address} takes its priority ${priority} at the same time, which AWS refuses while it is in use`,
        because: action === "update" ? [describeChange(change, ["priority"])] : [],
        instead: ["give this rule another priority first, and the other rule its priority in a later deployment"],
      },
    ];
  });
}

const LISTENER_RULES: readonly string[] = ["aws_lb_listener_rule", "aws_alb_listener_rule"];

/**
 * Resources of another region than that of the provider. Terraform looks for them in the new region, does not find them, and
 * creates new ones.
 */
function abandonments(plan: TerraformPlan): Finding[] {
  const { resource_changes: changes, resource_drift: drift = [] } = plan;
  const region = regionOf(plan);
  if (region === undefined) return [];
  return changes.flatMap(({ address, type, change }): Finding[] => {
    const protection = Object.hasOwn(PROTECTED, type) ? PROTECTED[type] : undefined;
    // What only changes in place can harm holds nothing.
    if (protection === undefined || !(protection.deleted ?? protection.replaced)) return [];
    if (!change.actions.includes("create")) return [];
    const gone = drift.find((each) => each.address === address && each.change.actions.includes("delete"));
    const arn = String(attributes(gone?.change.before).arn ?? "");
    const old = arn.split(":")[3] ?? "";
    if (old === "" || old === region) return [];
    const { what } = protection;
    const effect = `it stays in ${old}, billed and unknown to Terraform, and another one, empty, is created in ${region}`;
    const instead = `keep the region; for ${region}, create another environment or platform, and move to it`;
    return [
      { address, action: "replace", what, effect, because: [`region: "${old}" -> "${region}"`], instead: [instead] },
    ];
  });
}

/** Paths in a value that match a pattern, whose `*` stands for each index of a list. */
function pathsOf(value: unknown, [key, ...rest]: readonly string[]): (string | number)[][] {
  if (key === undefined) return [[]];
  const keys = key === "*" ? (Array.isArray(value) ? [...value.keys()] : []) : [key];
  return keys.flatMap((each) => pathsOf(at(value, [each]), rest).map((path) => [each, ...path]));
}

/** Access that live releases still need, where that is known: see {@link lostAccess}. */
function losses(plan: TerraformPlan): Finding[] {
  return lostAccess(plan)
    .filter(({ certain }) => certain)
    .map(({ address, action, service, statements }) => {
      const permissions = [...new Set(statements.flatMap(({ Action }) => Action))];
      return {
        address,
        action,
        what: `${permissions.length === 0 ? "access" : "permissions"} of ${service}`,
        effect:
          "its live release still needs it: tasks that run lose it at once, and may not start again, until the next release",
        because: permissions.length === 0 ? [] : [`it loses ${shown(permissions)}`],
        instead: ["deploy with antifragile, which keeps it until the next release"],
      };
    });
}

function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((inner, key) => (inner as never)?.[key as never], value);
}

function reasons(change: ResourceChange["change"], { causes = {} }: Protection): string[] {
  return (change.replace_paths ?? []).map((path) => {
    const cause = causes[path.join(".")];
    return `${describeChange(change, path)}${cause === undefined ? "" : ` (${cause})`}`;
  });
}

function describeChange(change: ResourceChange["change"], path: readonly (string | number)[]): string {
  const secret = isMarked(change.before_sensitive, path) || isMarked(change.after_sensitive, path);
  const after = isMarked(change.after_unknown, path) ? "(known after apply)" : shown(at(change.after, path));
  return `${path.join(".")}: ${secret ? "(sensitive)" : `${shown(at(change.before, path))} -> ${after}`}`;
}

const SHOWN_LENGTH = 80;

function shown(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

/** Renders the verdict for a terminal. */
export function describeVerdict({ refused, allowed, unused }: Verdict): string {
  const describe = ({ address, action, what, effect, because, instead }: Finding) =>
    [
      `  ${address}  (${what}, ${action}d: ${effect})`,
      ...because.map((reason) => `    because ${reason}`),
      ...instead.map((way) => `    instead: ${way}`),
    ].join("\n");
  const lines: string[] = [];
  if (refused.length > 0) {
    const count = refused.length === 1 ? "1 protected resource" : `${refused.length} protected resources`;
    lines.push(`✖ the plan would delete, replace or weaken ${count}:`, ...refused.map(describe));
    lines.push("  To allow a change, name its resource:");
    lines.push(...refused.map(({ action, address }) => `    --allow-${action} '${address}'`));
  }
  if (unused.length > 0) {
    lines.push("✖ allowed, but not in the plan; remove the flag, or a later plan may do it:");
    lines.push(...unused.map((flag) => `    ${flag}`));
  }
  if (allowed.length > 0) lines.push("allowed explicitly:", ...allowed.map(describe));
  if (lines.length === 0) lines.push("the plan deletes, replaces and weakens no protected resources");
  return `${lines.join("\n")}\n`;
}
