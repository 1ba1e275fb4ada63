import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { processRunner, programOf } from "../../generator/processes";

const never = new AbortController().signal;

describe("starting npm", () => {
  const windows = { platform: "win32", execPath: "C:\\node\\node.exe" } as const;
  const posix = { platform: "linux", execPath: "/usr/bin/node" } as const;
  const exists = () => true;

  it.each([
    [
      "by the npm that started us",
      posix,
      { npm_execpath: "/npm/bin/npm-cli.js" },
      ["/usr/bin/node", "/npm/bin/npm-cli.js"],
    ],
    ["from the PATH", posix, {}, ["npm"]],
    ["from the PATH when another package manager started us", posix, { npm_execpath: "/usr/lib/pnpm.cjs" }, ["npm"]],
    [
      "by the npm that started us, on Windows",
      windows,
      { npm_execpath: "D:\\npm\\bin\\npm-cli.js" },
      ["C:\\node\\node.exe", "D:\\npm\\bin\\npm-cli.js"],
    ],
    [
      "by the npm beside node, on Windows",
      windows,
      {},
      ["C:\\node\\node.exe", "C:\\node\\node_modules\\npm\\bin\\npm-cli.js"],
    ],
  ])("%s", (_title, place, env, command) => {
    expect(programOf("npm", { ...place, env, exists })).toEqual(command);
  });

  it("falls back to the PATH if the parent npm no longer exists", () => {
    expect(programOf("npm", { ...posix, env: { npm_execpath: "/gone/npm-cli.js" }, exists: () => false })).toEqual([
      "npm",
    ]);
  });
});

describe("a child process", () => {
  const run = processRunner(process.env);
  const echo = "process.stdout.write(JSON.stringify(process.argv.slice(1)))";

  it("receives every argument unchanged, without a shell", async () => {
    const args = ["$(id)", "a b", "; ls", "`id`", "%PATH%", '"', "", "--x=1"];
    const { code, output } = await run([process.execPath, "-e", echo, "--", ...args], tmpdir(), never);
    expect({ code, args: JSON.parse(output) }).toEqual({ code: 0, args });
  });

  it("runs in the given folder, without the caller's git variables", async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-run-"));
    const withGit = processRunner({
      ...process.env,
      GIT_DIR: "/elsewhere/.git",
      npm_config_local_prefix: "/elsewhere",
      KEPT: "yes",
    });
    const script =
      "console.log(process.cwd(), process.env.GIT_DIR, process.env.npm_config_local_prefix, process.env.KEPT)";
    const { output } = await withGit([process.execPath, "-e", script], folder, never);
    expect(output).toContain(folder.split("/").at(-1));
    expect(output).toContain("undefined undefined yes");
    rmSync(folder, { recursive: true });
  });

  it("distinguishes a program that does not exist from one that fails", async () => {
    await expect(run(["antifragile-no-such-program"], tmpdir(), never)).resolves.toMatchObject({
      code: null,
      notFound: true,
    });
    const failing = await run([process.execPath, "-e", "console.error('why'); process.exit(7)"], tmpdir(), never);
    expect(failing).toEqual({ code: 7, output: "why\n", notFound: false });
  });

  it("is interrupted with its parent", async () => {
    const controller = new AbortController();
    const running = run([process.execPath, "-e", "setInterval(() => {}, 1000)"], tmpdir(), controller.signal);
    setTimeout(() => controller.abort(), 50);
    await expect(running).resolves.toMatchObject({ code: null, notFound: false });
  });
});
