/**
 * Writes what is generated of docs/: the API from the sources' comments, options and answers from the option table.
 * `test/contract/docs.test.ts` and `test/generator/reference.test.ts` fail when one is not current.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { options } from "../generator/options";
import { answersSchema, optionsPage } from "../generator/reference";
import { writeApi } from "./docs-api";

const docs = join(__dirname, "../docs");

async function main(): Promise<void> {
  mkdirSync(docs, { recursive: true });
  writeFileSync(join(docs, "options.md"), optionsPage(options));
  writeFileSync(join(docs, "answers.schema.json"), `${JSON.stringify(answersSchema(options), null, 2)}\n`);
  rmSync(join(docs, "api"), { recursive: true, force: true });
  await writeApi(join(docs, "api"));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
