import { DataAwsLb } from "@cdktf/provider-aws/lib/data-aws-lb";
import { DataAwsLbListener } from "@cdktf/provider-aws/lib/data-aws-lb-listener";
import { Lb } from "@cdktf/provider-aws/lib/lb";
import { LbListener } from "@cdktf/provider-aws/lib/lb-listener";
import { Fn, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { Connections, type IConnectable } from "../core/connections";
import { invalid, Problems } from "../core/errors";
import { literal } from "../core/literal";
import { Registry } from "../core/registry";
import { SecurityGroup } from "../core/security-group";
import { AwsStack } from "../core/stack";
import type { IVpc } from "../vpc/vpc";
import { aliasRecord, Certificate, HOST_PATTERN, HOST_RULE, ZONE_ID_PATTERN } from "./certificate";

/** How a load balancer is reached: see {@link https} and {@link insecureHttp}. */
export type Listener =
  | { readonly kind: "https"; readonly certificateArn?: string; readonly domain?: string; readonly zoneId?: string }
  | { readonly kind: "insecure-http" };

/**
 * HTTPS on 443 with TLS 1.2 and 1.3; port 80 only redirects.
 *
 * @param options.domain what the services' host names end in: `shop.example.com`. With a zone it leads to the load balancer, and
 *   so does `*.shop.example.com`
 * @param options.zoneId zone of Route 53 that the domain is in
 * @param options.certificateArn ARN of a certificate in AWS Certificate Manager, in the load balancer's region. Default: one for the
 *   domain and all below it, which the zone proves and AWS renews
 */
export function https(
  options:
    | { readonly certificateArn: string; readonly domain?: string; readonly zoneId?: string }
    | { readonly domain: string; readonly zoneId: string },
): Listener {
  return { kind: "https", ...options };
}

/** Plain HTTP on 80: everybody on the way can read and change what is sent. For trying out, without a domain. */
export function insecureHttp(): Listener {
  return { kind: "insecure-http" };
}

export interface LoadBalancerProps {
  readonly vpc: IVpc;
  /** HTTPS, or plain HTTP by its own word. */
  readonly listener: Listener;
}

/** A load balancer, owned by this app or read from a platform. */
export interface ILoadBalancer extends IConstruct, IConnectable {
  readonly loadBalancerArn: string;
  /** Last part of the ARN: the dimension of its metrics. */
  readonly loadBalancerArnSuffix: string;
  /** Listener that services add their rules to. */
  readonly listenerArn: string;
  /** Name that AWS gave it in DNS. */
  readonly dnsName: string;
  /** Zone that AWS keeps that name in: for records that lead to it. */
  readonly dnsZoneId: string;
  /** `https` or `http`. */
  readonly scheme: string;
}

/** What is needed to use a load balancer that somebody else owns. */
export interface LoadBalancerAttributes {
  readonly loadBalancerArn: string;
  readonly loadBalancerArnSuffix: string;
  readonly listenerArn: string;
  readonly dnsName: string;
  readonly dnsZoneId: string;
  readonly scheme: string;
  readonly securityGroupId: string;
}

/** Identifies an Application Load Balancer that another app or team owns; Terraform reads everything else. */
export interface LoadBalancerArn {
  readonly loadBalancerArn: string;
  /**
   * Port of the listener that services add their rules to.
   *
   * @default 443
   */
  readonly port?: number;
}

/** An Application Load Balancer that another app or team owns: see {@link existingLoadBalancer}. */
export interface ExistingLoadBalancer extends LoadBalancerArn {
  readonly kind: "existing-load-balancer";
}

/**
 * Makes an Application Load Balancer that another app or team owns the load balancer of a platform. Each service adds rules
 * to its listener, and a rule to the load balancer's first security group that lets requests out to the service. Signing in
 * needs a rule in that group for HTTPS (443) to the issuer.
 *
 * @example
 * ```ts
 * new Platform(app, "shop", {
 *   environment,
 *   listener: existingLoadBalancer({
 *     loadBalancerArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188",
 *   }),
 * });
 * ```
 * @see https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/data-sources/lb
 */
export function existingLoadBalancer(arn: LoadBalancerArn): ExistingLoadBalancer {
  return { kind: "existing-load-balancer", ...arn };
}

/**
 * A public application load balancer that many services share; what no service claims is answered with 404.
 *
 * Costs about 20 USD a month, and 0.008 USD for each unit of load and hour.
 *
 * @example
 * ```ts
 * new LoadBalancer(stack, "LoadBalancer", { vpc: new Vpc(stack, "Vpc"), listener: insecureHttp() });
 * ```
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html
 */
export class LoadBalancer extends Construct implements ILoadBalancer {
  /** Refers to a load balancer that somebody else owns. */
  static fromAttributes(scope: Construct, id: string, attributes: LoadBalancerAttributes): ILoadBalancer {
    return new ImportedLoadBalancer(scope, id, () => attributes);
  }

  /**
   * Reads a load balancer that another app or team owns.
   *
   * @throws InvalidPropsError LOAD_BALANCER_ARN, LOAD_BALANCER_PORT
   */
  static fromArn(scope: Construct, id: string, props: LoadBalancerArn): ILoadBalancer {
    return new ImportedLoadBalancer(scope, id, (self) => read(self, props));
  }

  readonly loadBalancerArn: string;
  readonly loadBalancerArnSuffix: string;
  readonly listenerArn: string;
  readonly dnsName: string;
  readonly dnsZoneId: string;
  readonly scheme: string;
  readonly connections: Connections;

  /** @throws InvalidPropsError LISTENER_CERTIFICATE, LISTENER_PLAIN */
  constructor(scope: Construct, id: string, props: LoadBalancerProps) {
    super(scope, id);
    const stack = AwsStack.of(this);
    const { stackName, environment, production } = stack;
    const { listener, vpc } = props;
    const { ipv6 } = vpc;
    if (listener.kind === "https") checkHttps(this, listener);
    else if (!stack.defaults.plainHttp) {
      throw invalid(this, {
        code: "LISTENER_PLAIN",
        prop: "listener",
        problem: `is plain HTTP, and the profile is ${environment.profile}`,
        remedy: "Use https({ certificateArn }), or https({ domain, zoneId }).",
      });
    }
    const group = new SecurityGroup(this, "SecurityGroup", {
      vpcId: vpc.vpcId,
      name: `${stackName}-${environment.name}-balancer`,
    });
    const loadBalancer = new Lb(this, "Resource", {
      name: stack.physicalName("loadBalancer", stackName, environment.name),
      loadBalancerType: "application",
      internal: false,
      ipAddressType: ipv6 ? "dualstack" : undefined,
      subnets: [...vpc.publicSubnetIds],
      securityGroups: [group.connections.securityGroupId],
      dropInvalidHeaderFields: true,
      desyncMitigationMode: "defensive",
      enableDeletionProtection: production,
      idleTimeout: 60,
    });
    group.connections.allowFromInternet(80, { ipv6 });
    const nobodysRequest = [
      {
        type: "fixed-response",
        fixedResponse: { contentType: "text/plain", statusCode: "404", messageBody: "no service here" },
      },
    ];
    // The same listener on port 80 either way, so that going over to HTTPS changes it in place.
    const http = new LbListener(this, "Http", {
      loadBalancerArn: loadBalancer.arn,
      port: 80,
      protocol: "HTTP",
      defaultAction:
        listener.kind === "https"
          ? [{ type: "redirect", redirect: { port: "443", protocol: "HTTPS", statusCode: "HTTP_301" } }]
          : nobodysRequest,
    });
    if (listener.kind === "https") {
      group.connections.allowFromInternet(443, { ipv6 });
      // Issuers at which people sign in, for services of any repo: a rule of theirs would be there twice. IPv4 alone is used.
      group.connections.allowToInternet(443);
      this.listenerArn = new LbListener(this, "Https", {
        loadBalancerArn: loadBalancer.arn,
        port: 443,
        protocol: "HTTPS",
        sslPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificateArn: this.#certificate(listener),
        defaultAction: nobodysRequest,
      }).arn;
    } else {
      this.listenerArn = http.arn;
    }
    this.loadBalancerArn = loadBalancer.arn;
    this.loadBalancerArnSuffix = loadBalancer.arnSuffix;
    this.dnsName = loadBalancer.dnsName;
    this.dnsZoneId = loadBalancer.zoneId;
    this.scheme = listener.kind === "https" ? "https" : "http";
    this.connections = group.connections;
    if (listener.kind === "https" && listener.domain !== undefined && listener.zoneId !== undefined) {
      const { domain, zoneId } = listener;
      aliasRecord(this, "Domain", { zoneId, host: domain, loadBalancer: this });
      aliasRecord(this, "AllBelow", { zoneId, host: `*.${domain}`, loadBalancer: this });
    }
  }

  #certificate({ certificateArn, domain = "", zoneId = "" }: Https): string {
    if (certificateArn !== undefined) return literal(certificateArn);
    return new Certificate(this, "Certificate", { hosts: [domain, `*.${domain}`], zoneId }).certificateArn;
  }
}

