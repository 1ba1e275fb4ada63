/** Two teams behind one load balancer, each with a state of its own; in life each part below is an app in its own repo. */
import {
  App,
  CloudNativeService,
  type Environment,
  existingService,
  Ingress,
  insecureHttp,
  Platform,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();

// The platform team's repo.
new Platform(app, "shop", { environment, listener: insecureHttp() });

// One team's repo: it knows the platform by name.
const ordersStack = Platform.existing(app, "shop", { environment }).stack("orders");
const orders = new CloudNativeService(ordersStack, "Orders");
orders.add(new Ingress({ paths: ["/v1/orders", "/v1/orders/*"] }));
orders.call(existingService("payments"));

// Another team's repo: the same load balancer, other paths, and the other service by name.
const paymentsStack = Platform.existing(app, "shop", { environment }).stack("payments");
const payments = new CloudNativeService(paymentsStack, "Payments");
payments.add(new Ingress({ hosts: ["payments.example.com"], paths: ["/v1/*"] }));
payments.call(existingService("orders"));

app.synth();
