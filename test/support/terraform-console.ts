import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tools } from "./deployment";

/** Values that Terraform gives to local values, which may refer to each other. */
export function evaluateLocals(
  locals: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-console-"));
  try {
    writeFileSync(join(folder, "main.tf.json"), JSON.stringify({ locals }));
    const output = execFileSync(tools.terraform.found ? tools.terraform.path : "", ["console"], {
      cwd: folder,
      input: `jsonencode({ ${names.map((name) => `${name} = local.${name}`).join(", ")} })\n`,
      encoding: "utf8",
      stdio: "pipe",
    });
    return JSON.parse(JSON.parse(output)) as Record<string, string>;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Text as Terraform's JSON syntax contains it, so that nothing in it is an expression. */
export function withoutExpressions(text: string): string {
  return text.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign);
}
