/** The smallest useful app: a platform with a public load balancer, and one service behind it. */
import {
  App,
  CloudNativeService,
  DeliveryStack,
  type Environment,
  ImageRepository,
  Ingress,
  insecureHttp,
  Platform,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
const stack = platform.stack("orders");

const orders = new CloudNativeService(stack, "Orders", { scaling: { min: 1, max: 4, cpuPercent: 60 } });
orders.add(new Ingress());

new ImageRepository(new DeliveryStack(app, "orders", { region: environment.region }), "Images");

app.synth();
