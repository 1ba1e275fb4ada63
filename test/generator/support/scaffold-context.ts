import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import disk from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Context } from "../../../generator/context";
import type { Outcome } from "../../../generator/processes";
import { noPrompts } from "./fake-prompts";

function put(path: string, text = ""): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Leaves in a folder what a program would: without it a step is not done. */
function leaveProduct(line: string, cwd: string): void {
  if (/^p?npm(\.c?js)? install/.test(line)) {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(cwd, "package.json"), "utf8"));
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      put(join(cwd, "node_modules", name, "package.json"), "{}");
    }
    put(join(cwd, line.startsWith("pnpm") ? "pnpm-lock.yaml" : "package-lock.json"), "{}");
  }
  if (/run snapshot$/.test(line)) put(join(cwd, "infra/test/__snapshots__/orders.snap.json"), "{}");
}

/** Context in which nothing runs: it records the programs to start and the output. It has no git repository. */
export function scaffoldContext(
  cwd: string,
  world: Partial<Context> & { readonly outcomes?: Readonly<Record<string, Partial<Outcome>>> } = {},
) {
  const printed: string[] = [];
  const started: string[][] = [];
  const { outcomes = {}, ...rest } = world;
  const controller = new AbortController();
  const context: Context = {
    args: [],
    cwd,
    env: {},
    platform: "linux",
    packageRoot: join(__dirname, "../../.."),
    stdinIsTerminal: false,
    stdoutIsTerminal: false,
    color: false,
    columns: () => 80,
    print: (text) => void printed.push(text),
    readText: async (path) => {
      throw Object.assign(new Error("no such file"), { code: "ENOENT", path });
    },
    prompter: () => noPrompts,
    run: async (command, folder) => {
      started.push([...command]);
      const line = command.join(" ");
      const key = Object.keys(outcomes).find((part) => line.includes(part));
      if (key !== undefined) return { code: 0, output: "", notFound: false, ...outcomes[key] };
      if (existsSync(folder)) leaveProduct(line, folder);
      const code = line.startsWith("git rev-parse") ? 128 : 0;
      const output = line.startsWith("git ls-tree") ? readdirSync(folder, { recursive: true }).join("\n") : "";
      return { code, output, notFound: false };
    },
    now: () => 0,
    disk,
    interruptible: (work) => work(controller.signal),
    ...rest,
  };
  return { context, printed, started, controller, output: () => printed.join("") };
}
