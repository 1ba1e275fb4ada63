import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

/** A project of the suite: `vitest run --project NAME`. */
const project = (name: string, include: string[], extra: object = {}) => ({
  extends: true as const,
  test: { name, include, ...extra },
});

export default defineConfig({
  resolve: {
    alias: [
      // ES modules cannot import a folder: the provider's per-resource paths need their index named.
      {
        find: /^@cdktf\/provider-aws\/lib\/([^/]+)$/,
        replacement: join(root, "node_modules/@cdktf/provider-aws/lib/$1/index.js"),
      },
      { find: /^antifragile$/, replacement: join(root, "constructs/index.ts") },
      { find: /^antifragile\/testing$/, replacement: join(root, "constructs/testing/index.ts") },
    ],
  },
  test: {
    expect: { requireAssertions: true },
    testTimeout: 30_000,
    projects: [
      project("unit", [
        "test/constructs/**/*.test.ts",
        "test/generator/**/*.test.ts",
        "test/templates/**/*.test.ts",
        "test/emulator/**/*.test.ts",
        "test/operations/**/*.test.ts",
      ]),
      project("contract", ["test/contract/**/*.test.ts"], { testTimeout: 120_000 }),
      project("golden", ["test/golden/**/*.test.ts"], { testTimeout: 120_000 }),
      project("cli", ["test/cli/**/*.test.ts"], { testTimeout: 120_000, hookTimeout: 300_000 }),
      project("examples", ["test/examples/**/*.test.ts"], { testTimeout: 120_000 }),
      // One Terraform run at a time: each takes a gigabyte and most of a core.
      project("e2e", ["test/e2e/**/*.e2e.test.ts"], {
        testTimeout: 1_200_000,
        hookTimeout: 1_200_000,
        fileParallelism: false,
      }),
    ],
  },
});
