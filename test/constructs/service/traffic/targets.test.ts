import { describe, expect, it } from "vitest";
import { blueGreen, canary, codeDeploy } from "../../../../constructs/service/deployment/strategy-props";
import { Monitoring } from "../../../../constructs/service/monitoring/monitoring";
import type { CloudNativeServiceProps } from "../../../../constructs/service/props";
import { worker } from "../../../../constructs/service/task/process";
import { Targets } from "../../../../constructs/service/traffic/targets";
import { synthesize } from "../../../../constructs/testing";
import { bareService, partsOf, shiftedTarget, target } from "../../../support/service-parts";
import { DEV, ordersStack, refusals, resources } from "../../../support/synth";

function targets(props: CloudNativeServiceProps = {}, connected = false) {
  const { stack, scope, context } = partsOf(props, ordersStack(DEV, { providerLine: 6 }));
  const service = bareService(scope);
  const monitoring = new Monitoring(scope, context, { service, failedRuns: undefined, targets: () => part.list });
  const part: Targets = new Targets(scope, context, { service, roleArns: [], monitoring, connected: () => connected });
  return { stack, monitoring, part };
}

describe("Targets", () => {
  it("lists each target, waits for its listener rule, and watches requests from the first one on", () => {
    const { monitoring, part } = targets();
    expect(monitoring.alarms).toEqual([]);
    part.add(target("public"));
    part.add(target("internal"));
    expect(part.list.map(({ targetGroupArnSuffix }) => targetGroupArnSuffix)).toEqual([
      "targetgroup/public/1",
      "targetgroup/internal/1",
    ]);
    expect(part.dependencies).toEqual(["aws_lb_listener_rule.public", "aws_lb_listener_rule.internal"]);
    expect(monitoring.alarms.map(({ alarmName }) => alarmName)).toEqual(["shop-dev-orders-errors"]);
  });

  it("refuses a target of a process that receives no requests", () => {
    const { part } = targets({ process: worker() });
    expect(refusals(() => part.add(target("public")))).toEqual(["TARGET_OF_NO_WEB process"]);
  });

  it("refuses all but one pair of target groups when a deployment shifts traffic", () => {
    const { part } = targets({ deployment: blueGreen() });
    expect(refusals(() => part.add(target("single")))).toEqual(["STRATEGY_TARGETS deployment"]);
    part.add(shiftedTarget("pair"));
    expect(refusals(() => part.add(shiftedTarget("second")))).toEqual(["STRATEGY_TARGETS deployment"]);
  });

  it("lets ECS shift traffic with a role, or CodeDeploy with a deployment group", () => {
    const ecs = targets({ deployment: blueGreen() });
    ecs.part.add(shiftedTarget("pair"));
    expect(ecs.part.shiftRoleArn).toBeDefined();
    expect(ecs.part.codeDeploy).toBeUndefined();
    expect(Object.values(resources(ecs.stack, "aws_iam_role")).map(({ name }) => name)).toEqual([
      "shop-dev-orders-shift",
    ]);
    const byCodeDeploy = targets({ deployment: codeDeploy(blueGreen()) });
    byCodeDeploy.part.add(shiftedTarget("pair"));
    expect(byCodeDeploy.part.shiftRoleArn).toBeUndefined();
    expect(byCodeDeploy.part.codeDeploy?.deploymentGroup).toBe("shop-dev-orders");
  });

  it("refuses at synth to shift traffic that nothing sends", () => {
    const deployment = canary();
    expect(() => synthesize(targets({ deployment }).stack)).toThrow("STRATEGY_NEEDS_INGRESS");
    expect(() => synthesize(targets({ deployment }, true).stack)).not.toThrow();
  });
});
