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
  AutoScalingGroup,
  ChaosExperiment,
  type ChaosExperimentProps,
  CloudNativeService,
  cron,
  DeliveryStack,
  Duration,
  type Environment,
  existingAlarm,
  existingQueue,
  experimentGate,
  Fault,
  type GateOptions,
  Ingress,
  InstanceTypes,
  insecureHttp,
  job,
  Pipeline,
  Platform,
  PlatformDashboard,
  type PlatformProps,
  type ReleaseGate,
  ServiceDashboard,
  type ServiceStack,
  Source,
  worker,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

const AGENT = `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"a".repeat(64)}`;

/** A web service `orders` with an alarm, in a stack of its own. */
function orders(stack: ServiceStack = ordersStack(), props = {}): CloudNativeService {
  const service = new CloudNativeService(stack, "Orders", { scaling: { min: 2, max: 4 }, ...props });
  service.add(new Ingress());
  return service;
}

/** An experiment on `target`, in the target's stack. */
function experiment(
  target: CloudNativeService | AutoScalingGroup,
  props: Partial<ChaosExperimentProps>,
  id = "Shaken",
) {
  const fault = Fault.stopTasks({ percent: 50 });
  return new ChaosExperiment(target.node.scope!, id, { target, fault, environments: ["dev"], ...props });
}

function instances(props: { spot?: object; scaling?: object } = {}): AutoScalingGroup {
  const platform = shop();
  return new AutoScalingGroup(platform, "Instances", {
    cluster: "none",
    instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096 }),
    scaling: { min: 2, max: 4 },
    ...props,
  });
}

const alarm = (stack: ServiceStack | Platform) =>
  existingAlarm(stack, "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-errors");

// biome-ignore lint/suspicious/noExplicitAny: Terraform's JSON, of which each test looks at another part.
type Template = Record<string, any>;
const templateOf = (target: CloudNativeService | AutoScalingGroup | ServiceStack): Template =>
  only(
    "node" in target && "stackName" in target ? target : (target.node.scope as ServiceStack),
    "aws_fis_experiment_template",
  );
const parametersOf = (template: Template) =>
  Object.fromEntries(template.action[0].parameter.map(({ key, value }: Record<string, string>) => [key, value]));
const statementsOf = (stack: unknown, role: string): Template[] => {
  const policies: [string, Template][] = Object.entries(resources(stack as ServiceStack, "aws_iam_role_policy"));
  return policies.filter(([id]) => id.includes(role)).flatMap(([, { policy }]) => policy.Statement);
};
const actionsAllowed = (stack: unknown, role: string) => statementsOf(stack, role).flatMap(({ Action }) => Action);
const taskOf = (service: CloudNativeService): Template =>
  only(service.node.scope as ServiceStack, "aws_ecs_task_definition");
const containersOf = (service: CloudNativeService): Template[] => taskOf(service).container_definitions;

