import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Variable } from "../src/config";
import { configDeclaration } from "../src/config-declaration";

const variables = Object.entries<Variable>(configDeclaration);

/** Environment for local development, from the declaration. */
export function localEnvironment(): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap(([name, { local }]) => (local === undefined ? [] : [[name, local] as const])),
  );
}

/** Environment of the local service: the declaration, overridden by `.env`, overridden by the shell. */
export function developerEnvironment(): NodeJS.ProcessEnv {
  const own = join(__dirname, "../.env");
  return { ...localEnvironment(), ...(existsSync(own) ? parseEnv(readFileSync(own, "utf8")) : {}), ...process.env };
}

/** Renders `.env.example`: all variables; those with a value for local development are set. */
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
  return `# Generated from src/config-declaration.ts by \`npm run generate\`. Copy to .env to change the settings of \`npm run dev\`.\n\n${blocks.join("\n")}`;
}
