/**
 * Nodes in an order in which each follows those that it leads to; where nodes lead to each other in a circle, the one
 * that is reached first follows the others.
 *
 * Takes time in proportion to nodes and edges, and needs no call stack as deep as the graph.
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

/** All nodes that one leads to, itself included. */
export function reachable<T>(from: T, next: (node: T) => Iterable<T>): ReadonlySet<T> {
  return new Set(finishOrder([from], next));
}

/** Edges that are wanted as long as they make no circle. */
export class Wishes<T> {
  readonly #to = new Map<T, Set<T>>();

  add(from: T, to: T): void {
    this.#to.set(from, (this.#to.get(from) ?? new Set()).add(to));
  }

  /**
   * The wishes that can be granted together: with them and what is required no node leads to itself. Of a circle the wish
   * that closes it is left out, as seen from the node that wished first.
   *
   * @param required edges that must be; they make no circle
   */
  granted(required: (node: T) => Iterable<T> = () => []): ReadonlyMap<T, readonly T[]> {
    const wished = finishOrder(this.#to.keys(), (node) => [...required(node), ...(this.#to.get(node) ?? [])]);
    // Once more over what is required alone: a circle may have been cut at one of these.
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
