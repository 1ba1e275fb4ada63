import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Variable } from "../src/config";
import { configDeclaration } from "../src/config-declaration";

const variables = Object.entries<Variable>(configDeclaration);

/** The environment of a developer's machine, as the declaration gives it. */
export function localEnvironment(): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap(([name, { local }]) => (local === undefined ? [] : [[name, local] as const])),
  );
}

/** What the service gets on this machine: the declaration, then `.env`, then the shell. */
export function developerEnvironment(): NodeJS.ProcessEnv {
  const own = join(__dirname, "../.env");
  return { ...localEnvironment(), ...(existsSync(own) ? parseEnv(readFileSync(own, "utf8")) : {}), ...process.env };
}

/** The text of `.env.example`: every variable, those with a value of their own on a developer's machine set. */
export function renderEnvExample(): string {
  const blocks = variables.map(([name, variable]) => {
    const notes = [
      variable.description,
      variable.values && `one of ${variable.values.join(", ")}`,
      variable.default !== undefined && `default ${variable.default}`,
      variable.optional && "optional",
      variable.unless && `not needed with ${variable.unless.join(" or ")}`,
      variable.secret && "secret",
    ].filter(Boolean);
    const line = variable.local === undefined ? `#${name}=${variable.default ?? ""}` : `${name}=${variable.local}`;
    return `# ${notes.join("; ")}\n${line}\n`;
  });
  return `# Made from src/config-declaration.ts by \`npm run generate\`. Copy to .env to change what \`npm run dev\` uses.\n\n${blocks.join("\n")}`;
}
