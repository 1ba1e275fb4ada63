import { TerraformResource } from "cdktf";
import type { IConstruct } from "constructs";
import * as library from "../../../constructs";

/** Public construct that a resource belongs to, and the ids that lead from there to the resource. */
function ownerOf(resource: IConstruct): { readonly owner: string; readonly path: readonly string[] } {
  const path = [resource.node.id];
  for (let above = resource.node.scope; above !== undefined; above = above.node.scope) {
    const name = above.constructor.name;
    if (Reflect.get(library, name) === above.constructor) return { owner: name, path };
    path.unshift(above.node.id);
  }
  throw new Error(`${resource.node.path} belongs to no public construct`);
}

/** Ids that a user chooses, as placeholders: stages are named after environments, identities after services. */
function placeholdersIn(owner: string, path: readonly string[]): string {
  const [first = "", ...rest] = path;
  if (owner === "DataStack") return ["<Service>", ...rest].join(" / ");
  return [first.replace(/^Staging(?=[A-Z])/, "<Environment>"), ...rest].join(" / ");
}

/** Ids of the resources below each public construct, with their types: one row where only a number differs. */
export function childrenOf(nodes: readonly IConstruct[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const node of nodes) {
    if (!(node instanceof TerraformResource)) continue;
    const { owner, path } = ownerOf(node);
    const rows = found.get(owner) ?? new Map<string, string>();
    rows.set(placeholdersIn(owner, path), node.terraformResourceType);
    found.set(owner, rows);
  }
  const numbered = (id: string, type: string) => `${id.replace(/\d+/g, "<n>")} ${type}`;
  return new Map(
    [...found]
      .sort(([a], [b]) => a.localeCompare(b, "en"))
      .map(([owner, rows]) => {
        const same = new Map<string, number>();
        for (const [id, type] of rows) same.set(numbered(id, type), (same.get(numbered(id, type)) ?? 0) + 1);
        const merged = [...rows].map(
          ([id, type]) => [same.get(numbered(id, type))! > 1 ? id.replace(/\d+/g, "<n>") : id, type] as const,
        );
        return [owner, new Map(merged.sort(([a], [b]) => a.localeCompare(b, "en")))];
      }),
  );
}