describe("an experiment", () => {
  it("stops a percentage of the tasks of one service, and stops itself on the service's alarm", () => {
    const target = orders();
    experiment(target, {});
    expect(templateOf(target)).toMatchObject({
      action: [
        { name: "stop-tasks", action_id: "aws:ecs:stop-task", target: { key: "Tasks", value: "target" } },
        // Stopping tasks takes a moment; alarms go off minutes later.
        { action_id: "aws:fis:wait", parameter: [{ key: "duration", value: "PT5M" }], start_after: ["stop-tasks"] },
      ],
      target: [
        {
          name: "target",
          resource_type: "aws:ecs:task",
          selection_mode: "PERCENT(50)",
          parameters: { service: "orders" },
        },
      ],
      stop_condition: [
        {
          source: "aws:cloudwatch:alarm",
          value: expect.stringMatching(/^\$\{aws_cloudwatch_metric_alarm\..*\.arn\}$/),
        },
      ],
      experiment_options: { empty_target_resolution_mode: "fail" },
      log_configuration: { cloudwatch_logs_configuration: { log_group_arn: expect.stringMatching(/\.arn\}:\*$/) } },
    });
  });

  it("includes alarms that were added to the service after it", () => {
    const target = new CloudNativeService(ordersStack(), "Orders", { scaling: { min: 2 } });
    experiment(target, {});
    target.add(new Ingress());
    expect(templateOf(target).stop_condition).toHaveLength(1);
  });

  it("uses the alarms that roll back a deployment, out of all alarms of a service in production", () => {
    const target = orders(ordersStack(PRODUCTION));
    experiment(target, { environments: ["production"], production: "users may notice" });
    expect(target.alarms.length).toBeGreaterThan(5);
    const rolledBackOn = (only(target.node.scope as ServiceStack, "aws_ecs_service") as Template).alarms.alarm_names;
    expect(templateOf(target).stop_condition).toHaveLength(rolledBackOn.length);
    expect(target.health.map(({ alarmName }) => alarmName).sort()).toEqual(rolledBackOn);
  });

  it("watches longer if configured to", () => {
    const target = orders();
    experiment(target, { watch: Duration.minutes(12) });
    expect(templateOf(target).action[1].parameter).toEqual([{ key: "duration", value: "PT12M" }]);
  });

  it("accepts other alarms as the hypothesis", () => {
    const target = orders();
    const stack = target.node.scope as ServiceStack;
    experiment(target, { stopOn: [alarm(stack)] });
    expect(templateOf(target).stop_condition).toEqual([
      { source: "aws:cloudwatch:alarm", value: "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-errors" },
    ]);
  });

  it("has a role that may stop only tasks of this service, trusted for this account only", () => {
    const target = orders();
    experiment(target, {});
    const stack = target.node.scope as ServiceStack;
    expect(statementsOf(stack, "Shaken_Role").filter(({ Action }) => Action.includes("ecs:StopTask"))).toEqual([
      {
        Effect: "Allow",
        Action: ["ecs:StopTask"],
        Resource: [expect.stringMatching(/:task\/\$\{.*clusterName.*\}\/\*$/)],
        Condition: { StringEquals: { "aws:ResourceTag/aws:ecs:serviceName": "orders" } },
      },
    ]);
    const [, role] = Object.entries(resources(stack, "aws_iam_role")).find(([id]) => id.includes("Shaken_Role")) ?? [];
    expect((role as Template).assume_role_policy.Statement).toEqual([
      expect.objectContaining({
        Principal: { Service: "fis.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": expect.any(String) } },
      }),
    ]);
    expect(actionsAllowed(stack, "Shaken_Role").filter((action) => action.includes("*"))).toEqual([]);
  });

  it("does not change tasks for a fault from outside", () => {
    const [plain, shaken] = [orders(), orders()];
    experiment(shaken, {});
    expect(taskOf(shaken)).toEqual(taskOf(plain));
  });

  it("starts on a schedule, with a role that may start only this experiment", () => {
    const target = orders();
    experiment(target, { schedule: cron("0 10 * * TUE", { timezone: "Europe/Berlin" }) });
    const stack = target.node.scope as ServiceStack;
    expect(only(stack, "aws_scheduler_schedule")).toMatchObject({
      schedule_expression: "cron(0 10 ? * TUE *)",
      schedule_expression_timezone: "Europe/Berlin",
      target: {
        arn: expect.stringMatching(/:scheduler:::aws-sdk:fis:startExperiment$/),
        input: { ExperimentTemplateId: expect.stringMatching(/^\$\{aws_fis_experiment_template\..*\.id\}$/) },
      },
    });
    expect(statementsOf(stack, "ScheduleRole")).toContainEqual({
      Effect: "Allow",
      Action: ["fis:StartExperiment"],
      Resource: expect.arrayContaining([
        expect.stringMatching(/:experiment-template\/\$\{aws_fis_experiment_template\..*\.id\}$/),
        expect.stringMatching(/:experiment\/\*$/),
      ]),
    });
  });

  const lookedAt = (stack: unknown) =>
    statementsOf(stack, "Shaken_Role")
      .filter(({ Action }) => String(Action).startsWith("cloudwatch:"))
      .map(({ Action, Resource }) => [String(Action), Resource]);

  it("writes a report to the configured bucket, and may write nowhere else and read nothing", () => {
    const target = orders();
    experiment(target, { report: { bucketName: "shop-game-days" } });
    const report = templateOf(target).experiment_report_configuration;
    expect(report).toMatchObject({
      outputs: { s3_configuration: { bucket_name: "shop-game-days", prefix: "orders-dev-shaken" } },
    });
    expect(report).not.toHaveProperty("data_sources");
    const written = statementsOf(target.node.scope, "Shaken_Role").find(({ Action }) =>
      Action.includes("s3:PutObject"),
    );
    expect(written?.Resource).toEqual([expect.stringMatching(/:s3:::shop-game-days\/orders-dev-shaken\/\*$/)]);
    expect(lookedAt(target.node.scope)).toEqual([]);
  });

  it("shows the target's dashboards in its report, also those added later, and may read no others", () => {
    const target = orders();
    experiment(target, { report: { bucketName: "shop-game-days" } });
    target.add(new ServiceDashboard());
    const arn = expect.stringMatching(/^\$\{aws_cloudwatch_dashboard\.Orders_Dashboard_\w+\.dashboard_arn\}$/);
    expect(templateOf(target).experiment_report_configuration.data_sources).toEqual({
      cloudwatch_dashboard: [{ dashboard_arn: arn }],
    });
    expect(lookedAt(target.node.scope)).toEqual([
      ["cloudwatch:GetDashboard", [arn]],
      ["cloudwatch:GetMetricWidgetImage", ["*"]],
    ]);
  });

  it("shows other dashboards in its report, by name, or none", () => {
    const target = orders();
    target.add(new ServiceDashboard());
    const stack = target.node.scope;
    experiment(target, { report: { bucketName: "shop-game-days", dashboards: ["shop-dev"] } }, "Shaken");
    experiment(target, { report: { bucketName: "shop-game-days", dashboards: [] } }, "Other");
    const arn = expect.stringMatching(/^arn:.*:cloudwatch::.*:dashboard\/shop-dev$/);
    const templates: [string, Template][] = Object.entries(
      resources(stack as ServiceStack, "aws_fis_experiment_template"),
    );
    const shown = templates.map(([id, template]) => [id, template.experiment_report_configuration.data_sources]);
    expect(shown).toEqual(
      expect.arrayContaining([
        [expect.stringMatching(/^Shaken_/), { cloudwatch_dashboard: [{ dashboard_arn: arn }] }],
        [expect.stringMatching(/^Other_/), undefined],
      ]),
    );
    expect(lookedAt(stack)[0]).toEqual(["cloudwatch:GetDashboard", [arn]]);
  });

  it("is allowed in production by explicit consent", () => {
    const target = orders(ordersStack(PRODUCTION));
    experiment(target, { environments: ["production"], production: "users may notice" });
    expect(templateOf(target).action[0].action_id).toBe("aws:ecs:stop-task");
  });
});

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
    const { name, timeout, permissions = [] } = gate();
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

