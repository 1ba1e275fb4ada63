import { Emulator } from "/work/wt/backing/emulator/index";
import { TerraformStack } from "/work/wt/backing/emulator/terraform";
import { findTools } from "/work/wt/backing/emulator/tools";
import { mkdtempSync } from "node:fs";
const out = process.argv[2]!; const names = process.argv.slice(3);
(async () => {
  const tools = await findTools();
  const dir = mkdtempSync("/tmp/bkrun-");
  const emu = await Emulator.start({ log: dir + "/emulator.log", tools });
  const stacks = names.map((n) => new TerraformStack({ stack: out + "/stacks/" + n, folder: dir, emulatorUrl: emu.url, tools, onProgress: (p) => p.state === "failed" && console.log(p) }));
  const time = async (l: string, f: () => Promise<unknown>) => { const t = Date.now(); try { const r = await f(); console.log(l, ((Date.now() - t) / 1000).toFixed(1), r === undefined ? "" : JSON.stringify(r).slice(0, 3000)); } catch (e) { console.log(l, "FAILED", String((e as Error).message).slice(0, 3000)); } };
  for (const s of stacks) { await time("apply " + s.name, () => s.apply()); await time("outputs", () => s.outputs()); }
  for (const s of stacks) await time("plan " + s.name, () => s.plan());
  for (const s of [...stacks].reverse()) await time("destroy " + s.name, () => s.destroy());
  await time("left", () => (emu as any).leftovers());
  await emu.stop();
})();
