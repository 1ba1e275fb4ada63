import { existsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join, relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const root = import.meta.dirname;

/** Files that take more than half a minute, the longest first. */
const LONGEST = [
  "test/contract/growth.test.ts",
  "test/templates/static.test.ts",
  "test/contract/engines.test.ts",
  "test/e2e/everything.e2e.test.ts",
  "test/e2e/year.e2e.test.ts",
  "test/e2e/generated.e2e.test.ts",
  "test/e2e/upgraded.e2e.test.ts",
  "test/templates/service.test.ts",
  "test/e2e/service.e2e.test.ts",
  "test/e2e/strategies.e2e.test.ts",
  "test/e2e/release.e2e.test.ts",
  "test/e2e/state.e2e.test.ts",
  "test/e2e/platform.e2e.test.ts",
  "test/cli/upgrade-versions.test.ts",
  "test/cli/upgrade.test.ts",
  "test/cli/faults.test.ts",
  "test/e2e/backing.e2e.test.ts",
  "test/e2e/telemetry.e2e.test.ts",
  "test/templates/image.test.ts",
  "test/cli/cli.test.ts",
];
for (const file of LONGEST) if (!existsSync(join(root, file))) throw new Error(`${file} of LONGEST does not exist`);

/** Starts the longest files of a group first: all others would have to wait for one that starts last. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.indexOf(relative(root, moduleId));
      return place === -1 ? LONGEST.length : place;
    };
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return (await super.sort(files)).sort((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}

/** Projects that need Node.js alone. Their files share processes, because loading the library takes seconds. */
const QUICK = { isolate: false, maxWorkers: availableParallelism(), sequence: { groupOrder: 0 } };

/** Memory that a file of the slow projects may need, with all programs that it starts, in bytes. */
const SLOW_FILE = 4 * 2 ** 30;
/** Projects that start other programs and wait for them, after the quick projects. One more at a time would keep all processors busy, and late. */
const SLOW = {
  maxWorkers: Math.max(1, Math.min(availableParallelism() + 1, Math.floor(totalmem() / SLOW_FILE))),
  sequence: { groupOrder: 1 },
};

interface Settings {
  readonly maxWorkers: number;
  readonly sequence: { readonly groupOrder: number };
  readonly isolate?: boolean;
  readonly testTimeout?: number;
  readonly hookTimeout?: number;
}

/** A project of the suite: `vitest run --project NAME`. */
const project = (name: string, include: string[], settings: Settings) => ({
  extends: true as const,
  test: { name, include, ...settings },
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
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      project(
        "unit",
        [
          "test/bin/**/*.test.ts",
          "test/constructs/**/*.test.ts",
          "test/generator/**/*.test.ts",
          "test/operations/**/*.test.ts",
          "test/templates/static.test.ts",
          "test/templates/image-script.test.ts",
        ],
        QUICK,
      ),
      project("contract", ["test/contract/**/*.test.ts"], { ...QUICK, testTimeout: 120_000 }),
      project("golden", ["test/golden/**/*.test.ts"], { ...QUICK, testTimeout: 120_000 }),
      project("examples", ["test/examples/**/*.test.ts"], { ...QUICK, testTimeout: 120_000 }),
      project("emulator", ["test/emulator/**/*.test.ts"], { ...SLOW, testTimeout: 120_000, hookTimeout: 120_000 }),
      project("cli", ["test/cli/**/*.test.ts"], { ...SLOW, testTimeout: 120_000, hookTimeout: 300_000 }),
      // A generated service is installed and run, with a database and a cache.
      project("templates", ["test/templates/service.test.ts", "test/templates/image.test.ts"], {
        ...SLOW,
        testTimeout: 300_000,
        hookTimeout: 600_000,
      }),
      // Terraform applies on an emulator. A run takes a gigabyte and much of a core, and waits for most of its time.
      project("e2e", ["test/e2e/**/*.e2e.test.ts"], { ...SLOW, testTimeout: 1_200_000, hookTimeout: 1_200_000 }),
    ],
  },
});
