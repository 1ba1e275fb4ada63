import { HARMLESS } from "../operations/harmful-changes";
import { PROTECTED } from "../operations/protected-resources";
import { serviceChanges } from "../test/contract/support/service-changes";
import { capitalized, table } from "./markdown";

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
  const replacements = resources.flatMap(([type, { causes = {} }]) =>
    Object.entries(causes).map(([path, cause]) => [`\`${type}\``, `\`${path.replaceAll(".0.", ".")}\``, cause]),
  );
  const updates = resources.flatMap(([type, { changes = [] }]) =>
    changes.map(({ path, effect, instead }) => [
      `\`${type}\``,
      `\`${path.replaceAll(".*.", ".")}\``,
      effect,
      instead === undefined ? "" : capitalized(instead),
    ]),
  );
  const props = serviceChanges().map(({ prop, text, atApply, atRelease, refused, keeps }) => [
    `\`${prop}\``,
    text,
    atApply === "" ? "nothing" : atApply,
    atRelease ? "new tasks" : "nothing",
    [
      refused.length === 0 ? "passes" : `refused: ${refused.join("; ")}`,
      ...(keeps ? ["access that the live release needs is kept"] : []),
    ].join("; "),
  ]);
  return `<!-- Written by npm run docs from operations/protected-data.ts, operations/protected-resources.ts and test/contract/support/service-changes.ts. -->

# Changes that take something away

\`antifragile deploy\`, \`plan\` and \`plan-gate\` refuse a plan that contains one of these changes, unless it is allowed by the address
of its resource: \`--allow-delete\`, \`--allow-replace\` or \`--allow-update\`. A value that is known only after the apply is not judged.

## Deleted or replaced

The consequence of each. A route counts if it is a default route, a DNS record if it is of type A or AAAA, the
replacement of a certificate if it covers fewer hosts.

${table(["resource", "deleted", "replaced, the old one first", "replaced, the new one first"], deletions)}

## Attributes that force a replacement

${table(["resource", "attribute", "reason, and what to do"], replacements)}

## Changed in place

${table(["resource", "attribute", "effect of the change to the worse", "instead"], updates)}

## Rules of security groups

A rule that changes its ports or its peer in place, is replaced, or is deleted where another rule for the same peers is created, closes
while tasks that run still use it. Open the new one beside the old one first, and close the old one in a later deployment.

## Another region

After a change of the region, Terraform looks for the resources of a stack in the new region, does not find them, and creates new ones:
the old ones stay, billed. Create another environment or platform for the new region instead.

## Changes that AWS makes

Minor versions of databases and caches, renewed certificates, rotated secrets and task definitions of releases change nothing in the next
plan. A newer machine image (AMI) does: the launch template and the group are updated in place, instances are replaced one after the
other, and a group is never replaced. To decide when this happens, set \`MachineImage.id(...)\`.

## Props of a service

One change of each prop of a service whose releases the release command owns (\`releaseOwner: "pipeline"\`). The columns are computed
from the Terraform before and after it. What waits for the release is what is part of the task definition: the tasks that run keep
theirs, and \`antifragile releases\` shows the difference. Access that they still need is [kept until a release no longer needs
it](deploy.md#take-something-away-from-a-service). With \`releaseOwner: "terraform"\` the apply starts the new tasks, too.

${table(["prop", "change", "at the apply", "at the next release", "gate"], props)}
`;
}
