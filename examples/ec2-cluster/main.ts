/** A service whose tasks run on instances of one's own, which ECS makes as many as the tasks need. */
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
new AutoScalingGroup(platform, "Instances", {
  vpc: platform.vpc,
  cluster: platform.cluster,
  instanceTypes: InstanceTypes.ofType("t4g.medium"),
  scaling: { min: 1, max: 6 },
});

const orders = new CloudNativeService(platform.stack("orders"), "Orders", {
  capacity: [Capacity.instances("Instances")],
});
orders.add(new Ingress());

app.synth();
