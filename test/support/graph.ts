import type { SynthesizedStack } from "../../constructs/testing";

type Blocks = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Dependencies of each resource and data source of a stack: references and `depends_on`, as Terraform reads them. */
export function dependencies(stack: SynthesizedStack): Map<string, Set<string>> {
  const nodes = new Map<string, unknown>();
  for (const [prefix, blocks] of [
    ["", stack.resource],
    ["data.", stack.data],
  ] as const) {
    for (const [type, byId] of Object.entries((blocks ?? {}) as Blocks)) {
      for (const [id, body] of Object.entries(byId)) nodes.set(`${prefix}${type}.${id}`, body);
    }
  }
  const graph = new Map<string, Set<string>>();
  for (const [address, body] of nodes) {
    const text = JSON.stringify(body);
    graph.set(
      address,
      new Set(
        [...nodes.keys()].filter(
          (other) => other !== address && new RegExp(`(?<![\\w.])${other.replaceAll(".", "\\.")}(?!\\w)`).test(text),
        ),
      ),
    );
  }
  return graph;
}

/** A way that leads back to where it begins, if there is one. */
export function findCycle(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const walk = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const cycle = walk(next, [...path, node]);
      if (cycle !== undefined) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = walk(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
