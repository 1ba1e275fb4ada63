/** Backing services of every kind: created here, owned by another app, or outside AWS. */
import {
  App,
  Bucket,
  Cache,
  CloudNativeService,
  type Environment,
  ExternalService,
  existingTopic,
  Platform,
  PostgresDatabase,
  Queue,
  Table,
  Topic,
  worker,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment });
const stack = platform.stack("orders");

// What holds data outlives the service, in a stack of its own.
const database = new PostgresDatabase(stack.data, "Database");
const cache = new Cache(stack.data, "Cache");
const mails = new Queue(stack.data, "Mails");
const placed = new Topic(stack.data, "OrderPlaced", { queues: [mails] });
const invoices = new Bucket(stack.data, "Invoices");
const sessions = new Table(stack.data, "Sessions", { partitionKey: { name: "id" }, expiresAt: "expiresAt" });

// What is not ours: by its ARN, or by its URL. Its secret is read when a task starts, and is in no plan and no state.
const news = existingTopic(stack, "News", `arn:aws:sns:${environment.region}:123456789012:news`);
const payments = new ExternalService(stack, "CardPayments", {
  url: "https://api.payments.example.com",
  secrets: { API_KEY: `arn:aws:secretsmanager:${environment.region}:123456789012:secret:payments-AbCdEf` },
});

const orders = new CloudNativeService(stack, "Orders", {
  scaling: { max: 6 },
  environment: { LOG_LEVEL: "info" },
  secrets: { SESSION_SECRET: `arn:aws:ssm:${environment.region}:123456789012:parameter/orders/session` },
});
for (const backing of [database, cache, placed, invoices, sessions, payments]) orders.use(backing);
// Two of a kind: the second one's variables get a first part.
orders.use(news, { prefix: "NEWS" });
// Admin tasks alone may change the schema.
orders.addAdminProcess("migrate", ["node", "dist/admin/migrate.js"]);

const mailer = new CloudNativeService(stack, "Mailer", {
  process: worker({ queue: mails, command: ["node", "dist/worker.js"] }),
});
mailer.use(database);

app.synth();
