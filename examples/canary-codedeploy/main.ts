/** A canary with AWS provider 5: CodeDeploy shifts a tenth of the requests first, and rolls back when they fail. */
import {
  App,
  CloudNativeService,
  canary,
  codeDeploy,
  DeliveryStack,
  Duration,
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

const orders = new CloudNativeService(stack, "Orders", {
  deployment: codeDeploy(
    canary({ percent: 10, wait: Duration.minutes(10), bakeTime: Duration.minutes(15), errorPercent: 2 }),
  ),
  scaling: { min: 2, max: 10, requestsPerTask: 600 },
});
orders.add(new Ingress());

// Callers find it by DNS: Service Connect does not go with CodeDeploy.
const reports = new CloudNativeService(stack, "Reports");
reports.call(orders);

new ImageRepository(new DeliveryStack(app, "orders", { region: environment.region }), "Images");

app.synth();
