/** Makes references, each for one prop of a call. */
export interface References {
  text(call: string, prop: string): string;
  number(call: string, prop: string): number;
  list(call: string, prop: string): string[];
}

/** References for one call, as texts. */
export const textOf = (references: References, call: string) => (prop: string) => references.text(call, prop);
