import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

interface Case {
  /** What has to be there first; what it returns is handed on. */
  readonly given?: () => Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: each case knows what it was given
  readonly refused: (given: any) => Promise<unknown>;
  /** The good twin of the refused call. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly accepted: (given: any) => Promise<unknown>;
}

interface Row {
  readonly id: string;
  readonly service: string;
  readonly operations: readonly string[];
  readonly code: string;
  readonly source: string;
}

let emulator: Emulator;
let aws: AwsCaller;

const ecs = (operation: string, params: object = {}) => aws.call("ecs", operation, { ...params });
const ec2 = (operation: string, params: object = {}) => aws.call("ec2", operation, { ...params });
const elb = (operation: string, params: object = {}) => aws.call("elasticloadbalancing", operation, { ...params });
const scaling = (operation: string, params: object) => aws.call("application-autoscaling", operation, { ...params });
const discovery = (operation: string, params: object) => aws.call("servicediscovery", operation, { ...params });

// What the cases build on.

const APP = { name: "app", image: "node", portMappings: [{ name: "http", containerPort: 8080 }] };
const TASK = {
  family: "web",
  requiresCompatibilities: ["FARGATE"],
  networkMode: "awsvpc",
  cpu: "256",
  memory: "512",
  containerDefinitions: [APP],
};
const register = (change: object = {}) => ecs("RegisterTaskDefinition", { ...TASK, ...change });
const container = (change: object) => register({ containerDefinitions: [{ ...APP, ...change }] });

async function network() {
  const vpc = field(await ec2("CreateVpc", { CidrBlock: "10.0.0.0/16" }), "vpcId") as string;
  const subnet = async (zone: string, net: number) =>
    field(
      await ec2("CreateSubnet", { VpcId: vpc, CidrBlock: `10.0.${net}.0/24`, AvailabilityZone: `eu-central-1${zone}` }),
      "subnetId",
    ) as string;
  return { vpc, subnets: [await subnet("a", 0), await subnet("b", 1)] as const, subnet };
}

const group = async (vpc: string, name = "app") =>
  field(
    await ec2("CreateSecurityGroup", { GroupName: name, GroupDescription: "app", VpcId: vpc }),
    "groupId",
  ) as string;

const targetGroup = async (vpc: string, name = "web", change: object = {}) => {
  const params = { Name: name, Protocol: "HTTP", Port: 8080, VpcId: vpc, TargetType: "ip", ...change };
  return field(await elb("CreateTargetGroup", params), "TargetGroupArn") as string;
};

const balancer = async (subnets: readonly string[], name = "public", securityGroups: readonly string[] = []) =>
  field(
    await elb("CreateLoadBalancer", { Name: name, Subnets: subnets, SecurityGroups: securityGroups }),
    "LoadBalancerArn",
  ) as string;

const FIXED = [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }];
const forward = (arn: string) => [{ Type: "forward", TargetGroupArn: arn }];
const path = (...values: string[]) => [{ Field: "path-pattern", PathPatternConfig: { Values: values } }];

const listener = async (arn: string, actions: object[] = FIXED, port = 80) =>
  field(
    await elb("CreateListener", { LoadBalancerArn: arn, Protocol: "HTTP", Port: port, DefaultActions: actions }),
    "ListenerArn",
  ) as string;

async function balanced() {
  const { vpc, subnets, subnet } = await network();
  const arn = await balancer(subnets);
  return { vpc, subnets, subnet, balancer: arn, listener: await listener(arn) };
}

/** A cluster with Fargate and a registered task, and the parameters of a service that ECS accepts. */
async function cluster() {
  const { vpc, subnets } = await network();
  await ecs("CreateCluster", { clusterName: "main", capacityProviders: ["FARGATE", "FARGATE_SPOT"] });
  await register();
  const service = {
    cluster: "main",
    serviceName: "web",
    taskDefinition: "web",
    desiredCount: 1,
    launchType: "FARGATE",
    networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups: [] } },
  };
  return { vpc, subnets, service };
}

/** The same with a target group behind a balancer. */
async function clusterWithBalancer() {
  const { vpc, subnets, service } = await cluster();
  const arn = await targetGroup(vpc);
  const front = await balancer(subnets);
  await listener(front, forward(arn));
  const loadBalancers = [{ targetGroupArn: arn, containerName: "app", containerPort: 8080 }];
  return { vpc, subnets, targetGroup: arn, balanced: { ...service, loadBalancers }, plain: service };
}

/** The same, and a service that CodeDeploy releases. */
async function codeDeployed() {
  const given = await clusterWithBalancer();
  const service = { ...given.balanced, deploymentController: { type: "CODE_DEPLOY" } };
  await ecs("CreateService", service);
  return { ...given, service };
}

const create = (service: object, change: object = {}) => ecs("CreateService", { ...service, ...change });
const update = (change: object) => ecs("UpdateService", { cluster: "main", service: "web", ...change });

const runTask = ({ networkConfiguration }: { readonly networkConfiguration: object }, container: string) => {
  const overrides = { containerOverrides: [{ name: container, command: ["true"] }] };
  return ecs("RunTask", { cluster: "main", taskDefinition: "web", networkConfiguration, overrides });
};

const launchTemplate = () =>
  ec2("CreateLaunchTemplate", {
    LaunchTemplateName: "machine",
    LaunchTemplateData: { ImageId: "ami-12c6146b", InstanceType: "t3.small" },
  });
