/** Admin processes: one-off tasks of a release. `migrate` runs first in every release; `seed` runs on demand. */
import { App, CloudNativeService, type Environment, Ingress, insecureHttp, Platform } from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });

const orders = new CloudNativeService(platform.stack("orders"), "Orders");
orders.add(new Ingress());
orders.addAdminProcess("migrate", ["node", "dist/admin/migrate.js"]);
// antifragile admin dev seed -- --count 3
orders.addAdminProcess("seed", ["node", "dist/admin/seed.js"]);

app.synth();
