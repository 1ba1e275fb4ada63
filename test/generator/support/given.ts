import type { Given } from "../../../generator/answers";
import type { Value } from "../../../generator/option-table";

/** Answers of a user, by source. */
export function given(said: { flag?: object; file?: object; prompt?: Record<string, Value>; preset?: object }): Given {
  return {
    flag: new Map(Object.entries(said.flag ?? {})),
    file: new Map(Object.entries(said.file ?? {})),
    prompt: new Map(Object.entries(said.prompt ?? {})),
    preset: new Map(Object.entries(said.preset ?? {})),
    fileName: "orders.json",
  };
}
