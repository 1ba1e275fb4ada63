import { ROUNDS } from "./measure";
import { rows } from "./rows";
import type { PartCost } from "./service";

const rounded = (value: number) => Math.round(value);

/** Text of docs/performance.md. */
export function pageOf(machine: string, parts: readonly PartCost[]): string {
  return [
    "# Performance",
    "",
    "Compare the speed of antifragile with its peers on your machine:",
    "",
    "```sh",
    "npm run bench",
    "```",
    "",
    `The last run: ${machine}.`,
    `Each ratio is the median of ${ROUNDS} pairs that ran in turn, with the lowest and the highest in parentheses. It compares user CPU,`,
    "so other processes of the machine matter little. The validation of templates by AWS CDK is off: it takes ten times as long as the rest.",
    "The CPU of a request, 1.43 of bare Fastify, is 0.7 of its throughput.",
    "",
    "![Ratios, with a red line at each target](performance.svg)",
    "",
    "| what | measured | target |",
    "|---|---|---|",
    ...rows.map(({ what, figure, target }) => `| ${what} | ${figure} | ${target} |`),
    "",
    "## Cost of each part of the generated service",
    "",
    "CPU of a request that creates a quote, with and without each part, in the same rounds. A part below the noise of the machine can show",
    "less than nothing. The signature of a token is checked when it is new; bare Fastify checks it each time, and writes no spans and no",
    "log lines.",
    "",
    "| part | microseconds of CPU of a request |",
    "|---|---|",
    ...parts.map(
      ({ part, microseconds: { median, lowest, highest } }) =>
        `| ${part} | ${rounded(median)} (${rounded(lowest)} to ${rounded(highest)}) |`,
    ),
    "",
    "## What is not proven",
    "",
    "No test fails where a target is missed: a timed test would fail on a busy machine. Requests come from the same machine, over the loopback",
    "interface, and traces are not exported.",
    "",
  ].join("\n");
}
