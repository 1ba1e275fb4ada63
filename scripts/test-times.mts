import type { Reporter, TestModule } from "vitest/node";

const SHOWN_FILES = 12;

/**
 * Prints tests and minutes by project, and the files that take longest. A file's minutes go from its start in a worker to its
 * end: imports and hooks included. Workers run side by side, so the sum is more than what passes on the clock.
 */
export default class TestTimes implements Reporter {
  readonly #begun = Date.now();
  readonly #started = new Map<string, number>();
  readonly #took = new Map<TestModule, number>();

  onTestModuleQueued({ id }: TestModule): void {
    this.#started.set(id, Date.now());
  }

  onTestModuleEnd(module: TestModule): void {
    this.#took.set(module, Date.now() - (this.#started.get(module.id) ?? Date.now()));
  }

  onTestRunEnd(): void {
    const rows = new Map<string, { files: number; tests: number; milliseconds: number }>();
    for (const [module, milliseconds] of this.#took) {
      const row = rows.get(module.project.name) ?? { files: 0, tests: 0, milliseconds: 0 };
      rows.set(module.project.name, {
        files: row.files + 1,
        tests: row.tests + [...module.children.allTests()].length,
        milliseconds: row.milliseconds + milliseconds,
      });
    }
    const all = [...rows.values()];
    const sum = (of: (row: (typeof all)[number]) => number) => all.reduce((total, row) => total + of(row), 0);
    rows.set("all", {
      files: sum(({ files }) => files),
      tests: sum(({ tests }) => tests),
      milliseconds: sum(({ milliseconds }) => milliseconds),
    });
    const minutes = (milliseconds: number) => (milliseconds / 60_000).toFixed(1);
    console.log(`\n${"project".padEnd(12)}${"files".padStart(6)}${"tests".padStart(7)}${"minutes".padStart(9)}`);
    for (const [name, { files, tests, milliseconds }] of rows) {
      const figures = `${`${files}`.padStart(6)}${`${tests}`.padStart(7)}${minutes(milliseconds).padStart(9)}`;
      console.log(`${name.padEnd(12)}${figures}`);
    }
    console.log(`on the clock${minutes(Date.now() - this.#begun).padStart(22)}`);
    const longest = [...this.#took].sort(([, a], [, b]) => b - a).slice(0, SHOWN_FILES);
    console.log(`\nlongest files, in seconds`);
    for (const [{ relativeModuleId }, milliseconds] of longest) {
      console.log(`${(milliseconds / 1000).toFixed(0).padStart(6)}  ${relativeModuleId}`);
    }
  }
}
