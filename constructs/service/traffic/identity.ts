import { Construct } from "constructs";
import { PublishedContract } from "../../core/parameter-contract";
import { SecurityGroup } from "../../core/security-group";
import { DiscoveryName } from "../../discovery/discovery-name";
import type { INamespace } from "../../discovery/namespace";

export interface IdentityProps {
  /** Name of the parameter that tells others. */
  readonly parameter: string;
  readonly vpcId: string;
  /** First part of the security group's name. */
  readonly name: string;
  /** How the service is called; undefined when it takes no requests. */
  readonly called:
    | {
        /** First part of its name in DNS. */
        readonly name: string;
        readonly namespace: INamespace;
        /** TCP port that it listens on. */
        readonly port: number;
      }
    | undefined;
}

/**
 * Who a service is to others: its security group and its name, told by a parameter. It lives with the data, so that what
 * refers to a service needs the service itself neither to exist nor to stay.
 */
export class Identity extends Construct {
  constructor(scope: Construct, id: string, props: IdentityProps) {
    super(scope, id);
    const { called } = props;
    const group = new SecurityGroup(this, "SecurityGroup", {
      vpcId: props.vpcId,
      name: props.name,
      port: called?.port,
    });
    const { securityGroupId } = group.connections;
    if (called === undefined) {
      new PublishedContract(this, "Contract", { name: props.parameter, value: { securityGroupId } });
      return;
    }
    const { dnsName, registryArn } = new DiscoveryName(this, "Name", called);
    new PublishedContract(this, "Contract", {
      name: props.parameter,
      value: {
        securityGroupId,
        port: called.port,
        url: `http://${dnsName}:${called.port}`,
        dnsName,
        registryArn,
      },
    });
  }
}
