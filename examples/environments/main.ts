/** Three environments from one code base; what differs is in environments.ts. One word synthesizes one of them alone. */
import { App, CloudNativeService, https, Ingress, insecureHttp, Platform, selectEnvironments } from "antifragile";
import { environments } from "./environments";

const { selected, skipped } = selectEnvironments(
  environments,
  process.argv[2],
  "examples/environments/environments.ts",
);
for (const sentence of skipped) console.error(sentence);

const app = new App();
for (const environment of selected) {
  const { domain, scaling } = environment;
  const listener = domain ? https({ domain: domain.name, zoneId: domain.zoneId }) : insecureHttp();
  const platform = new Platform(app, "shop", { environment, listener });
  const orders = new CloudNativeService(platform.stack("orders"), "Orders", {
    scaling: { ...scaling, cpuPercent: 60 },
    environment: { LOG_LEVEL: environment.profile === "dev" ? "debug" : "info" },
  });
  orders.add(new Ingress());
}

app.synth();
