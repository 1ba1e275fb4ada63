import disk from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../../../generator/context";
import type { Outcome } from "../../../generator/processes";
import { noPrompts } from "./fake-prompts";

/** A world in which nothing runs: it records what would be started and printed. */
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
    colour: false,
    print: (text) => void printed.push(text),
    readText: async (path) => {
      throw Object.assign(new Error("no such file"), { code: "ENOENT", path });
    },
    prompter: () => noPrompts,
    run: async (command) => {
      started.push([...command]);
      const line = command.join(" ");
      const key = Object.keys(outcomes).find((part) => line.includes(part));
      return { code: 0, output: "", notFound: false, ...(key === undefined ? {} : outcomes[key]) };
    },
    now: () => 0,
    disk,
    interruptible: (work) => work(controller.signal),
    ...rest,
  };
  return { context, printed, started, controller, output: () => printed.join("") };
}
