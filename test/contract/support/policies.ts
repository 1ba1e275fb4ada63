/** Permissions in Terraform's JSON. */

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: string | readonly string[];
  readonly NotAction?: unknown;
  readonly Resource?: string | readonly string[];
  readonly NotResource?: unknown;
  readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
  readonly NotPrincipal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export interface Policy {
  /** `orders-dev-service aws_iam_role.Orders_TaskRole` */
  readonly where: string;
  /** Policy of an identity, trust policy of a role, or resource policy. */
  readonly kind: "identity" | "trust" | "resource";
  readonly statements: readonly Statement[];
}

/** A wildcard that AWS has no finer grain for, or that a condition narrows. One that nothing needs fails. */
export interface Allowance {
  /** Actions, or a pattern of the resource. */
  readonly what: string | RegExp;
  readonly why: string;
  /** Key of a condition that must be there. */
  readonly condition?: RegExp;
  /** The only actions of the statement; any if left out. */
  readonly actions?: readonly string[];
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

/** All policies in a program: every text that is one, wherever it stands. */
export function policiesIn(where: string, program: object): Policy[] {
  const { resource = {}, data = {} } = program as Record<"resource" | "data", Record<string, Record<string, object>>>;
  if ("aws_iam_policy_document" in data) throw new Error(`${where}: policies are written by the library, not by data`);
  return Object.entries(resource).flatMap(([type, byId]) =>
    Object.entries(byId).flatMap(([id, values]) =>
      textsIn(values).flatMap(([attribute, text]) => {
        const statements = statementsOf(text);
        if (statements === undefined) return [];
        const kind =
          attribute === "assume_role_policy" ? "trust" : type.startsWith("aws_iam_") ? "identity" : "resource";
        return [{ where: `${where} ${type}.${id}`, kind, statements } as const];
      }),
    ),
  );
}

function textsIn(value: unknown, name = ""): (readonly [attribute: string, text: string])[] {
  if (typeof value === "string") return [[name, value]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, Array.isArray(value) ? name : key));
}

function statementsOf(text: string): readonly Statement[] | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const { Statement } = JSON.parse(text) as { Statement?: Statement | readonly Statement[] };
    // A data protection policy has statements too, but grants no access.
    return list(Statement).some(({ Effect }) => Effect !== undefined) ? list(Statement) : undefined;
  } catch {
    return undefined;
  }
}

export interface Allowances {
  /** Actions with a `*`, in policies of things. */
  readonly actions: readonly Allowance[];
  /** Actions that may be done to everything. */
  readonly everything: readonly Allowance[];
  /** Resources with a `*` in them. */
  readonly parts: readonly Allowance[];
  /** Policies of who makes everything, by their address: their resources are bounded by region and names instead. */
  readonly makers: readonly Allowance[];
  /** Services that do not say in whose name they act. */
  readonly deputies: readonly Allowance[];
}

/** Returns the problems of policies, and the allowances that were needed. */
export function judgePolicies(policies: readonly Policy[], allowances: Allowances) {
  const needed = new Set<Allowance>();
  const problems = policies.flatMap(({ where, kind, statements }) =>
    statements.flatMap((statement) =>
      [
        ...negations(statement),
        ...(statement.Effect === "Deny" ? [] : judge(where, kind, statement, allowances, needed)),
      ].map((problem) => `${where}: ${problem}`),
    ),
  );
  const unneeded = Object.values(allowances)
    .flat()
    .filter((each) => !needed.has(each))
    .map(({ what }) => String(what));
  return { problems, unneeded };
}

function negations(statement: Statement): string[] {
  return (["NotAction", "NotResource", "NotPrincipal"] as const)
    .filter((key) => key in statement)
    .map((key) => `says ${key}, which allows what nobody thought of`);
}

function judge(
  where: string,
  kind: Policy["kind"],
  statement: Statement,
  allowances: Allowances,
  needed: Set<Allowance>,
): string[] {
  const keys = Object.values(statement.Condition ?? {}).flatMap((tests) => Object.keys(tests));
  const actions = list(statement.Action);
  const allows = (rows: readonly Allowance[], value: string) => {
    const row = rows.find(({ what, condition, actions: only }) => {
      const fits = typeof what === "string" ? what === value : what.test(value);
      const isNarrow = only === undefined || actions.every((action) => only.includes(action));
      return fits && isNarrow && (condition === undefined || keys.some((key) => condition.test(key)));
    });
    if (row !== undefined) needed.add(row);
    return row !== undefined;
  };
  const resources = list(statement.Resource);
  const problems = actions
    .filter((action) => action.includes("*") && !(kind === "resource" && allows(allowances.actions, action)))
    .map((action) => `allows ${action}`);
  if (kind === "identity" && allows(allowances.makers, where)) return problems;
  if (kind === "identity") {
    for (const resource of resources) {
      // Names of what Terraform makes hold no wildcard.
      const name = resource.replace(/\$\{[^}]*\}/g, "x");
      if (name === "*") {
        for (const action of actions.filter((each) => !allows(allowances.everything, each))) {
          problems.push(`allows ${action} on everything${keys.length === 0 ? "" : ` under ${keys.join()}`}`);
        }
      } else if (name.includes("*") && !allows(allowances.parts, name)) {
        problems.push(`allows ${actions.join()} on ${name}${keys.length === 0 ? "" : ` under ${keys.join()}`}`);
      }
    }
  }
  if (actions.includes("iam:PassRole")) {
    const to = list(statement.Condition?.StringEquals?.["iam:PassedToService"]);
    if (to.length === 0 || to.some((service) => service.includes("*"))) problems.push("passes roles to any service");
    if (actions.length > 1) problems.push("passes roles among other things");
    if (resources.some((each) => each.replace(/\$\{[^}]*\}/g, "").includes("*")))
      problems.push("passes more than exact roles");
  }
  return [...problems, ...judgePrincipals(kind, statement, keys, (service) => allows(allowances.deputies, service))];
}

function judgePrincipals(
  kind: Policy["kind"],
  { Principal: principal, Condition: conditions = {} }: Statement,
  keys: readonly string[],
  isSilent: (service: string) => boolean,
): string[] {
  if (kind === "identity") return principal === undefined ? [] : ["names a principal"];
  if (principal === undefined || principal === "*") return ["lets everybody in"];
  return Object.entries(principal as Readonly<Record<string, string | readonly string[]>>).flatMap(([type, names]) =>
    list(names).flatMap((name) => {
      if (name === "*") return ["lets everybody in"];
      if (type === "Service") {
        const told = keys.some((key) => /^(aws:Source(Account|Arn|OrgID)|kms:EncryptionContext:.*:arn)$/i.test(key));
        return told || isSilent(name) ? [] : [`lets ${name} in on anybody's behalf`];
      }
      if (type === "Federated") {
        const exact = conditions.StringEquals ?? {};
        const isExact = (end: string) =>
          Object.entries(exact).some(
            ([key, value]) => key.endsWith(end) && list(value).every((each) => !each.includes("*")),
          );
        return [
          ...(isExact(":aud") ? [] : ["takes tokens for others"]),
          ...(isExact(":sub") ? [] : ["takes tokens of others"]),
        ];
      }
      return [];
    }),
  );
}
