import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { ContainerProcess } from "../../emulator/runner/container-process";

const ROOT = join(__dirname, "../..");
const ETERNAL = "setInterval(() => {}, 1000)";

/** Starts a container whose program has a child of its own, and says the ids of both. */
const PARENT = `
const { ContainerProcess } = require(${JSON.stringify(join(ROOT, "emulator/runner/container-process.ts"))});
const program = "const { pid } = require('node:child_process').spawn(process.execPath, ['-e', '${ETERNAL}']); console.log(process.pid, pid); ${ETERNAL}";
new ContainerProcess({
  container: { name: "orders", command: ["node", "-e", program] },
  image: { folder: ${JSON.stringify(ROOT)}, environment: {}, entryPoint: [], command: [] },
  environment: {},
  onLine: (line) => console.log(line),
});
process.on("SIGTERM", () => process.exit(0));
`;

let parent: ChildProcess | undefined;
let pids: number[] = [];
afterEach(() => {
  parent?.kill("SIGKILL");
  for (const pid of pids.filter(isRunning)) process.kill(pid, "SIGKILL");
});

/** A process that has ended may stay as a zombie where no process waits for it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

it.each(["SIGKILL", "SIGTERM"] as const)(
  "a task ends with its runner, and all that it started, by %s",
  async (signal) => {
    parent = spawn(process.execPath, ["--import", "tsx", "-e", PARENT], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface({ input: parent.stdout! }), "line")) as [string];
    pids = line.split(" ").map(Number);
    expect(pids.map(isRunning)).toEqual([true, true]);
    parent.kill(signal);
    await once(parent, "exit");
    for (let turn = 0; turn < 100 && pids.some(isRunning); turn++) await sleep(50);
    expect(pids.map(isRunning)).toEqual([false, false]);
  },
);

it("all that a task has started ends with its first process, as in a container", async () => {
  const program = `sleep 300 & echo $!; exec node -e '${ETERNAL}'`;
  const lines: string[] = [];
  const container = new ContainerProcess({
    container: { name: "orders", image: "orders", command: ["sh", "-c", program], stopTimeout: 2 },
    image: { folder: ROOT, environment: {}, entryPoint: [], command: [] },
    environment: {},
    onLine: (line) => lines.push(line),
  });
  await expect.poll(() => lines).toHaveLength(1);
  pids = lines.map(Number);
  expect((await container.stop()).exitCode).toBe(143);
  await expect.poll(() => pids.map(isRunning)).toEqual([false]);
});
