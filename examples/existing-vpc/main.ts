/** A platform in a network, behind a load balancer and under the rules that another team owns. */
import {
  App,
  CloudNativeService,
  type Environment,
  existingLoadBalancer,
  existingVpc,
  Ingress,
  Platform,
} from "antifragile";

const account = "123456789012";
const environment: Environment = {
  name: "dev",
  region: "eu-central-1",
  profile: "dev",
  account,
  guardrails: {
    permissionsBoundaryArn: `arn:aws:iam::${account}:policy/boundary`,
    rolePath: "/shop/",
    namePrefix: "acme",
    requiredTags: ["CostCenter"],
  },
  registryMirror: `${account}.dkr.ecr.eu-central-1.amazonaws.com/mirror`,
};
const loadBalancer = `arn:aws:elasticloadbalancing:eu-central-1:${account}:loadbalancer/app/front/50dc6c495c0c9188`;

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  tags: { CostCenter: "4711" },
  vpc: existingVpc({
    vpcId: "vpc-0a1b2c3d4e5f60718",
    publicSubnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
    privateSubnetIds: ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
  }),
  listener: existingLoadBalancer({
    loadBalancerArn: loadBalancer,
    loadBalancerArnSuffix: "app/front/50dc6c495c0c9188",
    listenerArn: `${loadBalancer.replace(":loadbalancer/", ":listener/")}/f2f7dc8efc522ab2`,
    dnsName: "front-1234567890.eu-central-1.elb.amazonaws.com",
    dnsZoneId: "Z215JYRZR1TBD5",
    scheme: "https",
    securityGroupId: "sg-0a1b2c3d4e5f60715",
  }),
});

const orders = new CloudNativeService(platform.stack("orders"), "Orders");
orders.add(new Ingress({ paths: ["/v1/orders", "/v1/orders/*"] }));

app.synth();
