import { DataAwsLb } from "@cdktf/provider-aws/lib/data-aws-lb";
import { DataAwsLbListener } from "@cdktf/provider-aws/lib/data-aws-lb-listener";
import { Lb } from "@cdktf/provider-aws/lib/lb";
import { LbListener } from "@cdktf/provider-aws/lib/lb-listener";
import { LbListenerRule } from "@cdktf/provider-aws/lib/lb-listener-rule";
import { Fn } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Connections, type IConnectable } from "../core/connections";
import { invalid, Problems } from "../core/errors";
import { literal } from "../core/literal";
import { isReference } from "../core/reference";
import { SecurityGroup } from "../core/security-group";
import { AwsStack } from "../core/stack";
import { StackDefault } from "../core/stack-default";
import type { IVpc } from "../vpc/vpc";
import { AccessLogs } from "./access-logs";
import { aliasRecord, Certificate, HOST_PATTERN, HOST_RULE, ZONE_ID_PATTERN } from "./certificate";
import { REDIRECT_PRIORITY } from "./priority";

/** Listener of a load balancer: see {@link https} and {@link insecureHttp}. */
export type Listener =
  | { readonly kind: "https"; readonly certificateArn?: string; readonly domain?: string; readonly zoneId?: string }
  | { readonly kind: "insecure-http" };

/**
 * HTTPS listener on port 443 with TLS 1.2 and 1.3; port 80 only redirects to it.
 *
 * @param options.domain domain of the services' host names: `shop.example.com`. With a zone, records for it and for
 * `*.shop.example.com` point to the load balancer
 * @param options.zoneId id of the Route 53 hosted zone of the domain
 * @param options.certificateArn ARN of a certificate in AWS Certificate Manager, in the load balancer's region. Default: a
 * new certificate for the domain and its subdomains, validated through the zone and renewed by AWS
 */
export function https(
  options:
    | { readonly certificateArn: string; readonly domain?: string; readonly zoneId?: string }
    | { readonly domain: string; readonly zoneId: string },
): Listener {
  checkArguments("https", { options });
  return { kind: "https", ...options };
}

/**
 * Plain HTTP listener on port 80. Anyone on the network path can read and change the traffic. For trying things out without
 * a domain.
 */
export function insecureHttp(): Listener {
  return { kind: "insecure-http" };
}

export interface LoadBalancerProps {
  readonly vpc: IVpc;
  /** Listener: HTTPS, or plain HTTP if chosen explicitly. */
  readonly listener: Listener;
  /**
   * Keeps a log of all requests in an S3 bucket of the stack, as long as other logs of the environment.
   *
   * @default true in production, false in dev
   */
  readonly accessLogs?: boolean;
}

/** A load balancer, created by this app or read from a platform. */
export interface ILoadBalancer extends IConstruct, IConnectable {
  readonly loadBalancerArn: string;
  /** Last part of the ARN, which is the dimension of its metrics. */
  readonly loadBalancerArnSuffix: string;
  /** ARN of the listener that services add their rules to. */
  readonly listenerArn: string;
  /** DNS name that AWS assigned. */
  readonly dnsName: string;
  /** Id of the hosted zone of that DNS name, for alias records. */
  readonly dnsZoneId: string;
  /** `https` or `http`. */
  readonly scheme: string;
}

/** Attributes of a load balancer that is managed outside this app. */
export interface LoadBalancerAttributes {
  readonly loadBalancerArn: string;
  readonly loadBalancerArnSuffix: string;
  readonly listenerArn: string;
  readonly dnsName: string;
  readonly dnsZoneId: string;
  readonly scheme: string;
  readonly securityGroupId: string;
}

/** Reference to an Application Load Balancer that is managed outside this app. Terraform looks up everything else. */
export interface LoadBalancerArn {
  readonly loadBalancerArn: string;
  /**
   * Port of the listener that services add their rules to.
   *
   * @default 443
   */
  readonly port?: number;
}

/** An Application Load Balancer that is managed outside this app: see {@link existingLoadBalancer}. */
export interface ExistingLoadBalancer extends LoadBalancerArn {
  readonly kind: "existing-load-balancer";
}

/**
 * References an Application Load Balancer that is managed outside this app, for a platform to use. Each service adds rules
 * to its listener, and a rule to the load balancer's first security group that allows connections to the service.
 * Authentication needs a rule in that group for HTTPS (443) to the identity provider.
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
  checkArguments("existingLoadBalancer", { arn });
  return { kind: "existing-load-balancer", ...arn };
}

/**
 * A public Application Load Balancer that services share. Requests that match no service's rule get 404.
 *
 * Costs about 20 USD a month, and 0.008 USD for each capacity unit (LCU) and hour; with access logs, about 0.025 USD per GB of logs and month.
 *
 * @example
 * ```ts
 * new LoadBalancer(stack, "LoadBalancer", { vpc: new Vpc(stack, "Vpc"), listener: insecureHttp() });
 * ```
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html
 */
export class LoadBalancer extends Construct implements ILoadBalancer {
  /** References a load balancer that is managed outside this app, by its attributes. */
  static fromAttributes(scope: Construct, id: string, attributes: LoadBalancerAttributes): ILoadBalancer {
    checkArguments("LoadBalancer.fromAttributes", { attributes });
    return new ImportedLoadBalancer(scope, id, () => attributes);
  }

