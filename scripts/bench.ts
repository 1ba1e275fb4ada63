/**
 * Measures speed as ratios of user CPU between processes of one run, alternating, so that a busy machine slows down both
 * sides of a ratio. Peers are installed into a folder of their own. Nothing here fails: figures are for people to compare with the
 * targets beside them. Writes docs/performance.md and its chart.
 */
import { rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { commandRows } from "./bench/commands";
import { folder, ROOT, ROUNDS } from "./bench/measure";
import { pageOf } from "./bench/page";
import { installPeers } from "./bench/peers";
import { chart } from "./bench/rows";
import { serviceRows } from "./bench/service";
import { growthRows, scaleRows, synthRows } from "./bench/synth";
import { typeCheckRow } from "./bench/type-check";

async function main(): Promise<void> {
  const peers = installPeers();
  const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${process.platform}`;
  console.log(`${machine}; user CPU, median of ${ROUNDS} pairs, lowest and highest\n`);
  commandRows(peers);
  synthRows(peers);
  scaleRows();
  const parts = await serviceRows();
  typeCheckRow();
  // Minutes for each; a test of the suite counts the work of all of them.
  if (process.argv.includes("--growth")) growthRows();
  writeFileSync(join(ROOT, "docs/performance.svg"), chart());
  writeFileSync(join(ROOT, "docs/performance.md"), pageOf(machine, parts));
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => rmSync(folder, { recursive: true, force: true }));