describe("faults inside of tasks", () => {
  it("add an agent sidecar, the only container with root and a writable root file system", () => {
    const target = orders();
    experiment(target, {
      fault: Fault.cpu({ count: 1, loadPercent: 90, duration: Duration.minutes(10) }),
      agentImage: AGENT,
    });
    const [agent, app] = containersOf(target).sort((a, b) => (a.name < b.name ? -1 : 1)) as [Template, Template];
    expect(agent).toMatchObject({
      name: "fault-agent",
      image: AGENT,
      essential: false,
      user: "0",
      readonlyRootFilesystem: false,
      memory: 512,
    });
    expect(app).toMatchObject({ name: "orders", user: "1000:1000", readonlyRootFilesystem: true });
    expect(templateOf(target)).toMatchObject({
      action: [{ action_id: "aws:ecs:task-cpu-stress" }, { action_id: "aws:fis:wait" }],
      target: [{ selection_mode: "COUNT(1)" }],
    });
    expect(parametersOf(templateOf(target))).toEqual({ duration: "PT10M", percent: "90" });
    expect(taskOf(target).pid_mode).toBeUndefined();
    expect(taskOf(target).enable_fault_injection).toBeUndefined();
  });

  it("name the agent's role with the required path of the account", () => {
    const target = orders(ordersStack({ ...DEV, guardrails: { rolePath: "/services/" } }));
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT });
    const agent = containersOf(target).find(({ name }) => name === "fault-agent");
    expect(agent?.environment).toContainEqual({
      name: "MANAGED_INSTANCE_ROLE_NAME",
      value: expect.stringMatching(/^services\/\$\{aws_iam_role\..*FaultAgent.*\.name\}$/),
    });
  });

  it("allow the app to register under its own name, and the experiment to reach no other", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT });
    const stack = target.node.scope;
    const registers = statementsOf(stack, "TaskRole").find(({ Action }) => Action.includes("ssm:CreateActivation"));
    expect(registers?.Condition.StringEquals).toEqual({ "aws:RequestTag/ECS_SERVICE": "shop-dev-orders" });
    const sends = statementsOf(stack, "Shaken_Role").filter(({ Action }) => Action.includes("ssm:SendCommand"));
    expect(sends).toEqual([
      expect.objectContaining({
        Resource: [expect.stringMatching(/:managed-instance\/\*$/)],
        Condition: { StringEquals: { "aws:ResourceTag/ECS_SERVICE": "shop-dev-orders" } },
      }),
      expect.objectContaining({ Resource: [expect.stringMatching(/::document\/AWSFIS-Run-CPU-Stress$/)] }),
    ]);
  });

  it.each([
    [
      Fault.networkLatency({ percent: 100, delay: Duration.millis(300), jitter: Duration.millis(50) }),
      "aws:ecs:task-network-latency",
      { delayMilliseconds: "300", jitterMilliseconds: "50", sources: "ALL" },
    ],
    [
      Fault.networkLoss({ percent: 100, lossPercent: 20, hosts: ["api.example.com", "10.0.0.0/16"] }),
      "aws:ecs:task-network-packet-loss",
      { lossPercent: "20", sources: "api.example.com,10.0.0.0/16" },
    ],
    [
      Fault.blackhole({ percent: 100, port: 5432 }),
      "aws:ecs:task-network-blackhole-port",
      { port: "5432", protocol: "tcp", trafficType: "egress" },
    ],
    [
      Fault.blackhole({ percent: 100, host: "api.example.com" }),
      "aws:ecs:task-network-packet-loss",
      { lossPercent: "100", sources: "api.example.com" },
    ],
  ])("of the network configure the task for fault injection: %#", (fault, actionId, parameters) => {
    const target = orders();
    experiment(target, { fault, agentImage: AGENT });
    expect(templateOf(target).action[0].action_id).toBe(actionId);
    expect(parametersOf(templateOf(target))).toEqual({
      ...parameters,
      duration: "PT5M",
      useEcsFaultInjectionEndpoints: "true",
    });
    expect(taskOf(target)).toMatchObject({ pid_mode: "task", enable_fault_injection: true });
  });

  it("share one agent", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT }, "Busy");
    experiment(target, { fault: Fault.networkLatency({ count: 1 }), agentImage: AGENT }, "Late");
    experiment(target, { fault: Fault.networkLoss({ count: 1 }), agentImage: AGENT }, "Lossy");
    expect(containersOf(target)).toHaveLength(2);
    expect(taskOf(target).pid_mode).toBe("task");
  });

  it("have a valid bash script, without Terraform expressions", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT });
    const [bash, flag, script] = containersOf(target).find(({ name }) => name === "fault-agent")?.command ?? [];
    expect([bash, flag]).toEqual(["/bin/bash", "-c"]);
    expect(script).not.toMatch(/[$%]\{/);
    expect(spawnSync("bash", ["-n", "-c", script]).status).toBe(0);
  });
});

