import { ServiceDiscoveryPrivateDnsNamespace } from "@cdktf/provider-aws/lib/service-discovery-private-dns-namespace";
import { Construct, type IConstruct } from "constructs";
import { literal } from "../core/literal";
import { AwsStack } from "../core/stack";
import type { IVpc } from "../vpc/vpc";

export interface NamespaceProps {
  /** VPC in which the names can be resolved. */
  readonly vpc: IVpc;
}

/** A namespace, created by this app or read from a platform. */
export interface INamespace extends IConstruct {
  readonly namespaceArn: string;
  readonly namespaceId: string;
  /** Domain of the services' names: `shop-dev.internal`. */
  readonly namespaceName: string;
}

/** Attributes of a namespace that is managed outside this stack. */
export interface NamespaceAttributes {
  readonly namespaceArn: string;
  readonly namespaceId: string;
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
export class Namespace extends Construct implements INamespace {
  /** References a namespace that is managed outside this stack. */
  static fromAttributes(scope: Construct, id: string, attributes: NamespaceAttributes): INamespace {
    return new ImportedNamespace(scope, id, attributes);
  }

  readonly namespaceArn: string;
  readonly namespaceId: string;
  readonly namespaceName: string;

  constructor(scope: Construct, id: string, props: NamespaceProps) {
    super(scope, id);
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

class ImportedNamespace extends Construct implements INamespace {
  readonly namespaceArn: string;
  readonly namespaceId: string;
  readonly namespaceName: string;

  constructor(scope: Construct, id: string, attributes: NamespaceAttributes) {
    super(scope, id);
    this.namespaceArn = literal(attributes.namespaceArn);
    this.namespaceId = literal(attributes.namespaceId);
    this.namespaceName = literal(attributes.namespaceName);
  }
}
