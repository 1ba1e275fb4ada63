import { ServiceDiscoveryService } from "@cdktf/provider-aws/lib/service-discovery-service";
import { Construct } from "constructs";
import type { NamespaceAttributes } from "./namespace";

export interface DiscoveryNameProps {
  readonly namespace: NamespaceAttributes;
  /** First part of the DNS name: `orders` in `orders.shop-dev.internal`. */
  readonly name: string;
}

/**
 * A DNS name of a service: a Cloud Map service in which ECS registers the addresses of the tasks. Free; ECS pays for the API
 * calls.
 *
 * Created in the data stack, so that callers depend neither on the service's stack nor on its lifetime.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-discovery.html
 */
export class DiscoveryName extends Construct {
  readonly registryArn: string;
  /** Full DNS name: `orders.shop-dev.internal`. */
  readonly dnsName: string;

  constructor(scope: Construct, id: string, props: DiscoveryNameProps) {
    super(scope, id);
    const { namespace, name } = props;
    const service = new ServiceDiscoveryService(this, "Resource", {
      name,
      description: "Addresses of the service's tasks, registered by ECS.",
      namespaceId: namespace.namespaceId,
      dnsConfig: {
        namespaceId: namespace.namespaceId,
        routingPolicy: "MULTIVALUE",
        // Short, so that clients quickly forget a task that has stopped.
        dnsRecords: [{ type: "A", ttl: 10 }],
      },
      healthCheckCustomConfig: { failureThreshold: 1 },
      // Registered addresses must not block the deletion of the name.
      forceDestroy: true,
    });
    this.registryArn = service.arn;
    this.dnsName = `${name}.${namespace.namespaceName}`;
  }
}
