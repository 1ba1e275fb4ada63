import { SecurityGroup as SecurityGroupL1 } from "@cdktf/provider-aws/lib/security-group";
import { Construct } from "constructs";
import { Connections, type IConnectable } from "./connections";
import { namePrefix } from "./names";
import { AwsStack } from "./stack";

export interface SecurityGroupProps {
  readonly vpcId: string;
  /** Purpose of the group; first part of its name. */
  readonly name: string;
  /**
   * TCP port that clients connect to.
   *
   * @default - none
   */
  readonly port?: number;
}

/**
 * A security group without inline rules; rules are added one by one as separate resources. Free.
 *
 * Terraform generates the end of its name, and its description is constant: changes to either force replacement, and a
 * security group in use cannot be deleted first.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/security_group
 */
export class SecurityGroup extends Construct implements IConnectable {
  readonly connections: Connections;

  constructor(scope: Construct, id: string, props: SecurityGroupProps) {
    super(scope, id);
    const name = AwsStack.of(this).prefixed(props.name);
    const group = new SecurityGroupL1(this, "Resource", {
      vpcId: props.vpcId,
      namePrefix: namePrefix("securityGroup", name),
      description: "Rules are separate resources.",
      tags: { Name: name },
      revokeRulesOnDelete: true,
      lifecycle: { createBeforeDestroy: true },
    });
    this.connections = new Connections(this, "Connections", { securityGroupId: group.id, defaultPort: props.port });
  }
}
