/**
 * Records the first minute of a user: runs the packed `antifragile new` on a terminal, answers its questions, and draws what
 * the terminal shows into docs/first-minute.svg, which README shows. `npm run docs:record` runs it; it needs tmux.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Terminal } from "../test/support/terminal";
import { type Frame, terminalSvg } from "./terminal-svg";

const root = join(__dirname, "..");
const SIZE = { columns: 80, rows: 36 };

/** Seconds to read a screen, to see a key pressed, and to see a moment of an install. */
const [READ, KEY, INSTALL] = [1.6, 0.5, 0.6];

/** Moments of an install to show. */
const MOMENTS = 10;

/** Answers the questions of `new` as a user does who types a description and takes the defaults, up to the end of the command. */
export async function recordNew(terminal: Terminal, end: RegExp): Promise<Frame[]> {
  const frames: Frame[] = [];
  const keep = (seconds: number): void => void frames.push({ screen: terminal.screen({ colors: true }), seconds });
  await terminal.until("What does it do");
  keep(READ);
  terminal.type("Takes orders");
  await terminal.until("Takes orders");
  keep(KEY);
  // A question is on the screen when its choices and the line of its keys are.
  const open = () => /^\? ([^\n]+)\n[\s\S]*^↑↓/m.exec(terminal.screen())?.[1];
  for (let question = open(); !question?.startsWith("Write "); ) {
    terminal.type("Enter");
    const before = question;
    while (question === before || question === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      question = open();
    }
    keep(READ);
  }
  terminal.type("Enter");
  const progress: Frame[] = [];
  for (; !end.test(terminal.screen()); await new Promise((resolve) => setTimeout(resolve, 500))) {
    const screen = terminal.screen({ colors: true });
    if (screen.includes("…")) progress.push({ screen, seconds: INSTALL });
  }
  // An install takes a minute, of which a reader needs to see a few moments.
  const step = Math.ceil(progress.length / MOMENTS);
  frames.push(...progress.filter((_, index) => index % step === 0));
  keep(8);
  return frames;
}

async function main(): Promise<void> {
  const work = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-record-")));
  const terminal = new Terminal();
  try {
    const packed = execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", work], {
      cwd: root,
    });
    const command = `npx ./${packed.toString().trim().split("\n").at(-1)} new orders`;
    writeFileSync(join(work, "gitconfig"), "[user]\nname = A Developer\nemail = developer@example.com\n");
    const settings = `GIT_CONFIG_GLOBAL='${join(work, "gitconfig")}' npm_config_update_notifier=false npm_config_yes=true`;
    terminal.open(`env -u CI TERM=xterm-256color PS1='$ ' ${settings} sh`, work, SIZE);
    await terminal.until("$");
    terminal.type(command);
    await terminal.until(command);
    const typed = { screen: terminal.screen({ colors: true }), seconds: 1 };
    terminal.type("Enter");
    const frames = [typed, ...(await recordNew(terminal, /Guides: [\s\S]*\n\$/))];
    const title = `${command}: the questions, the install, and the next steps`;
    writeFileSync(join(root, "docs/first-minute.svg"), terminalSvg(frames, { ...SIZE, title }));
  } finally {
    terminal.close();
    rmSync(work, { recursive: true, force: true });
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}
