import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { localEnvironment } from "./env-example";

/** `npm run dev`: the service on this machine, started again at every change of `src/`. */
const root = join(__dirname, "..");
const own = join(root, ".env");
const env = { ...localEnvironment(), ...(existsSync(own) ? parseEnv(readFileSync(own, "utf8")) : {}), ...process.env };

console.log(`http://localhost:${env.PORT ?? 8080}/docs`);

const tsx = join(root, "node_modules/tsx/dist/cli.mjs");
const service = spawn(process.execPath, [tsx, "watch", "--clear-screen=false", "src/main.ts"], {
  cwd: root,
  env,
  stdio: "inherit",
});
service.on("close", (code) => {
  process.exitCode = code ?? 0;
});
