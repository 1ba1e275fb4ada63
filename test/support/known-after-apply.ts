import { Fn } from "cdktf";

/** Text that is known only after apply, like an attribute of a resource, so that synth does not validate it. */
export function knownAfterApply(text: string): string {
  return Fn.join("", [text]);
}