const machines = (change: object = {}) => ({
  AutoScalingGroupName: "machines",
  MinSize: 0,
  MaxSize: 2,
  AvailabilityZones: ["eu-central-1a"],
  LaunchTemplate: { LaunchTemplateName: "machine" },
  ...change,
});
const autoscaling = (operation: string, params: object) => aws.call("autoscaling", operation, { ...params });
const machinesArn = async () => field(await autoscaling("DescribeAutoScalingGroups", {}), "AutoScalingGroupARN");

const TARGET = {
  ServiceNamespace: "ecs",
  ResourceId: "service/main/web",
  ScalableDimension: "ecs:service:DesiredCount",
};
const BOUNDS = { MinCapacity: 1, MaxCapacity: 4 };
const tracking = (metric: object) => ({
  ...TARGET,
  PolicyName: "cpu",
  PolicyType: "TargetTrackingScaling",
  TargetTrackingScalingPolicyConfiguration: { TargetValue: 60, PredefinedMetricSpecification: metric },
});
const CPU = { PredefinedMetricType: "ECSServiceAverageCPUUtilization" };

const ROLE = { AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [] }) };
const EVERYWHERE = [{ IpProtocol: "tcp", FromPort: 443, ToPort: 443, IpRanges: [{ CidrIp: "10.0.0.0/8" }] }];

async function many(count: number, act: (number: number) => Promise<unknown>): Promise<void> {
  for (let number = 0; number < count; number++) await act(number);
}

const template = (count: number, change: object = {}) =>
  aws.rest("fis", "POST", "/experimentTemplates", {
    clientToken: `${Math.random()}`,
    description: "kill",
    roleArn: "arn:aws:iam::123456789012:role/fis",
    stopConditions: Array.from({ length: count }, (_, each) => ({
      source: "aws:cloudwatch:alarm",
      value: `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${each}`,
    })),
    targets: { tasks: { resourceType: "aws:ecs:task", selectionMode: "ALL", resourceTags: { a: "b" } } },
    actions: { stop: { actionId: "aws:ecs:stop-task", targets: { Tasks: "tasks" } } },
    ...change,
  });