type Https = Extract<Listener, { readonly kind: "https" }>;

function checkHttps(scope: IConstruct, { certificateArn, domain, zoneId }: Https): void {
  const problems = new Problems(scope);
  problems.check(
    certificateArn === undefined
      ? domain !== undefined && zoneId !== undefined
      : Token.isUnresolved(certificateArn) ||
          /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/.test(certificateArn),
    {
      code: "LISTENER_CERTIFICATE",
      prop: "listener.certificateArn",
      problem:
        certificateArn === undefined
          ? "is not set, and neither are domain and zoneId, which one could be made from"
          : `${JSON.stringify(certificateArn)} is no ARN of a certificate`,
      remedy: "Pass the ARN of a certificate in this region, or domain and zoneId; or say insecureHttp().",
    },
  );
  problems.check(domain === undefined || (HOST_PATTERN.test(domain) && !domain.startsWith("*")), {
    code: "LISTENER_DOMAIN",
    prop: "listener.domain",
    problem: `${JSON.stringify(domain)} is no domain`,
    remedy: `Use ${HOST_RULE}, without the wildcard.`,
  });
  problems.check(
    zoneId === undefined || (domain !== undefined && (Token.isUnresolved(zoneId) || ZONE_ID_PATTERN.test(zoneId))),
    {
      code: "LISTENER_ZONE",
      prop: "listener.zoneId",
      problem: `${JSON.stringify(zoneId)} is no zone of Route 53, or there is no domain`,
      remedy: "Use the zone's id, as Z0123456789ABCDEFGHIJ, together with domain.",
    },
  );
  problems.throwIfAny();
}

