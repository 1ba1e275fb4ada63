import { Construct } from "constructs";
import { Published } from "../core/border";
import { SecurityGroup } from "../network/security-group";

export interface IdentityProps {
  /** Name of the parameter that tells others. */
  readonly parameter: string;
  readonly vpcId: string;
  /** First part of the security group's name. */
  readonly name: string;
  /** TCP port that the service listens on. */
  readonly port: number;
}

/**
 * Who a service is to others: its security group, told by a parameter. It lives with the data, so that what refers to a
 * service needs the service itself neither to exist nor to stay.
 */
export class Identity extends Construct {
  constructor(scope: Construct, id: string, props: IdentityProps) {
    super(scope, id);
    const group = new SecurityGroup(this, "SecurityGroup", { vpcId: props.vpcId, name: props.name, port: props.port });
    new Published(this, "Border", {
      name: props.parameter,
      value: { securityGroupId: group.connections.securityGroupId, port: props.port },
    });
  }
}
