/** Three kinds of process that are released together. `VERSION` says which config, `OWNER` who releases. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  App,
  CloudNativeService,
  cron,
  type Environment,
  existingQueue,
  job,
  Platform,
  type ReleaseOwner,
  releaseStatements,
  web,
  worker,
} from "../../../constructs";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const releaseOwner = (process.env.OWNER ?? "pipeline") as ReleaseOwner;
const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev", account: "123456789012" };

const app = new App();
const stack = new Platform(app, "shop", { environment, vpc: { egress: "public-ip" }, cluster: { exec: {} } }).stack(
  "orders",
);

const orders = new CloudNativeService(stack, "Orders", {
  releaseOwner,
  exec: true,
  process: web({ command: ["node", "dist/main.js"] }),
  environment: { LOG_LEVEL: process.env.VERSION === "2" ? "debug" : "info" },
  scaling: {
    max: 4,
    schedules: [{ name: "Morning", schedule: cron("30 7 * * MON-FRI", { timezone: "Europe/Berlin" }), min: 3 }],
  },
});
orders.addAdminProcess("migrate", ["node", "dist/admin/migrate.js"]);
orders.addAdminProcess("seed", ["node", "dist/admin/seed.js"]);

new CloudNativeService(stack, "Mailer", {
  releaseOwner,
  process: worker({
    queue: existingQueue(stack, "Mails", `arn:aws:sqs:${environment.region}:123456789012:mails`),
    command: ["node", "dist/worker.js"],
  }),
});
new CloudNativeService(stack, "Report", {
  releaseOwner,
  process: job({ schedule: cron("0 3 * * *"), command: ["node", "dist/job.js"] }),
});

const statements = releaseStatements(stack, stack);
app.synth();
writeFileSync(join(app.outdir, "release-statements.json"), JSON.stringify(statements));
writeDeployingRoles(app, { dev: "dev" });
