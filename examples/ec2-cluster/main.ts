/** A service whose tasks run on machines of one's own, which ECS makes as many as the tasks need. */
import {
  App,
  AutoScalingGroup,
  Capacity,
  CloudNativeService,
  type Environment,
  Ingress,
  insecureHttp,
  Machines,
  Platform,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: insecureHttp(),
  cluster: { capacity: [Capacity.machines("Machines")], exec: {} },
});
new AutoScalingGroup(platform, "Machines", {
  network: platform.network,
  cluster: platform.cluster,
  machines: Machines.ofType("t4g.medium"),
  scaling: { min: 1, max: 6 },
});

const orders = new CloudNativeService(platform.stack("orders"), "Orders", {
  capacity: [Capacity.machines("Machines")],
});
orders.add(new Ingress());

app.synth();
