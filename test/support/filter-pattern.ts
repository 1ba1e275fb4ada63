/**
 * Returns whether a line of JSON matches a filter pattern of CloudWatch Logs; supports comparisons of properties with text,
 * in which `*` stands for anything, or numbers; `&&`, `||` and parentheses. What a line does not have matches nothing.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function matchesPattern(pattern: string, line: unknown): boolean {
  const inside = /^\{ (.*) \}$/.exec(pattern)?.[1];
  if (inside === undefined) throw new Error(`no pattern for JSON: ${pattern}`);
  const compared = inside.replace(
    /\$\.([\w.[\]]+) (=|>) ("([^"]*)"|\d+)/g,
    (_, path: string, operator: string, value: string, text: string | undefined) => {
      const found = at(line, path);
      if (operator === ">") return String(typeof found === "number" && found > Number(value));
      if (text === undefined) return String(found === Number(value));
      const wanted = new RegExp(`^${text.split("*").map(escaped).join(".*")}$`);
      return String(typeof found === "string" && wanted.test(found));
    },
  );
  if (!/^(true|false|&&|\|\||[() ])+$/.test(compared)) throw new Error(`not understood: ${compared}`);
  return new Function(`return ${compared};`)() as boolean;
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

function at(value: unknown, path: string): unknown {
  const steps = path.split(/[.[\]]+/).filter((step) => step !== "");
  return steps.reduce<unknown>((found, step) => (found as Record<string, unknown> | undefined)?.[step], value);
}
