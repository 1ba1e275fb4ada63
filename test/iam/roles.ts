import { managedPolicy } from "./managed-policies";
import { nameOf, type Program, resolve } from "./resolve";

export interface SimulatedRole {
  readonly name: string;
  /** Policies with their documents; those that AWS manages are not ours to change. */
  readonly policies: readonly { readonly name: string; readonly policy: object; readonly managed?: true }[];
}

/** Roles of a stack with all their policies. */
export function rolesIn(program: Program): SimulatedRole[] {
  const all = (type: string) => Object.entries(program.resource?.[type] ?? {});
  const parsed = (id: string, policy: unknown) => ({ name: id, policy: JSON.parse(resolve(program, String(policy))) });
  return all("aws_iam_role").map(([id]) => {
    const isOwn = ([, { role }]: readonly [string, Readonly<Record<string, unknown>>]) =>
      String(role).includes(`aws_iam_role.${id}.`);
    return {
      name: nameOf(program, "aws_iam_role", id),
      policies: [
        ...all("aws_iam_role_policy")
          .filter(isOwn)
          .map(([policyId, { policy }]) => parsed(policyId, policy)),
        ...all("aws_iam_role_policy_attachment")
          .filter(isOwn)
          .flatMap(([, { policy_arn: arn }]) => {
            const policyId = /aws_iam_policy\.(\w+)\.arn/.exec(String(arn))?.[1];
            if (policyId !== undefined) return [parsed(policyId, program.resource?.aws_iam_policy?.[policyId]?.policy)];
            const name = String(arn).replace(/^.*:iam::aws:policy\//, "");
            return [{ name, policy: managedPolicy(name), managed: true as const }];
          }),
      ],
    };
  });
}

/** Trust policies of the roles of a stack, which say who may assume them. */
export function trustPolicies(program: Program): { readonly name: string; readonly policy: object }[] {
  return Object.entries(program.resource?.aws_iam_role ?? {}).map(([id, { assume_role_policy: policy }]) => ({
    name: nameOf(program, "aws_iam_role", id),
    policy: JSON.parse(resolve(program, String(policy))),
  }));
}
