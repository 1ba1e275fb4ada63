import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { developerEnvironment } from "./environment";

/** `tsx scripts/run.ts src/admin/console.ts`: runs a process of this service locally. */
const root = join(__dirname, "..");
const args = ["--import", "tsx", ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, env: developerEnvironment(), stdio: "inherit" });
process.exitCode = status ?? 1;
