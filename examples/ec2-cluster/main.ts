/** A service whose tasks run on EC2 instances; ECS scales their number with the tasks. */
import {
  App,
  AutoScalingGroup,
  Capacity,
  CloudNativeService,
  type Environment,
  Ingress,
  InstanceTypes,
  insecureHttp,
  Platform,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: insecureHttp(),
  cluster: { capacity: [Capacity.instances("Instances")], exec: {} },
});
const instances = new AutoScalingGroup(platform, "Instances", {
  instanceTypes: InstanceTypes.ofType("t4g.medium"),
  scaling: { min: 1, max: 6 },
});

const orders = new CloudNativeService(platform.stack("orders"), "Orders", {
  capacity: [Capacity.instances(instances)],
});
orders.add(new Ingress());

app.synth();
