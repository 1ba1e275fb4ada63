/**
 * Sorts nodes so that each follows the nodes that it leads to. In a cycle, the node that is reached first follows the
 * others.
 *
 * Runs in time proportional to nodes and edges, without recursion.
 */
export function finishOrder<T>(roots: Iterable<T>, next: (node: T) => Iterable<T>): T[] {
  const order: T[] = [];
  const seen = new Set<T>();
  for (const root of roots) {
    if (seen.has(root)) continue;
    seen.add(root);
    const path = [{ node: root, rest: next(root)[Symbol.iterator]() }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value } = top.rest.next();
      if (done) {
        order.push(top.node);
        path.pop();
      } else if (!seen.has(value)) {
        seen.add(value);
        path.push({ node: value, rest: next(value)[Symbol.iterator]() });
      }
    }
  }
  return order;
}

/** Returns all nodes reachable from a node, including the node itself. */
export function reachable<T>(from: T, next: (node: T) => Iterable<T>): ReadonlySet<T> {
  return new Set(finishOrder([from], next));
}

/** Edges that are wanted as long as they create no cycle. */
export class Wishes<T> {
  readonly #to = new Map<T, Set<T>>();

  add(from: T, to: T): void {
    this.#to.set(from, (this.#to.get(from) ?? new Set()).add(to));
  }

  /**
   * Returns the edges that can be granted together without creating a cycle with the required ones. In a cycle, the edge
   * that closes it is left out, starting from the node that asked first.
   *
   * @param required edges that must exist; they contain no cycle
   */
  granted(required: (node: T) => Iterable<T> = () => []): ReadonlyMap<T, readonly T[]> {
    const wished = finishOrder(this.#to.keys(), (node) => [...required(node), ...(this.#to.get(node) ?? [])]);
    // Checks the required edges again: a cycle may have been cut at one of these nodes.
    const order = new Map(finishOrder(wished, required).map((node, position) => [node, position]));
    const position = (node: T) => order.get(node) as number;
    return new Map(
      [...this.#to].map(([from, to]) => [from, [...to].filter((each) => position(each) < position(from))]),
    );
  }

  clear(): void {
    this.#to.clear();
  }
}