const cases: Record<string, Case> = {
  // Task definitions
  "ecs-fargate-size": {
    refused: () => register({ cpu: "256", memory: "4096" }),
    accepted: () => register({ cpu: "512", memory: "4096" }),
  },
  "ecs-fargate-network-mode": {
    refused: () => register({ networkMode: "bridge" }),
    accepted: () => register({ networkMode: "bridge", requiresCompatibilities: ["EC2"] }),
  },
  "ecs-fargate-execution-role": {
    refused: () => container({ logConfiguration: { logDriver: "awslogs" } }),
    accepted: () =>
      register({
        containerDefinitions: [{ ...APP, logConfiguration: { logDriver: "awslogs" } }],
        executionRoleArn: "arn:aws:iam::123456789012:role/execution",
      }),
  },
  "ecs-essential-container": {
    refused: () => container({ essential: false }),
    accepted: () => register({ containerDefinitions: [APP, { ...APP, name: "side", essential: false }] }),
  },
  "ecs-container-names": {
    refused: () => register({ containerDefinitions: [APP, APP] }),
    accepted: () => register({ containerDefinitions: [APP, { name: "other", image: "node" }] }),
  },
  "ecs-host-ports": {
    refused: () => container({ portMappings: [{ containerPort: 8080, hostPort: 80 }] }),
    accepted: () => container({ portMappings: [{ containerPort: 8080, hostPort: 8080 }] }),
  },
  "ecs-stop-timeout": {
    refused: () => container({ stopTimeout: 121 }),
    accepted: () => container({ stopTimeout: 120 }),
  },
  "ecs-depends-on": {
    refused: () =>
      register({
        containerDefinitions: [
          { ...APP, dependsOn: [{ containerName: "side", condition: "HEALTHY" }] },
          { name: "side", image: "node", essential: false },
        ],
      }),
    accepted: () =>
      register({
        containerDefinitions: [
          { ...APP, dependsOn: [{ containerName: "side", condition: "START" }] },
          { name: "side", image: "node", essential: false },
        ],
      }),
  },
  "ecs-container-memory": {
    refused: () => container({ memory: 1024 }),
    accepted: () => container({ memory: 512 }),
  },
  "ecs-task-definition-size": {
    refused: () => container({ environment: [{ name: "LONG", value: "x".repeat(65536) }] }),
    accepted: () => container({ environment: [{ name: "LONG", value: "x".repeat(60000) }] }),
  },

  // Services
  "ecs-service-exists": {
    given: async () => {
      const { service } = await cluster();
      await create(service);
      return service;
    },
    refused: (service) => create(service),
    accepted: (service) => create(service, { serviceName: "other" }),
  },
  "ecs-service-name": {
    given: cluster,
    refused: ({ service }) => create(service, { serviceName: "a b" }),
    accepted: ({ service }) => create(service, { serviceName: "a-b_c" }),
  },
  "ecs-launch-type-and-strategy": {
    given: cluster,
    refused: ({ service }) =>
      create(service, { capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }] }),
    accepted: ({ service }) =>
      create(service, {
        launchType: undefined,
        capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
      }),
  },
  "ecs-capacity-provider-association": {
    given: async () => {
      const { service } = await cluster();
      await ecs("CreateCluster", { clusterName: "bare" });
      return {
        ...service,
        launchType: undefined,
        capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
      };
    },
    refused: (service) => create(service, { cluster: "bare" }),
    accepted: (service) => create(service),
  },
  "ecs-mixed-strategy": {
    given: async () => {
      const { service } = await cluster();
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
      const provider = { autoScalingGroupArn: await machinesArn() };
      await ecs("CreateCapacityProvider", { name: "machines", autoScalingGroupProvider: provider });
      await ecs("PutClusterCapacityProviders", {
        cluster: "main",
        capacityProviders: ["FARGATE", "machines"],
        defaultCapacityProviderStrategy: [],
      });
      return { ...service, launchType: undefined };
    },
    refused: (service) =>
      create(service, {
        capacityProviderStrategy: [{ capacityProvider: "FARGATE" }, { capacityProvider: "machines" }],
      }),
    accepted: (service) => create(service, { capacityProviderStrategy: [{ capacityProvider: "machines" }] }),
  },
  "ecs-full-bound": {
    given: cluster,
    refused: ({ service }) =>
      create(service, { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 100 } }),
    accepted: ({ service }) =>
      create(service, { deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 } }),
  },
  "ecs-grace-period-without-balancer": {
    given: clusterWithBalancer,
    refused: ({ plain }) => create(plain, { healthCheckGracePeriodSeconds: 30 }),
    accepted: ({ balanced }) => create(balanced, { healthCheckGracePeriodSeconds: 30 }),
  },
  "ecs-network-configuration": {
    given: cluster,
    refused: ({ service }) => create(service, { networkConfiguration: undefined }),
    accepted: ({ service }) => create(service),
  },
  "ecs-target-group-without-balancer": {
    given: async () => {
      const { vpc, subnets, service } = await cluster();
      const arn = await targetGroup(vpc);
      const loadBalancers = [{ targetGroupArn: arn, containerName: "app", containerPort: 8080 }];
      return { subnets, arn, service: { ...service, loadBalancers } };
    },
    refused: ({ service }) => create(service),
    accepted: async ({ subnets, arn, service }) => {
      await listener(await balancer(subnets), forward(arn));
      return create(service);
    },
  },
  "ecs-target-type": {
    given: async () => {
      const given = await clusterWithBalancer();
      const arn = await targetGroup(given.vpc, "instances", { TargetType: "instance" });
      await listener(await balancer(given.subnets, "second"), forward(arn));
      return { ...given, arn };
    },
    refused: ({ balanced, arn }) =>
      create(balanced, { loadBalancers: [{ targetGroupArn: arn, containerName: "app", containerPort: 8080 }] }),
    accepted: ({ balanced }) => create(balanced),
  },
  "ecs-target-container": {
    given: clusterWithBalancer,
    refused: ({ balanced, targetGroup }) =>
      create(balanced, { loadBalancers: [{ targetGroupArn: targetGroup, containerName: "app", containerPort: 80 }] }),
    accepted: ({ balanced }) => create(balanced),
  },
  "ecs-target-group-missing": {
    given: clusterWithBalancer,
    refused: ({ balanced, targetGroup }) =>
      create(balanced, {
        loadBalancers: [{ targetGroupArn: `${targetGroup}0`, containerName: "app", containerPort: 8080 }],
      }),
    accepted: ({ balanced }) => create(balanced),
  },
  "ecs-service-still-scaled": {
    given: async () => create((await cluster()).service),
    refused: () => ecs("DeleteService", { cluster: "main", service: "web" }),
    accepted: async () => {
      await update({ desiredCount: 0 });
      return ecs("DeleteService", { cluster: "main", service: "web" });
    },
  },
  "ecs-inactive-service": {
    given: async () => create((await cluster()).service),
    refused: async () => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return update({ desiredCount: 1 });
    },
    accepted: async () => {
      const { service } = await cluster();
      await create(service, { serviceName: "other" });
      return ecs("UpdateService", { cluster: "main", service: "other", desiredCount: 2 });
    },
  },

  // Service Connect
  "ecs-service-connect-controller": {
    given: async () => {
      const given = await clusterWithBalancer();
      await discovery("CreateHttpNamespace", { Name: "shop" });
      return { ...given, connect: { serviceConnectConfiguration: { enabled: true, namespace: "shop" } } };
    },
    refused: ({ balanced, connect }) => create(balanced, { ...connect, deploymentController: { type: "CODE_DEPLOY" } }),
    accepted: ({ balanced, connect }) => create(balanced, connect),
  },
  "ecs-service-connect-namespace": {
    given: async () => {
      await discovery("CreateHttpNamespace", { Name: "shop" });
      return (await cluster()).service;
    },
    refused: (service) => create(service, { serviceConnectConfiguration: { enabled: true, namespace: "shopp" } }),
    accepted: (service) => create(service, { serviceConnectConfiguration: { enabled: true, namespace: "shop" } }),
  },
  "ecs-service-connect-port": {
    given: async () => {
      await discovery("CreateHttpNamespace", { Name: "shop" });
      return (await cluster()).service;
    },
    refused: (service) =>
      create(service, {
        serviceConnectConfiguration: { enabled: true, namespace: "shop", services: [{ portName: "grpc" }] },
      }),
    accepted: (service) =>
      create(service, {
        serviceConnectConfiguration: { enabled: true, namespace: "shop", services: [{ portName: "http" }] },
      }),
  },

  // Deployment controllers
  "ecs-circuit-breaker-controller": {
    given: clusterWithBalancer,
    refused: ({ balanced }) =>
      create(balanced, {
        deploymentController: { type: "CODE_DEPLOY" },
        deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
      }),
    accepted: ({ balanced }) =>
      create(balanced, { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } } }),
  },
  "ecs-alarms-controller": {
    given: clusterWithBalancer,
    refused: ({ balanced }) =>
      create(balanced, {
        deploymentController: { type: "CODE_DEPLOY" },
        deploymentConfiguration: { alarms: { alarmNames: ["a"], enable: true, rollback: true } },
      }),
    accepted: ({ balanced }) =>
      create(balanced, { deploymentConfiguration: { alarms: { alarmNames: ["a"], enable: true, rollback: true } } }),
  },
  "ecs-code-deploy-task-definition": {
    given: codeDeployed,
    refused: () => update({ taskDefinition: "web" }),
    accepted: () => update({ desiredCount: 2 }),
  },
  "ecs-code-deploy-load-balancers": {
    given: codeDeployed,
    refused: ({ service }) => update({ loadBalancers: service.loadBalancers }),
    accepted: () => update({ desiredCount: 2 }),
  },
  "ecs-code-deploy-network": {
    given: codeDeployed,
    refused: ({ service }) => update({ networkConfiguration: service.networkConfiguration }),
    accepted: () => update({ desiredCount: 2 }),
  },
  "ecs-code-deploy-force": {
    given: codeDeployed,
    refused: () => update({ forceNewDeployment: true }),
    accepted: async ({ plain }) => {
      await create(plain, { serviceName: "rolling" });
      return ecs("UpdateService", { cluster: "main", service: "rolling", forceNewDeployment: true });
    },
  },
  "ecs-code-deploy-balancer": {
    given: clusterWithBalancer,
    refused: ({ plain }) => create(plain, { deploymentController: { type: "CODE_DEPLOY" } }),
    accepted: ({ balanced }) => create(balanced, { deploymentController: { type: "CODE_DEPLOY" } }),
  },

  // Tasks without a service
  "ecs-run-task-network": {
    given: cluster,
    refused: () => ecs("RunTask", { cluster: "main", taskDefinition: "web" }),
    accepted: ({ service }) => runTask(service, "app"),
  },
  "ecs-run-task-override": {
    given: cluster,
    refused: ({ service }) => runTask(service, "none"),
    accepted: ({ service }) => runTask(service, "app"),
  },

  // Clusters and capacity providers
  "ecs-cluster-in-use": {
    given: async () => create((await cluster()).service),
    refused: () => ecs("DeleteCluster", { cluster: "main" }),
    accepted: async () => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return ecs("DeleteCluster", { cluster: "main" });
    },
  },
  "ecs-capacity-provider-name": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
      return { autoScalingGroupProvider: { autoScalingGroupArn: await machinesArn() } };
    },
    refused: (provider) => ecs("CreateCapacityProvider", { ...provider, name: "ecs-machines" }),
    accepted: (provider) => ecs("CreateCapacityProvider", { ...provider, name: "machines" }),
  },
  "ecs-termination-protection": {
    given: launchTemplate,
    refused: async () => {
      await autoscaling("CreateAutoScalingGroup", machines());
      const provider = { autoScalingGroupArn: await machinesArn(), managedTerminationProtection: "ENABLED" };
      return ecs("CreateCapacityProvider", { name: "machines", autoScalingGroupProvider: provider });
    },
    accepted: async () => {
      await autoscaling("DeleteAutoScalingGroup", { AutoScalingGroupName: "machines", ForceDelete: true });
      await autoscaling("CreateAutoScalingGroup", machines({ NewInstancesProtectedFromScaleIn: true }));
      const provider = { autoScalingGroupArn: await machinesArn(), managedTerminationProtection: "ENABLED" };
      return ecs("CreateCapacityProvider", { name: "machines", autoScalingGroupProvider: provider });
    },
  },
  "ecs-auto-scaling-group-in-use": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines());
      const provider = { autoScalingGroupProvider: { autoScalingGroupArn: await machinesArn() } };
      await ecs("CreateCapacityProvider", { ...provider, name: "first" });
      return provider;
    },
    refused: (provider) => ecs("CreateCapacityProvider", { ...provider, name: "second" }),
    accepted: async (provider) => {
      await ecs("DeleteCapacityProvider", { capacityProvider: "first" });
      return ecs("CreateCapacityProvider", { ...provider, name: "second" });
    },
  },

  // Networks
  "ec2-vpc-quota": {
    given: () => many(3, (number) => ec2("CreateVpc", { CidrBlock: `10.${number}.0.0/16` })), // and the default one
    refused: async () => {
      await ec2("CreateVpc", { CidrBlock: "10.8.0.0/16" });
      return ec2("CreateVpc", { CidrBlock: "10.9.0.0/16" });
    },
    accepted: async () => {
      const last = field(
        await ec2("DescribeVpcs", { Filter: [{ Name: "cidr-block", Value: ["10.8.0.0/16"] }] }),
        "vpcId",
      );
      await ec2("DeleteVpc", { VpcId: last });
      return ec2("CreateVpc", { CidrBlock: "10.9.0.0/16" });
    },
  },
  "ec2-address-quota": {
    given: () => many(4, () => ec2("AllocateAddress", { Domain: "vpc" })),
    refused: async () => {
      await ec2("AllocateAddress", { Domain: "vpc" });
      return ec2("AllocateAddress", { Domain: "vpc" });
    },
    accepted: async () => {
      await ec2("ReleaseAddress", { AllocationId: field(await ec2("DescribeAddresses"), "allocationId") });
      return ec2("AllocateAddress", { Domain: "vpc" });
    },
  },
  "ec2-group-name": {
    given: network,
    refused: ({ vpc }) => group(vpc, "sg-app"),
    accepted: ({ vpc }) => group(vpc, "app-sg"),
  },
  "ec2-group-description": {
    given: network,
    refused: ({ vpc }) => ec2("CreateSecurityGroup", { GroupName: "a", GroupDescription: "what’s this?", VpcId: vpc }),
    accepted: ({ vpc }) => ec2("CreateSecurityGroup", { GroupName: "a", GroupDescription: "of the app", VpcId: vpc }),
  },
  "ec2-rule-description": {
    given: async () => group((await network()).vpc),
    refused: (id) => ingress(id, "from the load balancer’s group"),
    accepted: (id) => ingress(id, "from the load balancer"),
  },
  "ec2-group-in-use": {
    given: async () => {
      const { vpc, subnets } = await network();
      const id = await group(vpc);
      return { id, balancer: await balancer(subnets, "public", [id]) };
    },
    refused: ({ id }) => ec2("DeleteSecurityGroup", { GroupId: id }),
    accepted: async ({ id, balancer }) => {
      await elb("DeleteLoadBalancer", { LoadBalancerArn: balancer });
      return ec2("DeleteSecurityGroup", { GroupId: id });
    },
  },
  "ec2-duplicate-rule": {
    given: async () => {
      const id = await group((await network()).vpc);
      await ec2("AuthorizeSecurityGroupIngress", { GroupId: id, IpPermissions: EVERYWHERE });
      return id;
    },
    refused: (id) => ec2("AuthorizeSecurityGroupIngress", { GroupId: id, IpPermissions: EVERYWHERE }),
    accepted: (id) =>
      ec2("AuthorizeSecurityGroupIngress", {
        GroupId: id,
        IpPermissions: [{ ...EVERYWHERE[0], FromPort: 80, ToPort: 80 }],
      }),
  },
  "ec2-rule-quota": {
    given: async () => group((await network()).vpc),
    refused: (id) => ranges(id, 61),
    accepted: (id) => ranges(id, 60),
  },

  // Load balancers
  "elb-balancer-name": {
    given: network,
    refused: ({ subnets }) => balancer(subnets, "internal-orders"),
    accepted: ({ subnets }) => balancer(subnets, "orders-internal"),
  },
  "elb-zones": {
    given: network,
    refused: ({ subnets }) => balancer([subnets[0]]),
    accepted: ({ subnets }) => balancer(subnets),
  },
  "elb-zone-twice": {
    given: network,
    refused: async ({ subnets, subnet }) => balancer([...subnets, await subnet("a", 2)]),
    accepted: ({ subnets }) => balancer(subnets),
  },
  "elb-rule-priority": {
    given: balanced,
    refused: ({ listener }) => rule(listener, 50001),
    accepted: ({ listener }) => rule(listener, 50000),
  },
  "elb-priority-in-use": {
    given: async () => {
      const given = await balanced();
      await rule(given.listener, 10);
      return given;
    },
    refused: ({ listener }) => rule(listener, 10),
    accepted: ({ listener }) => rule(listener, 11),
  },
  "elb-rule-quota": {
    given: async () => {
      const given = await balanced();
      await many(99, (number) => rule(given.listener, number + 1));
      return given;
    },
    refused: async ({ listener }) => {
      await rule(listener, 1000);
      return rule(listener, 1001);
    },
    accepted: async ({ vpc, subnet }) => {
      expect(vpc).toBeDefined();
      const other = await listener(await balancer([await subnet("a", 3), await subnet("b", 4)], "second"));
      return rule(other, 1001);
    },
  },
  "elb-condition-values": {
    given: balanced,
    refused: ({ listener }) => rule(listener, 1, path("/1", "/2", "/3", "/4", "/5", "/6")),
    accepted: ({ listener }) => rule(listener, 1, path("/1", "/2", "/3", "/4", "/5")),
  },
  "elb-target-group-association": {
    given: async () => {
      const given = await balanced();
      const used = await targetGroup(given.vpc, "used");
      await rule(given.listener, 1, path("/used"), forward(used));
      const second = await listener(await balancer(given.subnets, "second"));
      return { used, second, fresh: await targetGroup(given.vpc, "fresh") };
    },
    refused: ({ second, used }) => rule(second, 1, path("/a"), forward(used)),
    accepted: ({ second, fresh }) => rule(second, 1, path("/a"), forward(fresh)),
  },
  "elb-target-group-quota": {
    given: async () => {
      const given = await balanced();
      const groups: string[] = [];
      await many(101, async (number) => groups.push(await targetGroup(given.vpc, `web-${number}`)));
      const weighted = (from: number, to: number) => [
        {
          Type: "forward",
          ForwardConfig: { TargetGroups: groups.slice(from, to).map((arn) => ({ TargetGroupArn: arn, Weight: 1 })) },
        },
      ];
      await many(20, (number) =>
        rule(given.listener, number + 1, path(`/${number}`), weighted(number * 5, number * 5 + 5)),
      );
      return { ...given, weighted };
    },
    refused: ({ listener, weighted }) => rule(listener, 500, path("/more"), weighted(100, 101)),
    accepted: ({ listener, weighted }) => rule(listener, 500, path("/more"), weighted(0, 1)),
  },
  "elb-authenticate-over-http": {
    given: async () => ({ ...(await balanced()), secure: true }),
    refused: ({ listener }) => rule(listener, 1, path("/"), [AUTHENTICATE, { ...FIXED[0], Order: 2 }]),
    accepted: async ({ balancer }) => {
      const secure = await elb("CreateListener", {
        LoadBalancerArn: balancer,
        Protocol: "HTTPS",
        Port: 443,
        Certificates: [{ CertificateArn: await certificate() }],
        DefaultActions: FIXED,
      });
      return rule(field(secure, "ListenerArn") as string, 1, path("/"), [AUTHENTICATE, { ...FIXED[0], Order: 2 }]);
    },
  },
  "elb-certificate": {
    given: balanced,
    refused: ({ balancer }) =>
      elb("CreateListener", { LoadBalancerArn: balancer, Protocol: "HTTPS", Port: 443, DefaultActions: FIXED }),
    accepted: ({ balancer }) =>
      elb("CreateListener", { LoadBalancerArn: balancer, Protocol: "HTTP", Port: 8080, DefaultActions: FIXED }),
  },
  "elb-target-group-name": {
    given: network,
    refused: ({ vpc }) => targetGroup(vpc, "a".repeat(33)),
    accepted: ({ vpc }) => targetGroup(vpc, "a".repeat(32)),
  },
  "elb-duplicate-target-group": {
    given: async () => {
      const { vpc } = await network();
      await targetGroup(vpc);
      return vpc;
    },
    refused: (vpc) => targetGroup(vpc, "web", { Port: 9090 }),
    accepted: (vpc) => targetGroup(vpc, "web2", { Port: 9090 }),
  },
  "elb-target-group-in-use": {
    given: async () => {
      const given = await balanced();
      const arn = await targetGroup(given.vpc);
      await listener(given.balancer, forward(arn), 81);
      return { arn, unused: await targetGroup(given.vpc, "unused") };
    },
    refused: ({ arn }) => elb("DeleteTargetGroup", { TargetGroupArn: arn }),
    accepted: ({ unused }) => elb("DeleteTargetGroup", { TargetGroupArn: unused }),
  },

  // Scaling
  "scaling-tags-on-existing-target": {
    given: async () => {
      await create((await cluster()).service);
      await scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS, Tags: { Team: "a" } });
    },
    refused: () => scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS, Tags: { Team: "b" } }),
    accepted: () => scaling("RegisterScalableTarget", { ...TARGET, MinCapacity: 2, MaxCapacity: 4 }),
  },
  "scaling-bounds": {
    given: async () => create((await cluster()).service),
    refused: () => scaling("RegisterScalableTarget", { ...TARGET, MinCapacity: 5, MaxCapacity: 4 }),
    accepted: () => scaling("RegisterScalableTarget", { ...TARGET, MinCapacity: 4, MaxCapacity: 4 }),
  },
  "scaling-request-count-label": {
    given: async () => {
      await create((await cluster()).service);
      await scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS });
    },
    refused: () => scaling("PutScalingPolicy", tracking({ PredefinedMetricType: "ALBRequestCountPerTarget" })),
    accepted: () =>
      scaling(
        "PutScalingPolicy",
        tracking({
          PredefinedMetricType: "ALBRequestCountPerTarget",
          ResourceLabel: "app/public/50dc6c495c0c9188/targetgroup/web/943f017f100becff",
        }),
      ),
  },
  "scaling-policy-without-target": {
    given: async () => create((await cluster()).service),
    refused: () => scaling("PutScalingPolicy", tracking(CPU)),
    accepted: async () => {
      await scaling("RegisterScalableTarget", { ...TARGET, ...BOUNDS });
      return scaling("PutScalingPolicy", tracking(CPU));
    },
  },
  "autoscaling-bounds": {
    given: launchTemplate,
    refused: () => autoscaling("CreateAutoScalingGroup", machines({ DesiredCapacity: 3 })),
    accepted: () => autoscaling("CreateAutoScalingGroup", machines({ DesiredCapacity: 2 })),
  },
  "autoscaling-delete-with-machines": {
    given: async () => {
      await launchTemplate();
      await autoscaling("CreateAutoScalingGroup", machines({ MinSize: 1 }));
    },
    refused: () => autoscaling("DeleteAutoScalingGroup", { AutoScalingGroupName: "machines" }),
    accepted: () => autoscaling("DeleteAutoScalingGroup", { AutoScalingGroupName: "machines", ForceDelete: true }),
  },

  // Identities
  "iam-role-name": {
    refused: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "r".repeat(65) }),
    accepted: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "r".repeat(64) }),
  },
  "iam-role-description": {
    refused: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "r", Description: "the task’s role → app" }),
    accepted: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "r", Description: "of the app" }),
  },
  "iam-role-exists": {
    given: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "app" }),
    refused: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "app" }),
    accepted: () => aws.call("iam", "CreateRole", { ...ROLE, RoleName: "other" }),
  },

  // Registries and buckets
  "ecr-immutable-tag": {
    given: async () => {
      await aws.call("ecr", "CreateRepository", { repositoryName: "app", imageTagMutability: "IMMUTABLE" });
      await aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v1", imageManifest: image("one") });
    },
    refused: () => aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v1", imageManifest: image("two") }),
    accepted: () => aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v2", imageManifest: image("two") }),
  },
  "ecr-not-empty": {
    given: async () => {
      await aws.call("ecr", "CreateRepository", { repositoryName: "app" });
      await aws.call("ecr", "PutImage", { repositoryName: "app", imageTag: "v1", imageManifest: image("one") });
    },
    refused: () => aws.call("ecr", "DeleteRepository", { repositoryName: "app" }),
    accepted: () => aws.call("ecr", "DeleteRepository", { repositoryName: "app", force: true }),
  },
  "s3-not-empty": {
    given: async () => {
      await aws.rest("s3", "PUT", "/logs", CONSTRAINT);
      await aws.rest("s3", "PUT", "/logs/one", "x");
    },
    refused: () => aws.rest("s3", "DELETE", "/logs"),
    accepted: async () => {
      await aws.rest("s3", "DELETE", "/logs/one");
      return aws.rest("s3", "DELETE", "/logs");
    },
  },

  // Secrets and parameters
  "secret-scheduled-for-deletion": {
    given: async () => {
      await aws.call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "x", ClientRequestToken: TOKEN });
      await aws.call("secretsmanager", "DeleteSecret", { SecretId: "db", RecoveryWindowInDays: 7 });
    },
    refused: () =>
      aws.call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "y", ClientRequestToken: TOKEN }),
    accepted: async () => {
      await aws.call("secretsmanager", "DeleteSecret", { SecretId: "db", ForceDeleteWithoutRecovery: true });
      return aws.call("secretsmanager", "CreateSecret", { Name: "db", SecretString: "y", ClientRequestToken: TOKEN });
    },
  },
  "ssm-value-size": {
    refused: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "x".repeat(4097) }),
    accepted: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "x".repeat(4096) }),
  },
  "ssm-empty-value": {
    refused: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "" }),
    accepted: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "-" }),
  },
  "ssm-parameter-exists": {
    given: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "1" }),
    refused: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "2" }),
    accepted: () => aws.call("ssm", "PutParameter", { Name: "/a", Type: "String", Value: "2", Overwrite: true }),
  },

  // Discovery
  "cloud-map-service-in-use": {
    given: async () => {
      const { subnets, service } = await cluster();
      const id = await namespaceId("shop");
      const { Service } = await discovery("CreateService", { Name: "web", NamespaceId: id });
      await create(service, { serviceRegistries: [{ registryArn: Service.Arn }] });
      return { Service, subnets };
    },
    refused: ({ Service }) => discovery("DeleteService", { Id: Service.Id }),
    accepted: async ({ Service }) => {
      await ecs("DeleteService", { cluster: "main", service: "web", force: true });
      return discovery("DeleteService", { Id: Service.Id });
    },
  },
  "cloud-map-namespace-in-use": {
    given: async () => {
      const id = await namespaceId("shop");
      return { id, service: await discovery("CreateService", { Name: "web", NamespaceId: id }) };
    },
    refused: ({ id }) => discovery("DeleteNamespace", { Id: id }),
    accepted: async ({ id, service }) => {
      await discovery("DeleteService", { Id: service.Service.Id });
      return discovery("DeleteNamespace", { Id: id });
    },
  },
  "cloud-map-service-exists": {
    given: async () => {
      const id = await namespaceId("shop");
      await discovery("CreateService", { Name: "web", NamespaceId: id });
      return id;
    },
    refused: (id) => discovery("CreateService", { Name: "web", NamespaceId: id }),
    accepted: (id) => discovery("CreateService", { Name: "api", NamespaceId: id }),
  },

  // Logs and alarms
  "logs-retention": {
    given: () => aws.call("logs", "CreateLogGroup", { logGroupName: "/app" }),
    refused: () => aws.call("logs", "PutRetentionPolicy", { logGroupName: "/app", retentionInDays: 45 }),
    accepted: () => aws.call("logs", "PutRetentionPolicy", { logGroupName: "/app", retentionInDays: 60 }),
  },
  "logs-subscription-filters": {
    given: async () => {
      await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
      await aws.rest("s3", "PUT", "/archive", CONSTRAINT);
      const stream = await firehose();
      await subscribe(stream, "one");
      return stream;
    },
    refused: async (stream) => {
      await subscribe(stream, "two");
      return subscribe(stream, "three");
    },
    accepted: async (stream) => {
      await aws.call("logs", "DeleteSubscriptionFilter", { logGroupName: "/app", filterName: "one" });
      return subscribe(stream, "three");
    },
  },
  "logs-function-permission": {
    given: async () => {
      await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
      return lambda("sender");
    },
    refused: async (arn) => {
      await allowLogs("sender", "/other");
      return subscribe(arn, "all");
    },
    accepted: async (arn) => {
      await allowLogs("sender", "/app");
      return subscribe(arn, "all");
    },
  },
  "logs-destination-policy": {
    given: async () => {
      await aws.call("logs", "CreateLogGroup", { logGroupName: "/app" });
      const roleArn = "arn:aws:iam::123456789012:role/logs";
      const targetArn = "arn:aws:kinesis:eu-central-1:123456789012:stream/central";
      const made = await aws.call("logs", "PutDestination", { destinationName: "central", targetArn, roleArn });
      return made.destination.arn as string;
    },
    refused: async (arn) => {
      await aws.call("logs", "PutDestinationPolicy", {
        destinationName: "central",
        accessPolicy: letsIn("210987654321"),
      });
      return subscribe(arn, "all");
    },
    accepted: async (arn) => {
      await aws.call("logs", "PutDestinationPolicy", {
        destinationName: "central",
        accessPolicy: letsIn("123456789012"),
      });
      return subscribe(arn, "all");
    },
  },
  "logs-resource-policies": {
    given: () => many(9, (number) => resourcePolicy(`p${number}`)),
    refused: async () => {
      await resourcePolicy("tenth");
      return resourcePolicy("eleventh");
    },
    accepted: () => resourcePolicy("tenth"),
  },
  "alarm-period": {
    refused: () => alarm(45),
    accepted: () => alarm(60),
  },

  // Releases and experiments
  "codedeploy-ecs-controller": {
    given: async () => {
      const given = await codeDeployed();
      await create(given.plain, { serviceName: "rolling" });
      await aws.call("codedeploy", "CreateApplication", { applicationName: "app", computePlatform: "ECS" });
    },
    refused: () => deploymentGroup("rolling"),
    accepted: () => deploymentGroup("web"),
  },
  "fis-stop-conditions": { refused: () => template(6), accepted: () => template(5) },
  "fis-unknown-target": {
    refused: () => template(1, { actions: { stop: { actionId: "aws:ecs:stop-task", targets: { Tasks: "task" } } } }),
    accepted: () => template(1),
  },
};

