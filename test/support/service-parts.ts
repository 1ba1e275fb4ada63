import { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import { Construct } from "constructs";
import type { ServiceStack } from "../../constructs";
import type { Target } from "../../constructs/service/add-on";
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

/** An ECS service that only has its name. */
export function bareService(scope: Construct): EcsService {
  return new EcsService(scope, "Service", { name: "orders" });
}

/** A target group that depends on an address made of its name. */
export function target(name: string): Target {
  return {
    targetGroupArn: `arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/${name}/1`,
    targetGroupArnSuffix: `targetgroup/${name}/1`,
    loadBalancerArnSuffix: "app/shop/1",
    dependsOn: [`aws_lb_listener_rule.${name}`],
  };
}

/** As `target`, with a second target group that a deployment shifts traffic to. */
export function shiftedTarget(name: string): Target {
  return {
    ...target(name),
    shift: {
      alternate: { targetGroupArn: `${target(name).targetGroupArn}b`, targetGroupArnSuffix: `targetgroup/${name}b/1` },
      names: [name, `${name}b`],
      listenerArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shop/1/1",
      ruleArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shop/1/1/1",
    },
  };
}
