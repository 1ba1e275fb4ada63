/** Experiments on a service, on instances and on a zone, without a load balancer, with an existing alarm. */
import {
  App,
  AutoScalingGroup,
  ChaosExperiment,
  CloudNativeService,
  Duration,
  type Environment,
  every,
  existingAlarm,
  Fault,
  InstanceTypes,
  Platform,
  ServiceDashboard,
} from "../../../constructs";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev", account: "123456789012" };
const environments = ["dev"];
const agentImage = `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"a".repeat(64)}`;

const app = new App();
const platform = new Platform(app, "shop", { environment, vpc: { egress: "single-nat" } });
const alarm = (name: string) => existingAlarm(platform, `arn:aws:cloudwatch:eu-central-1:123456789012:alarm:${name}`);

const instances = new AutoScalingGroup(platform, "Instances", {
  cluster: "none",
  instanceTypes: InstanceTypes.ofType("t4g.small"),
  scaling: { min: 0, max: 1 },
});
new ChaosExperiment(platform, "MemoryFull", {
  target: instances,
  fault: Fault.memory({ count: 1 }),
  environments,
  stopOn: [alarm("shop-errors")],
});

const stack = platform.stack("orders");
const orders = new CloudNativeService(stack, "Orders", { scaling: { min: 2, max: 4 } });
orders.add(new ServiceDashboard());
orders.add({ name: "Watched", bind: (host) => host.addAlarm(alarm("orders-errors")) });

new ChaosExperiment(stack, "LosesTasks", {
  target: orders,
  fault: Fault.stopTasks({ percent: 50 }),
  environments,
  schedule: every(Duration.hours(24)),
  report: { bucketName: "shop-game-days" },
});
new ChaosExperiment(stack, "Late", {
  target: orders,
  // The second state of the code base hits harder.
  fault: Fault.networkLatency({ percent: 50, delay: Duration.millis(process.env.VERSION === "2" ? 600 : 300) }),
  environments,
  agentImage,
});
new ChaosExperiment(stack, "LosesAZone", {
  target: platform,
  fault: Fault.zoneLoss({ zone: 1, hits: "every service of the platform" }),
  environments,
  stopOn: [alarm("orders-errors"), alarm("shop-errors")],
});

app.synth();
writeDeployingRoles(app, { dev: "dev" });