const LOAD_BALANCER_ARN =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:loadbalancer\/app\/[\w-]+\/[0-9a-f]+$/;

/** Attributes of a load balancer that Terraform reads. */
function read(scope: Construct, { loadBalancerArn, port = 443 }: LoadBalancerArn): LoadBalancerAttributes {
  const problems = new Problems(scope);
  problems.check(Token.isUnresolved(loadBalancerArn) || LOAD_BALANCER_ARN.test(loadBalancerArn), {
    code: "LOAD_BALANCER_ARN",
    prop: "loadBalancerArn",
    problem: `must be the ARN of an Application Load Balancer, got ${JSON.stringify(loadBalancerArn)}`,
    remedy:
      "Use for example arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188.",
  });
  problems.check(Token.isUnresolved(port) || (Number.isInteger(port) && port >= 1 && port <= 65_535), {
    code: "LOAD_BALANCER_PORT",
    prop: "port",
    problem: `must be the port of a listener, got ${port}`,
    remedy: "Use a whole number from 1 to 65535, such as 443.",
  });
  problems.throwIfAny();
  const loadBalancer = new DataAwsLb(scope, "Resource", { arn: literal(loadBalancerArn) });
  const listener = new DataAwsLbListener(scope, "Listener", { loadBalancerArn: loadBalancer.arn, port });
  return {
    loadBalancerArn: loadBalancer.arn,
    loadBalancerArnSuffix: loadBalancer.arnSuffix,
    listenerArn: listener.arn,
    dnsName: loadBalancer.dnsName,
    dnsZoneId: loadBalancer.zoneId,
    scheme: Fn.lower(listener.protocol),
    // Requests leave by any group of the load balancer; one rule in one of them is enough.
    securityGroupId: Fn.element(loadBalancer.securityGroups, 0),
  };
}

const STACK_LOAD_BALANCER = (): { loadBalancer?: ILoadBalancer } => ({});

/** Makes a load balancer the default of the Auto Scaling groups in a stack. */
export function provideLoadBalancer(stack: AwsStack, loadBalancer: ILoadBalancer): void {
  Registry.of(stack).get(STACK_LOAD_BALANCER).loadBalancer = loadBalancer;
}

/** Returns the load balancer of the platform whose stack a construct is in; undefined elsewhere, or without a listener. */
export function stackLoadBalancer(construct: IConstruct): ILoadBalancer | undefined {
  return Registry.of(AwsStack.of(construct)).get(STACK_LOAD_BALANCER).loadBalancer;
}

class ImportedLoadBalancer extends Construct implements ILoadBalancer {
  readonly loadBalancerArn: string;
  readonly loadBalancerArnSuffix: string;
  readonly listenerArn: string;
  readonly dnsName: string;
  readonly dnsZoneId: string;
  readonly scheme: string;
  readonly connections: Connections;

  constructor(scope: Construct, id: string, attributesOf: (self: Construct) => LoadBalancerAttributes) {
    super(scope, id);
    const attributes = attributesOf(this);
    this.loadBalancerArn = literal(attributes.loadBalancerArn);
    this.loadBalancerArnSuffix = literal(attributes.loadBalancerArnSuffix);
    this.listenerArn = literal(attributes.listenerArn);
    this.dnsName = literal(attributes.dnsName);
    this.dnsZoneId = literal(attributes.dnsZoneId);
    this.scheme = literal(attributes.scheme);
    this.connections = new Connections(this, "Connections", { securityGroupId: literal(attributes.securityGroupId) });
  }
}
