/** From a commit to production: source, tests and image, staging, an approval, production. */
import {
  App,
  CloudNativeService,
  cron,
  DeliveryStack,
  type Environment,
  https,
  ImageRepository,
  Ingress,
  insecureHttp,
  Pipeline,
  Platform,
  Source,
} from "antifragile";

const account = "123456789012";
const region = "eu-central-1";
const staging: Environment = { name: "staging", region, profile: "dev" };
const production: Environment = {
  name: "production",
  region,
  profile: "production",
  // Without a boundary, anyone who can change a plan could create a role with any permission.
  guardrails: { permissionsBoundary: `arn:aws:iam::${account}:policy/boundary` },
};

const app = new App({ environmentDefaults: { account, state: "s3" } });
for (const environment of [staging, production]) {
  const listener =
    environment === production
      ? https({ certificateArn: `arn:aws:acm:${region}:${account}:certificate/5a1c6f3e-0000-4000-8000-000000000000` })
      : insecureHttp();
  const platform = new Platform(app, "shop", { environment, listener });
  const orders = new CloudNativeService(platform.stack("orders"), "Orders");
  orders.add(new Ingress());
}

const delivery = new DeliveryStack(app, "orders", { region });
new Pipeline(delivery, "Pipeline", {
  source: Source.gitHub("acme/orders", { paths: { except: ["docs/**", "*.md"] } }),
  images: new ImageRepository(delivery, "Images"),
  releases: [{ environment: staging }, { environment: production, approval: true }],
  variables: [{ name: "NOTE", value: "none", description: "Why it was started by hand" }],
  drift: cron("0 6 * * MON-FRI", { timezone: "Europe/Berlin" }),
  notify: ["orders-team@example.com"],
});

app.synth();
