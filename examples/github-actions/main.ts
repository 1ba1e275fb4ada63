/** IAM roles for GitHub Actions: plan for everyone who works on the repository, apply and release by environment. */
import {
  App,
  CiRoles,
  CloudNativeService,
  DeliveryStack,
  type Environment,
  gitHubActions,
  ImageRepository,
  Ingress,
  insecureHttp,
  Platform,
} from "antifragile";

const account = "123456789012";
const region = "eu-central-1";
const staging: Environment = { name: "staging", region, account, profile: "dev", state: "s3" };

const app = new App();
const platform = new Platform(app, "mall", { environment: staging, listener: insecureHttp() });
const payments = new CloudNativeService(platform.stack("payments"), "Payments");
payments.add(new Ingress());

const delivery = new DeliveryStack(app, "payments", { region, account, state: "s3" });
new CiRoles(delivery, "GitHub", {
  // gh api repos/acme/payments --jq '.owner.id, .id'
  trust: gitHubActions({
    repository: { owner: "acme", name: "payments", numbers: { owner: 123456, repository: 456789 } },
  }),
  images: new ImageRepository(delivery, "Images"),
  environments: [staging],
});

app.synth();
