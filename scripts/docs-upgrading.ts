import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RELEASE_NOTES } from "../generator/upgrade/releases";
import { capitalized } from "./markdown";

export const UPGRADING = join(__dirname, "../docs/upgrading.md");

const START = "<!-- npm run docs writes the rest of this page from generator/upgrade/releases.ts. -->\n";

/** The guide with the changes of all versions, the newest first. */
export function upgradingPage(): string {
  const [guide, ...rest] = readFileSync(UPGRADING, "utf8").split(START);
  if (rest.length !== 1) throw new Error(`${UPGRADING} needs the line ${START}`);
  const versions = [...new Set(RELEASE_NOTES.map(({ version }) => version))].reverse();
  const sections = versions.map((version) => {
    const rows = RELEASE_NOTES.filter((note) => note.version === version).map(({ change, todo }) =>
      [`- ${capitalized(change)}.`, ...(todo === undefined ? [] : [`  To do: ${todo}.`])].join("\n"),
    );
    return [`### ${version}`, "", ...rows, ""].join("\n");
  });
  return `${guide}${START}\n${sections.join("\n")}`;
}
