/**
 * A canary with AWS provider 6: ECS itself moves the requests, and callers by Service Connect go with them. With
 * `@cdktf/provider-aws` 21 installed, `providerLine` can be left out.
 */
import {
  App,
  CloudNativeService,
  canary,
  Duration,
  type Environment,
  Ingress,
  insecureHttp,
  linear,
  Platform,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp(), providerLine: 6 });
const stack = platform.stack("orders");

const orders = new CloudNativeService(stack, "Orders", {
  deployment: canary({ percent: 10, wait: Duration.minutes(10), bakeTime: Duration.minutes(15), errorPercent: 2 }),
  scaling: { min: 2, max: 10, requestsPerTask: 600 },
});
orders.add(new Ingress());

// It has no Ingress; the proxies of its callers shift from the old version to the new one.
const prices = new CloudNativeService(stack, "Prices", {
  deployment: linear({ percent: 25, wait: Duration.minutes(2) }),
});
orders.call(prices);

app.synth();
