import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  type CloudNativeServiceProps,
  cron,
  Duration,
  every,
  existingQueue,
  Image,
  Ingress,
  job,
  type ServiceStack,
  type VpcProps,
  web,
  worker,
} from "../../../../constructs";
import { synthesize } from "../../../../constructs/testing";
import { TASK_ENDPOINTS } from "../../../../constructs/vpc/vpc-props";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources } from "../../../support/synth";

const DIGEST = Image.digest(`registry.example.com/orders@sha256:${"a".repeat(64)}`);
const QUEUE = "arn:aws:sqs:eu-central-1:123456789012:mails";

function service(id: string, props: (stack: ServiceStack) => CloudNativeServiceProps, environment = DEV) {
  const stack = ordersStack(environment);
  return { stack, service: new CloudNativeService(stack, id, props(stack)) };
}

const mailer = (props: CloudNativeServiceProps = {}, environment = DEV) =>
  service(
    "Mailer",
    (stack) => ({
      process: worker({ queue: existingQueue(stack, "Mails", QUEUE), command: ["node", "dist/worker.js"] }),
      ...props,
    }),
    environment,
  );

const report = (props: CloudNativeServiceProps = {}) =>
  service("Report", () => ({
    process: job({ schedule: cron("0 3 * * *"), command: ["node", "dist/job.js"] }),
    ...props,
  }));

type Container = Record<string, unknown> & { environment: { name: string; value: string }[] };
const container = (stack: ServiceStack) =>
  (only(stack, "aws_ecs_task_definition").container_definitions as Container[])[0];
const variables = (stack: ServiceStack) =>
  Object.fromEntries((container(stack)?.environment ?? []).map(({ name, value }) => [name, value]));

