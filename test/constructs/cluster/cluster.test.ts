import { App, Token } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AutoScalingGroup,
  AwsStack,
  Capacity,
  CloudNativeService,
  Cluster,
  type ClusterProps,
  type Environment,
  existingCluster,
  InstanceTypes,
  Platform,
} from "../../../constructs";
import { literal } from "../../../constructs/core/literal";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, shop } from "../../support/synth";

const cluster = (props: ClusterProps = {}) => shop(DEV, { cluster: props });
const strategy = (platform: AwsStack) =>
  only(platform, "aws_ecs_cluster_capacity_providers").default_capacity_provider_strategy;

/** Keys except that of the alarm topic. */
function keys(platform: Platform) {
  return Object.entries(resources(platform, "aws_kms_key")).flatMap(([id, key]) =>
    id.startsWith("Alarms") ? [] : [key],
  );
}

describe("Cluster", () => {
  it("has Fargate and Fargate Spot, and uses Fargate by default", () => {
    expect(only(cluster(), "aws_ecs_cluster_capacity_providers")).toMatchObject({
      capacity_providers: ["FARGATE", "FARGATE_SPOT"],
      default_capacity_provider_strategy: [{ capacity_provider: "FARGATE", weight: 1, base: 0 }],
    });
  });

  it("distributes tasks over Fargate and Fargate Spot by weights above a base", () => {
    const capacity = [Capacity.fargate({ base: 2 }), Capacity.fargateSpot({ weight: 3 })];
    expect(strategy(cluster({ capacity }))).toEqual([
      { capacity_provider: "FARGATE", weight: 1, base: 2 },
      { capacity_provider: "FARGATE_SPOT", weight: 3, base: 0 },
    ]);
  });

  it("runs tasks on registered instances, by a capacity provider that is replaced with them", () => {
    const platform = cluster({ capacity: [Capacity.instances("Instances")] });
    new AutoScalingGroup(platform, "Instances");
    const provider = expect.stringMatching(
      /^\$\{aws_ecs_capacity_provider\.Cluster_InstancesCapacityProvider_\w+\.name\}$/,
    );
    expect(only(platform, "aws_ecs_cluster_capacity_providers").capacity_providers).toEqual([
      "FARGATE",
      "FARGATE_SPOT",
      provider,
    ]);
    expect(strategy(platform)).toEqual([{ capacity_provider: provider, weight: 1, base: 0 }]);
    // Named after the group, and of no name that AWS reserves.
    expect(only(platform, "aws_ecs_capacity_provider").name).toMatch(/^ec2-\$\{aws_autoscaling_group\..*name\}$/);
  });

  it("publishes the names of its instances to other stacks", () => {
    const platform = shop();
    new AutoScalingGroup(platform, "Instances");
    expect(only(platform, "aws_ssm_parameter")).toMatchObject({
      insecure_value: {
        cluster: { capacityProviderNames: { Instances: expect.stringContaining("aws_ecs_capacity_provider.") } },
      },
    });
    const contract = ordersStack().cluster.strategy([Capacity.instances("Instances", { weight: 2 })]);
    expect(contract).toEqual([{ capacityProvider: expect.stringContaining("TfToken"), weight: 2, base: 0 }]);
  });

  it("disables exec by default; enabled, sessions are encrypted and logged", () => {
    // Stated, because the provider does not turn exec off for a configuration without the block.
    expect(only(cluster(), "aws_ecs_cluster").configuration).toEqual({
      execute_command_configuration: { logging: "DEFAULT" },
    });
    const platform = cluster({ exec: {} });
    expect(only(platform, "aws_ecs_cluster")).toMatchObject({
      configuration: {
        execute_command_configuration: {
          kms_key_id: expect.stringContaining("aws_kms_key."),
          logging: "OVERRIDE",
          log_configuration: {
            cloud_watch_encryption_enabled: true,
            cloud_watch_log_group_name: expect.stringContaining("ExecLogs"),
          },
        },
      },
    });
    const group = Object.values(resources(platform, "aws_cloudwatch_log_group")).find(
      (each) => each.name === "/shop/dev/exec",
    );
    expect(group).toMatchObject({ kms_key_id: expect.stringContaining("aws_kms_key."), retention_in_days: 30 });
    expect(keys(platform)).toHaveLength(1);
    expect(keys(platform)[0]).toMatchObject({
      enable_key_rotation: true,
      deletion_window_in_days: 7,
      policy: {
        Statement: [
          { Principal: { AWS: expect.stringMatching(/:root$/) } },
          { Principal: { Service: "logs.eu-central-1.amazonaws.com" }, Condition: { ArnEquals: expect.anything() } },
        ],
      },
    });
  });

  it("publishes the exec settings to other stacks, and refuses exec where it is disabled", () => {
    const contract = (platform: AwsStack) =>
      (only(platform, "aws_ssm_parameter").insecure_value as { cluster: object }).cluster;
    expect(contract(cluster({ exec: {} }))).toMatchObject({
      sessions: { keyArn: expect.stringContaining("aws_kms_key."), logGroupArn: expect.stringContaining("ExecLogs") },
    });
    expect(contract(cluster())).not.toHaveProperty("sessions");
    const { cluster: imported } = shop(DEV, { cluster: existingCluster({ clusterName: "other" }) });
    expect(refusals(() => imported.sessions())).toEqual(["CLUSTER_EXEC_OFF exec"]);
  });

  it("accepts an existing key", () => {
    const keyArn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const platform = cluster({ exec: { keyArn } });
    expect(keys(platform)).toEqual([]);
    expect(JSON.stringify(only(platform, "aws_ecs_cluster"))).toContain(keyArn);
  });

  it("escapes hostile text of an existing one, also in the JSON that other stacks read", () => {
    const hostile = '${file("/etc/passwd")}';
    const platform = shop(DEV, {
      cluster: existingCluster({
        clusterName: hostile,
        capacityProviders: { Big: hostile },
        exec: { keyArn: hostile, logGroupArn: hostile },
      }),
    });
    const stack = platform.stack("orders");
    new CloudNativeService(stack, "Orders", { capacity: [Capacity.instances("Big")], exec: true });
    const text = JSON.stringify([platform, stack].map((each) => synthesize(each)));
    expect(text).not.toMatch(/(?<!\$)\$\{file\(/);
    const escaped = '$${file("/etc/passwd")}';
    expect(synthesize(platform)).toMatchObject({
      data: { aws_ecs_cluster: { Cluster_EB0386A7: { cluster_name: escaped } } },
    });
    expect(only(platform, "aws_ssm_parameter").insecure_value).toMatchObject({
      cluster: { capacityProviderNames: { Big: escaped }, sessions: { keyArn: escaped, logGroupArn: escaped } },
    });
  });

  it("can be an existing one, of which Terraform reads the ARN", () => {
    const sessions = { keyArn: "arn:of:key", logGroupArn: "arn:of:logs" };
    const attributes = { clusterName: "company", capacityProviders: { Big: "company-ec2" }, exec: sessions };
    const platform = shop(DEV, { cluster: existingCluster(attributes) });
    const service = new CloudNativeService(platform.stack("orders"), "Orders", {
      capacity: [Capacity.instances("Big")],
      exec: true,
    });
    expect(synthesize(platform)).toMatchObject({
      data: { aws_ecs_cluster: { Cluster_EB0386A7: { cluster_name: "company" } } },
    });
    expect(resources(platform, "aws_ecs_cluster")).toEqual({});
    expect(resources(platform, "aws_ecs_cluster_capacity_providers")).toEqual({});
    expect(only(platform, "aws_ssm_parameter").insecure_value).toMatchObject({
      cluster: {
        clusterArn: expect.stringMatching(/^\$\{data\.aws_ecs_cluster\.\w+\.arn\}$/),
        capacityProviderNames: { Big: "company-ec2" },
        sessions,
      },
    });
    expect(only(AwsStack.of(service), "aws_ecs_service")).toMatchObject({
      capacity_provider_strategy: [
        { capacity_provider: expect.stringContaining(".cluster.capacityProviderNames.Big") },
      ],
    });
  });

  it("runs a service on the instances of a group that is passed itself", () => {
    const platform = shop();
    const group = new AutoScalingGroup(platform, "Workers");
    const byGroup = new CloudNativeService(platform.stack("orders"), "Orders", {
      capacity: [Capacity.instances(group)],
    });
    const byName = new CloudNativeService(platform.stack("stock"), "Stock", {
      capacity: [Capacity.instances("Workers")],
    });
    const strategies = [byGroup, byName].map(
      (service) => only(AwsStack.of(service), "aws_ecs_service").capacity_provider_strategy,
    );
    expect(strategies[0]).toEqual(strategies[1]);
    expect(() => [byGroup, byName].map((service) => synthesize(AwsStack.of(service)))).not.toThrow();
  });
});

describe("what a Cluster compiles to", () => {
  const snapshot = (environment: Environment, props: ClusterProps) => {
    const stack = new AwsStack(new App(), "shop", { environment, lifetime: "platform" });
    new Cluster(stack, "Cluster", props);
    return `${JSON.stringify(synthesize(stack).resource, undefined, 2)}\n`;
  };

  it("with defaults", async () => {
    await expect(snapshot(DEV, {})).toMatchFileSnapshot("cluster.defaults.snap.json");
  });

  it("with everything, in production", async () => {
    const capacity = [Capacity.fargate({ base: 2 }), Capacity.fargateSpot({ weight: 3 })];
    await expect(snapshot(PRODUCTION, { capacity, exec: {} })).toMatchFileSnapshot("cluster.full.snap.json");
  });
});

describe("Cluster refuses", () => {
  it.each<[string, ClusterProps, string]>([
    ["nothing to run on", { capacity: [] }, "CAPACITY_NONE capacity"],
    ["Fargate with instances", { capacity: [Capacity.fargate(), Capacity.instances("A")] }, "CAPACITY_MIXED capacity"],
    ["a capacity twice", { capacity: [Capacity.fargate(), Capacity.fargate()] }, "CAPACITY_TWICE capacity"],
    ["no weight at all", { capacity: [Capacity.fargate({ weight: 0 })] }, "CAPACITY_WEIGHT capacity"],
    ["a weight beyond AWS's", { capacity: [Capacity.fargate({ weight: 1001 })] }, "CAPACITY_WEIGHT capacity"],
    [
      "two bases",
      { capacity: [Capacity.fargate({ base: 1 }), Capacity.fargateSpot({ base: 1 })] },
      "CAPACITY_BASE capacity",
    ],
    ["an alias for a key", { exec: { keyArn: "alias/shop" } }, "CLUSTER_EXEC_KEY exec.keyArn"],
  ])("%s", (_, props, expected) => {
    expect(refusals(() => cluster(props))).toEqual([expected]);
  });

  it("instances that were not registered", () => {
    expect(() => synthesize(cluster({ capacity: [Capacity.instances("Big")] }))).toThrow(/CLUSTER_INSTANCES_UNKNOWN/);
    expect(refusals(() => synthesize(cluster({ capacity: [Capacity.instances("Big")] })))).toEqual([
      'CLUSTER_INSTANCES_UNKNOWN capacity "Big"',
    ]);
  });

  const refusal = (platform: Platform, capacity: Capacity) => {
    const service = new CloudNativeService(platform.stack("orders"), "Orders", { capacity: [capacity] });
    try {
      synthesize(AwsStack.of(service));
    } catch (error) {
      return (error as Error).message.split("\n");
    }
    return undefined;
  };

  it("a service on instances that its platform does not have, once and at the service", () => {
    const platform = shop();
    new AutoScalingGroup(platform, "Workers");
    expect(refusal(platform, Capacity.instances("workers"))).toEqual([
      'orders-dev-service/Orders: capacity "workers" must be an Auto Scaling group in cluster shop-dev-platform/Cluster, which has Workers',
      '  Create it: new AutoScalingGroup(platform, "workers").  [CLUSTER_INSTANCES_UNKNOWN]',
    ]);
    const theirs = shop(DEV, { cluster: existingCluster({ clusterName: "company" }) });
    expect(refusal(theirs, Capacity.instances("Big"))).toEqual([
      'orders-dev-service/Orders: capacity "Big" must be an Auto Scaling group in cluster shop-dev-platform/Cluster, which has none',
      '  Name its capacity provider: existingCluster({ ..., capacityProviders: { "Big": "..." } }).  [CLUSTER_INSTANCES_UNKNOWN]',
    ]);
  });

  it("a service whose tasks are of another architecture than the instances", () => {
    const platform = shop();
    new AutoScalingGroup(platform, "Workers", { instanceTypes: InstanceTypes.ofType("t3.medium") });
    expect(refusal(platform, Capacity.instances("Workers"))).toEqual([
      'orders-dev-service/Orders: capacity "Workers" must have instances for arm64 tasks; its instance types are x86_64',
      '  Set architecture: "x86_64" on the service, or give the Auto Scaling group instance types of arm64.  [CLUSTER_ARCHITECTURE]',
    ]);
    const other = shop();
    new AutoScalingGroup(other, "Workers");
    const service = new CloudNativeService(other.stack("orders"), "Orders", {
      capacity: [Capacity.instances("Workers")],
      architecture: "x86_64",
    });
    expect(refusals(() => synthesize(AwsStack.of(service)))).toEqual(['CLUSTER_ARCHITECTURE capacity "Workers"']);
  });

  it("a service on a group of no cluster or of another one", () => {
    const app = new App();
    const [platform, other] = ["shop", "bank"].map((name) => new Platform(app, name, { environment: DEV }));
    const lone = new AutoScalingGroup(platform!, "Lone", { cluster: "none" });
    expect(refusal(platform!, Capacity.instances(lone))?.[0]).toContain('Lone is in no cluster (cluster: "none")');
    const foreign = new AutoScalingGroup(other!, "Foreign");
    const service = new CloudNativeService(platform!.stack("stock"), "Stock", {
      capacity: [Capacity.instances(foreign)],
    });
    expect(() => synthesize(AwsStack.of(service))).toThrow(
      /bank-dev-platform\/Foreign is in bank-dev-platform\/Cluster/,
    );
  });

  it("instances for a cluster that another app owns", () => {
    const platform = shop(DEV, { cluster: existingCluster({ clusterName: "company" }) });
    expect(new AutoScalingGroup(platform, "Alone").cluster).toBeUndefined();
    expect(refusals(() => new AutoScalingGroup(platform, "Instances", { cluster: platform.cluster }))).toEqual([
      "CLUSTER_NOT_OWNED cluster",
    ]);
    const stack = ordersStack();
    expect(refusals(() => new AutoScalingGroup(stack, "Instances", { cluster: stack.cluster }))).toEqual([
      "CLUSTER_NOT_OWNED cluster",
    ]);
  });
});

describe("requirements of the account", () => {
  const guardrails = {
    permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary",
    rolePath: "/shop/",
    namePrefix: "acme",
    requiredTags: ["CostCenter"],
  };
  const tags = { CostCenter: "4711" };

  it("apply to every role, name and tag", () => {
    const platform = shop({ ...DEV, guardrails }, { tags, cluster: { exec: {} } });
    new AutoScalingGroup(platform, "Instances", { cluster: "none" });
    const roles = Object.values(resources(platform, "aws_iam_role"));
    expect(roles).toHaveLength(2);
    for (const role of roles) {
      expect(role).toMatchObject({
        path: "/shop/",
        permissions_boundary: guardrails.permissionsBoundary,
        name: expect.stringMatching(/^acme-shop-dev-/),
      });
    }
    expect(only(platform, "aws_iam_instance_profile")).toMatchObject({
      path: "/shop/",
      name: "acme-shop-dev-instances",
    });
    expect(only(platform, "aws_ecs_cluster").name).toBe("acme-shop-dev");
    expect(only(platform, "aws_lb").name).toBe("acme-shop-dev");
    expect(only(platform, "aws_autoscaling_group").name_prefix).toBe("acme-shop-dev-instances-");
    for (const group of Object.values(resources(platform, "aws_security_group"))) {
      expect(group.name_prefix).toMatch(/^acme-shop-dev-/);
    }
    const { provider } = synthesize(platform) as { provider: { aws: [{ default_tags: [{ tags: object }] }] } };
    expect(provider.aws[0].default_tags[0].tags).toMatchObject(tags);
  });

  it("apply in the stacks of services too", () => {
    expect(refusals(() => shop({ ...DEV, guardrails }))).toEqual(["TAGS_REQUIRED tags"]);
    const existing = Platform.existing(new App(), "shop", { environment: { ...DEV, guardrails } });
    expect(refusals(() => existing.stack("orders"))).toEqual(["TAGS_REQUIRED tags"]);
    const stack = Platform.existing(new App(), "shop", { environment: { ...DEV, guardrails }, tags }).stack("orders");
    expect(stack.tags).toMatchObject(tags);
  });

  it("escape the text of tags for Terraform", () => {
    const owner = Token.asString({ resolve: () => "known at apply" });
    const stack = shop(DEV, { tags: { Team: `\${file("/etc/passwd")} ${owner}` } });
    expect(stack.tags.Team).toBe(`$\${file("/etc/passwd")} ${literal(owner)}`);
  });

  it("are refused if they are invalid", () => {
    const environment = {
      ...PRODUCTION,
      guardrails: { permissionsBoundary: "boundary", rolePath: "shop", namePrefix: "Acme_" },
      registryMirror: "https://mirror/",
      quotas: { vpcs: 0 },
    };
    expect(refusals(() => shop(environment))).toEqual([
      "ENVIRONMENT_BOUNDARY environment.guardrails.permissionsBoundary",
      "ENVIRONMENT_ROLE_PATH environment.guardrails.rolePath",
      "ENVIRONMENT_NAME_PREFIX environment.guardrails.namePrefix",
      "ENVIRONMENT_MIRROR environment.registryMirror",
      "ENVIRONMENT_QUOTA environment.quotas.vpcs",
    ]);
  });

  it("keep names off prefixes that AWS reserves", () => {
    const stack = new AwsStack(new App(), "internal", { environment: DEV, lifetime: "platform" });
    expect(stack.physicalName("loadBalancer", "internal", "dev")).toBe("x-internal-dev");
    expect(stack.physicalName("capacityProvider", "ecs-dev")).toBe("x-ecs-dev");
    expect(stack.physicalName("cluster", "internal", "dev")).toBe("internal-dev");
  });
});
