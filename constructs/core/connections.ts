import { VpcSecurityGroupEgressRule } from "@cdktf/provider-aws/lib/vpc-security-group-egress-rule";
import { VpcSecurityGroupIngressRule } from "@cdktf/provider-aws/lib/vpc-security-group-ingress-rule";
import { Construct, type IConstruct } from "constructs";
import { invalid } from "./errors";
import { addressOf } from "./stack";

/** Something in a network that can be connected to or from: it has a security group. */
export interface IConnectable extends IConstruct {
  readonly connections: Connections;
}

/** What a rule is for. */
export interface ConnectionOptions {
  /**
   * TCP port.
   *
   * @default - the port that the other side serves on
   */
  readonly port?: number;
}

/** What counts as the internet. */
export interface InternetOptions {
  /**
   * Whether IPv6 addresses do too.
   *
   * @default false
   */
  readonly ipv6?: boolean;
}

/**
 * Who may talk to whom: `web.connections.allowTo(database)`.
 *
 * Makes one rule on each side, in the tree of the one that asks, so that two that call each other never make a cycle.
 * Costs nothing.
 *
 * @example
 * ```ts
 * orders.connections.allowTo("Payments", payments.connections);
 * ```
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
 */
export class Connections extends Construct {
  /** The group that stands for this thing. */
  readonly securityGroupId: string;
  /** TCP port that others connect to, where there is one. */
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

  /** Lets this thing open connections to the other. `as` names the edge; it is part of the rules' addresses. */
  allowTo(as: string, other: Connections, options: ConnectionOptions = {}): void {
    const port = options.port ?? other.defaultPort;
    if (port === undefined) {
      throw invalid(this, {
        code: "CONNECTION_PORT",
        prop: "port",
        problem: `is not known for ${other.node.path}`,
        remedy: "Pass { port }.",
      });
    }
    this.#pair(`To${as}`, this.securityGroupId, other.securityGroupId, port, `to ${as}`);
  }

  /** Lets the other open connections to this thing. */
  allowFrom(as: string, other: Connections, options: ConnectionOptions = {}): void {
    const port = options.port ?? this.defaultPort;
    if (port === undefined) {
      throw invalid(this, { code: "CONNECTION_PORT", prop: "port", problem: "is not known", remedy: "Pass { port }." });
    }
    this.#pair(`From${as}`, other.securityGroupId, this.securityGroupId, port, `from ${as}`);
  }

  /** Lets the whole internet open connections to this thing. Only for a declared public listener. */
  allowFromInternet(port: number, options: InternetOptions = {}): void {
    for (const [version, anywhere] of anywheres(options)) {
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

  /** Lets this thing open connections to any address, on one port. Asked for twice, it is allowed once. */
  allowToInternet(port: number, options: InternetOptions = {}): void {
    for (const [version, anywhere] of anywheres(options)) {
      if (this.node.tryFindChild(`ToInternet${port}${version}`) !== undefined) continue;
      const rule = new VpcSecurityGroupEgressRule(this, `ToInternet${port}${version}`, {
        securityGroupId: this.securityGroupId,
        description: `out on ${port}`,
        ...anywhere,
        ipProtocol: "tcp",
        fromPort: port,
        toPort: port,
      });
      this.#rules.push(addressOf(rule));
    }
  }

  /** Addresses of all rules made here: for `depends_on` of what needs the way to be open when it starts. */
  get ruleAddresses(): readonly string[] {
    return this.#rules;
  }

  #pair(id: string, from: string, to: string, port: number, description: string): void {
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
    this.#rules.push(addressOf(out), addressOf(into));
  }
}

function anywheres(options: InternetOptions) {
  return [["", { cidrIpv4: "0.0.0.0/0" }], ...(options.ipv6 ? ([["V6", { cidrIpv6: "::/0" }]] as const) : [])] as const;
}
