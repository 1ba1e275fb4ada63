/** Speed of the command line beside scaffolders. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../../bin/commands";
import { fresh, measure, measureCommand, ROOT, ROUNDS, ratio, ratioOf } from "./measure";
import { ratioRow } from "./rows";

const EXECUTABLE = join(ROOT, "dist/bin/antifragile.js");

const command = (...words: string[]) =>
  `process.argv=${JSON.stringify([process.execPath, EXECUTABLE, ...words])};require(${JSON.stringify(EXECUTABLE)})`;

/** A process that does nothing. */
const empty = () => "";

export function commandRows(peers: string): void {
  const scaffold = () => command("new", fresh(), "--name", "orders", "--yes", "--no-install", "--no-git");
  ratioRow("antifragile new / an empty process", ratio(scaffold, empty), 2.5);
  const vite = () =>
    measureCommand(`node node_modules/create-vite/index.js ${fresh()} --template vanilla-ts --no-interactive`, peers);
  ratioRow(
    "antifragile new / create-vite",
    ratioOf(() => measure(scaffold()), vite),
  );
  const projen = () => {
    const project = fresh();
    mkdirSync(project);
    return measureCommand(`node ${peers}/node_modules/projen/bin/projen new typescript --no-git --no-post`, project);
  };
  ratioRow(
    "antifragile new / projen new",
    ratioOf(() => measure(scaffold()), projen),
  );
  const help = (name: string, rounds?: number) => ratio(() => command(name, "--help"), empty, rounds);
  const helps = Object.keys(commands).map((name) => ({ name, median: help(name).median }));
  // The highest of many medians is high by chance, too: it is measured again.
  const { name } = helps.sort((a, b) => b.median - a.median)[0]!;
  ratioRow(`antifragile ${name} --help, the slowest / an empty process`, help(name, 3 * ROUNDS), 1.3);
}
