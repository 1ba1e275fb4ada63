import { HARMLESS, PROTECTED } from "../operations/protected-resources";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The page of all changes that the plan gate refuses. */
export function changesPage(): string {
  const resources = Object.entries(PROTECTED).sort(([a], [b]) => a.localeCompare(b));
  const deletions = resources.map(([type, { deleted, replaced = deleted, replacedAfter = replaced }]) => [
    `\`${type}\``,
    deleted ?? "passes",
    replaced === HARMLESS || replaced === undefined ? "passes" : replaced === deleted ? "the same" : replaced,
    replacedAfter === HARMLESS || replacedAfter === undefined
      ? "passes"
      : replacedAfter === replaced
        ? "the same"
        : replacedAfter,
  ]);
  const updates = resources.flatMap(([type, { changes = [] }]) =>
    changes.map(({ path, effect, instead }) => [
      `\`${type}\``,
      `\`${path.replaceAll(".*.", ".")}\``,
      effect,
      instead === undefined ? "" : capitalized(instead),
    ]),
  );
  return `<!-- Written by npm run docs from operations/protected-resources.ts. -->

# Changes that take something away

\`antifragile deploy\`, \`plan\` and \`plan-gate\` refuse a plan that contains one of these changes, unless it is allowed by the address
of its resource: \`--allow-delete\`, \`--allow-replace\` or \`--allow-update\`. A value that is known only after the apply is not judged.

## Deleted or replaced

The consequence of each. A route counts if it is a default route, a DNS record if it is of type A or AAAA.

${table(["resource", "deleted", "replaced, the old one first", "replaced, the new one first"], deletions)}

## Changed in place

${table(["resource", "attribute", "effect of the change to the worse", "instead"], updates)}

## Rules of security groups

A rule that changes its ports or its peer in place, is replaced, or is deleted where another rule for the same peers is created, closes
while tasks that run still use it. Open the new one beside the old one first, and close the old one in a later deployment.

## Another region

After a change of the region, Terraform looks for the resources of a stack in the new region, does not find them, and creates new ones:
the old ones stay, billed. Create another environment or platform for the new region instead.
`;
}
