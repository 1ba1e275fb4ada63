import {
  AutoScalingGroup,
  ChaosExperiment,
  type ChaosExperimentProps,
  CloudNativeService,
  existingAlarm,
  Fault,
  Ingress,
  InstanceTypes,
  type Platform,
  type ServiceStack,
} from "../../../constructs";
import { only, ordersStack, resources, shop } from "../../support/synth";

/** The image of the agent that injects faults inside of tasks. */
export const AGENT = `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"a".repeat(64)}`;

/** A web service `orders` with an alarm, in a stack of its own. */
export function orders(stack: ServiceStack = ordersStack(), props = {}): CloudNativeService {
  const service = new CloudNativeService(stack, "Orders", { scaling: { min: 2, max: 4 }, ...props });
  service.add(new Ingress());
  return service;
}

/** An experiment on `target`, in the target's stack. */
export function experiment(
  target: CloudNativeService | AutoScalingGroup,
  props: Partial<ChaosExperimentProps>,
  id = "Shaken",
) {
  const fault = Fault.stopTasks({ percent: 50 });
  return new ChaosExperiment(target.node.scope!, id, { target, fault, environments: ["dev"], ...props });
}

/** Instances outside of a cluster. */
export function instances(props: { spot?: object; scaling?: object } = {}): AutoScalingGroup {
  const platform = shop();
  return new AutoScalingGroup(platform, "Instances", {
    cluster: "none",
    instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096 }),
    scaling: { min: 2, max: 4 },
    ...props,
  });
}

/** An alarm that exists outside of the stack. */
export const alarm = (stack: ServiceStack | Platform) =>
  existingAlarm(stack, "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-errors");

// biome-ignore lint/suspicious/noExplicitAny: Terraform's JSON, of which each test looks at another part.
export type Template = Record<string, any>;
export const templateOf = (target: CloudNativeService | AutoScalingGroup | ServiceStack): Template =>
  only(
    "node" in target && "stackName" in target ? target : (target.node.scope as ServiceStack),
    "aws_fis_experiment_template",
  );
export const parametersOf = (template: Template) =>
  Object.fromEntries(template.action[0].parameter.map(({ key, value }: Record<string, string>) => [key, value]));
export const statementsOf = (stack: unknown, role: string): Template[] => {
  const policies: [string, Template][] = Object.entries(resources(stack as ServiceStack, "aws_iam_role_policy"));
  return policies.filter(([id]) => id.includes(role)).flatMap(([, { policy }]) => policy.Statement);
};
export const actionsAllowed = (stack: unknown, role: string) =>
  statementsOf(stack, role).flatMap(({ Action }) => Action);
export const taskOf = (service: CloudNativeService): Template =>
  only(service.node.scope as ServiceStack, "aws_ecs_task_definition");
export const containersOf = (service: CloudNativeService): Template[] => taskOf(service).container_definitions;
