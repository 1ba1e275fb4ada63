/** Six processes on one platform: they call each other, hand work over by a queue, and one runs at night. */
import {
  App,
  Capacity,
  CloudNativeService,
  cron,
  Duration,
  type Environment,
  existingQueue,
  Ingress,
  insecureHttp,
  job,
  Platform,
  web,
  worker,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });

// Each team has stacks of its own.
const storefrontStack = platform.stack("storefront");
const catalogStack = platform.stack("catalog");
const ordersStack = platform.stack("orders");
const paymentsStack = platform.stack("payments");

// The only one that can be reached from outside.
const storefront = new CloudNativeService(storefrontStack, "Storefront", {
  process: web({ port: 3000 }),
  scaling: { min: 1, max: 10, requestsPerTask: 600 },
});
storefront.add(new Ingress());

const catalog = new CloudNativeService(catalogStack, "Catalog", { scaling: { max: 6, memoryPercent: 70 } });
const orders = new CloudNativeService(ordersStack, "Orders");
const payments = new CloudNativeService(paymentsStack, "Payments", {
  capacity: [Capacity.fargate({ base: 1 }), Capacity.fargateSpot()],
});

storefront.call(catalog, { timeout: Duration.seconds(1) });
storefront.call(orders, { timeout: Duration.seconds(3) });
// Orders requests a payment, and payments reports when it is complete.
orders.call(payments, { timeout: Duration.seconds(2), retryBudgetPercent: 0 });
payments.call(orders);

// The same image and release as orders, as other processes: none while the queue is empty.
const mails = existingQueue(ordersStack, "Mails", `arn:aws:sqs:${environment.region}:123456789012:mails`);
const mailer = new CloudNativeService(ordersStack, "Mailer", {
  process: worker({ queue: mails, command: ["node", "dist/worker.js"] }),
  scaling: { max: 20, messagesPerTask: 100 },
});
mailer.call(catalog);
mails.grants.send(orders);

const report = new CloudNativeService(ordersStack, "NightlyReport", {
  process: job({ schedule: cron("0 3 * * *", { timezone: "Europe/Berlin" }), command: ["node", "dist/job.js"] }),
});
report.call(payments, { timeout: Duration.seconds(10) });

app.synth();
