import type { IConstruct } from "constructs";

/** Creates the first value of an entry. The function itself is the entry's key, so declare it once, at module level. */
export type Entry<T> = () => T;

const registries = new WeakMap<IConstruct, Registry>();

/**
 * Shared state of constructs that do not know each other, such as the listener rules of an app. Kept for each owner: the app
 * (`construct.node.root`), a stack or a service.
 */
export class Registry {
  /** Returns the registry of an app, a stack or a service. */
  static of(owner: IConstruct): Registry {
    const registry = registries.get(owner) ?? new Registry();
    registries.set(owner, registry);
    return registry;
  }

  readonly #values = new Map<Entry<unknown>, unknown>();

  private constructor() {}

  /** Returns the value of an entry, creating it on first use. */
  get<T>(entry: Entry<T>): T {
    if (!this.#values.has(entry)) this.#values.set(entry, entry());
    return this.#values.get(entry) as T;
  }
}
