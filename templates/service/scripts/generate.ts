import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderEnvExample } from "./environment";

const file = (name: string) => join(__dirname, "..", name);

/** Files generated from the contract and the declaration. `npm run generate` writes them, a test compares them. */
export async function generated(): Promise<Record<string, string>> {
  const { default: openapiTS, astToString, COMMENT_HEADER } = await import("openapi-typescript");
  const types = astToString(await openapiTS(readFileSync(file("openapi.yaml"), "utf8")));
  return { "src/contract-types.ts": COMMENT_HEADER + types, ".env.example": renderEnvExample() };
}

async function main(): Promise<void> {
  for (const [name, text] of Object.entries(await generated())) writeFileSync(file(name), text);
}

if (require.main === module) void main();
