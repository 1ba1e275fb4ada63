import type { ProcessTemplate } from "../../contract/release";

/**
 * AppSpec for CodeDeploy, as JSON. It contains capacity and network each time, because the service loses omitted settings and
 * Terraform ignores both.
 *
 * @see https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
 * @see https://github.com/aws/containers-roadmap/issues/1752
 */
export function appSpec(
  { container, network, platformVersion, capacity }: ProcessTemplate,
  { task, port }: { readonly task: string; readonly port: number },
): string {
  const properties = {
    TaskDefinition: task,
    LoadBalancerInfo: { ContainerName: container, ContainerPort: port },
    PlatformVersion: platformVersion,
    NetworkConfiguration: {
      AwsvpcConfiguration: {
        Subnets: network.subnets.split(","),
        SecurityGroups: [network.securityGroup],
        AssignPublicIp: network.assignPublicIp ? "ENABLED" : "DISABLED",
      },
    },
    CapacityProviderStrategy: capacity.map(({ capacityProvider, base, weight }) => ({
      CapacityProvider: capacityProvider,
      Base: base,
      Weight: weight,
    })),
  };
  return JSON.stringify({
    version: 0,
    Resources: [{ TargetService: { Type: "AWS::ECS::Service", Properties: properties } }],
  });
}