describe("faults of instances", () => {
  const stopOn = (target: AutoScalingGroup) => [alarm(target.node.scope as Platform)];

  it.each([
    [Fault.stopInstances({ count: 1 }), "aws:ec2:stop-instances", "Instances", {}, "ec2:StopInstances"],
    [
      Fault.spotInterruption({ percent: 50, after: Duration.minutes(4) }),
      "aws:ec2:send-spot-instance-interruptions",
      "SpotInstances",
      { durationBeforeInterruption: "PT4M" },
      "ec2:SendSpotInstanceInterruptions",
    ],
    [
      Fault.memory({ count: 1, loadPercent: 95 }),
      "aws:ssm:send-command",
      "Instances",
      {
        documentArn: expect.stringMatching(/::document\/AWSFIS-Run-Memory-Stress$/),
        documentParameters: expect.objectContaining({ DurationSeconds: "300", Percent: "95" }),
        duration: "PT5M",
      },
      "ssm:SendCommand",
    ],
    [
      Fault.cpu({ count: 1 }),
      "aws:ssm:send-command",
      "Instances",
      {
        documentArn: expect.stringMatching(/::document\/AWSFIS-Run-CPU-Stress$/),
        documentParameters: expect.objectContaining({ DurationSeconds: "300", LoadPercent: "80" }),
        duration: "PT5M",
      },
      "ssm:SendCommand",
    ],
  ])("affect only this group: %#", (fault, actionId, key, parameters, allowed) => {
    const target = instances({ spot: {} });
    experiment(target, { fault, stopOn: stopOn(target) });
    const template = templateOf(target);
    expect(template.action[0]).toMatchObject({ action_id: actionId, target: { key, value: "target" } });
    expect(parametersOf(template)).toEqual(parameters);
    const group = expect.stringMatching(/^\$\{aws_autoscaling_group\..*\.name\}$/);
    expect(template.target[0].resource_tag).toEqual([{ key: "aws:autoscaling:groupName", value: group }]);
    const hits = statementsOf(target.node.scope, "Shaken_Role").filter(
      ({ Action, Resource }) => Action.includes(allowed) && String(Resource).includes("instance/"),
    );
    expect(hits.map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { "aws:ResourceTag/aws:autoscaling:groupName": group } },
    ]);
  });
});

