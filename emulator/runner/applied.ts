import type { Listener } from "./balancer";
import type { AccountClient } from "./client";
import type { Rule } from "./listener-rules";
import type { TargetGroup } from "./target-group";

/** Container of a task definition, as DescribeTaskDefinition returns it. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly essential?: boolean;
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: readonly { readonly name: string; readonly value: string }[];
  readonly secrets?: readonly { readonly name: string; readonly valueFrom: string }[];
  readonly portMappings?: readonly { readonly containerPort: number }[];
  readonly stopTimeout?: number;
  readonly user?: string;
  readonly logConfiguration?: { readonly logDriver: string; readonly options?: Readonly<Record<string, string>> };
}

export interface TaskDefinition {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly volumes?: readonly object[];
  readonly ephemeralStorage?: object;
  readonly runtimePlatform?: object;
  readonly containerDefinitions: readonly Container[];
}

/** Task that ECS wants to run, as DescribeTasks returns it. */
export interface AppliedTask {
  readonly taskArn: string;
  readonly clusterArn: string;
  readonly taskDefinitionArn: string;
  /** `service:NAME` for a task of a service. */
  readonly group: string;
  readonly lastStatus: string;
  readonly overrides?: {
    readonly containerOverrides?: readonly {
      readonly name: string;
      readonly command?: readonly string[];
      readonly environment?: Container["environment"];
    }[];
  };
}

export interface AppliedService {
  readonly serviceName: string;
  readonly status: string;
  readonly clusterArn: string;
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly healthCheckGracePeriodSeconds?: number;
  readonly loadBalancers?: readonly {
    readonly targetGroupArn?: string;
    readonly containerName: string;
    readonly containerPort: number;
  }[];
}

/** Services, tasks and load balancers of an account in a region. */
export interface Applied {
  readonly services: readonly AppliedService[];
  readonly tasks: readonly AppliedTask[];
  readonly listeners: readonly Listener[];
  readonly targetGroups: ReadonlyMap<string, TargetGroup>;
  /** Differences of the load balancers of this machine from the applied ones, each as a sentence. */
  readonly differences: readonly string[];
}

/** Reads what is applied from AWS's API. */
export async function readApplied(account: AccountClient): Promise<Applied> {
  const [ecs, balancers] = await Promise.all([readServices(account), readBalancers(account)]);
  return { ...ecs, ...balancers };
}

/** Largest number of services in a call, and of tasks. */
const SERVICES_IN_CALL = 10;
const TASKS_IN_CALL = 100;

/** Reads the services and tasks of all clusters. */
export async function readServices(account: AccountClient): Promise<Pick<Applied, "services" | "tasks">> {
  const services: AppliedService[] = [];
  const tasks: AppliedTask[] = [];
  const { clusterArns } = await account.call<{ clusterArns: string[] }>("ecs", "ListClusters");
  for (const cluster of clusterArns) {
    const { serviceArns } = await account.call<{ serviceArns: string[] }>("ecs", "ListServices", { cluster });
    for (const some of chunks(serviceArns, SERVICES_IN_CALL)) {
      const found = await account.call<{ services: AppliedService[] }>("ecs", "DescribeServices", {
        cluster,
        services: some,
      });
      services.push(...found.services);
    }
    const { taskArns } = await account.call<{ taskArns: string[] }>("ecs", "ListTasks", { cluster });
    for (const some of chunks(taskArns, TASKS_IN_CALL)) {
      const found = await account.call<{ tasks: AppliedTask[] }>("ecs", "DescribeTasks", { cluster, tasks: some });
      tasks.push(...found.tasks);
    }
  }
  return { services, tasks };
}

async function readBalancers(account: AccountClient): Promise<Omit<Applied, "services" | "tasks">> {
  const differences: string[] = [];
  const elb = <T>(operation: string, parameters: object = {}) => account.call<T>("elbv2", operation, parameters);
  const { TargetGroups } = await elb<{
    TargetGroups: (Omit<TargetGroup, "deregistrationSeconds"> & { TargetGroupName: string })[];
  }>("DescribeTargetGroups");
  const { LoadBalancers } = await elb<{
    LoadBalancers: { LoadBalancerArn: string; LoadBalancerName: string; Type: string }[];
  }>("DescribeLoadBalancers");
  const listeners: Listener[] = [];
  for (const { LoadBalancerArn, LoadBalancerName, Type } of LoadBalancers) {
    if (Type !== "application") {
      differences.push(`${LoadBalancerName}: nothing listens here for a load balancer of this type (${Type})`);
      continue;
    }
    const { Listeners } = await elb<{ Listeners: { ListenerArn: string; Port: number; Protocol: string }[] }>(
      "DescribeListeners",
      { LoadBalancerArn },
    );
    for (const { ListenerArn, Port, Protocol } of Listeners) {
      if (Protocol === "HTTPS") differences.push(`${LoadBalancerName}: HTTP instead of HTTPS on port ${Port}`);
      const { Rules } = await elb<{ Rules: Rule[] }>("DescribeRules", { ListenerArn });
      listeners.push({
        arn: ListenerArn,
        balancer: LoadBalancerName,
        protocol: Protocol === "HTTPS" ? "HTTPS" : "HTTP",
        port: Port,
        rules: Rules,
      });
    }
  }
  const targetGroups = new Map<string, TargetGroup>();
  for (const group of TargetGroups) {
    const { Attributes } = await elb<{ Attributes: { Key: string; Value: string }[] }>(
      "DescribeTargetGroupAttributes",
      {
        TargetGroupArn: group.TargetGroupArn,
      },
    );
    const attribute = (name: string) => Attributes.find(({ Key }) => Key === name)?.Value;
    if (attribute("stickiness.enabled") === "true")
      differences.push(`${group.TargetGroupName}: requests of a client do not stick to one task`);
    const delay = attribute("deregistration_delay.timeout_seconds") ?? "300";
    targetGroups.set(group.TargetGroupArn, { ...group, deregistrationSeconds: Number(delay) });
  }
  return { listeners, targetGroups, differences };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
