import { spawnSync } from "node:child_process";

let opened = 0;

/** Terminal in which a program runs as for a user: tmux keeps its screen. */
export class Terminal {
  /** Tools that this computer lacks. */
  static readonly missing = spawnSync("tmux", ["-V"]).status === 0 ? [] : ["tmux"];

  readonly #server = `antifragile-${process.pid}-${++opened}`;
  readonly #env: NodeJS.ProcessEnv;

  constructor({ env = process.env }: { readonly env?: NodeJS.ProcessEnv } = {}) {
    this.#env = env;
  }

  #tmux(...args: readonly string[]): string {
    return spawnSync("tmux", ["-L", this.#server, ...args], { encoding: "utf8", env: this.#env }).stdout;
  }

  /** Runs a line of `sh` in a folder. */
  open(line: string, folder: string, { columns = 120, rows = 50 }: { columns?: number; rows?: number } = {}): void {
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    this.#tmux("-f", "/dev/null", "new-session", "-d", "-s", "t", ...size, "-c", folder, line);
  }

  /** Text on the screen, on request with its colors as escape sequences. */
  screen({ colors = false } = {}): string {
    return this.#tmux("capture-pane", "-p", ...(colors ? ["-e"] : []), "-t", "t");
  }

  /** Types text and keys, such as `Enter` and `C-c`. */
  type(...keys: readonly string[]): void {
    this.#tmux("send-keys", "-t", "t", ...keys);
  }

  /** Waits until the screen shows a text, and returns the screen. */
  async until(text: string | RegExp, { seconds = 30 } = {}): Promise<string> {
    for (let turn = 0; turn < seconds * 20; turn++) {
      const now = this.screen();
      if (typeof text === "string" ? now.includes(text) : text.test(now)) return now;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the terminal never showed ${text}:\n${this.screen()}`);
  }

  close(): void {
    this.#tmux("kill-server");
  }
}
