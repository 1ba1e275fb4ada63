import { Construct } from "constructs";
import { ImportedContract, PublishedContract, serviceParameter } from "../../core/parameter-contract";
import { movedFrom } from "../../core/renamed";
import { SecurityGroup } from "../../core/security-group";
import { DiscoveryName } from "../../discovery/discovery-name";
import type { NamespaceAttributes } from "../../discovery/namespace";
import type { ServiceContext } from "../props";

interface IdentityProps {
  /** Name of the SSM parameter that publishes the identity. */
  readonly parameter: string;
  readonly vpcId: string;
  /** Prefix of the security group's name. */
  readonly name: string;
  /** Name and port that other services call; undefined for a process without requests. */
  readonly endpoint:
    | {
        /** First label of the DNS name. */
        readonly name: string;
        readonly namespace: NamespaceAttributes;
        /** TCP port of the endpoint. */
        readonly port: number;
      }
    | undefined;
}

/**
 * Security group and DNS name of a service, published in an SSM parameter. Part of the data stack, so that references to a
 * service do not depend on the service itself.
 */
class Identity extends Construct {
  constructor(scope: Construct, id: string, props: IdentityProps) {
    super(scope, id);
    const { endpoint } = props;
    const group = new SecurityGroup(this, "SecurityGroup", {
      vpcId: props.vpcId,
      name: props.name,
      port: endpoint?.port,
    });
    const { securityGroupId } = group.connections;
    if (endpoint === undefined) {
      new PublishedContract(this, "Contract", { name: props.parameter, value: { securityGroupId } });
      return;
    }
    const { dnsName, registryArn } = new DiscoveryName(this, "Name", endpoint);
    new PublishedContract(this, "Contract", {
      name: props.parameter,
      value: {
        securityGroupId,
        port: endpoint.port,
        url: `http://${dnsName}:${endpoint.port}`,
        dnsName,
        registryArn,
      },
    });
  }
}

/** Publishes the identity of a service in its data stack, and imports it into the stack of the service. */
export function publishIdentity(
  service: Construct,
  { stack, settings, fullName }: ServiceContext,
  renamedFrom: string | undefined,
): ImportedContract {
  const { data, environment, platformName } = stack;
  const { name, process } = settings;
  const parameter = serviceParameter(environment.name, platformName, name);
  const identity = new Identity(data, service.node.id, {
    parameter,
    vpcId: data.vpc.vpcId,
    name: fullName.join("-"),
    endpoint: process.kind === "web" ? { name, namespace: data.namespace, port: process.port } : undefined,
  });
  if (renamedFrom !== undefined) movedFrom(identity, renamedFrom);
  return new ImportedContract(service, "Identity", { name: parameter });
}
