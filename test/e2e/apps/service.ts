/**
 * All that services of the examples are made of, in few stacks. `VERSION` says which state of the code base it is; `ZONE_ID` and
 * `CLIENT_SECRET_ARN` what was there before.
 */
import {
  App,
  Capacity,
  CloudNativeService,
  cron,
  Duration,
  type Environment,
  existingQueue,
  https,
  Image,
  Ingress,
  job,
  oidcSignIn,
  Platform,
  rolling,
  ServiceDashboard,
  ServiceLevel,
  UserPool,
  WebAcl,
  web,
  worker,
} from "../../../constructs";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const version = Number(process.env.VERSION ?? "1");
const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev", account: "123456789012" };
const image = Image.digest(`registry.example.com/shop@sha256:${String(Math.min(version, 3)).repeat(64)}`);

const { ZONE_ID = "", CLIENT_SECRET_ARN = "" } = process.env;

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: https({ domain: "shop.example.com", zoneId: ZONE_ID }),
  cluster: { exec: {} },
});
new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer });
const customers = new UserPool(platform, "Customers", { selfSignUp: true, mfa: "optional" });
const stack = platform.stack("shop");

const storefront = new CloudNativeService(stack, "Storefront", {
  image,
  process: web({ port: 3000 }),
  environment: { GREETING: '${file("/etc/passwd")} %{ if true }' },
  deployment: rolling({ errorPercent: 2 }),
  scaling: {
    min: version === 1 ? 1 : 2,
    max: 10,
    requestsPerTask: 600,
    memoryPercent: 70,
    metrics: [{ name: "Sessions", metric: { namespace: "Shop", metricName: "SessionsPerTask" }, target: 200 }],
    steps: [
      {
        name: "Backlog",
        metric: { namespace: "Shop", metricName: "Backlog", statistic: "Maximum" },
        out: [
          { from: 100, add: 1 },
          { from: 500, add: 4 },
        ],
      },
    ],
    schedules: [{ name: "Morning", schedule: cron("30 7 * * MON-FRI", { timezone: "Europe/Berlin" }), min: 3 }],
  },
});
storefront.add(
  new Ingress({
    hosts: ["www.shop.example.com"],
    paths: ["/shop", "/shop/*"],
    auth: customers.signIn({ publicPaths: ["/shop/catalog/*"] }),
  }),
);

const office = new CloudNativeService(stack, "Office", { image, alarms: {} });
office.add(
  new Ingress({
    hosts: [...(version === 1 ? [] : ["desk.shop.example.com"]), "office.shop.example.com"],
    zoneId: ZONE_ID,
    certificate: true,
    auth: oidcSignIn({
      issuer: "https://login.example.com",
      authorizationUrl: "https://login.example.com/authorize",
      tokenUrl: "https://login.example.com/token",
      userInfoUrl: "https://login.example.com/userinfo",
      clientId: "office",
      clientSecretArn: `${CLIENT_SECRET_ARN}:client_secret::`,
    }),
  }),
);

office.add(new ServiceLevel({ fast: { percent: 99, within: Duration.millis(500) } }));
office.add(new ServiceDashboard());

// The fourth state of the code base has another name for the same thing; the fifth forgot to say so.
const orders = new CloudNativeService(stack, "Orders", { image, exec: true });
const payments = new CloudNativeService(stack, version < 4 ? "Payments" : "Billing", {
  image,
  capacity: [Capacity.fargate({ base: 1 }), Capacity.fargateSpot()],
  ...(version < 4 ? {} : { name: "payments" }),
  ...(version === 4 ? { renamedFrom: "Payments" } : {}),
});
storefront.call(orders, { timeout: Duration.seconds(3) });
orders.call(payments, { timeout: Duration.seconds(2), retryBudgetPercent: 0 });
payments.call(orders, { breakerFailurePercent: 25 });

const mails = existingQueue(stack, "Mails", `arn:aws:sqs:${environment.region}:123456789012:mails`);
const mailer = new CloudNativeService(stack, "Mailer", {
  image,
  process: worker({ queue: mails, command: ["node", "dist/worker.js"] }),
  architecture: "x86_64",
});
mailer.call(orders);
mails.grants.send(orders);

const report = new CloudNativeService(stack, "Report", {
  process: job({ schedule: cron("0 3 * * *"), command: ["node", "dist/job.js"] }),
  image: Image.repository({ name: "shop" }),
});
report.call(payments, { timeout: Duration.seconds(10) });

app.synth();
writeDeployingRoles(app, { dev: "dev" });
