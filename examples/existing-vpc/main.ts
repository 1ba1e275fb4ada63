/** A platform in the VPC and ECS cluster of another team, with its load balancer and its guardrails. */
import {
  App,
  CloudNativeService,
  type Environment,
  existingCluster,
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
    permissionsBoundary: `arn:aws:iam::${account}:policy/boundary`,
    rolePath: "/shop/",
    namePrefix: "acme",
    requiredTags: ["CostCenter"],
  },
  registryMirror: `${account}.dkr.ecr.eu-central-1.amazonaws.com/mirror`,
};

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
    loadBalancerArn: `arn:aws:elasticloadbalancing:eu-central-1:${account}:loadbalancer/app/front/50dc6c495c0c9188`,
  }),
  cluster: existingCluster({ clusterName: "company" }),
});

const orders = new CloudNativeService(platform.stack("orders"), "Orders");
orders.add(new Ingress({ paths: ["/v1/orders", "/v1/orders/*"] }));

app.synth();
