import { ServiceDiscoveryService } from "@cdktf/provider-aws/lib/service-discovery-service";
import { Construct } from "constructs";
import type { NamespaceAttributes } from "./namespace";

export interface DiscoveryNameProps {
  readonly namespace: NamespaceAttributes;
  /** First part of the DNS name: `orders` in `orders.shop-dev.internal`. */
  readonly name: string;
}

/**
 * A service's name in DNS: a Cloud Map service that ECS registers the tasks' addresses with. Free; ECS pays the calls.
 *
 * It stands beside the data, so that those who call need the service itself neither to exist nor to stay.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
 */
export class DiscoveryName extends Construct {
  readonly registryArn: string;
  /** The whole name: `orders.shop-dev.internal`. */
  readonly dnsName: string;

  constructor(scope: Construct, id: string, props: DiscoveryNameProps) {
    super(scope, id);
    const { namespace, name } = props;
    const service = new ServiceDiscoveryService(this, "Resource", {
      name,
      description: "Addresses of the service's tasks; ECS writes them.",
      namespaceId: namespace.namespaceId,
      dnsConfig: {
        namespaceId: namespace.namespaceId,
        routingPolicy: "MULTIVALUE",
        // Short: a task that went away must not be asked for long.
        dnsRecords: [{ type: "A", ttl: 10 }],
      },
      healthCheckCustomConfig: { failureThreshold: 1 },
      // A registered address must not keep the name from being destroyed.
      forceDestroy: true,
    });
    this.registryArn = service.arn;
    this.dnsName = `${name}.${namespace.namespaceName}`;
  }
}
