import { expect } from "vitest";
import { App, AutoScalingGroup, CloudNativeService, type Environment, https, Platform } from "../../../constructs";

/** Variables that an example in the docs may use: `app`, `platform`, `stack`, `orders` and so on. */
export function exampleContext() {
  const app = new App();
  const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };
  const platform = new Platform(app, "context", {
    environment,
    listener: https({
      certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555",
    }),
  });
  // Nothing stands in the example's own stack yet.
  const stack = platform.stack("example");
  const services = platform.stack("context");
  const instances = new AutoScalingGroup(platform, "ContextMachines", {
    cluster: "none",
    scaling: { max: 4 },
  });
  const orders = new CloudNativeService(services, "ContextOrders");
  const payments = new CloudNativeService(services, "ContextPayments");
  // What an example expects to be snapshot is not snapshot here: it is seen to run.
  return { app, environment, platform, stack, instances, orders, payments, expect: seen };
}

const seen = (value: unknown) => ({
  toMatchSnapshot: () => expect(value).toBeDefined(),
  toMatchObject: (part: object) => expect(value).toMatchObject(part),
});
