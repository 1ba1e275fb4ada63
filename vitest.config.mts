import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

interface Settings {
  readonly group?: number;
  readonly testTimeout?: number;
  readonly hookTimeout?: number;
  readonly maxWorkers?: number;
}

/** A project of the suite: `vitest run --project NAME`. Groups run one after the other, the quick ones first. */
const project = (name: string, include: string[], { group = 0, ...settings }: Settings = {}) => ({
  extends: true as const,
  test: { name, include, sequence: { groupOrder: group }, ...settings },
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
    setupFiles: [join(root, "test/support/setup.ts")],
    testTimeout: 30_000,
    projects: [
      project("unit", [
        "test/constructs/**/*.test.ts",
        "test/generator/**/*.test.ts",
        "test/operations/**/*.test.ts",
        "test/templates/static.test.ts",
      ]),
      project("contract", ["test/contract/**/*.test.ts"], { testTimeout: 120_000 }),
      project("golden", ["test/golden/**/*.test.ts"], { testTimeout: 120_000 }),
      project("examples", ["test/examples/**/*.test.ts"], { testTimeout: 120_000 }),
      project("emulator", ["test/emulator/**/*.test.ts"], { group: 1, testTimeout: 120_000, hookTimeout: 120_000 }),
      project("cli", ["test/cli/**/*.test.ts"], { group: 2, testTimeout: 120_000, hookTimeout: 300_000 }),
      // A generated service is installed and run, with a database and a cache.
      project("templates", ["test/templates/service.test.ts", "test/templates/image.test.ts"], {
        group: 3,
        testTimeout: 300_000,
        hookTimeout: 600_000,
      }),
      // Two Terraform runs at a time: each takes a gigabyte and much of a core, and waits for most of its time.
      project("e2e", ["test/e2e/**/*.e2e.test.ts"], {
        group: 4,
        testTimeout: 1_200_000,
        hookTimeout: 1_200_000,
        maxWorkers: 2,
      }),
    ],
  },
});