describe("the loss of a zone", () => {
  function lose(
    zone: number,
    props: Partial<PlatformProps> = {},
    more: Partial<ChaosExperimentProps> = {},
  ): ServiceStack {
    const platform = shop(DEV, props);
    new PlatformDashboard(platform, "Dashboard");
    const service = orders(platform.stack("orders"));
    const stack = platform.stack("game-days");
    new ChaosExperiment(stack, "ZoneLoss", {
      target: platform,
      fault: Fault.zoneLoss({ zone, hits: "every service of the platform" }),
      environments: ["dev"],
      stopOn: service.alarms,
      ...more,
    });
    return stack;
  }

  it("disconnects the subnets of one zone, and stops on alarms of other stacks", () => {
    const stack = lose(1);
    const template = templateOf(stack);
    expect(template.action[0].action_id).toBe("aws:network:disrupt-connectivity");
    expect(parametersOf(template)).toEqual({ duration: "PT5M", scope: "all" });
    expect(template.target[0].resource_arns).toEqual([
      expect.stringMatching(/subnet\/\$\{element\(.*publicSubnetIds.*, 1\)\}$/),
      expect.stringMatching(/subnet\/\$\{element\(.*privateSubnetIds.*, 1\)\}$/),
    ]);
    expect(template.stop_condition[0].value).toMatch(/:alarm:shop-dev-orders-errors$/);
    expect(synthesize(stack)).not.toHaveProperty("data.terraform_remote_state");
  });

  it("has a role that may act only on these subnets", () => {
    const moves = statementsOf(lose(0), "ZoneLoss_Role").find(({ Action }) =>
      Action.includes("ec2:ReplaceNetworkAclAssociation"),
    );
    expect(moves?.Resource.filter((arn: string) => arn.includes(":subnet/"))).toHaveLength(2);
  });

  it("shows the platform's dashboard in its report, by name, because it is in another stack", () => {
    const stack = lose(0, {}, { report: { bucketName: "shop-game-days" } });
    expect(templateOf(stack).experiment_report_configuration.data_sources).toEqual({
      cloudwatch_dashboard: [{ dashboard_arn: expect.stringMatching(/:dashboard\/shop-dev$/) }],
    });
    expect(synthesize(stack)).not.toHaveProperty("data.terraform_remote_state");
  });

  it("supports a network without private subnets", () => {
    const arns = templateOf(lose(0, { vpc: { egress: "public-ip" } })).target[0].resource_arns;
    expect(arns).toEqual([expect.stringContaining("publicSubnetIds")]);
  });

  it("is refused for a zone that does not exist", () => {
    expect(refusals(() => lose(2))).toEqual(["CHAOS_ZONE fault zoneLoss.zone"]);
  });
});

