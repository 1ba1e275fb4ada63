import { expect } from "vitest";
import { field } from "../../support/aws-call";
import {
  aws,
  balanced,
  balancer,
  type Case,
  ec2,
  elb,
  FIXED,
  forward,
  group,
  launchTemplate,
  listener,
  many,
  network,
  path,
  targetGroup,
} from "./account";

const HTTPS = { IpProtocol: "tcp", FromPort: 443, ToPort: 443 };
const AUTHENTICATE = {
  Type: "authenticate-oidc",
  Order: 1,
  AuthenticateOidcConfig: {
    Issuer: "https://issuer.example",
    AuthorizationEndpoint: "https://issuer.example/a",
    TokenEndpoint: "https://issuer.example/t",
    UserInfoEndpoint: "https://issuer.example/u",
    ClientId: "id",
    ClientSecret: "secret",
  },
};
const rule = (arn: string, priority: number, conditions: object[] = path(`/${priority}`), actions: object[] = FIXED) =>
  elb("CreateRule", { ListenerArn: arn, Priority: priority, Conditions: conditions, Actions: actions });
const ingress = (id: string, description: string, port = 443) =>
  ec2("AuthorizeSecurityGroupIngress", {
    GroupId: id,
    IpPermissions: [
      { ...HTTPS, FromPort: port, ToPort: port, IpRanges: [{ CidrIp: "10.0.0.0/8", Description: description }] },
    ],
  });
const ranges = (id: string, count: number) =>
  ec2("AuthorizeSecurityGroupIngress", {
    GroupId: id,
    IpPermissions: [
      { ...HTTPS, IpRanges: Array.from({ length: count }, (_, each) => ({ CidrIp: `10.0.${each}.0/24` })) },
    ],
  });
const protect = (LoadBalancerArn: string, Value: string) =>
  elb("ModifyLoadBalancerAttributes", { LoadBalancerArn, Attributes: [{ Key: "deletion_protection.enabled", Value }] });
const certificate = async (): Promise<string> =>
  (await aws.call("acm", "RequestCertificate", { DomainName: "shop.example" })).CertificateArn;

const REDIRECT = [{ Type: "redirect", RedirectConfig: { Protocol: "HTTPS", Port: "443", StatusCode: "HTTP_301" } }];

const webAcl = (Name: string) =>
  aws.call("wafv2", "CreateWebACL", {
    Name,
    Scope: "REGIONAL",
    DefaultAction: { Allow: {} },
    VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: "app" },
  });

