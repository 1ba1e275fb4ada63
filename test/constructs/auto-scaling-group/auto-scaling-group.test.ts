import { describe, expect, it } from "vitest";
import { AutoScalingGroup, cron, Duration, InstanceTypes, MachineImage, UserData } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, PRODUCTION, refusals, resources, shop } from "../../support/synth";
import { inCluster, instances, type Props, policies, registerWith, withInstances } from "./instances";

describe("AutoScalingGroup", () => {
  it("joins the cluster of its platform, unless configured to run no tasks", () => {
    const platform = shop();
    expect(new AutoScalingGroup(platform, "Workers").cluster).toBe(platform.cluster);
    expect(new AutoScalingGroup(platform, "Batch", { cluster: "none" }).cluster).toBeUndefined();
    expect(new AutoScalingGroup(platform.stack("orders"), "Own").cluster).toBeUndefined();
  });

  it("does not guess whether instances that are registered with a load balancer run tasks too", () => {
    const platform = shop();
    const group = (id: string, props: Props) => new AutoScalingGroup(platform, id, props);
    expect(refusals(() => group("Ads", { registerWith: { port: 80, paths: ["/a"] } }))).toEqual([
      "INSTANCE_CLUSTER cluster",
    ]);
    group("Blog", { registerWith: { port: 80, paths: ["/b"] }, cluster: "none" });
    group("Cart", { registerWith: { port: 80, paths: ["/c"] }, cluster: platform.cluster });
  });

  it("needs a load balancer to register with", () => {
    const platform = shop(DEV, { listener: undefined });
    const props: Props = { registerWith: { port: 80, paths: ["/a"] }, cluster: "none" };
    expect(refusals(() => new AutoScalingGroup(platform, "A", props))).toEqual([
      "REGISTRATION_LOAD_BALANCER registerWith.loadBalancer",
    ]);
  });

  it("spreads instances over all zones between a minimum and a maximum, and scales on CPU by default", () => {
    const platform = instances();
    const group = only(platform, "aws_autoscaling_group");
    expect(group).toMatchObject({ min_size: 1, max_size: 4, health_check_type: "EC2" });
    expect(group).not.toHaveProperty("desired_capacity");
    expect(group.vpc_zone_identifier).toHaveLength(2);
    expect(only(platform, "aws_autoscaling_policy")).toMatchObject({
      policy_type: "TargetTrackingScaling",
      target_tracking_configuration: {
        predefined_metric_specification: { predefined_metric_type: "ASGAverageCPUUtilization" },
        target_value: 60,
      },
    });
  });

  it("runs in the VPC of its platform unless another is set", () => {
    const platform = shop();
    new AutoScalingGroup(platform, "Instances");
    expect(only(platform, "aws_autoscaling_group").vpc_zone_identifier).toEqual(
      only(instances(), "aws_autoscaling_group").vpc_zone_identifier,
    );
  });

  it("tolerates the loss of a zone in production, and is not deleted while instances run", () => {
    const group = only(instances({}, PRODUCTION), "aws_autoscaling_group");
    expect(group).toMatchObject({ min_size: 2, max_size: 4, force_delete: false });
    expect(group.vpc_zone_identifier).toHaveLength(3);
  });

  it("starts instances with IMDSv2, an encrypted disk, no key pair, no public address and Session Manager", () => {
    const platform = instances();
    const template = only(platform, "aws_launch_template");
    expect(template).toMatchObject({
      metadata_options: { http_tokens: "required", http_put_response_hop_limit: 1 },
      block_device_mappings: [{ ebs: { encrypted: "true", volume_type: "gp3", volume_size: 30 } }],
      network_interfaces: [{ associate_public_ip_address: "false" }],
    });
    expect(template).not.toHaveProperty("key_name");
    expect(only(platform, "aws_iam_role_policy_attachment").policy_arn).toMatch(/AmazonSSMManagedInstanceCore$/);
    const rules = Object.values(resources(platform, "aws_vpc_security_group_ingress_rule"));
    expect(rules.map((rule) => rule.from_port)).toEqual([80]);
  });

  it("waits for egress and permissions before it starts the first instance", () => {
    const { depends_on } = only(instances(), "aws_autoscaling_group");
    expect(depends_on).toEqual([
      expect.stringMatching(/^aws_iam_role_policy_attachment\./),
      expect.stringMatching(/^aws_route\.Vpc_Private1DefaultRoute/),
      expect.stringMatching(/^aws_route\.Vpc_Private2DefaultRoute/),
      expect.stringMatching(/^aws_vpc_security_group_egress_rule\./),
    ]);
  });

  it("tags instances and volumes with the stack's tags, which AWS's provider does not", () => {
    const platform = shop(DEV, { tags: { CostCenter: "4711" } });
    new AutoScalingGroup(platform, "Instances", { cluster: "none" });
    const all = { CostCenter: "4711", Environment: "dev", ManagedBy: "antifragile", Name: "shop-dev-instances" };
    expect(only(platform, "aws_launch_template").tag_specifications).toEqual([
      { resource_type: "instance", tags: expect.objectContaining(all) },
      { resource_type: "volume", tags: expect.objectContaining(all) },
    ]);
    expect(only(platform, "aws_autoscaling_group").tag).toContainEqual({
      key: "CostCenter",
      value: "4711",
      propagate_at_launch: true,
    });
  });

  it("rolls a change out instance by instance, never below the desired capacity, and rolls back", () => {
    expect(only(instances(), "aws_autoscaling_group")).toMatchObject({
      instance_refresh: {
        strategy: "Rolling",
        preferences: { min_healthy_percentage: 100, max_healthy_percentage: 150, auto_rollback: true },
      },
      // A name such as $Latest would start no refresh.
      launch_template: { version: expect.stringMatching(/latest_version/) },
    });
  });

  it.each<[string, Props, string | undefined]>([
    ["Amazon Linux for Graviton", {}, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"],
    [
      "Amazon Linux for Intel",
      { instanceTypes: InstanceTypes.ofType("t3.small") },
      "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    ],
    [
      "the image of ECS",
      { image: MachineImage.ecs() },
      "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
    ],
    [
      "the image of ECS for Intel",
      { image: MachineImage.ecs(), instanceTypes: InstanceTypes.ofType("t3.small") },
      "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
    ],
    ["an image of one's own", { image: MachineImage.fromParameter("/images/golden") }, "/images/golden"],
  ])("starts from %s", (_, props, parameter) => {
    const platform = instances(props);
    const { data } = synthesize(platform) as { data: { aws_ssm_parameter: Record<string, { name: string }> } };
    expect(Object.values(data.aws_ssm_parameter).map(({ name }) => name)).toEqual([parameter]);
    expect(only(platform, "aws_launch_template").image_id).toMatch(/insecure_value/);
  });

  it("keeps one AMI if configured to", () => {
    const platform = instances({ image: MachineImage.id("ami-0a1b2c3d4e5f60718") });
    expect(only(platform, "aws_launch_template").image_id).toBe("ami-0a1b2c3d4e5f60718");
    expect(() => MachineImage.id("golden")).toThrow(RangeError);
    expect(() => MachineImage.fromParameter('${file("/etc/passwd")}')).toThrow(RangeError);
  });

  it("uses the first available instance type", () => {
    const platform = instances({ instanceTypes: InstanceTypes.ofType("m7g.large", "m6g.large") });
    expect(only(platform, "aws_autoscaling_group")).toMatchObject({
      mixed_instances_policy: {
        instances_distribution: {
          on_demand_percentage_above_base_capacity: 100,
          on_demand_allocation_strategy: "prioritized",
        },
        launch_template: { override: [{ instance_type: "m7g.large" }, { instance_type: "m6g.large" }] },
      },
    });
    expect(only(platform, "aws_autoscaling_group")).not.toHaveProperty("launch_template");
  });

  it("selects types by attributes, and mixes Spot above an On-Demand base", () => {
    const platform = instances({
      instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096, architecture: "x86_64" }),
      spot: { onDemandBase: 2, percent: 80 },
    });
    const group = only(platform, "aws_autoscaling_group");
    expect(group).toMatchObject({
      capacity_rebalance: true,
      mixed_instances_policy: {
        instances_distribution: {
          on_demand_base_capacity: 2,
          on_demand_percentage_above_base_capacity: 20,
          spot_allocation_strategy: "price-capacity-optimized",
        },
        launch_template: {
          override: [
            {
              instance_requirements: {
                vcpu_count: { min: 2 },
                memory_mib: { min: 4096 },
                cpu_manufacturers: ["intel", "amd"],
              },
            },
          ],
        },
      },
    });
    expect(only(platform, "aws_launch_template")).not.toHaveProperty("instance_type");
  });

  it("scales on network, requests and a forecast, and then on CPU only if configured", () => {
    const { platform, props } = registerWith();
    withInstances(
      { ...props, scaling: { networkInMiB: 100, networkOutMiB: 200, requestsPerInstance: 500, prediction: "scale" } },
      DEV,
      platform,
    );
    const found = Object.values(resources(platform, "aws_autoscaling_policy"));
    expect(found.map((policy) => policy.name)).toEqual([
      "forecast",
      "scale-on-network-in",
      "scale-on-network-out",
      "scale-on-requests",
    ]);
    expect(found[0]).toMatchObject({
      policy_type: "PredictiveScaling",
      predictive_scaling_configuration: { mode: "ForecastAndScale" },
    });
    expect(found[1]).toMatchObject({ target_tracking_configuration: { target_value: 104_857_600 } });
    expect(only(platform, "aws_launch_template")).toMatchObject({ monitoring: { enabled: true } });
    expect(found[3]).toMatchObject({
      target_tracking_configuration: {
        predefined_metric_specification: {
          predefined_metric_type: "ALBRequestCountPerTarget",
          resource_label: expect.stringMatching(/aws_lb\..*arn_suffix\}\/\$\{aws_lb_target_group\..*arn_suffix\}$/),
        },
      },
    });
    expect(policies(instances({ scaling: { networkInMiB: 1, cpuPercent: 50 } }))).toHaveLength(2);
  });

  it("scales on custom metrics: to a target, in steps, on a schedule", () => {
    const metric = { namespace: "Shop/Jobs", metricName: "Waiting", dimensions: { Queue: "mails" } };
    const platform = instances({
      scaling: {
        cpuPercent: 60,
        metrics: [{ name: "Jobs", metric, target: 4 }],
        steps: [
          {
            name: "Backlog",
            metric: { ...metric, statistic: "Maximum" },
            out: [{ from: 100, add: 2 }],
            in: [{ upTo: 5, remove: 1 }],
          },
        ],
        schedules: [
          { name: "Morning", schedule: cron("0 7 * * MON-FRI", { timezone: "Europe/Berlin" }), instances: 3 },
        ],
      },
    });
    expect(policies(platform).sort()).toEqual([
      expect.stringContaining("ScaleOnCpu"),
      expect.stringContaining("ScaleOnJobs"),
      expect.stringContaining("StepInOnBacklog"),
      expect.stringContaining("StepOutOnBacklog"),
    ]);
    const alarms = Object.values(resources(platform, "aws_cloudwatch_metric_alarm"));
    expect(alarms).toEqual([
      expect.objectContaining({ threshold: 5, comparison_operator: "LessThanOrEqualToThreshold" }),
      expect.objectContaining({
        threshold: 100,
        comparison_operator: "GreaterThanOrEqualToThreshold",
        dimensions: { Queue: "mails" },
        alarm_actions: [expect.stringContaining("StepOutOnBacklog")],
      }),
    ]);
    // Bounds that a schedule moved would be a difference in every plan.
    expect(only(platform, "aws_autoscaling_schedule")).toMatchObject({
      desired_capacity: 3,
      min_size: -1,
      max_size: -1,
      recurrence: "0 7 * * MON-FRI",
      time_zone: "Europe/Berlin",
    });
  });

  it("has lifecycle hooks at launch, also for the first instances, and at termination", () => {
    const { platform, group } = withInstances();
    group.addLifecycleHook("Warm", { on: "launch" });
    group.addLifecycleHook("Drain", { on: "terminate", timeout: Duration.minutes(10), metadata: "bye" });
    expect(Object.values(resources(platform, "aws_autoscaling_lifecycle_hook"))).toEqual([
      expect.objectContaining({ name: "drain", default_result: "CONTINUE", heartbeat_timeout: 600 }),
      expect.objectContaining({ name: "warm", default_result: "ABANDON", heartbeat_timeout: 300 }),
    ]);
    expect(only(platform, "aws_autoscaling_group").initial_lifecycle_hook).toEqual([
      {
        name: "warm",
        lifecycle_transition: "autoscaling:EC2_INSTANCE_LAUNCHING",
        heartbeat_timeout: 300,
        default_result: "ABANDON",
      },
    ]);
  });

  it("keeps stopped instances in a warm pool", () => {
    expect(only(instances({ warmPool: { min: 1, maxPrepared: 6 } }), "aws_autoscaling_group").warm_pool).toEqual({
      min_size: 1,
      max_group_prepared_capacity: 6,
      pool_state: "Stopped",
      instance_reuse_policy: { reuse_on_scale_in: true },
    });
  });

  it("gets requests from a shared load balancer, which reports unhealthy instances", () => {
    const { platform, props } = registerWith({ healthPath: "/health", paths: ["/catalog/*"] });
    withInstances(props, DEV, platform);
    expect(only(platform, "aws_autoscaling_group")).toMatchObject({
      health_check_type: "ELB",
      target_group_arns: [expect.stringContaining("aws_lb_target_group.")],
      depends_on: expect.arrayContaining([expect.stringMatching(/^aws_lb_listener_rule\./)]),
    });
    expect(only(platform, "aws_lb_target_group")).toMatchObject({
      target_type: "instance",
      port: 8080,
      health_check: { path: "/health" },
    });
    const inward = Object.values(resources(platform, "aws_vpc_security_group_ingress_rule"));
    expect(inward).toContainEqual(
      expect.objectContaining({
        from_port: 8080,
        referenced_security_group_id: expect.stringContaining("LoadBalancer_SecurityGroup"),
      }),
    );
  });

  it("escapes hostile text", () => {
    const hostile = '${file("/etc/passwd")}';
    const { platform, group } = withInstances({
      userData: UserData.script(hostile),
      scaling: {
        metrics: [
          {
            name: "X",
            metric: { namespace: "Shop", metricName: hostile, dimensions: { [hostile]: hostile } },
            target: 1,
          },
        ],
      },
    });
    group.addLifecycleHook("Y", { on: "launch", metadata: hostile });
    const text = JSON.stringify(synthesize(platform));
    expect(text.split("$${file(").length - 1).toBe(6);
    expect(text).not.toMatch(/(?<!\$)\$\{file\(/);
  });

  it("has the granted permissions", () => {
    const { platform, group } = withInstances();
    group.grant({ actions: ["s3:GetObject"], resources: ["arn:aws:s3:::reports/*"] });
    const ours = Object.entries(resources(platform, "aws_iam_role_policy")).find(([id]) => id.startsWith("Instances_"));
    expect(ours?.[1].policy).toMatchObject({ Statement: [{ Action: ["s3:GetObject"] }] });
  });

  it("has public addresses only in a public-ip network", () => {
    const platform = shop(DEV, { vpc: { egress: "public-ip" } });
    new AutoScalingGroup(platform, "Instances", { cluster: "none" });
    expect(only(platform, "aws_launch_template")).toMatchObject({
      network_interfaces: [{ associate_public_ip_address: "true" }],
    });
    expect(JSON.stringify(only(platform, "aws_autoscaling_group").vpc_zone_identifier)).not.toContain("Private");
  });
});

describe("an AutoScalingGroup of a cluster", () => {
  it("is scaled and drained by ECS, which protects instances with tasks; destroy does not wait for them", () => {
    const { platform } = inCluster({ scaling: { min: 0, max: 6 } });
    expect(only(platform, "aws_ecs_capacity_provider")).toMatchObject({
      auto_scaling_group_provider: {
        managed_draining: "ENABLED",
        managed_termination_protection: "ENABLED",
        managed_scaling: { status: "ENABLED", target_capacity: 100, instance_warmup_period: 120 },
      },
    });
    const group = only(platform, "aws_autoscaling_group");
    expect(group).toMatchObject({ protect_from_scale_in: true, force_delete: true, min_size: 0 });
    expect(group.tag).toContainEqual({ key: "AmazonECSManaged", value: "true", propagate_at_launch: true });
    expect(group).toMatchObject({ instance_refresh: { preferences: { scale_in_protected_instances: "Refresh" } } });
    expect(only(inCluster({}, PRODUCTION).platform, "aws_autoscaling_group")).toMatchObject({ force_delete: true });
  });

  it("has no scaling policy", () => {
    expect(policies(inCluster().platform)).toEqual([]);
  });

  it("joins by its user data, blocks tasks from the instance role, then runs the user's script", () => {
    const { platform } = inCluster({
      spot: {},
      userData: UserData.script("#!/bin/bash -e\necho ${HOME} %{x}\n", { variables: { NAME: "it's" } }),
    });
    const { locals } = synthesize(platform) as { locals: Record<string, string> };
    const [script = ""] = Object.values(locals);
    expect(script.replace(/\$\{aws_ecs_cluster\.Cluster_\w+\.name\}/, "<cluster>").split("\n")).toEqual([
      "#!/bin/bash -e",
      "cat >> /etc/ecs/ecs.config <<'SETTINGS'",
      "ECS_CLUSTER=<cluster>",
      "ECS_AWSVPC_BLOCK_IMDS=true",
      "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
      "SETTINGS",
      `export NAME='it'"'"'s'`,
      "echo $${HOME} %%{x}",
      "",
    ]);
    expect(only(platform, "aws_launch_template").user_data).toMatch(/^\$\{base64encode\(local\./);
  });
});
