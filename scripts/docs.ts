/**
 * Writes what is generated of docs/: the API from the sources' comments, options and answers from the option table,
 * strategies and protected resources from theirs. And the types of public calls, which the library checks at run time.
 * `test/contract/docs.test.ts`, `test/contract/types.test.ts` and `test/generator/reference.test.ts` fail when one is not current.
 */
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { options } from "../generator/options";
import { answersSchema, optionsPage } from "../generator/reference";
import { writeApi } from "./docs-api";
import { commandsPage } from "./docs-commands";
import { errorsPage } from "./docs-errors";
import { UPGRADING, upgradingPage } from "./docs-upgrading";
import { TYPES_FILE, typesFile } from "./types";

const docs = join(__dirname, "../docs");

async function main(): Promise<void> {
  writeFileSync(join(__dirname, "..", TYPES_FILE), typesFile());
  // These run constructs, which read the types as they are now.
  const { alarmsPage } = await import("../test/contract/alarms/table");
  const { assumptionsPage } = await import("./docs-assumptions");
  const { changesPage } = await import("./docs-changes");
  const { securityPage } = await import("./docs-security");
  const { strategiesPage } = await import("./docs-strategies");
  writeFileSync(join(docs, "options.md"), optionsPage(options));
  writeFileSync(join(docs, "answers.schema.json"), `${JSON.stringify(answersSchema(options), null, 2)}\n`);
  writeFileSync(join(docs, "security.md"), securityPage());
  writeFileSync(join(docs, "strategies.md"), strategiesPage());
  writeFileSync(join(docs, "alarms.md"), alarmsPage());
  writeFileSync(join(docs, "assumptions.md"), assumptionsPage());
  writeFileSync(join(docs, "changes.md"), changesPage());
  writeFileSync(join(docs, "commands.md"), await commandsPage());
  writeFileSync(join(docs, "errors.md"), errorsPage());
  writeFileSync(UPGRADING, upgradingPage());
  // Beside it first, so that a fault leaves what was there.
  const fresh = mkdtempSync(join(docs, ".api-"));
  try {
    await writeApi(fresh);
    rmSync(join(docs, "api"), { recursive: true, force: true });
    chmodSync(fresh, 0o755);
    renameSync(fresh, join(docs, "api"));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
