import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LostAccess } from "./live-access";
import { OPENING, SECURITY_GROUP_RULES } from "./security-group-rules";
import { readProgram } from "./synthesized";

/** Files beside the program of a stack: resources that it no longer has, and changes to those that it has. */
const KEPT = ["kept.tf.json", "kept_override.tf.json"] as const;

/** Attributes of a kept resource, by type. Terraform ignores changes of the others. */
const KEPT_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.keys(SECURITY_GROUP_RULES).map((type) => [type, ["security_group_id", "description", ...OPENING]]),
  ),
  aws_iam_role_policy: ["name", "role", "policy"],
  aws_iam_role_policy_attachment: ["role", "policy_arn"],
};

/** Adds access to the program in a stack's folder, until {@link removeKept}, so that Terraform does not remove it. */
export function keepAccess(folder: string, lost: readonly LostAccess[]): void {
  const kept = new Map<string, Record<string, object>>();
  const overrides: Record<string, object> = {};
  const locals: Record<string, unknown> = {};
  for (const { address, type, action, before, statements } of lost) {
    const name = address.slice(type.length + 1);
    if (action === "delete") {
      const values = KEPT_ATTRIBUTES[type]?.filter((each) => before[each] != null && before[each] !== "") ?? [];
      const resource = {
        ...Object.fromEntries(values.map((each) => [each, escaped(before[each])])),
        lifecycle: { ignore_changes: "all" },
      };
      kept.set(type, { ...kept.get(type), [name]: resource });
      continue;
    }
    locals[`program_${name}`] = readProgram(folder).resource?.[type]?.[name]?.policy;
    locals[`kept_${name}`] = escaped(statements);
    const program = `jsondecode(local.program_${name}).Statement`;
    const missing = `[for each in local.kept_${name} : each if !contains([for own in ${program} : jsonencode(own)], jsonencode(each))]`;
    overrides[name] = {
      policy: `\${jsonencode({ Version = "2012-10-17", Statement = concat(${program}, ${missing}) })}`,
    };
  }
  const write = (file: string, content: object) => writeFileSync(join(folder, file), JSON.stringify(content));
  const [additions, changes] = KEPT;
  write(additions, { locals, resource: Object.fromEntries(kept) });
  if (Object.keys(overrides).length > 0) write(changes, { resource: { aws_iam_role_policy: overrides } });
}

/** Removes what {@link keepAccess} wrote. */
export function removeKept(folder: string): void {
  for (const file of KEPT) rmSync(join(folder, file), { force: true });
}

/** Value whose texts Terraform takes literally. */
function escaped(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replace(/([$%])\{/g, "$1$1{"));
}