describe("an experiment is refused", () => {
  const stop = Fault.stopTasks({ percent: 50 });
  const refused = (props: Partial<ChaosExperimentProps>, target = orders()) =>
    refusals(() => experiment(target, props));

  it("where it is not allowed, and in production without explicit consent", () => {
    expect(refused({ environments: ["staging"] })).toEqual(["CHAOS_ENVIRONMENT environments"]);
    expect(refused({ environments: ["production"] }, orders(ordersStack(PRODUCTION)))).toEqual([
      "CHAOS_PRODUCTION production",
    ]);
    // Built like production, but serves no users.
    const staging = orders(ordersStack({ ...PRODUCTION, name: "staging" }));
    experiment(staging, { environments: ["staging"] });
  });

  it.each<[string, Partial<ChaosExperimentProps>]>([
    ["CHAOS_MEMORY_OF_TASKS fault memory", { fault: Fault.memory({ count: 1 }) }],
    ["CHAOS_SPOT_OF_TASKS fault spotInterruption", { fault: Fault.spotInterruption({ count: 1 }) }],
    ["CHAOS_FAULT_TARGET fault stopInstances", { fault: Fault.stopInstances({ count: 1 }) }],
    ["CHAOS_AGENT_IMAGE agentImage", { fault: Fault.cpu({ count: 1 }) }],
    ["CHAOS_AGENT_IMAGE agentImage", { fault: Fault.cpu({ count: 1 }), agentImage: "amazon-ssm-agent:latest" }],
    ["CHAOS_AGENT_UNUSED agentImage", { agentImage: AGENT }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ percent: 0 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ percent: 33.3 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ count: 0 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({ percent: 50, count: 1 }) }],
    ["CHAOS_RADIUS fault stopTasks", { fault: Fault.stopTasks({} as never) }],
    ["CHAOS_NOTHING_LEFT fault stopTasks.percent", { fault: Fault.stopTasks({ percent: 100 }) }],
    ["CHAOS_NO_HYPOTHESIS stopOn", { stopOn: [] }],
    ["CHAOS_NOTHING_LEFT fault stopTasks.count", { fault: Fault.stopTasks({ count: 4 }) }],
    ["CHAOS_NOBODY_HIT fault stopTasks.percent", { fault: Fault.stopTasks({ percent: 49 }) }],
    ["CHAOS_DURATION watch", { watch: Duration.seconds(30) }],
    ["CHAOS_REPORT_BUCKET report.bucketName", { report: { bucketName: "s3://game-days" } }],
    [
      "CHAOS_REPORT_DASHBOARD report.dashboards",
      { report: { bucketName: "game-days", dashboards: ["arn:aws:cloudwatch::1:dashboard/x"] } },
    ],
  ])("%s", (code, props) => {
    expect(refused({ fault: stop, ...props })).toEqual([code]);
  });

  it.each<[string, Fault]>([
    ["CHAOS_DURATION fault cpu.duration", Fault.cpu({ count: 1, duration: Duration.seconds(90) })],
    ["CHAOS_DURATION fault cpu.duration", Fault.cpu({ count: 1, duration: Duration.hours(13) })],
    ["CHAOS_PERCENT fault cpu.loadPercent", Fault.cpu({ count: 1, loadPercent: 101 })],
    ["CHAOS_PERCENT fault networkLoss.lossPercent", Fault.networkLoss({ count: 1, lossPercent: 0 })],
    [
      "CHAOS_DELAY fault networkLatency.delay",
      Fault.networkLatency({ count: 1, delay: Duration.millis(0), jitter: Duration.millis(0) }),
    ],
    ["CHAOS_DELAY fault networkLatency.delay", Fault.networkLatency({ count: 1, delay: Duration.millis(5) })],
    ["CHAOS_HOST fault networkLoss.hosts", Fault.blackhole({ count: 1, host: '${file("/etc/passwd")}' })],
    ["CHAOS_HOST fault networkLatency.hosts", Fault.networkLatency({ count: 1, hosts: [] })],
    ["CHAOS_PORT fault blackhole.port", Fault.blackhole({ count: 1, port: 70_000 })],
  ])("%s, inside of tasks", (code, fault) => {
    expect(refused({ fault, agentImage: AGENT })).toEqual([code]);
  });

  it("prints the command that finds the digest of the agent's image, like the docs", () => {
    const act = () => experiment(orders(), { fault: Fault.cpu({ count: 1 }) });
    const command = /docker buildx [^\n]*--format '[^\n]*'/;
    const page = readFileSync(join(__dirname, "../../../docs/chaos.md"), "utf8");
    const [line] = command.exec(page) ?? [];
    expect(line).toMatch(/amazon-ssm-agent:latest --format/);
    expect(act).toThrow(line);
  });

  it("on a job", () => {
    const nightly = new CloudNativeService(ordersStack(), "Nightly", {
      process: job({ schedule: cron("0 3 * * *"), command: ["node", "job.js"] }),
    });
    const stopOn = [alarm(nightly.node.scope as ServiceStack)];
    expect(refused({ stopOn }, nightly)).toEqual(["CHAOS_JOB target"]);
  });

  it("on instances without a hypothesis, with faults of others, and without Spot", () => {
    const group = instances();
    const stopOn = [alarm(group.node.scope as Platform)];
    expect(refusals(() => experiment(group, { fault: Fault.stopInstances({ count: 1 }) }, "A"))).toEqual([
      "CHAOS_NO_HYPOTHESIS stopOn",
    ]);
    expect(refusals(() => experiment(group, { stopOn }, "B"))).toEqual(["CHAOS_FAULT_TARGET fault stopTasks"]);
    expect(refusals(() => experiment(group, { stopOn, fault: Fault.spotInterruption({ count: 1 }) }, "C"))).toEqual([
      "CHAOS_NO_SPOT fault spotInterruption",
    ]);
    expect(
      refusals(() =>
        experiment(
          instances({ spot: {} }),
          { stopOn, fault: Fault.spotInterruption({ count: 1, after: Duration.minutes(1) }) },
          "D",
        ),
      ),
    ).toEqual(["CHAOS_DURATION fault spotInterruption.after"]);
  });

  it("on a platform, without explicit consent or with faults of other targets", () => {
    const platform = shop();
    const stack = platform.stack("game-days");
    const common = { target: platform, environments: ["dev"], stopOn: [alarm(stack)] };
    const zoneLoss = Fault.zoneLoss({ zone: 0, hits: "some" as never });
    expect(refusals(() => new ChaosExperiment(stack, "A", { ...common, fault: zoneLoss }))).toEqual([
      "CHAOS_ZONE_WORD fault zoneLoss.hits",
    ]);
    expect(refusals(() => new ChaosExperiment(stack, "B", { ...common, fault: stop }))).toEqual([
      "CHAOS_FAULT_TARGET fault stopTasks",
    ]);
  });

  it("in another stack than its target's", () => {
    const platform = shop();
    const target = orders(platform.stack("orders"));
    const other = platform.stack("payments");
    expect(refusals(() => new ChaosExperiment(other, "A", { target, fault: stop, environments: ["dev"] }))).toEqual([
      "CHAOS_OTHER_STACK target",
    ]);
    const elsewhere = new Platform(new App(), "bank", { environment: DEV, listener: insecureHttp() });
    const props = {
      target: elsewhere,
      fault: Fault.zoneLoss({ zone: 0, hits: "every service of the platform" }),
      environments: ["dev"],
      stopOn: [alarm(other)],
    };
    expect(refusals(() => new ChaosExperiment(other, "B", props))).toEqual(["CHAOS_OTHER_STACK target"]);
  });

  it("with exec, which uses the same agent, or without internet access to install it", () => {
    const open = orders(ordersStack(DEV, { cluster: { exec: {} } }), { exec: true });
    const inside = { fault: Fault.cpu({ count: 1 }), agentImage: AGENT };
    expect(refused(inside, open)).toEqual(["CHAOS_EXEC exec"]);
    // What is outside of tasks needs no agent.
    experiment(orders(ordersStack(DEV, { cluster: { exec: {} } }), { exec: true }), {});
    const dark = { ...DEV, registryMirror: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror" };
    expect(refused(inside, orders(ordersStack(dark, { vpc: { egress: "endpoints" } })))).toEqual([
      "INTERNET_OUT_OF_REACH agentImage",
    ]);
  });

  it("with two images of the agent", () => {
    const target = orders();
    experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage: AGENT }, "A");
    const agentImage = AGENT.replaceAll("a".repeat(64), "b".repeat(64));
    expect(refusals(() => experiment(target, { fault: Fault.cpu({ count: 1 }), agentImage }, "B"))).toEqual([
      "CHAOS_AGENT_TWICE agentImage",
    ]);
  });

  it("where its percentage of the minimum number of tasks is zero; not where the minimum is zero", () => {
    const half = { fault: Fault.stopTasks({ percent: 50 }) };
    expect(refused(half, orders(ordersStack(), { scaling: { min: 1 } }))).toEqual([
      "CHAOS_NOBODY_HIT fault stopTasks.percent",
    ]);
    const group = instances({ scaling: { min: 1, max: 2 } });
    const stopOn = [alarm(group.node.scope as Platform)];
    expect(refusals(() => experiment(group, { stopOn, fault: Fault.cpu({ percent: 50 }) }))).toEqual([
      "CHAOS_NOBODY_HIT fault cpu.percent",
    ]);
    const queue = existingQueue(ordersStack(), "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
    const mailer = new CloudNativeService(queue.node.scope!, "Mailer", { process: worker({ queue }) });
    expect(mailer.scaling?.min).toBe(0);
    experiment(mailer, { ...half, stopOn: [alarm(mailer.node.scope as ServiceStack)] });
  });

  it("at synth, if the service has no alarms", () => {
    const target = new CloudNativeService(ordersStack(), "Mailer", { process: worker(), scaling: { min: 2 } });
    experiment(target, {});
    expect(() => synthesize(target.node.scope as ServiceStack)).toThrow(/CHAOS_NO_HYPOTHESIS/);
  });

  it("at synth, if the service has too many alarms", () => {
    const target = orders();
    const stack = target.node.scope as ServiceStack;
    experiment(target, {});
    target.add({
      name: "Watched",
      bind: (host) => Array.from({ length: 5 }, () => host.addAlarm(alarm(stack), { rollsBack: true })),
    });
    expect(() => synthesize(stack)).toThrow(/CHAOS_STOP_CONDITIONS/);
    expect(refusals(() => experiment(target, { stopOn: Array.from({ length: 6 }, () => alarm(stack)) }, "B"))).toEqual([
      "CHAOS_STOP_CONDITIONS stopOn",
    ]);
  });
});
