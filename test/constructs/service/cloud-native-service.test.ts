import { DataAwsSecretsmanagerSecret } from "@cdktf/provider-aws/lib/data-aws-secretsmanager-secret";
import { DataAwsSsmParameter } from "@cdktf/provider-aws/lib/data-aws-ssm-parameter";
import { describe, expect, it } from "vitest";
import {
  App,
  Capacity,
  CloudNativeService,
  type CloudNativeServiceProps,
  Duration,
  Image,
  LogStream,
  Platform,
  type ServiceStack,
  web,
  worker,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { encoded } from "../../support/encoded";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop, warnings } from "../../support/synth";
import { containers, DIGEST, environmentOf, orders } from "./orders";

describe("a stack with several processes", () => {
  const warned = (...all: CloudNativeServiceProps[]) => {
    const stack = ordersStack();
    return all.map((props, index) => warnings(new CloudNativeService(stack, `Service${index}`, props)));
  };
  const [migrate, serve] = [
    ["node", "worker.js"],
    ["node", "main.js"],
  ];

  it("warns of services that are the same program, because neither image nor command was chosen", () => {
    const same =
      'image is that of orders-dev-service/Service0 (repository "orders"), with the same command: a release runs one program in both\n' +
      '  Set image: Image.repository({ name: "service1" }), or a command of its own: web({ command }).  [IMAGE_SHARED]';
    expect(warned({}, {})).toEqual([[], [same]]);
    expect(warned({}, {}, {}).flat()).toHaveLength(2);
    expect(warned({}, { process: worker() }).flat()).toEqual([expect.stringContaining("worker({ command })")]);
    expect(warned({}, { image: Image.repository({ name: "orders" }) }).flat()).toHaveLength(1);
  });

  it("does not where one image holds several processes, or where each has its own", () => {
    expect(warned({}, { process: worker({ command: migrate }) }).flat()).toEqual([]);
    expect(warned({ process: web({ command: serve }) }, { process: worker({ command: migrate }) }).flat()).toEqual([]);
    expect(warned({}, { image: Image.repository({ name: "payments" }) }).flat()).toEqual([]);
    expect(warned({ image: Image.digest(DIGEST) }, { image: Image.digest(DIGEST) }).flat()).toEqual([]);
    const named = { image: Image.repository({ name: "shop" }) };
    expect(warned(named, named).flat()).toEqual([]);
  });
});

