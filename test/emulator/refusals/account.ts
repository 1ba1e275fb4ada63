import { AwsCaller, field } from "../../support/aws-call";

/** A call that the emulator refuses, and a similar one that it accepts. */
export interface Case {
  /** Creates what both calls need; its result is passed on. */
  readonly given?: () => Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: each case knows its own result
  readonly refused: (given: any) => Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly accepted: (given: any) => Promise<unknown>;
}

let caller: AwsCaller | undefined;

/** Sends all further calls to the emulator at this address. */
export function connect(url: string): void {
  caller = new AwsCaller(url);
}

function connected(): AwsCaller {
  if (!caller) throw new Error("connect to an emulator first");
  return caller;
}

export const aws: Pick<AwsCaller, "call" | "rest"> = {
  call: (...call) => connected().call(...call),
  rest: (...call) => connected().rest(...call),
};

export const ecs = (operation: string, params: object = {}) => aws.call("ecs", operation, { ...params });
export const ec2 = (operation: string, params: object = {}) => aws.call("ec2", operation, { ...params });
export const elb = (operation: string, params: object = {}) =>
  aws.call("elasticloadbalancing", operation, { ...params });
export const scaling = (operation: string, params: object = {}) =>
  aws.call("application-autoscaling", operation, { ...params });
export const discovery = (operation: string, params: object = {}) =>
  aws.call("servicediscovery", operation, { ...params });
export const iam = (operation: string, params: object = {}) => aws.call("iam", operation, { ...params });
export const autoscaling = (operation: string, params: object = {}) =>
  aws.call("autoscaling", operation, { ...params });

export const APP = { name: "app", image: "node", portMappings: [{ name: "http", containerPort: 8080 }] };
export const TASK = {
  family: "web",
  requiresCompatibilities: ["FARGATE"],
  networkMode: "awsvpc",
  cpu: "256",
  memory: "512",
  containerDefinitions: [APP],
};
export const register = (change: object = {}) => ecs("RegisterTaskDefinition", { ...TASK, ...change });
export const container = (change: object) => register({ containerDefinitions: [{ ...APP, ...change }] });

export async function network() {
  const vpc = field(await ec2("CreateVpc", { CidrBlock: "10.0.0.0/16" }), "vpcId") as string;
  const subnet = async (zone: string, net: number) =>
    field(
      await ec2("CreateSubnet", { VpcId: vpc, CidrBlock: `10.0.${net}.0/24`, AvailabilityZone: `eu-central-1${zone}` }),
      "subnetId",
    ) as string;
  return { vpc, subnets: [await subnet("a", 0), await subnet("b", 1)] as const, subnet };
}

export const group = async (vpc: string, name = "app") =>
  field(
    await ec2("CreateSecurityGroup", { GroupName: name, GroupDescription: "app", VpcId: vpc }),
    "groupId",
  ) as string;

export const targetGroup = async (vpc: string, name = "web", change: object = {}) => {
  const params = { Name: name, Protocol: "HTTP", Port: 8080, VpcId: vpc, TargetType: "ip", ...change };
  return field(await elb("CreateTargetGroup", params), "TargetGroupArn") as string;
};

export const balancer = async (subnets: readonly string[], name = "public", securityGroups: readonly string[] = []) =>
  field(
    await elb("CreateLoadBalancer", { Name: name, Subnets: subnets, SecurityGroups: securityGroups }),
    "LoadBalancerArn",
  ) as string;

export const FIXED = [{ Type: "fixed-response", FixedResponseConfig: { StatusCode: "404" } }];
export const forward = (arn: string) => [{ Type: "forward", TargetGroupArn: arn }];
export const path = (...values: string[]) => [{ Field: "path-pattern", PathPatternConfig: { Values: values } }];

export const listener = async (arn: string, actions: object[] = FIXED, port = 80) =>
  field(
    await elb("CreateListener", { LoadBalancerArn: arn, Protocol: "HTTP", Port: port, DefaultActions: actions }),
    "ListenerArn",
  ) as string;

export async function balanced() {
  const { vpc, subnets, subnet } = await network();
  const arn = await balancer(subnets);
  return { vpc, subnets, subnet, balancer: arn, listener: await listener(arn) };
}

/** A cluster with Fargate and a registered task, and the parameters of a service that ECS accepts. */
export async function cluster() {
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

/** The same with a target group of a load balancer. */
export async function clusterWithBalancer() {
  const { vpc, subnets, service } = await cluster();
  const arn = await targetGroup(vpc);
  const front = await balancer(subnets);
  await listener(front, forward(arn));
  const loadBalancers = [{ targetGroupArn: arn, containerName: "app", containerPort: 8080 }];
  return { vpc, subnets, targetGroup: arn, balanced: { ...service, loadBalancers }, plain: service };
}

/** The same, and a service that CodeDeploy releases. */
export async function codeDeployed() {
  const given = await clusterWithBalancer();
  const service = { ...given.balanced, deploymentController: { type: "CODE_DEPLOY" } };
  await ecs("CreateService", service);
  return { ...given, service };
}

export const create = (service: object, change: object = {}) => ecs("CreateService", { ...service, ...change });
export const update = (change: object) => ecs("UpdateService", { cluster: "main", service: "web", ...change });

export const runTask = ({ networkConfiguration }: { readonly networkConfiguration: object }, container: string) => {
  const overrides = { containerOverrides: [{ name: container, command: ["true"] }] };
  return ecs("RunTask", { cluster: "main", taskDefinition: "web", networkConfiguration, overrides });
};

export const launchTemplate = (LaunchTemplateName = "machine") =>
  ec2("CreateLaunchTemplate", {
    LaunchTemplateName,
    LaunchTemplateData: { ImageId: "ami-12c6146b", InstanceType: "t3.small" },
  });
export const machines = (change: object = {}) => ({
  AutoScalingGroupName: "machines",
  MinSize: 0,
  MaxSize: 2,
  AvailabilityZones: ["eu-central-1a"],
  LaunchTemplate: { LaunchTemplateName: "machine" },
  ...change,
});
export const machinesArn = async () => field(await autoscaling("DescribeAutoScalingGroups", {}), "AutoScalingGroupARN");

export async function many(count: number, act: (number: number) => Promise<unknown>): Promise<void> {
  for (let number = 0; number < count; number++) await act(number);
}
