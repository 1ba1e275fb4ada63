import { ServiceDiscoveryPrivateDnsNamespace } from "@cdktf/provider-aws/lib/service-discovery-private-dns-namespace";
import { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import { AwsStack } from "../core/stack";
import type { IVpc } from "../vpc/vpc";

export interface NamespaceProps {
  /** VPC in which the names can be resolved. */
  readonly vpc: IVpc;
}

/** Attributes of a Cloud Map namespace. */
export interface NamespaceAttributes {
  readonly namespaceArn: string;
  readonly namespaceId: string;
  /** Domain that the services' names end in: `shop-dev.internal`. */
  readonly namespaceName: string;
}

/**
 * A private DNS namespace of Cloud Map in which the services of a platform find each other by name. Service Connect uses it,
 * too.
 *
 * Costs 0.50 USD a month for its hosted zone.
 *
 * @example
 * ```ts
 * new Namespace(stack, "Namespace", { vpc: new Vpc(stack, "Vpc") });
 * ```
 * @see https://docs.aws.amazon.com/cloud-map/latest/dg/working-with-namespaces.html
 */
export class Namespace extends Construct implements NamespaceAttributes {
  readonly namespaceArn: string;
  readonly namespaceId: string;
  readonly namespaceName: string;

  constructor(scope: Construct, id: string, props: NamespaceProps) {
    super(scope, id);
    checkArguments("new Namespace", { props }, this);
    const { stackName, environment } = AwsStack.of(this);
    const namespace = new ServiceDiscoveryPrivateDnsNamespace(this, "Resource", {
      name: `${stackName}-${environment.name}.internal`,
      description: "Names of the services on this platform.",
      vpc: props.vpc.vpcId,
    });
    this.namespaceArn = namespace.arn;
    this.namespaceId = namespace.id;
    this.namespaceName = namespace.name;
  }
}
