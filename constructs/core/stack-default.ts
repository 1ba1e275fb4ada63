import type { IConstruct } from "constructs";
import { type Entry, Registry } from "./registry";
import { AwsStack } from "./stack";

/** Value that a stack provides to the constructs in it that set none, such as the VPC of its platform. */
export class StackDefault<T> {
  readonly #entry: Entry<{ find?: () => T }> = () => ({});

  /** Provides the value to the constructs in a stack. `find` runs when the first of them needs it. */
  provide(stack: AwsStack, find: () => T): void {
    Registry.of(stack).get(this.#entry).find = find;
  }

  /** Returns the value of the stack that a construct is in; undefined where the stack provides none. */
  of(construct: IConstruct): T | undefined {
    return Registry.of(AwsStack.of(construct)).get(this.#entry).find?.();
  }
}
