import { expect, it } from "vitest";
import type { ProcessTemplate } from "../../contract/release";
import { appSpec } from "../../operations/release/app-spec";

const orders: ProcessTemplate = {
  kind: "web",
  owner: "pipeline",
  cluster: "shop-dev",
  service: "orders",
  container: "orders",
  task: "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-dev-orders:1",
  source: "orders",
  bootstrap: true,
  strategy: "codeDeploy",
  network: { subnets: "subnet-1,subnet-2", securityGroup: "sg-1", assignPublicIp: false },
  platformVersion: "LATEST",
  capacity: [{ capacityProvider: "FARGATE_SPOT", base: 0, weight: 1 }],
  admin: {},
};
const spec = (process: ProcessTemplate) =>
  JSON.parse(appSpec(process, { task: "shop-dev-orders:2", port: 8080 })).Resources[0].TargetService;

it("the AppSpec contains all settings that the service would lose otherwise", () => {
  expect(spec(orders)).toEqual({
    Type: "AWS::ECS::Service",
    Properties: {
      TaskDefinition: "shop-dev-orders:2",
      LoadBalancerInfo: { ContainerName: "orders", ContainerPort: 8080 },
      PlatformVersion: "LATEST",
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          Subnets: ["subnet-1", "subnet-2"],
          SecurityGroups: ["sg-1"],
          AssignPublicIp: "DISABLED",
        },
      },
      CapacityProviderStrategy: [{ CapacityProvider: "FARGATE_SPOT", Base: 0, Weight: 1 }],
    },
  });
  expect(spec({ ...orders, platformVersion: undefined }).Properties).not.toHaveProperty("PlatformVersion");
});
