import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SAME_CTRL_C_MS } from "../../contract/interruption";
import { type Ended, until } from "../cli/support/child";
import { Terminal } from "./terminal";

export interface TerminalRun {
  readonly words: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** Called with the terminal before the command begins there. */
  readonly prepare: (terminal: Terminal) => void;
}

/** Runs a command in a terminal, whose shell keeps the exit code also where the terminal is closed. */
export async function runInTerminal(run: TerminalRun): Promise<Pick<Ended, "code" | "text">> {
  const terminal = new Terminal({ env: run.env });
  const code = join(run.folder, "exit-code");
  rmSync(code, { force: true });
  try {
    run.prepare(terminal);
    const words = run.words.map((word) => `'${word}'`).join(" ");
    writeFileSync(join(run.folder, "run.sh"), `trap : HUP INT\n${words}\necho $? > exit-code\nsleep 60\n`);
    terminal.open("exec bash --norc run.sh", run.folder);
    const ended = () => (existsSync(code) ? readFileSync(code, "utf8") : "");
    await until(
      () => ended() !== "",
      () => terminal.screen(),
      120,
    );
    return { code: Number(ended()), text: terminal.screen() };
  } finally {
    terminal.close();
  }
}

/** Types Ctrl-C, and waits until the command has answered it. */
export async function typeCtrlC(terminal: Terminal): Promise<void> {
  terminal.type("C-c");
  await terminal.until("interrupted by SIGINT");
}

/** Types Ctrl-C a second time, which is not the same one any more. */
export async function typeSecondCtrlC(terminal: Terminal): Promise<void> {
  await typeCtrlC(terminal);
  await delay(SAME_CTRL_C_MS + 100);
  terminal.type("C-c");
}

/** Closes the terminal, and waits until the command has noticed. */
export async function closeTerminal(terminal: Terminal): Promise<void> {
  terminal.close();
  await delay(300);
}