export const cases: Record<string, Case> = {
  // Networks
  "ec2-vpc-quota": {
    given: () => many(3, (number) => ec2("CreateVpc", { CidrBlock: `10.${number}.0.0/16` })), // and the default one
    refused: async () => {
      await ec2("CreateVpc", { CidrBlock: "10.8.0.0/16" });
      return ec2("CreateVpc", { CidrBlock: "10.9.0.0/16" });
    },
    accepted: async () => {
      const last = field(
        await ec2("DescribeVpcs", { Filter: [{ Name: "cidr-block", Value: ["10.8.0.0/16"] }] }),
        "vpcId",
      );
      await ec2("DeleteVpc", { VpcId: last });
      return ec2("CreateVpc", { CidrBlock: "10.9.0.0/16" });
    },
  },
  "ec2-address-quota": {
    given: () => many(4, () => ec2("AllocateAddress", { Domain: "vpc" })),
    refused: async () => {
      await ec2("AllocateAddress", { Domain: "vpc" });
      return ec2("AllocateAddress", { Domain: "vpc" });
    },
    accepted: async () => {
      await ec2("ReleaseAddress", { AllocationId: field(await ec2("DescribeAddresses"), "allocationId") });
      return ec2("AllocateAddress", { Domain: "vpc" });
    },
  },
  "ec2-group-name": {
    given: network,
    refused: ({ vpc }) => group(vpc, "sg-app"),
    accepted: ({ vpc }) => group(vpc, "app-sg"),
  },
  "ec2-group-description": {
    given: network,
    refused: ({ vpc }) => ec2("CreateSecurityGroup", { GroupName: "a", GroupDescription: "what’s this?", VpcId: vpc }),
    accepted: ({ vpc }) => ec2("CreateSecurityGroup", { GroupName: "a", GroupDescription: "of the app", VpcId: vpc }),
  },
  "ec2-rule-description": {
    given: async () => group((await network()).vpc),
    refused: (id) => ingress(id, "from the load balancer’s group"),
    accepted: (id) => ingress(id, "from the load balancer"),
  },
  "ec2-group-in-use": {
    given: async () => {
      const { vpc, subnets } = await network();
      const id = await group(vpc);
      return { id, balancer: await balancer(subnets, "public", [id]) };
    },
    refused: ({ id }) => ec2("DeleteSecurityGroup", { GroupId: id }),
    accepted: async ({ id, balancer }) => {
      await elb("DeleteLoadBalancer", { LoadBalancerArn: balancer });
      return ec2("DeleteSecurityGroup", { GroupId: id });
    },
  },
  "ec2-subnet-in-use": {
    given: async () => {
      const { vpc, subnets } = await network();
      return { subnets, balancer: await balancer(subnets, "public", [await group(vpc)]) };
    },
    refused: ({ subnets: [SubnetId] }) => ec2("DeleteSubnet", { SubnetId }),
    accepted: async ({ subnets: [SubnetId], balancer }) => {
      await elb("DeleteLoadBalancer", { LoadBalancerArn: balancer });
      return ec2("DeleteSubnet", { SubnetId });
    },
  },
  "ec2-duplicate-rule": {
    given: async () => {
      const id = await group((await network()).vpc);
      await ingress(id, "from the office");
      return id;
    },
    // The same edge with another description.
    refused: (id) => ingress(id, "from the other office"),
    accepted: (id) => ingress(id, "from the other office", 80),
  },
  "ec2-changed-to-duplicate": {
    given: async () => {
      const GroupId = await group((await network()).vpc);
      await ingress(GroupId, "https");
      const SecurityGroupRuleId = field(await ingress(GroupId, "http", 80), "securityGroupRuleId");
      return (port: number) =>
        ec2("ModifySecurityGroupRules", {
          GroupId,
          SecurityGroupRule: [
            {
              SecurityGroupRuleId,
              SecurityGroupRule: { IpProtocol: "tcp", FromPort: port, ToPort: port, CidrIpv4: "10.0.0.0/8" },
            },
          ],
        });
    },
    refused: (move) => move(443),
    accepted: (move) => move(8080),
  },
  "ec2-rule-quota": {
    given: async () => group((await network()).vpc),
    refused: (id) => ranges(id, 61),
    accepted: (id) => ranges(id, 60),
  },

  // Load balancers
  "elb-load-balancer-name": {
    given: network,
    refused: ({ subnets }) => balancer(subnets, "internal-orders"),
    accepted: ({ subnets }) => balancer(subnets, "orders-internal"),
  },
  "elb-zones": {
    given: network,
    refused: ({ subnets }) => balancer([subnets[0]]),
    accepted: ({ subnets }) => balancer(subnets),
  },
  "elb-zone-twice": {
    given: network,
    refused: async ({ subnets, subnet }) => balancer([...subnets, await subnet("a", 2)]),
    accepted: ({ subnets }) => balancer(subnets),
  },
  "elb-priority-in-use": {
    given: async () => {
      const given = await balanced();
      await rule(given.listener, 10);
      return given;
    },
    refused: ({ listener }) => rule(listener, 10),
    accepted: ({ listener }) => rule(listener, 11),
  },
  "elb-rule-quota": {
    given: async () => {
      const given = await balanced();
      await many(99, (number) => rule(given.listener, number + 1));
      return given;
    },
    refused: async ({ listener }) => {
      await rule(listener, 1000);
      return rule(listener, 1001);
    },
    accepted: async ({ vpc, subnet }) => {
      expect(vpc).toBeDefined();
      const other = await listener(await balancer([await subnet("a", 3), await subnet("b", 4)], "second"));
      return rule(other, 1001);
    },
  },
  "elb-condition-values": {
    given: balanced,
    refused: ({ listener }) => rule(listener, 1, path("/1", "/2", "/3", "/4", "/5", "/6")),
    accepted: ({ listener }) => rule(listener, 1, path("/1", "/2", "/3", "/4", "/5")),
  },
  "elb-target-group-association": {
    given: async () => {
      const given = await balanced();
      const used = await targetGroup(given.vpc, "used");
      await rule(given.listener, 1, path("/used"), forward(used));
      const second = await listener(await balancer(given.subnets, "second"));
      return { used, second, fresh: await targetGroup(given.vpc, "fresh") };
    },
    refused: ({ second, used }) => rule(second, 1, path("/a"), forward(used)),
    accepted: ({ second, fresh }) => rule(second, 1, path("/a"), forward(fresh)),
  },
  "elb-target-group-quota": {
    given: async () => {
      const given = await balanced();
      const groups: string[] = [];
      await many(101, async (number) => groups.push(await targetGroup(given.vpc, `web-${number}`)));
      const weighted = (from: number, to: number) => [
        {
          Type: "forward",
          ForwardConfig: { TargetGroups: groups.slice(from, to).map((arn) => ({ TargetGroupArn: arn, Weight: 1 })) },
        },
      ];
      await many(20, (number) =>
        rule(given.listener, number + 1, path(`/${number}`), weighted(number * 5, number * 5 + 5)),
      );
      return { ...given, weighted };
    },
    refused: ({ listener, weighted }) => rule(listener, 500, path("/more"), weighted(100, 101)),
    accepted: ({ listener, weighted }) => rule(listener, 500, path("/more"), weighted(0, 1)),
  },
  "elb-authenticate-over-http": {
    given: async () => ({ ...(await balanced()), secure: true }),
    refused: ({ listener }) => rule(listener, 1, path("/"), [AUTHENTICATE, { ...FIXED[0], Order: 2 }]),
    accepted: async ({ balancer }) => {
      const secure = await elb("CreateListener", {
        LoadBalancerArn: balancer,
        Protocol: "HTTPS",
        Port: 443,
        Certificates: [{ CertificateArn: await certificate() }],
        DefaultActions: FIXED,
      });
      return rule(field(secure, "ListenerArn") as string, 1, path("/"), [AUTHENTICATE, { ...FIXED[0], Order: 2 }]);
    },
  },
  "elb-certificate": {
    given: balanced,
    refused: ({ balancer }) =>
      elb("CreateListener", { LoadBalancerArn: balancer, Protocol: "HTTPS", Port: 443, DefaultActions: FIXED }),
    accepted: ({ balancer }) =>
      elb("CreateListener", { LoadBalancerArn: balancer, Protocol: "HTTP", Port: 8080, DefaultActions: FIXED }),
  },
  "elb-target-group-name": {
    given: network,
    refused: ({ vpc }) => targetGroup(vpc, "a".repeat(33)),
    accepted: ({ vpc }) => targetGroup(vpc, "a".repeat(32)),
  },
  "elb-duplicate-target-group": {
    given: async () => {
      const { vpc } = await network();
      await targetGroup(vpc);
      return vpc;
    },
    refused: (vpc) => targetGroup(vpc, "web", { Port: 9090 }),
    accepted: (vpc) => targetGroup(vpc, "web2", { Port: 9090 }),
  },
  "elb-target-group-in-use": {
    given: async () => {
      const given = await balanced();
      const arn = await targetGroup(given.vpc);
      await listener(given.balancer, forward(arn), 81);
      return { arn, unused: await targetGroup(given.vpc, "unused") };
    },
    refused: ({ arn }) => elb("DeleteTargetGroup", { TargetGroupArn: arn }),
    accepted: ({ unused }) => elb("DeleteTargetGroup", { TargetGroupArn: unused }),
  },
  "elb-load-balancer-exists": {
    given: async () => {
      const { subnets } = await network();
      await balancer(subnets);
      return subnets;
    },
    refused: (subnets) => balancer(subnets, "public", ["sg-0123"]),
    accepted: (subnets) => balancer(subnets, "other"),
  },
  "elb-listener-exists": {
    given: balanced,
    refused: ({ balancer }) => listener(balancer, REDIRECT),
    accepted: ({ balancer }) => listener(balancer, FIXED, 8080),
  },
  "elb-priority-moved": {
    given: async () => {
      const given = await balanced();
      await rule(given.listener, 10);
      return field(await rule(given.listener, 20), "RuleArn");
    },
    refused: (RuleArn) => elb("SetRulePriorities", { RulePriorities: [{ RuleArn, Priority: 10 }] }),
    accepted: (RuleArn) => elb("SetRulePriorities", { RulePriorities: [{ RuleArn, Priority: 30 }] }),
  },
  "elb-load-balancer-protected": {
    given: async () => {
      const { subnets } = await network();
      const arn = await balancer(subnets);
      await protect(arn, "true");
      return arn;
    },
    refused: (LoadBalancerArn) => elb("DeleteLoadBalancer", { LoadBalancerArn }),
    accepted: async (LoadBalancerArn) => {
      await protect(LoadBalancerArn, "false");
      return elb("DeleteLoadBalancer", { LoadBalancerArn });
    },
  },
  "ec2-group-exists": {
    given: async () => {
      const { vpc } = await network();
      await group(vpc);
      return vpc;
    },
    refused: (vpc) => group(vpc),
    accepted: (vpc) => group(vpc, "other"),
  },
  "ec2-launch-template-exists": {
    given: () => launchTemplate(),
    refused: () => launchTemplate(),
    accepted: () => launchTemplate("other"),
  },
  "acm-certificate-in-use": {
    given: async () => {
      const { balancer } = await balanced();
      const CertificateArn = await certificate();
      const secure = await elb("CreateListener", {
        LoadBalancerArn: balancer,
        Protocol: "HTTPS",
        Port: 443,
        Certificates: [{ CertificateArn }],
        DefaultActions: FIXED,
      });
      return { CertificateArn, listener: field(secure, "ListenerArn") };
    },
    refused: ({ CertificateArn }) => aws.call("acm", "DeleteCertificate", { CertificateArn }),
    accepted: async ({ CertificateArn, listener }) => {
      await elb("DeleteListener", { ListenerArn: listener });
      return aws.call("acm", "DeleteCertificate", { CertificateArn });
    },
  },
  "waf-acl-exists": {
    given: () => webAcl("app"),
    refused: () => webAcl("app"),
    accepted: () => webAcl("other"),
  },
};