describe("CloudNativeService", () => {
  it("runs on Fargate without a public address, and rolls back failed deployments", () => {
    expect(only(orders().stack, "aws_ecs_service")).toMatchObject({
      name: "orders",
      capacity_provider_strategy: [{ capacity_provider: "FARGATE", weight: 1 }],
      deployment_circuit_breaker: { enable: true, rollback: true },
      enable_execute_command: false,
      network_configuration: { assign_public_ip: false },
      wait_for_steady_state: true,
    });
  });

  it("enables exec if it and the platform do: logged, encrypted, with the permissions of AWS's agent", () => {
    const stack = ordersStack(DEV, { cluster: { exec: {} } });
    new CloudNativeService(stack, "Orders", { exec: true });
    expect(only(stack, "aws_ecs_service")).toMatchObject({ enable_execute_command: true });
    expect(containers(stack)[0]).toMatchObject({
      readonlyRootFilesystem: false,
      linuxParameters: { initProcessEnabled: true },
    });
    const [policy] = Object.entries(resources(stack, "aws_iam_role_policy")).flatMap(([id, { policy }]) =>
      id.includes("TaskRole") ? [policy as { Statement: { Action: string[]; Resource: string[] }[] }] : [],
    );
    const on = (action: string) => policy?.Statement.find(({ Action }) => Action.includes(action))?.Resource;
    for (const channel of ["CreateControl", "CreateData", "OpenControl", "OpenData"]) {
      expect(on(`ssmmessages:${channel}Channel`)).toEqual(["*"]);
    }
    expect(on("kms:Decrypt")).toEqual([expect.stringContaining("sessions.keyArn")]);
    expect(on("logs:PutLogEvents")).toEqual([expect.stringContaining("sessions.logGroupArn")]);
    // A platform of another repo is asked when the plan is made.
    const joined = Platform.existing(new App(), "shop", { environment: DEV }).stack("orders");
    new CloudNativeService(joined, "Orders", { exec: true });
    const { data } = synthesize(joined) as { data: { aws_ssm_parameter: Record<string, { lifecycle?: object }> } };
    expect(JSON.stringify(data.aws_ssm_parameter)).toContain(
      "can(jsondecode(self.insecure_value).cluster.sessions.keyArn)",
    );
  });

  it("disables exec where the platform does", () => {
    expect(refusals(() => new CloudNativeService(ordersStack(), "Orders", { exec: true }))).toEqual([
      "CLUSTER_EXEC_OFF exec",
    ]);
  });

  it("opens connections to IPv6 addresses if the network has them, new or existing", () => {
    const out = (stack: ServiceStack) => {
      new CloudNativeService(stack, "Orders");
      return Object.values(resources(stack, "aws_vpc_security_group_egress_rule")).map(
        (rule) => rule.cidr_ipv6 ?? rule.cidr_ipv4,
      );
    };
    expect(out(ordersStack())).toEqual(["0.0.0.0/0"]);
    expect(out(ordersStack(DEV, { vpc: { ipv6: true } })).sort()).toEqual(["0.0.0.0/0", "::/0"]);
    const joined = Platform.existing(new App(), "shop", { environment: DEV, ipv6: true });
    expect(out(joined.stack("orders")).sort()).toEqual(["0.0.0.0/0", "::/0"]);
  });

  it("runs its container without root, writable disk except /tmp and capabilities, with a log driver", () => {
    const [container] = containers(orders().stack);
    expect(container).toMatchObject({
      readonlyRootFilesystem: true,
      user: "1000:1000",
      linuxParameters: {
        capabilities: { add: [], drop: ["ALL"] },
        initProcessEnabled: true,
        tmpfs: [{ containerPath: "/tmp" }],
      },
      logConfiguration: { options: { mode: "non-blocking", "max-buffer-size": "25m" } },
    });
  });

  it("blocks instead of losing lines if its stream has delivery audit", () => {
    const stack = ordersStack();
    new CloudNativeService(stack, "Orders", { logs: new LogStream(stack, "Audit", { delivery: "audit" }) });
    const options = (containers(stack)[0] as never as { logConfiguration: { options: object } }).logConfiguration
      .options;
    expect(options).toMatchObject({ mode: "blocking" });
    expect(options).not.toHaveProperty("max-buffer-size");
  });

  it("starts with a bootstrap image by digest that is healthy, until a release replaces image and command", () => {
    const [container] = containers(orders().stack);
    expect(container?.image).toMatch(/^public\.ecr\.aws\/docker\/library\/node@sha256:[0-9a-f]{64}$/);
    expect(container?.command).toEqual(["node", "-e", expect.stringContaining("createServer")]);
    expect(environmentOf(container).BOOTSTRAP_HEALTHY).toBe("/livez,/readyz");
    expect(only(orders().stack, "aws_ecs_service").lifecycle).toEqual({
      ignore_changes: ["desired_count", "task_definition"],
    });
  });

  it("runs an image by digest, released by Terraform", () => {
    const { stack } = orders({ image: Image.digest(DIGEST) });
    const [container] = containers(stack);
    expect(container?.image).toBe(DIGEST);
    expect(container).not.toHaveProperty("command");
    expect(only(stack, "aws_ecs_service").lifecycle).toEqual({
      ignore_changes: ["desired_count"],
      postcondition: [
        {
          condition: "${(self.task_definition == aws_ecs_task_definition.Orders_Task_F9540E20.arn)}",
          error_message: expect.stringContaining("antifragile stop-reasons --region eu-central-1"),
        },
      ],
    });
  });

  it.each(["nginx:latest", "nginx", `nginx@sha256:${"A".repeat(64)}`, `\${x}@sha256:${"a".repeat(64)}`])(
    "refuses the image %s, which says nothing of what runs",
    (uri) => {
      expect(() => Image.digest(uri)).toThrow(/Use registry\/name@sha256/);
    },
  );

  it("keeps older task definitions, so that a rollback can start them", () => {
    expect(only(orders().stack, "aws_ecs_task_definition").skip_destroy).toBe(true);
  });

  it("scales between min and max, two tasks at least in production", () => {
    const range = ({ stack }: ReturnType<typeof orders>) => {
      const { min_capacity, max_capacity } = only(stack, "aws_appautoscaling_target");
      return [min_capacity, max_capacity];
    };
    expect(range(orders())).toEqual([1, 4]);
    expect(range(orders({}, PRODUCTION))).toEqual([2, 4]);
    expect(range(orders({ scaling: { min: 0, max: 3 } }))).toEqual([0, 3]);
  });

  it("tracks CPU, and memory if configured; policies follow a replaced service", () => {
    const { stack } = orders({ scaling: { cpuPercent: 40, memoryPercent: 70 } });
    const policies = Object.values(resources(stack, "aws_appautoscaling_policy")).map(
      (policy) => (policy.target_tracking_scaling_policy_configuration as { target_value: number }).target_value,
    );
    expect(policies.sort()).toEqual([40, 70]);
    expect(only(stack, "aws_appautoscaling_target").lifecycle).toEqual({
      replace_triggered_by: ["aws_ecs_service.Orders_A9B65338.id"],
    });
  });

  it("starts after its permissions and egress exist, and stops before they are deleted", () => {
    const { stack, service } = orders();
    service.grant({ actions: ["sqs:SendMessage"], resources: ["arn:q"] });
    expect(only(stack, "aws_ecs_service").depends_on).toEqual([
      "aws_iam_role_policy.Orders_ExecutionRole_Policy_57FC3D75",
      "aws_iam_role_policy.Orders_TaskRole_Policy_373435BA",
      "aws_vpc_security_group_egress_rule.Orders_Connections_ToInternet443_76B3AFE3",
    ]);
  });

  it("has its identity in the data stack, so that others need not wait for the service", () => {
    const { stack } = orders();
    expect(Object.keys(resources(stack, "aws_security_group"))).toHaveLength(0);
    expect(only(stack.data, "aws_ssm_parameter")).toMatchObject({
      name: "/antifragile/dev/shop/services/orders",
      insecure_value: {
        dnsName: expect.stringMatching(/^orders\./),
        port: 8080,
        registryArn: expect.stringContaining("aws_service_discovery_service."),
        securityGroupId: expect.stringContaining("aws_security_group."),
        url: expect.stringMatching(/^http:\/\/orders\..*:8080$/),
      },
    });
    expect(only(stack, "aws_ecs_service").service_registries).toEqual({
      registry_arn: expect.stringContaining("registryArn"),
    });
  });

  it("runs on Graviton or x86, on Fargate, Fargate Spot or instances of the platform", () => {
    const architecture = (props: CloudNativeServiceProps) =>
      only(orders(props).stack, "aws_ecs_task_definition").runtime_platform;
    expect(architecture({})).toMatchObject({ cpu_architecture: "ARM64" });
    expect(architecture({ architecture: "x86_64" })).toMatchObject({ cpu_architecture: "X86_64" });

    const spot = orders({ capacity: [Capacity.fargate({ base: 2 }), Capacity.fargateSpot({ weight: 3 })] }).stack;
    expect(only(spot, "aws_ecs_service")).toMatchObject({
      capacity_provider_strategy: [
        { base: 2, capacity_provider: "FARGATE", weight: 1 },
        { base: 0, capacity_provider: "FARGATE_SPOT", weight: 3 },
      ],
      force_new_deployment: true,
    });
    const instances = Platform.existing(new App(), "shop", { environment: DEV }).stack("orders");
    new CloudNativeService(instances, "Orders", { capacity: [Capacity.instances("Instances")] });
    expect(only(instances, "aws_ecs_service")).not.toHaveProperty("platform_version");
  });

  it("has tasks on instances that Fargate could run too, for a live release whose service moves, unless they are overridden", () => {
    const launchTypes = (act: (service: CloudNativeService) => void = () => undefined) => {
      const stack = Platform.existing(new App(), "shop", { environment: DEV }).stack("orders");
      act(new CloudNativeService(stack, "Orders", { capacity: [Capacity.instances("Instances")] }));
      return only(stack, "aws_ecs_task_definition").requires_compatibilities;
    };
    expect(launchTypes()).toEqual(["EC2", "FARGATE"]);
    const gpu = { resourceRequirements: [{ type: "GPU", value: "1" }] };
    expect(launchTypes((service) => service.overrideContainer("orders", gpu))).toEqual(["EC2"]);
    expect(only(orders().stack, "aws_ecs_task_definition").requires_compatibilities).toEqual(["FARGATE"]);
  });

  it("accepts secrets by reference, and may read only those", () => {
    const secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:stripe-a1b2c3";
    const parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/orders/licence";
    const { stack } = orders({ secrets: { API_KEY: `${secret}:key::`, LICENCE: parameter } });
    expect(containers(stack)[0]?.secrets).toEqual([
      { name: "API_KEY", valueFrom: `${secret}:key::` },
      { name: "LICENCE", valueFrom: parameter },
    ]);
    const policy = only(stack, "aws_iam_role_policy").policy as {
      Statement: { Action: string[]; Resource: string[] }[];
    };
    expect(policy.Statement).toEqual(
      expect.arrayContaining([
        { Effect: "Allow", Action: ["secretsmanager:GetSecretValue"], Resource: [secret] },
        { Effect: "Allow", Action: ["ssm:GetParameters"], Resource: [parameter] },
      ]),
    );
  });

  it("reads secrets that a customer-managed key encrypts, and decrypts nothing else", () => {
    const [one, other] = ["stripe-a1b2c3", "mail-d4e5f6"].map(
      (name) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`,
    );
    const parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/orders/licence";
    const { service, stack } = orders({
      secrets: { API_KEY: `${one}:key::`, API_TOKEN: `${one}:token::`, LICENCE: parameter },
    });
    service.add({
      name: "Proxy",
      bind: (host) =>
        host.addSidecar({ name: "proxy", image: DIGEST, cpu: 64, memoryMiB: 64, secrets: { MAIL_KEY: other! } }),
    });
    const { Statement } = only(stack, "aws_iam_role_policy").policy as { Statement: { Action: string[] }[] };
    expect(Statement.filter(({ Action }) => Action.includes("kms:Decrypt"))).toMatchObject([
      {
        Resource: [expect.stringMatching(/^arn:[^:]*:kms:eu-central-1:\*:key\/\*$/)],
        Condition: {
          StringEquals: {
            "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com",
            "kms:EncryptionContext:SecretARN": [one, other],
          },
        },
      },
      {
        Condition: {
          StringEquals: {
            "kms:ViaService": "ssm.eu-central-1.amazonaws.com",
            "kms:EncryptionContext:PARAMETER_ARN": [parameter],
          },
        },
      },
    ]);
  });

  it("reads a secret whose ARN is known only at apply, whichever store has it, without the key in it", () => {
    const stack = ordersStack();
    const { arn } = new DataAwsSecretsmanagerSecret(stack, "Stripe", { name: "stripe" });
    new CloudNativeService(stack, "Orders", { secrets: { API_KEY: `${arn}:key::` } });
    const { Statement } = only(stack, "aws_iam_role_policy").policy as { Statement: { Action: string[] }[] };
    const locals = Object.entries(synthesize(stack).locals as Record<string, string>);
    const [name, value] = locals.find(([each]) => each.includes("SecretArn")) ?? [];
    expect(value).toBe(
      '${join(":", slice(split(":", join("", [data.aws_secretsmanager_secret.Stripe.arn, ":key::"])), 0, min(7, length(split(":", join("", [data.aws_secretsmanager_secret.Stripe.arn, ":key::"]))))))}',
    );
    const withoutKey = encoded(`local.${name}`);
    expect(Statement).toEqual(
      expect.arrayContaining([
        { Effect: "Allow", Action: ["secretsmanager:GetSecretValue"], Resource: [withoutKey] },
        { Effect: "Allow", Action: ["ssm:GetParameters"], Resource: [withoutKey] },
      ]),
    );
  });

  it("passes variables as text", () => {
    const { stack } = orders({ environment: { GREETING: '${file("/etc/passwd")} "%{ if }"' } });
    expect(environmentOf(containers(stack)[0]).GREETING).toBe('$${file("/etc/passwd")} "%%{ if }"');
  });

  it("encodes values that are known only at apply where they are written into JSON", () => {
    const stack = ordersStack();
    const { insecureValue: value } = new DataAwsSsmParameter(stack, "Motd", { name: "motd" });
    const { arn } = new DataAwsSecretsmanagerSecret(stack, "Stripe", { name: "stripe" });
    const service = new CloudNativeService(stack, "Orders", {
      environment: { MOTD: `says $${value}` },
      secrets: { API_KEY: `${arn}:key::` },
      image: Image.digest(DIGEST),
      process: web({ command: ["node", value] }),
    });
    service.overrideContainer("orders", { dockerLabels: { motd: value, literally: "${x}" } });
    const motd = encoded("data.aws_ssm_parameter.Motd.insecure_value");
    const [container] = containers(stack);
    expect(environmentOf(container).MOTD).toBe(`says $${motd}`);
    expect(container).toMatchObject({
      command: ["node", motd],
      secrets: [{ name: "API_KEY", valueFrom: `${encoded("data.aws_secretsmanager_secret.Stripe.arn")}:key::` }],
      dockerLabels: { motd, literally: "$${x}" },
    });
  });

  it("accepts the ARN of a secret, and the URL of a queue that it only writes to, as plain variables", () => {
    const given = {
      PG_CREDENTIALS_ARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db",
      QUEUE_URL: "https://q",
    };
    const { stack } = orders({ environment: given });
    expect(environmentOf(containers(stack)[0])).toMatchObject(given);
  });

  it("changes one line of the snapshot when one variable changes", () => {
    const lines = (value: string) =>
      JSON.stringify(synthesize(orders({ environment: { A: value } }).stack), undefined, 1).split("\n");
    const [one, two] = [lines("1"), lines("2")];
    expect(one.filter((line, index) => line !== two[index])).toHaveLength(1);
  });

  it.each<[string, CloudNativeServiceProps, string[]]>([
    ["min above max", { scaling: { min: 9, max: 4 } }, ["SCALING_MIN_GT_MAX scaling.min"]],
    ["half a task", { scaling: { min: 0.5 } }, ["SCALING_MIN scaling"]],
    ["a CPU target that never scales", { scaling: { cpuPercent: 100 } }, ["SCALING_PERCENT scaling.cpuPercent"]],
    ["a memory target of zero", { scaling: { memoryPercent: 0 } }, ["SCALING_PERCENT scaling.memoryPercent"]],
    ["a port of root's", { process: web({ port: 80 }) }, ["SERVICE_PORT process.port"]],
    ["a task larger than Fargate", { size: { cpu: 32768, memoryMiB: 512 } }, ["SERVICE_SIZE size"]],
    ["no time to end", { stopTimeout: Duration.seconds(5) }, ["STOP_TIMEOUT_BUDGET stopTimeout"]],
    ["more time than Fargate gives", { stopTimeout: Duration.minutes(3) }, ["STOP_TIMEOUT_BUDGET stopTimeout"]],
    ["root", { user: "0" }, ["SERVICE_USER_ROOT user"]],
    ["a user beyond the last one", { user: "1000:2147483648" }, ["SERVICE_USER_ROOT user"]],
    ["root by name", { user: "root" }, ["SERVICE_USER_ROOT user"]],
    ["an unknown processor", { architecture: "sparc" as never }, ["SERVICE_ARCHITECTURE architecture"]],
    ["no capacity", { capacity: [] }, ["CAPACITY_NONE capacity"]],
    ["a name for others that is none", { name: "Orders" }, ["SERVICE_NAME name"]],
    ["a new id without the old name", { renamedFrom: "Sales" }, ["RENAMED_WITHOUT_NAME renamedFrom"]],
    ["an empty command", { process: web({ command: [] }) }, ["SERVICE_COMMAND process.command"]],
    ["a path that is program text", { process: web({ livePath: "/'+x" }) }, ["SERVICE_PATH process.livePath"]],
    [
      "a path that Terraform would evaluate",
      { process: web({ readyPath: "/${x}" }) },
      ["SERVICE_PATH process.readyPath"],
    ],
    [
      "a secret among the variables",
      { environment: { DB_PASSWORD: "x" } },
      ["ENVIRONMENT_SECRET environment.DB_PASSWORD"],
    ],
    [
      "a secret in a variable with another name",
      { environment: { UPSTREAM: "https://me:word@example.com" } },
      ["ENVIRONMENT_SECRET_VALUE environment.UPSTREAM"],
    ],
    [
      "a secret's key without the colons after it",
      { secrets: { A: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:stripe-a1b2c3:key" } },
      ["SECRET_ARN secrets.A"],
    ],
    ["a secret's value for its ARN", { secrets: { API_KEY: "hunter2" } }, ["SECRET_ARN secrets.API_KEY"]],
    [
      "a secret's ARN that Terraform would evaluate",
      { secrets: { A: 'arn:aws:ssm:eu-central-1:123456789012:parameter/${file("x")}' } },
      ["SECRET_ARN secrets.A"],
    ],
    [
      "a secret without a name",
      { secrets: { "a b": "arn:aws:ssm:eu-central-1:123456789012:parameter/a" } },
      ["ENVIRONMENT_VARIABLE secrets.a b"],
    ],
    ["an unknown release owner", { releaseOwner: "me" as never }, ["RELEASE_OWNER releaseOwner"]],
    ["a variable of the service's own", { environment: { PORT: "1" } }, ["ENVIRONMENT_VARIABLE environment.PORT"]],
    ["a variable without a name", { environment: { "a b": "1" } }, ["ENVIRONMENT_VARIABLE environment.a b"]],
    [
      "several things, all at once",
      { user: "0", scaling: { min: 9, max: 4 } },
      ["SCALING_MIN_GT_MAX scaling.min", "SERVICE_USER_ROOT user"],
    ],
  ])("refuses %s", (_, props, expected) => {
    expect(refusals(() => orders(props))).toEqual(expected);
  });

  it("refuses the name of another service of the platform, and reports which one has it", () => {
    const platform = shop();
    new CloudNativeService(platform.stack("orders"), "Orders");
    const again = platform.stack("sales");
    expect(refusals(() => new CloudNativeService(again, "Orders"))).toEqual(["SERVICE_NAME_TAKEN name"]);
    expect(() => new CloudNativeService(again, "Sales", { name: "orders" })).toThrow(/orders-dev-service\/Orders/);
  });

  it("refuses more variables than a task definition can contain", () => {
    const large = { A: "x".repeat(40_000), B: "x".repeat(25_000) };
    expect(() => synthesize(orders({ environment: large }).stack)).toThrow(/TASK_DEFINITION_SIZE/);
  });

  it("refuses one task in production, which cannot tolerate the loss of a zone", () => {
    expect(refusals(() => orders({ scaling: { min: 1 } }, PRODUCTION))).toEqual(["SCALING_MIN_ONE_ZONE scaling.min"]);
  });

  it("refuses an id without a valid name, and a stack that is not a service stack", () => {
    const stack = ordersStack();
    expect(refusals(() => new CloudNativeService(stack, "1"))).toEqual(["SERVICE_NAME id"]);
    expect(refusals(() => new CloudNativeService(stack.data, "Orders"))).toEqual(["NO_SERVICE_STACK scope"]);
  });
});