const AUTHENTICATE = {
  Type: "authenticate-oidc",
  Order: 1,
  AuthenticateOidcConfig: {
    Issuer: "https://issuer.example",
    AuthorizationEndpoint: "https://issuer.example/a",
    TokenEndpoint: "https://issuer.example/t",
    UserInfoEndpoint: "https://issuer.example/u",
    ClientId: "id",
    ClientSecret: "secret",
  },
};
const CONSTRAINT =
  "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";
const TOKEN = "00000000-0000-4000-8000-000000000000";

const rule = (arn: string, priority: number, conditions: object[] = path(`/${priority}`), actions: object[] = FIXED) =>
  elb("CreateRule", { ListenerArn: arn, Priority: priority, Conditions: conditions, Actions: actions });
const ingress = (id: string, description: string) =>
  ec2("AuthorizeSecurityGroupIngress", {
    GroupId: id,
    IpPermissions: [{ ...EVERYWHERE[0], IpRanges: [{ CidrIp: "10.0.0.0/8", Description: description }] }],
  });
const ranges = (id: string, count: number) =>
  ec2("AuthorizeSecurityGroupIngress", {
    GroupId: id,
    IpPermissions: [
      { ...EVERYWHERE[0], IpRanges: Array.from({ length: count }, (_, each) => ({ CidrIp: `10.0.${each}.0/24` })) },
    ],
  });
