/**
 * Every type of resource that the examples auto-scaling-group, ec2-cluster and existing-vpc use, in one app. `CHANGED` makes
 * the second version of it; `SHOP`, the outputs of the first platform, puts another platform into its network.
 */
import { join } from "node:path";
import {
  App,
  AutoScalingGroup,
  Capacity,
  CloudNativeService,
  cron,
  Duration,
  type Environment,
  existingCluster,
  existingLoadBalancer,
  existingVpc,
  Ingress,
  InstanceTypes,
  insecureHttp,
  Platform,
  UserData,
} from "../../../constructs";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const changed = process.env.CHANGED === "1";
const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

/** Rules of the account's owner for another platform. */
const guardrails: NonNullable<Environment["guardrails"]> = {
  permissionsBoundary: "arn:aws:iam::aws:policy/PowerUserAccess",
  rolePath: "/tenant/",
  namePrefix: "acme",
  requiredTags: ["CostCenter"],
};

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: insecureHttp(),
  vpc: {
    ipv6: true,
    endpoints: ["ecs"],
    flowLogs: changed ? "all" : "rejected",
    egress: changed ? "nat" : "single-nat",
  },
  cluster: { capacity: [Capacity.instances("Instances")], ...(changed ? {} : { exec: {} }) },
  accessLogs: !changed,
});

const reports = new AutoScalingGroup(platform, "Reports", {
  cluster: "none",
  instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096 }),
  scaling: {
    min: 1,
    max: changed ? 8 : 4,
    cpuPercent: changed ? 50 : 55,
    networkInMiB: 100,
    prediction: "forecast",
    schedules: [{ name: "Morning", schedule: cron("0 7 * * MON-FRI", { timezone: "Europe/Berlin" }), instances: 4 }],
    steps: [
      {
        name: "Backlog",
        metric: { namespace: "Shop/Reports", metricName: "Waiting", statistic: "Maximum" },
        out: [
          { from: 100, add: 1 },
          { from: 1000, add: 4 },
        ],
        in: [{ upTo: 10, remove: 1 }],
      },
    ],
    metrics: [{ name: "Jobs", metric: { namespace: "Shop/Reports", metricName: "Running" }, target: 4 }],
  },
  spot: { onDemandBase: 1, percent: 75 },
});
reports.addLifecycleHook("Warm", { on: "launch" });
reports.addLifecycleHook("Drain", { on: "terminate", timeout: Duration.minutes(10) });

new AutoScalingGroup(platform, "Catalog", {
  cluster: "none",
  instanceTypes: InstanceTypes.ofType("t4g.small"),
  scaling: { min: 1, max: 4, requestsPerInstance: 1000 },
  registerWith: { port: 8080, healthPath: "/health", paths: ["/catalog", "/catalog/*"] },
  userData: UserData.file(join(__dirname, "../../../examples/auto-scaling-group/catalog.sh"), {
    variables: { PORT: "8080", GREETING: changed ? "hello again" : "it's ${HOME}" },
  }),
  warmPool: { min: 1 },
});

const instances = new AutoScalingGroup(platform, "Instances", {
  instanceTypes: InstanceTypes.ofType("t4g.medium"),
  scaling: { min: 1, max: 6 },
});

const orders = new CloudNativeService(platform.stack("orders"), "Orders", {
  capacity: [Capacity.instances(instances)],
  scaling: { min: 1, max: 4, cpuPercent: 60 },
});
orders.add(new Ingress({ paths: ["/v1/orders"] }));

if (process.env.SHOP !== undefined) {
  const shop = JSON.parse(process.env.SHOP);
  const tenant = new Platform(app, "tenant", {
    environment: { ...environment, guardrails },
    tags: { CostCenter: "4711" },
    vpc: existingVpc(shop.vpc),
    cluster: existingCluster({ clusterName: shop.cluster.clusterName }),
    listener: existingLoadBalancer({ loadBalancerArn: shop.loadBalancer.loadBalancerArn, port: 80 }),
  });
  new AutoScalingGroup(tenant, "Guests", {
    cluster: "none",
    registerWith: { port: 8080, paths: ["/guests"] },
  });
}

app.synth();
writeDeployingRoles(app, { dev: "dev" }, process.env.SHOP === undefined ? {} : { guardrails });
