/** Text of a reference as JSON documents contain it: encoded in place, so that its value cannot end the string around it. */
export function encoded(expression: string): string {
  const json = `jsonencode(substr(${expression}, 0, -1))`;
  return `\${substr(${json}, 1, (length(${json}) - 2))}`;
}

/** Replaces encoded references by plain ones. */
export function decoded(text: string): string {
  return text.replaceAll(/\$\{substr\(jsonencode\(substr\((.+?), 0, -1\)\), 1, .+? - 2\)\)\}/g, "$${$1}");
}