const image = (layer: string) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    config: { mediaType: "application/vnd.docker.container.image.v1+json", size: 1, digest: `sha256:${layer}` },
    layers: [],
  });
const namespaceId = async (name: string): Promise<string> => {
  await discovery("CreateHttpNamespace", { Name: name });
  const { Namespaces } = await discovery("ListNamespaces", {});
  return Namespaces.find((each: { Name: string }) => each.Name === name).Id;
};
const firehose = async (): Promise<string> => {
  const destination = {
    RoleARN: "arn:aws:iam::123456789012:role/firehose",
    BucketARN: "arn:aws:s3:::archive",
  };
  const params = { DeliveryStreamName: "archive", ExtendedS3DestinationConfiguration: destination };
  return (await aws.call("firehose", "CreateDeliveryStream", params)).DeliveryStreamARN;
};
const lambda = async (name: string): Promise<string> => {
  await aws.call("iam", "CreateRole", {
    RoleName: name,
    AssumeRolePolicyDocument: JSON.stringify({
      Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
    }),
  });
  const { FunctionArn } = await aws.rest("lambda", "POST", "/2015-03-31/functions", {
    FunctionName: name,
    Role: `arn:aws:iam::123456789012:role/${name}`,
    Runtime: "nodejs22.x",
    Handler: "index.handler",
    Code: { ZipFile: Buffer.from(zipSync({ "index.mjs": strToU8("") })).toString("base64") },
  });
  return FunctionArn;
};
const allowLogs = (name: string, group: string) =>
  aws.rest("lambda", "POST", `/2015-03-31/functions/${name}/policy`, {
    StatementId: group.slice(1),
    Action: "lambda:InvokeFunction",
    Principal: "logs.amazonaws.com",
    SourceArn: `arn:aws:logs:eu-central-1:123456789012:log-group:${group}:*`,
  });
