import { isOlder, OLDEST_NODE } from "../contract/version";
import { commands } from "./commands";
import { type Output, surviveOutput } from "./output";

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    "Usage: antifragile <command>",
    "",
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "  antifragile help <command>  flags of a command",
    "  antifragile --version       the version",
    "",
  ].join("\n");
}

/** Runs a command line and returns the exit code. Never throws. */
export async function main(words: readonly string[]): Promise<number> {
  if (isOlder(process.versions.node, OLDEST_NODE)) {
    process.stderr.write(
      `antifragile needs Node.js ${OLDEST_NODE.join(".")} or newer; this is ${process.versions.node}. Install the current release from https://nodejs.org\n`,
    );
    return 2;
  }
  const output = surviveOutput([process.stdout, process.stderr]);
  const { createContext, report, unknownCommand } = await import("../generator/process-context");
  // Node.js would print the line of the source, which is the whole bundle.
  process.on("uncaughtException", (error) => process.exit(report(error)));
  const [word, ...args] = words;
  try {
    if (word === undefined) {
      const code = await (await import("./start")).start(createContext([], __dirname));
      if (code !== undefined) return code;
    }
    const asksForHelp = word === undefined || word === "--help" || word === "-h" || word === "help";
    if (asksForHelp && (word !== "help" || args.length === 0)) {
      process.stdout.write(help());
      return word === undefined ? 2 : await printed(output);
    }
    const [name = "", ownArgs] = word === "help" ? [args[0], ["--help"]] : [word, args];
    const context = createContext(ownArgs, __dirname);
    if (name === "--version" || name === "-v" || name === "-V") {
      const { packageVersion } = await import("../generator/package-files");
      context.print(`${packageVersion(context.packageRoot)}\n`);
      return await printed(output);
    }
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw unknownCommand(name, Object.keys(commands));
    const code = await (await command.load())(context);
    if (code !== 0 || command.onlyPrints !== true) return code;
    return await printed(output);
  } catch (error) {
    return report(error);
  }
}

/** Exit code of a command that has printed all that it was asked for, once the last write has ended. */
async function printed(output: Output): Promise<0 | 1> {
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  const failure = output.failure();
  if (failure === undefined) return 0;
  process.stderr.write(`✖ the output could not be written: ${failure}\n`);
  return 1;
}
