import { runProcess } from "../../src/process";

function thrown(): never {
  throw new Error("canary: thrown");
}

// A process that fails some time after its start, in the way that CRASH selects.
void runProcess(async ({ log }) => {
  log.info("working");
  setTimeout(() => {
    if (process.env.CRASH === "exceptions") setInterval(thrown, 0);
    if (process.env.CRASH === "rejections") setInterval(async () => thrown(), 0);
    if (process.env.CRASH === "warning") process.emitWarning("canary: warned");
  }, 10);
  const ends = process.env.CRASH === "warning" || process.env.CRASH === "lines";
  await new Promise((resolve) => setTimeout(resolve, ends ? 300 : 30_000));
  for (const line of ["one", "two", "three"]) log.info(line);
});