const subscribe = (destination: string, name: string) =>
  aws.call("logs", "PutSubscriptionFilter", {
    logGroupName: "/app",
    filterName: name,
    filterPattern: "",
    destinationArn: destination,
    roleArn: "arn:aws:iam::123456789012:role/logs",
  });
const letsIn = (account: string) =>
  JSON.stringify({
    Statement: [{ Effect: "Allow", Principal: { AWS: account }, Action: "logs:PutSubscriptionFilter" }],
  });
const resourcePolicy = (name: string) =>
  aws.call("logs", "PutResourcePolicy", { policyName: name, policyDocument: JSON.stringify({ Statement: [] }) });
const alarm = (period: number) =>
  aws.call("monitoring", "PutMetricAlarm", {
    AlarmName: "cpu",
    Namespace: "AWS/ECS",
    MetricName: "CPUUtilization",
    Statistic: "Average",
    ComparisonOperator: "GreaterThanThreshold",
    Threshold: 90,
    EvaluationPeriods: 1,
    Period: period,
  });
const deploymentGroup = (service: string) =>
  aws.call("codedeploy", "CreateDeploymentGroup", {
    applicationName: "app",
    deploymentGroupName: service,
    serviceRoleArn: "arn:aws:iam::123456789012:role/deploy",
    ecsServices: [{ clusterName: "main", serviceName: service }],
  });
const certificate = async (): Promise<string> =>
  (await aws.call("acm", "RequestCertificate", { DomainName: "shop.example" })).CertificateArn;

describeOnEmulator("the emulator refuses what AWS refuses", () => {
  let rows: Row[];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-refusals-"));
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    aws = new AwsCaller(emulator.url);
    rows = (await (await fetch(`${emulator.url}/antifragile/refusals`)).json()) as Row[];
  });

  beforeEach(() => emulator.reset());

  afterAll(() => emulator?.stop());

  test("every rule of the table has a case here, and names its source", () => {
    expect(Object.keys(cases).sort()).toEqual(rows.map(({ id }) => id).sort());
    for (const { source } of rows) expect(source).toMatch(/^https:\/\//);
  });

  test.each(Object.keys(cases))("%s", async (id) => {
    const { given, refused, accepted } = cases[id] as Case;
    const row = rows.find((each) => each.id === id);
    const what = await given?.();
    await expect(refused(what)).rejects.toMatchObject({ code: row?.code });
    await expect(accepted(what)).resolves.toBeDefined();
  });
});