  /**
   * References a load balancer that is managed outside this app, by its ARN.
   *
   * @throws InvalidPropsError LOAD_BALANCER_ARN, LOAD_BALANCER_PORT
   */
  static fromArn(scope: Construct, id: string, props: LoadBalancerArn): ILoadBalancer {
    checkArguments("LoadBalancer.fromArn", { props });
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
    checkArguments("new LoadBalancer", { props }, this);
    const stack = AwsStack.of(this);
    const { stackName, environment, production } = stack;
    const { listener, vpc, accessLogs = production } = props;
    const { ipv6 } = vpc;
    if (listener.kind === "https") checkHttps(this, listener);
    else if (!stack.defaults.plainHttp) {
      throw invalid(this, {
        code: "LISTENER_PLAIN",
        prop: "listener",
        problem: `must be HTTPS with profile ${environment.profile}`,
        remedy: "Use https({ certificateArn }), or https({ domain, zoneId }).",
      });
    }
    const group = new SecurityGroup(this, "SecurityGroup", {
      vpcId: vpc.vpcId,
      name: `${stackName}-${environment.name}-balancer`,
    });
    const logs = accessLogs ? new AccessLogs(this, "AccessLogs") : undefined;
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
      // Never left out: the provider ignores that the block is gone, and the load balancer would still send its logs.
      accessLogs: { enabled: accessLogs, bucket: logs?.bucketName ?? "" },
      dependsOn: logs && [logs.permission],
    });
    group.connections.allowFromInternet(80, { ipv6 });
    const nobodysRequest = [
      {
        type: "fixed-response",
        fixedResponse: { contentType: "text/plain", statusCode: "404", messageBody: "no service here" },
      },
    ];
    // The same listener on port 80 either way, so that switching to HTTPS adds a rule and changes nothing in place: of a default
    // action that changes its type, the provider keeps the old attributes, and warns of them in every plan.
    const http = new LbListener(this, "Http", {
      loadBalancerArn: loadBalancer.arn,
      port: 80,
      protocol: "HTTP",
      defaultAction: nobodysRequest,
    });
    if (listener.kind === "https") {
      new LbListenerRule(this, "ToHttps", {
        listenerArn: http.arn,
        priority: REDIRECT_PRIORITY,
        condition: [{ pathPattern: { values: ["*"] } }],
        action: [{ type: "redirect", redirect: { port: "443", protocol: "HTTPS", statusCode: "HTTP_301" } }],
      });
      group.connections.allowFromInternet(443, { ipv6 });
      // For the identity providers of services in any repository, whose own rules would be duplicates. The load balancer
      // connects to them over IPv4 only.
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
      : isReference(certificateArn) ||
          /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/.test(certificateArn),
    {
      code: "LISTENER_CERTIFICATE",
      prop: "listener.certificateArn",
      problem:
        certificateArn === undefined
          ? "must be set unless domain and zoneId are, from which a certificate can be created"
          : `${JSON.stringify(certificateArn)} is not the ARN of a certificate`,
      remedy: "Set certificateArn to a certificate in this region, or set domain and zoneId; or use insecureHttp().",
    },
  );
  problems.check(domain === undefined || (HOST_PATTERN.test(domain) && !domain.startsWith("*")), {
    code: "LISTENER_DOMAIN",
    prop: "listener.domain",
    problem: `${JSON.stringify(domain)} is not a valid domain`,
    remedy: `Use ${HOST_RULE}, without the wildcard.`,
  });
  problems.check(
    zoneId === undefined || (domain !== undefined && (isReference(zoneId) || ZONE_ID_PATTERN.test(zoneId))),
    {
      code: "LISTENER_ZONE",
      prop: "listener.zoneId",
      problem: `must be the id of a Route 53 hosted zone, together with domain, got ${JSON.stringify(zoneId)}`,
      remedy: "Use an id such as Z0123456789ABCDEFGHIJ, and set domain.",
    },
  );
  problems.throwIfAny();
}

const LOAD_BALANCER_ARN =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:loadbalancer\/app\/[\w-]+\/[0-9a-f]+$/;

/** Attributes of a load balancer that Terraform reads. */
function read(scope: Construct, { loadBalancerArn, port = 443 }: LoadBalancerArn): LoadBalancerAttributes {
  const problems = new Problems(scope);
  problems.check(isReference(loadBalancerArn) || LOAD_BALANCER_ARN.test(loadBalancerArn), {
    code: "LOAD_BALANCER_ARN",
    prop: "loadBalancerArn",
    problem: `must be the ARN of an Application Load Balancer, got ${JSON.stringify(loadBalancerArn)}`,
    remedy:
      "Use an ARN such as arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188.",
  });
  problems.check(isReference(port) || (Number.isInteger(port) && port >= 1 && port <= 65_535), {
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
    // Connections may leave through any security group of the load balancer; a rule in one of them is enough.
    securityGroupId: Fn.element(loadBalancer.securityGroups, 0),
  };
}

/** Load balancer of the platform that a stack is, if it has a listener. */
export const STACK_LOAD_BALANCER = new StackDefault<ILoadBalancer | undefined>();

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
