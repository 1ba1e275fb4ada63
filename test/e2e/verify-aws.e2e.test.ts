import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateLogGroupCommand, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Emulator } from "../../emulator";
import { readAnswers } from "../../scripts/verify-aws/answers";
import { RUN_TAG } from "../../scripts/verify-aws/run-names";
import { type VerifyOptions, verifyAws } from "../../scripts/verify-aws/verify";
import { type Clients, clientsFor, describeOnEmulator, resultsFolder, startAsAws } from "../support/deployment";
import { ROOT } from "../support/examples";
import { runningProgram } from "../support/program";

const ACCOUNT = "123456789012";
const REGION = "eu-central-1";
const SMALL = join(ROOT, "test/e2e/apps/verify-small.ts");

describeOnEmulator("verify:aws", () => {
  const results = resultsFolder("verify-aws");
  let emulator: Emulator;
  let clients: Clients;
  let folder: string;
  let answersFile: string;
  let printed: string[];

  beforeAll(async () => {
    emulator = await startAsAws(results, results);
    clients = clientsFor(emulator.url, REGION);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-verify-"));
    answersFile = join(folder, "answers.json");
    writeFileSync(answersFile, "{}");
    printed = [];
  });
  afterAll(async () => {
    for (const client of Object.values(clients ?? {})) client.destroy();
    vi.unstubAllEnvs();
    await emulator?.stop();
  });

  const verify = (options: Partial<VerifyOptions> = {}) =>
    verifyAws({
      account: ACCOUNT,
      region: REGION,
      folder: join(folder, "runs"),
      program: SMALL,
      answersFile,
      print: (line) => void printed.push(line),
      confirm: async () => true,
      signal: new AbortController().signal,
      patience: { milliseconds: 3_000, pollMilliseconds: 100 },
      ...options,
    });
  const runs = () => (existsSync(join(folder, "runs")) ? readdirSync(join(folder, "runs")) : []);
  const logGroups = async () => (await clients.logs.send(new DescribeLogGroupsCommand({}))).logGroups ?? [];
  const created = () =>
    vi.waitFor(async () => expect(await logGroups()).not.toEqual([]), { timeout: 60_000, interval: 50 });
  const expectNothingLeft = async () => {
    expect(runs()).toEqual([]);
    expect((await emulator.leftovers()).billable).toEqual([]);
    expect(await logGroups()).toEqual([]);
  };

  test("records the answers of a run, and destroys everything", async () => {
    const line = JSON.stringify({ user: 1000, mode: "1777", credentials: true });
    const print = (text: string) => {
      printed.push(text);
      const [, run] = /^Creates in .*=(\w+):$/.exec(text) ?? [];
      if (run) ending = emulator.endNextTask({ family: `${run}-verify-probe`, lines: [line] });
    };
    let ending: Promise<void> | undefined;
    // The emulator sends no events of tasks, so one answer is "no", as on an account where EventBridge may not write.
    expect(await verify({ program: join(ROOT, "test/e2e/apps/verify-task.ts"), print })).toBe(1);
    await ending;
    const place = { date: new Date().toISOString().slice(0, 10), region: REGION };
    expect(readAnswers(answersFile), printed.join("\n")).toEqual({
      "container-json": { answer: "yes", ...place },
      destroyed: { answer: "yes", ...place },
      "stopped-tasks-policy": { answer: "no", detail: "no event after 1 min", ...place },
      "task-role-condition": { answer: "yes", ...place },
      "tmpfs-mode": { answer: "yes", detail: "user 1000, mode 1777, exit code 0", ...place },
    });
    expect(printed.join("\n")).toMatch(/1 aws_ecs_task_definition[\s\S]*Cost: [\s\S]*Duration: /);
    await expectNothingLeft();
  });

  test('records "no" for a task definition that is refused, leaves the rest open, and destroys what was created', async () => {
    vi.stubEnv("REFUSED", "1");
    expect(await verify()).toBe(1);
    vi.stubEnv("REFUSED", undefined);
    const answers = readAnswers(answersFile);
    expect(Object.keys(answers)).toEqual(["container-json", "destroyed", "tmpfs-mode"]);
    expect(answers["tmpfs-mode"]).toMatchObject({ answer: "no", detail: expect.stringContaining("ClientException") });
    expect(printed.join("\n")).toMatch(/^not settled: A user group of Valkey/m);
    await expectNothingLeft();
  });

  test("refuses credentials of another account, before anything is created", async () => {
    expect(await verify({ account: "210987654321" })).toBe(1);
    expect(printed).toEqual([`The credentials are of account ${ACCOUNT}, not 210987654321. Nothing was done.`]);
    expect(runs()).toEqual([]);
  });

  test("creates nothing without consent", async () => {
    expect(await verify({ confirm: async () => false })).toBe(1);
    expect(readAnswers(answersFile)).toEqual({});
    await expectNothingLeft();
  });

  test("destroys what an interrupted run has created", async () => {
    const interruption = new AbortController();
    const print = (text: string) => {
      printed.push(text);
      if (text.startsWith("Deploying")) interrupting = interruptOnceCreated();
    };
    let interrupting: Promise<void> | undefined;
    const interruptOnceCreated = async () => {
      await created();
      interruption.abort();
    };
    expect(await verify({ print, signal: interruption.signal })).toBe(130);
    await interrupting;
    expect(printed.join("\n")).toContain("Destroying");
    await expectNothingLeft();
  });

  test("finds what a killed run has left, and removes it", async () => {
    const words = [ACCOUNT, REGION, join(folder, "runs"), answersFile];
    const child = spawn(process.execPath, runningProgram(join(ROOT, "test/e2e/apps/verify-run.ts"), ...words), {
      stdio: "ignore",
    });
    const exited = new Promise((done) => child.once("exit", done));
    await created();
    child.kill("SIGKILL");
    await exited;
    const [run] = runs();
    const questions: string[] = [];
    const answering = (yes: boolean) => async (question: string) => {
      questions.push(question);
      return yes && question === "Remove them?";
    };
    expect(await verify({ confirm: answering(false) })).toBe(1);
    expect(printed.join("\n")).toMatch(new RegExp(`Left by run ${run}:\n  arn:aws:logs:.*:log-group:/${run}/logs`));
    expect((await logGroups()).length).toBe(1);

    await verify({ confirm: answering(true) });
    expect(questions).toEqual(["Remove them?", "Remove them?", "Create them?"]);
    await expectNothingLeft();
  });

  test("lists leftovers whose state is on another machine, and creates nothing beside them", async () => {
    const logGroupName = "/v0/logs";
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName, tags: { [RUN_TAG]: "v0" } }));
    expect(await verify()).toBe(1);
    expect(printed.at(-1)).toMatch(/delete them in the console:\n {2}arn:aws:logs:.*\/v0\/logs/);
    expect(runs()).toEqual([]);
  });
});
