import { Fn } from "cdktf";

/** A text as a thing of AWS would tell it: nobody knows it before it is applied, so that nothing checks it at synth. */
export function knownAfterApply(text: string): string {
  return Fn.join("", [text]);
}
