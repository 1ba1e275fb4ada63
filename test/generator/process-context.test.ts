import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";

const ROOT = join(__dirname, "../..");

const PROGRAM = `
const { createContext } = require(${JSON.stringify(join(ROOT, "generator/process-context.ts"))});
const work = (signal) => new Promise((resolve) => {
  const working = setInterval(() => {}, 1000);
  signal.addEventListener("abort", () => { clearInterval(working); resolve(); });
  console.log("working");
});
createContext([], ${JSON.stringify(ROOT)}).interruptible(work).then(() => console.log("interrupted"));
`;

it("what can be interrupted ends with npm, which forwards no signals", async () => {
  const npm = spawn("sh", ["-c", `"$0" --import tsx -e "$1" & wait`, process.execPath, PROGRAM], {
    cwd: ROOT,
    env: { ...process.env, npm_lifecycle_event: "deploy:local" },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  try {
    const lines: string[] = [];
    createInterface({ input: npm.stdout }).on("line", (line) => {
      lines.push(line);
      if (line === "working") npm.kill("SIGKILL");
    });
    await once(npm, "close", { signal: AbortSignal.timeout(15_000) });
    expect(lines).toEqual(["working", "interrupted"]);
  } finally {
    if (npm.stdout.readableEnded === false) process.kill(-npm.pid!, "SIGKILL");
  }
});
