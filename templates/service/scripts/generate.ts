import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderEnvExample } from "./environment";

const file = (name: string) => join(__dirname, "..", name);

/** What is made from the contract and from the declaration. `npm run generate` writes it, a test compares it. */
export async function generated(): Promise<Record<string, string>> {
  const { default: openapiTS, astToString, COMMENT_HEADER } = await import("openapi-typescript");
  const types = astToString(await openapiTS(readFileSync(file("openapi.yaml"), "utf8")));
  return { "src/contract-types.ts": COMMENT_HEADER + types, ".env.example": renderEnvExample() };
}

async function main(): Promise<void> {
  for (const [name, text] of Object.entries(await generated())) writeFileSync(file(name), text);
}

if (require.main === module) void main();
