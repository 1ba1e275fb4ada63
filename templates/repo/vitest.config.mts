import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const infrastructure = join(import.meta.dirname, "infra/test");
const recorded =
  existsSync(infrastructure) &&
  readdirSync(infrastructure, { recursive: true }).some((name) => /\.snap(\.json)?$/.test(String(name)));

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts", "infra/test/**/*.test.ts"],
    // Many start the service, which takes long on a busy machine.
    testTimeout: 60_000,
    // The first run records the infrastructure snapshot, in CI too. Later changes fail until `npm run snapshot`.
    update: recorded ? undefined : "new",
  },
});
