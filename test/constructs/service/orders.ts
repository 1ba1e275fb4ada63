import { CloudNativeService, type CloudNativeServiceProps } from "../../../constructs";
import { DEV, only, ordersStack } from "../../support/synth";

export const DIGEST = `registry.example.com/orders@sha256:${"a".repeat(64)}`;

/** A service `orders` in a stack of its own. */
export function orders(props: CloudNativeServiceProps = {}, environment = DEV) {
  const stack = ordersStack(environment);
  return { stack, service: new CloudNativeService(stack, "Orders", props) };
}

export type Container = Record<string, unknown> & { environment: { name: string; value: string }[] };
export function containers(stack: ReturnType<typeof ordersStack>): Container[] {
  return only(stack, "aws_ecs_task_definition").container_definitions as Container[];
}
export function environmentOf(container: Container | undefined): Record<string, string> {
  return Object.fromEntries((container?.environment ?? []).map(({ name, value }) => [name, value]));
}