describe("a worker", () => {
  it("reads only its queue, and has no port and no health check", () => {
    const { stack } = mailer();
    expect(variables(stack)).toMatchObject({ QUEUE_URL: "https://sqs.eu-central-1.amazonaws.com/123456789012/mails" });
    expect(variables(stack)).not.toHaveProperty("PORT");
    expect(container(stack)).toMatchObject({ portMappings: [] });
    expect(container(stack)).not.toHaveProperty("healthCheck");
    const policies = Object.values(resources(stack, "aws_iam_role_policy")).map(({ policy }) => JSON.stringify(policy));
    expect(policies.filter((policy) => policy.includes("sqs:"))).toEqual([expect.stringContaining(QUEUE)]);
    expect(policies.join()).not.toContain("sqs:SendMessage");
    expect(only(stack, "aws_ecs_service")).not.toHaveProperty("service_registries");
  });

  it("scales from zero by a step when messages wait, and tracks messages per task, including those in progress", () => {
    const { stack } = mailer();
    expect(only(stack, "aws_appautoscaling_target")).toMatchObject({ min_capacity: 0, max_capacity: 4 });
    expect(only(stack, "aws_ecs_service").desired_count).toBe(0);
    const policies = Object.values(resources(stack, "aws_appautoscaling_policy"));
    expect(policies.map(({ policy_type }) => policy_type).sort()).toEqual(["StepScaling", "TargetTrackingScaling"]);
    const tracking = policies.find(({ policy_type }) => policy_type === "TargetTrackingScaling");
    expect(JSON.stringify(tracking)).toMatch(/"target_value":100/);
    expect(JSON.stringify(tracking)).toContain("ApproximateNumberOfMessagesNotVisible");
    const alarm = only(stack, "aws_cloudwatch_metric_alarm");
    expect(alarm).toMatchObject({ threshold: 1, treat_missing_data: "notBreaching" });
    expect(JSON.stringify(alarm)).toContain("IF(FILL(tasks, REPEAT) + working > 0, 0, waiting)");
  });

  it("may scale to zero in production with a queue, but not without one", () => {
    expect(only(mailer({}, PRODUCTION).stack, "aws_appautoscaling_target").min_capacity).toBe(0);
    const alone = () => service("Poller", () => ({ process: worker(), scaling: { min: 1 } }), PRODUCTION);
    expect(refusals(alone)).toEqual(["SCALING_MIN_ONE_ZONE scaling.min"]);
  });

  it("without a queue scales by CPU", () => {
    const { stack } = service("Poller", () => ({ process: worker() }));
    expect(only(stack, "aws_appautoscaling_policy").name).toBe("scale-on-cpu");
    expect(variables(stack)).not.toHaveProperty("QUEUE_URL");
  });

  it("waits in the bootstrap image and keeps its own command for the release", () => {
    const { stack } = mailer();
    expect(container(stack)).toMatchObject({
      command: ["node", "-e", expect.stringContaining("setInterval")],
      dockerLabels: { "antifragile.command": ["node", "dist/worker.js"] },
    });
    const released = mailer({ image: DIGEST }).stack;
    expect(container(released)).toMatchObject({ command: ["node", "dist/worker.js"] });
    expect(container(released)).not.toHaveProperty("dockerLabels");
  });

  it("takes no requests", () => {
    const { service: it } = mailer();
    expect(refusals(() => it.add(new Ingress()))).toEqual(["TARGET_OF_NO_WEB process"]);
  });

  it.each([
    "mails",
    'arn:aws:sqs:eu-central-1:123456789012:${file("x")}',
    "arn:aws:sns:eu-central-1:123456789012:mails",
  ])("refuses %s for a queue", (arn) => {
    expect(refusals(() => existingQueue(ordersStack(), "Mails", arn))).toEqual(["QUEUE_ARN queueArn"]);
  });

  it("is refused if its queue cannot be reached", () => {
    const inVpc = (vpc: VpcProps) => {
      const stack = ordersStack(
        { ...DEV, registryMirror: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror" },
        { vpc },
      );
      const process = worker({ queue: existingQueue(stack, "Mails", QUEUE) });
      return new CloudNativeService(stack, "Mailer", { process });
    };
    expect(refusals(() => inVpc({ egress: "endpoints" }))).toEqual(["QUEUE_OUT_OF_REACH process.queue"]);
    expect(inVpc({ egress: "endpoints", endpoints: [...TASK_ENDPOINTS, "sqs"] })).toBeDefined();
    expect(inVpc({ egress: "single-nat" })).toBeDefined();
  });

  it("has its command as text", () => {
    const command = ["node", '${file("/etc/passwd")}'];
    const hostile = (image?: Image) =>
      container(service("Poller", () => ({ process: worker({ command }), image })).stack);
    expect(hostile(DIGEST)?.command).toEqual(["node", '$${file("/etc/passwd")}']);
    expect(JSON.stringify(hostile())).not.toMatch(/[^$]\$\{file/);
  });

  it("grants others to send to its queue", () => {
    const { stack } = mailer();
    const orders = new CloudNativeService(stack, "Orders");
    existingQueue(stack, "Again", QUEUE).grants.send(orders);
    const sending = Object.entries(resources(stack, "aws_iam_role_policy")).filter(([, { policy }]) =>
      JSON.stringify(policy).includes("sqs:SendMessage"),
    );
    expect(sending.map(([id]) => id)).toEqual([expect.stringMatching(/^Orders_TaskRole_Policy/)]);
  });
});

describe("a job", () => {
  it("is a task that a schedule starts, without a service and scaling", () => {
    const { stack } = report();
    expect(resources(stack, "aws_ecs_service")).toEqual({});
    expect(resources(stack, "aws_appautoscaling_target")).toEqual({});
    expect(only(stack, "aws_scheduler_schedule")).toMatchObject({
      name: "shop-dev-report",
      schedule_expression: "cron(0 3 * * ? *)",
      schedule_expression_timezone: "UTC",
      target: {
        ecs_parameters: {
          capacity_provider_strategy: [{ base: 0, capacity_provider: "FARGATE", weight: 1 }],
          network_configuration: { assign_public_ip: false },
          task_count: 1,
        },
      },
      lifecycle: { ignore_changes: ["target[0].ecs_parameters[0].task_definition_arn"] },
      depends_on: [
        expect.stringContaining("ExecutionRole_Policy"),
        expect.stringContaining("ScheduleRole_Policy"),
        expect.stringContaining("ToInternet443"),
      ],
    });
  });

  it("is moved by Terraform when Terraform owns releases", () => {
    expect(only(report({ image: DIGEST }).stack, "aws_scheduler_schedule")).not.toHaveProperty("lifecycle");
  });

  it("may be started by its schedule, which may pass only its roles, on its cluster only", () => {
    const { stack } = report();
    const policy = Object.entries(resources(stack, "aws_iam_role_policy")).find(([id]) => id.includes("ScheduleRole"));
    expect(policy?.[1].policy).toMatchObject({
      Statement: expect.arrayContaining([
        expect.objectContaining({
          Action: ["ecs:RunTask"],
          Condition: { ArnEquals: { "ecs:cluster": expect.anything() } },
        }),
        expect.objectContaining({
          Action: ["iam:PassRole"],
          Resource: [expect.stringContaining("aws_iam_role."), expect.stringContaining("aws_iam_role.")],
          Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
        }),
      ]),
    });
  });

  it("reports in the bootstrap image that there is no release yet", () => {
    expect(container(report().stack)).toMatchObject({
      command: ["node", "-e", expect.stringContaining("no release yet")],
      dockerLabels: { "antifragile.command": ["node", "dist/job.js"] },
    });
  });

  it.each<[string, CloudNativeServiceProps]>([
    ["scaling", { scaling: { min: 1 } }],
    ["connect", { connect: true }],
    ["deployment", { deployment: { kind: "rolling", errorPercent: 1, minimumRequests: 1 } }],
  ])("has no %s", (prop, props) => {
    expect(refusals(() => report(props))).toEqual([`JOB_PROPS ${prop}`]);
  });

  it("takes no requests", () => {
    expect(refusals(() => report().service.add(new Ingress()))).toEqual(["TARGET_OF_NO_WEB process"]);
  });
});

describe("a web process", () => {
  const health = (options: Parameters<typeof web>[0], image?: Image) =>
    container(service("Orders", () => ({ process: web(options), image })).stack)?.healthCheck;

  it("has a health check in its container by node, by another command, or none", () => {
    expect(health({}, DIGEST)).toMatchObject({ command: ["CMD", "node", "-e", expect.stringContaining("/livez")] });
    expect(health({ liveCommand: ["wget", "-q", "${x}"] }, DIGEST)).toMatchObject({
      command: ["CMD", "wget", "-q", "$${x}"],
    });
    expect(health({ liveCommand: "none" }, DIGEST)).toBeUndefined();
    expect(health({ liveCommand: "none" })).toBeUndefined();
    expect(refusals(() => health({ liveCommand: ["wget"] }))).toEqual(["SERVICE_LIVE_COMMAND process.liveCommand"]);
    expect(refusals(() => health({ liveCommand: [] }, DIGEST))).toEqual(["SERVICE_COMMAND process.liveCommand"]);
  });
});

describe("processes of one image", () => {
  it("share one repository, each with its own role, log stream and identity", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Web", { process: web() });
    new CloudNativeService(stack, "Worker", { process: worker() });
    new CloudNativeService(stack, "Job", { process: job({ schedule: every(Duration.hours(1)) }) });
    const images = Object.values(resources(stack, "aws_ecs_task_definition")).map(
      ({ container_definitions }) => (container_definitions as Container[])[0]?.image,
    );
    expect(new Set(images).size).toBe(1);
    expect(Object.keys(resources(stack, "aws_cloudwatch_log_group"))).toHaveLength(3);
    expect(Object.keys(resources(stack.data, "aws_security_group"))).toHaveLength(3);
    expect(Object.keys(resources(stack.data, "aws_service_discovery_service"))).toHaveLength(1);
    expect(() => synthesize(stack)).not.toThrow();
  });
});
