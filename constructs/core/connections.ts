import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "./check-types";
import { invalid } from "./errors";
import { identityOf } from "./parameter-contract";
import { Registry } from "./registry";
import { AwsStack, addressOf } from "./stack";

/** A resource with a security group, which connections can be allowed to and from. */
export interface IConnectable extends IConstruct {
  readonly connections: Connections;
}

/** Options of a security group rule. */
export interface ConnectionOptions {
  /**
   * TCP port.
   *
   * @default - the port that the other side serves on
   */
  readonly port?: number;
}

/** Options for access from the internet or to it. */
export interface InternetOptions {
  /**
   * Allows IPv6 addresses, too.
   *
   * @default false
   */
  readonly ipv6?: boolean;
}

/** Rules of an app that connect two security groups on a port. */
interface Edge {
  readonly stack: AwsStack;
  readonly addresses: readonly string[];
}

/** Edges by their groups and port, which AWS accepts only once: the description is not part of a rule's identity. */
const EDGES = () => new Map<string, Edge>();

/**
 * Network access of a resource: `web.connections.allowTo(database)`.
 *
 * Each call creates one security group rule on each side, both in the tree of the construct that it is called on, so that
 * two resources that connect to each other never create a cycle. A connection that is requested twice in an app, also by two
 * constructs or from both sides, has one rule on each side. Costs nothing.
 *
 * @example
 * ```ts
 * orders.connections.allowTo("Payments", payments.connections);
 * ```
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
 */
export class Connections extends Construct {
  /** Id of the security group. */
  readonly securityGroupId: string;
  /** TCP port that clients connect to, if there is one. */
  readonly defaultPort: number | undefined;
  readonly #rules: string[] = [];

  constructor(
    scope: Construct,
    id: string,
    props: { readonly securityGroupId: string; readonly defaultPort?: number },
  ) {
    super(scope, id);
    this.securityGroupId = props.securityGroupId;
    this.defaultPort = props.defaultPort;
  }

  /** Allows connections from this resource to the other. `as` names the connection and is part of the rules' addresses. */
  allowTo(as: string, other: Connections, options: ConnectionOptions = {}): void {
    checkArguments("Connections.allowTo", { as, other, options }, this);
    const port = options.port ?? other.defaultPort;
    if (port === undefined) {
      throw invalid(this, {
        code: "CONNECTION_PORT",
        prop: "port",
        problem: `must be set, because ${other.node.path} has no default port`,
        remedy: "Pass { port }.",
      });
    }
    this.#pair(`To${as}`, this.securityGroupId, other.securityGroupId, port, `to ${as}`);
  }

  /** Allows connections from the other resource to this one. */
  allowFrom(as: string, other: Connections, options: ConnectionOptions = {}): void {
    checkArguments("Connections.allowFrom", { as, other, options }, this);
    const port = options.port ?? this.defaultPort;
    if (port === undefined) {
      throw invalid(this, {
        code: "CONNECTION_PORT",
        prop: "port",
        problem: "must be set, because this resource has no default port",
        remedy: "Pass { port }.",
      });
    }
    this.#pair(`From${as}`, other.securityGroupId, this.securityGroupId, port, `from ${as}`);
  }

  /** Allows connections from the whole internet. Only for a declared public listener. Repeated calls add one rule. */
  allowFromInternet(port: number, options: InternetOptions = {}): void {
    checkArguments("Connections.allowFromInternet", { port, options }, this);
    for (const [version, anywhere] of anywheres(options)) {
      if (this.node.tryFindChild(`FromInternet${port}${version}`) !== undefined) continue;
      const rule = new VpcSecurityGroupIngressRule(this, `FromInternet${port}${version}`, {
        securityGroupId: this.securityGroupId,
        description: `public listener on ${port}`,
        ...anywhere,
        ipProtocol: "tcp",
        fromPort: port,
        toPort: port,
      });
      this.#rules.push(addressOf(rule));
    }
  }

  /** Allows connections from this resource to any address on one port. Repeated calls add one rule. */
  allowToInternet(port: number, options: InternetOptions = {}): void {
    checkArguments("Connections.allowToInternet", { port, options }, this);
    for (const [version, anywhere] of anywheres(options)) {
      if (this.node.tryFindChild(`ToInternet${port}${version}`) !== undefined) continue;
      const rule = new VpcSecurityGroupEgressRule(this, `ToInternet${port}${version}`, {
        securityGroupId: this.securityGroupId,
        description: `outbound on ${port}`,
        ...anywhere,
        ipProtocol: "tcp",
        fromPort: port,
        toPort: port,
      });
      this.#rules.push(addressOf(rule));
    }
  }

  /** Addresses of all rules created here, for the `depends_on` of resources that need the connections at startup. */
  get ruleAddresses(): readonly string[] {
    return this.#rules;
  }

  #pair(id: string, from: string, to: string, port: number, description: string): void {
    const stack = AwsStack.of(this);
    const edges = Registry.of(this.node.root).get(EDGES);
    const edge = [from, to, port].map((end) => identityOf(this, end)).join(" ");
    const existing = edges.get(edge);
    if (existing !== undefined) {
      if (existing.stack === stack) this.#rules.push(...existing.addresses);
      else stack.preferAfter(existing.stack);
      return;
    }
    const common = { description, ipProtocol: "tcp", fromPort: port, toPort: port };
    const out = new VpcSecurityGroupEgressRule(this, `${id}Out`, {
      ...common,
      securityGroupId: from,
      referencedSecurityGroupId: to,
    });
    const into = new VpcSecurityGroupIngressRule(this, `${id}In`, {
      ...common,
      securityGroupId: to,
      referencedSecurityGroupId: from,
    });
    const addresses = [addressOf(out), addressOf(into)];
    edges.set(edge, { stack, addresses });
    this.#rules.push(...addresses);
  }
}

function anywheres(options: InternetOptions) {
  return [["", { cidrIpv4: "0.0.0.0/0" }], ...(options.ipv6 ? ([["V6", { cidrIpv6: "::/0" }]] as const) : [])] as const;
}
