import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "cdktf";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type ChaosExperiment,
  DeliveryStack,
  Duration,
  type Environment,
  experimentGate,
  Fault,
  type GateOptions,
  insecureHttp,
  Pipeline,
  Platform,
  type ReleaseGate,
  Source,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack } from "../../support/synth";
import { AGENT, experiment, orders, type Template } from "./experiments";

describe("an experiment as a gate", () => {
  const account = "123456789012";

  function gate(options: GateOptions = {}): ReleaseGate {
    const target = orders(ordersStack({ ...DEV, account, guardrails: { namePrefix: "acme" } }));
    return experiment(target, {}, "LosesTasks").gate({ timeout: Duration.minutes(20), ...options });
  }

  /** Runs the gate's commands, with an AWS that answers what `states` say, one after the other. */
  function run(states: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-gate-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "states"), states.map((state) => `${state}\n`).join(""));
    const aws = `#!/bin/bash
echo "$*" >> ${folder}/calls
case "$1 $2 $6" in
  "ssm get-parameter "*) echo '{"experimentTemplateId":"EXT1"}' ;;
  "fis start-experiment "*) echo EXP1 ;;
  *.status) head -1 ${folder}/states; sed -i 1d ${folder}/states ;;
  *) echo "why" ;;
esac
`;
    writeFileSync(join(folder, "aws"), aws.replace('"$*"', '"$AWS_REGION $*"'), { mode: 0o755 });
    writeFileSync(join(folder, "sleep"), "#!/bin/bash\n", { mode: 0o755 });
    const script = gate().commands.map((command) => `${command} || exit 1`);
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const { status, stdout, stderr, error } = spawnSync("bash", ["--norc", "-c", script.join("\n")], {
      env,
      encoding: "utf8",
    });
    if (!existsSync(join(folder, "calls"))) throw error ?? new Error(`aws was not called: ${stderr}`);
    return { status, stdout, calls: readFileSync(join(folder, "calls"), "utf8").trim().split("\n") };
  }

  /** Runs the gate's commands while requests are sent to a server that answers with `status`, or does not. */
  async function runWithRequests(status: number | undefined, states = ["running", "completed"]) {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      if (status === undefined) response.destroy();
      else response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const requests = { url: `http://127.0.0.1:${port}/`, perSecond: 50 };
    const { commands } = gate({ requests });
    const folder = mkdtempSync(join(tmpdir(), "antifragile-gate-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "states"), states.map((state) => `${state}\n`).join(""));
    const aws = `#!/bin/bash
case "$1 $2 $6" in
  "ssm get-parameter "*) echo '{"experimentTemplateId":"EXT1"}' ;;
  "fis start-experiment "*) [ -s ${folder}/states ] && echo EXP1 ;;
  *.status) head -1 ${folder}/states; sed -i 1d ${folder}/states ;;
  *) echo "why" ;;
esac
`;
    writeFileSync(join(folder, "aws"), aws, { mode: 0o755 });
    // Long enough for a process to start and to ask.
    writeFileSync(join(folder, "sleep"), "#!/bin/bash\n/bin/sleep 2\n", { mode: 0o755 });
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    // Bash takes the socket that Node.js gives it as standard input for a remote shell's, and would read ~/.bashrc.
    const child = spawn("bash", ["--norc", "-ec", commands.join("\n")], { env });
    let stdout = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    const [code] = await once(child, "close");
    const sent = asked;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { code, stdout, sent, later: asked - sent };
  }

  it("sends requests meanwhile, at the configured rate, and none after it has ended", async () => {
    const { code, stdout, sent, later } = await runWithRequests(404);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\d\d requests answered, 0 failed/),
    });
    expect(sent).toBeGreaterThan(10);
    expect(later).toBe(0);
  });

  it("reports the number of failed requests, and lets the alarms decide", async () => {
    const { code, stdout } = await runWithRequests(503);
    expect(code).toBe(0);
    const [, answered, failed] = /(\d+) requests answered, (\d+) failed/.exec(stdout) ?? [];
    expect(failed).toBe(answered);
  });

  it("fails without any response, because the experiment is inconclusive", async () => {
    const { code, stdout } = await runWithRequests(undefined);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^0 requests answered, \d+ failed: the experiment is inconclusive/m);
  });

  it("stops its requests if the experiment does not start", async () => {
    const { code, later } = await runWithRequests(200, []);
    expect({ code, later }).toEqual({ code: 1, later: 0 });
  });

  it.each([
    [{ url: "https://staging.example.com/$(id)" }, "CHAOS_GATE_URL"],
    [{ url: "staging.example.com" }, "CHAOS_GATE_URL"],
    [{ url: 'https://a.example.com/"' }, "CHAOS_GATE_URL"],
    [{ url: "https://staging.example.com/", perSecond: 1000 }, "CHAOS_GATE_RATE"],
    [{ url: "https://staging.example.com/", perSecond: Number.NaN }, "CHAOS_GATE_RATE"],
  ])("refuses requests %j", (requests, code) => {
    expect(() => synthesize(pipeline((_, shaken) => [shaken.gate({ requests })]))).toThrow(code);
  });

  it("starts the template from the stack's parameter, waits, and lets the pipeline continue", () => {
    const { status, calls } = run(["initiating", "running", "completed"]);
    expect(status).toBe(0);
    expect(calls[0]).toContain("eu-central-1 ssm get-parameter --name /antifragile/dev/orders/experiments/loses-tasks");
    expect(calls[1]).toContain("eu-central-1 fis start-experiment --experiment-template-id EXT1");
    expect(calls.filter((call) => call.includes("get-experiment --id EXP1"))).toHaveLength(4);
  });

  it.each(["stopped", "failed", "cancelled"])("fails when it was %s, and says why", (state) => {
    expect(run(["running", state])).toMatchObject({ status: 1, stdout: expect.stringContaining("why") });
  });

  it("may start only this experiment", () => {
    const { name, timeout, permissions: permissionsIn } = gate();
    const permissions = permissionsIn?.(new App()) ?? [];
    expect([name, timeout?.toMinutes()]).toEqual(["loses-tasks", 20]);
    expect(
      permissions.filter(({ resources }) => resources.some((each) => each.includes("experiment-template"))),
    ).toEqual([
      {
        actions: ["fis:StartExperiment"],
        resources: ["arn:aws:fis:eu-central-1:123456789012:experiment-template/*"],
        conditions: { StringEquals: { "aws:ResourceTag/Name": "acme-orders-dev-loses-tasks" } },
      },
    ]);
    expect(JSON.stringify(permissions)).not.toContain("TfToken");
  });

  it("has a timeout of an hour, or more for a longer experiment", () => {
    const [short, long] = [orders(), orders()];
    expect(experiment(short, {}).gate().timeout?.toMinutes()).toBe(60);
    const fault = Fault.cpu({ count: 1, duration: Duration.minutes(90) });
    expect(experiment(long, { fault, agentImage: AGENT }).gate().timeout?.toMinutes()).toBe(110);
  });

  it("is the same by name, without the construct", () => {
    const environment = { ...DEV, account, guardrails: { namePrefix: "acme" } };
    const named = experimentGate("LosesTasks", { environment, stack: "orders", timeout: Duration.minutes(20) });
    expect(JSON.stringify(named)).toBe(JSON.stringify(gate()));
  });

  /** Experiments in `staging`, and a pipeline with gates before `next`. */
  function pipeline(gates: (staging: Environment, shaken: ChaosExperiment) => ReleaseGate[], of = "orders") {
    const app = new App();
    const environments = ["staging", "next"].map((name) => ({ ...DEV, name, account, state: "s3" as const }));
    const [staging, next] = environments.map((environment) => {
      const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
      return { environment, service: orders(platform.stack(of)) };
    });
    const shaken = experiment(staging!.service, { environments: ["staging"] }, "LosesTasks");
    const delivery = new DeliveryStack(app, "orders", { region: DEV.region, account, state: "s3" });
    new Pipeline(delivery, "Pipeline", {
      source: Source.gitHub("acme/orders"),
      releases: [
        { environment: staging!.environment, gates: gates(staging!.environment, shaken) },
        { environment: next!.environment },
      ],
    });
    return delivery;
  }

  it("is a step of the pipeline between two environments", () => {
    const delivery = pipeline((_, shaken) => [shaken.gate()]);
    const stages: Template[] = (only(delivery, "aws_codepipeline") as Template).stage;
    const actions = stages.map(({ name, action }) => [
      name,
      action.map(({ name: of, run_order }: Template) => `${run_order ?? ""} ${of}`),
    ]);
    expect(actions.slice(-2)).toEqual([
      ["Staging", ["1 Plan", "2 Apply", "3 Release", "4 LosesTasks"]],
      ["Next", ["1 Plan", "2 Apply", "3 Release"]],
    ]);
    expect(synthesize(delivery)).not.toHaveProperty("data.terraform_remote_state");
  });

  it("is refused at synth if the stack is in this program, but the experiment is not", () => {
    const named = (id: string) => (environment: Environment) => [experimentGate(id, { environment, stack: "orders" })];
    expect(() => synthesize(pipeline(named("LosesTasks")))).not.toThrow();
    expect(() => synthesize(pipeline(named("LosesAZone")))).toThrow(/CHAOS_GATE_NOT_THERE/);
    // What is in no stack of this program may be in another one.
    expect(() => synthesize(pipeline(named("LosesAZone"), "payments"))).not.toThrow();
  });
});
