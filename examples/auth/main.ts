/** Authentication: customers of a user pool, employees of an external issuer, and a firewall in front of both. */
import {
  App,
  CloudNativeService,
  type Environment,
  https,
  Ingress,
  oidcSignIn,
  Platform,
  UserPool,
  WebAcl,
} from "antifragile";

// What only you know: a hosted zone of yours, and the ARN of the secret that the issuer gave you.
const {
  ZONE_ID = "Z0123456789ABCDEFGHIJ",
  CLIENT_SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:back-office-AbCdEf",
} = process.env;

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: https({ domain: "shop.example.com", zoneId: ZONE_ID }),
});
new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer, requestsPerIp: 1000 });
const stack = platform.stack("shop");

const customers = new UserPool(platform, "Customers", { selfSignUp: true, mfa: "optional" });
const orders = new CloudNativeService(stack, "Orders", { scaling: { min: 1, max: 4, cpuPercent: 60 } });
orders.add(
  new Ingress({
    hosts: ["orders.shop.example.com"],
    auth: customers.signIn({ publicPaths: ["/catalog", "/catalog/*"] }),
  }),
);

const backOffice = new CloudNativeService(stack, "BackOffice", { scaling: { min: 1, max: 2, cpuPercent: 60 } });
backOffice.add(
  new Ingress({
    hosts: ["office.shop.example.com"],
    auth: oidcSignIn({
      issuer: "https://login.example.com",
      authorizationUrl: "https://login.example.com/authorize",
      tokenUrl: "https://login.example.com/token",
      userInfoUrl: "https://login.example.com/userinfo",
      clientId: "back-office",
      clientSecretArn: `${CLIENT_SECRET_ARN}:client_secret::`,
    }),
  }),
);

app.synth();
