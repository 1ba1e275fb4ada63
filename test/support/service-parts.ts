import { Construct } from "constructs";
import type { ServiceStack } from "../../constructs";
import { type CloudNativeServiceProps, resolveService, type ServiceContext } from "../../constructs/service/props";
import { ordersStack } from "./synth";

interface Parts {
  readonly stack: ServiceStack;
  readonly scope: Construct;
  readonly context: ServiceContext;
}

/** The context that a part of a service needs to be constructed alone, without the service. */
export function partsOf(
  props: CloudNativeServiceProps = {},
  stack: ServiceStack = ordersStack(),
  id = "Orders",
): Parts {
  const scope = new Construct(stack, id);
  const settings = resolveService(scope, stack, props);
  return {
    stack,
    scope,
    context: { stack, settings, fullName: [stack.platformName, stack.environment.name, settings.name] },
  };
}
