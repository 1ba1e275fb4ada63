/**
 * A service that can be seen: traces in X-Ray, metrics in CloudWatch, alarms on the golden signals and on what it promises,
 * and dashboards of the service and of its platform.
 *
 * Costs about 5 USD a month for the collector, and 6 for its alarms.
 */
import {
  App,
  CloudNativeService,
  Duration,
  type Environment,
  Ingress,
  insecureHttp,
  Platform,
  PlatformDashboard,
  ServiceDashboard,
  ServiceLevel,
  Telemetry,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: insecureHttp(),
  alarmRecipients: { emails: ["on-call@example.com"] },
});
new PlatformDashboard(platform, "Dashboard");

const orders = new CloudNativeService(platform.stack("orders"), "Orders", {
  alarms: { latency: Duration.millis(500), saturationPercent: 80 },
});
orders.add(new Ingress());
orders.add(new Telemetry({ tracesPercent: 10 }));
orders.add(new ServiceLevel({ availablePercent: 99.9, fast: { percent: 99, within: Duration.millis(500) } }));
orders.add(new ServiceDashboard());

app.synth();
