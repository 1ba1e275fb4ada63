import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { run, usePackage } from "./packed";

const packed = usePackage();
let work: string;
beforeAll(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-program-")));
  mkdirSync(join(work, "infra/lib"), { recursive: true });
  symlinkSync(join(__dirname, "../../node_modules"), join(work, "node_modules"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const infra = (...path: string[]) => join(work, "infra", ...path);

/** Runs a program as `antifragile synth` does. */
function program(files: Record<string, string>, ...args: string[]) {
  for (const [name, text] of Object.entries(files)) writeFileSync(infra(name), text);
  const [main] = Object.keys(files) as [string];
  return run([process.execPath, join(packed.folder, "dist/bin/run-program.js"), infra(main), ...args], work);
}

it("gives each file its own path, the program its arguments, and resolves packages from the repository", async () => {
  const { code, stdout } = await program(
    {
      "main.ts": `
        import { App } from "cdktf";
        import { where } from "./lib/where";
        enum Answer { Yes = "yes" }
        console.log(JSON.stringify([__dirname, where, process.argv[1], process.argv[2], typeof App, require.main === module, Answer.Yes]));
      `,
      "lib/where.ts": "export const where: string = __filename;",
    },
    "dev",
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    infra(),
    infra("lib/where.ts"),
    infra("main.ts"),
    "dev",
    "function",
    true,
    "yes",
  ]);
});

it("reports an error with the line of the source", async () => {
  const { code, stderr } = await program({
    "main.ts": 'interface A {\n  b: 1;\n}\n\nthrow new Error("here" satisfies string);\n',
  });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("infra/main.ts:5:7") });
});

it.each([
  ["import.meta", "main.ts", "console.log(import.meta.url)"],
  ["top-level await", "main.mts", "console.log(await Promise.resolve(import.meta.url)); export {};"],
])("leaves a program with %s to tsx", async (_, name, text) => {
  expect(await program({ [name]: text })).toMatchObject({ code: 0, stdout: `file://${infra(name)}\n` });
});

it("leaves a program that does not compile to tsx, which names the mistake", async () => {
  const { code, stderr } = await program({ "main.ts": "const x: = 5;" });
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("main.ts:1:9: ERROR") });
});
