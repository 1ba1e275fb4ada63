/** All that sees services and keeps what they say, without a load balancer: that takes a minute to make. */
import {
  App,
  anotherAccount,
  CloudNativeService,
  cron,
  Duration,
  type Environment,
  existingQueue,
  httpEndpoint,
  Image,
  job,
  kinesis,
  LogArchive,
  LogStream,
  managedPrometheus,
  openSearch,
  otlp,
  Platform,
  PlatformDashboard,
  ServiceDashboard,
  ServiceLevel,
  sharedArchive,
  Telemetry,
  worker,
  xRay,
} from "../../../constructs";
import { writeDeployingRoles } from "../../iam/recorded/deploying";
import { externalLogDestinations } from "../../support/external-log-destinations";
import { knownAfterApply } from "../../support/known-after-apply";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };
const image = Image.digest(`registry.example.com/shop@sha256:${"1".repeat(64)}`);

const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  vpc: { egress: "public-ip" },
  alarmRecipients: { emails: ["on-call@example.com"], urls: ["https://pager.example.com/in"] },
});
new PlatformDashboard(platform, "Dashboard");
const kept = new LogArchive(platform, "Archive", { keep: Duration.days(365), coldAfter: Duration.days(90) });
const stack = platform.stack("shop");

const logs = new LogStream(stack, "OrdersLogs", {
  name: "/shop/dev/orders",
  destinations: [sharedArchive(kept), httpEndpoint({ url: "https://in.example.com/v1/logs" })],
  mask: ["EmailAddress"],
  counts: [{ name: "Errors", pattern: '{ $.level = "error" }', alarmAbove: 10 }],
  queries: { "Slow requests": 'filter @message like "${file(1)}"' },
});
// On the loopback, without TLS.
const domain = {
  domainArn: "arn:aws:es:eu-central-1:123456789012:domain/logs",
  endpoint: knownAfterApply(process.env.OPENSEARCH ?? ""),
};
const audit = new LogStream(stack.data, "MailerLogs", {
  name: "/shop/dev/mailer",
  delivery: "audit",
  destinations: [sharedArchive(kept), openSearch(domain)],
});

const orders = new CloudNativeService(stack, "Orders", { image, logs, alarms: {} });
// A domain in the network, by any security group that there is.
const { securityGroupId } = orders.connections;
new LogStream(stack, "AccessLogs", {
  name: "/shop/dev/access",
  destinations: [openSearch({ ...domain, vpc: { vpc: stack.vpc, securityGroupId } }), sharedArchive(kept)],
});

orders.add(
  new Telemetry({
    to: [
      xRay(),
      otlp({
        url: "https://otlp.example.com",
        authorizationArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:otlp-AbCdEf",
      }),
    ],
    tracesPercent: 10,
  }),
);
orders.add(new ServiceDashboard());
// The alarms of a promise, on measures of a load balancer that is not there.
const measured = {
  targetGroupArn: "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/orders/0123456789abcdef",
  targetGroupArnSuffix: "targetgroup/orders/0123456789abcdef",
  loadBalancerArnSuffix: "app/shop/0123456789abcdef",
  dependsOn: [],
};
orders.add({
  name: "ServiceLevel",
  bind: (host) => new ServiceLevel().bind({ ...host, targets: () => [measured] }),
});

const queue = existingQueue(stack, "Mails", "arn:aws:sqs:eu-central-1:123456789012:mails");
const mailer = new CloudNativeService(stack, "Mailer", { image, process: worker({ queue }), logs: audit, alarms: {} });
mailer.add(new Telemetry({ to: [managedPrometheus("arn:aws:aps:eu-central-1:123456789012:workspace/ws-0123abcd")] }));

const elsewhere = externalLogDestinations(stack);
new CloudNativeService(stack, "Report", {
  image,
  process: job({ schedule: cron("0 3 * * *") }),
  alarms: {},
  logs: new LogStream(stack, "ReportLogs", {
    name: "/shop/dev/report",
    destinations: [kinesis(elsewhere.streamArn), anotherAccount(elsewhere.destinationArn)],
  }),
}).add(new ServiceDashboard());

app.synth();
writeDeployingRoles(app, { dev: "dev" }, { grants: elsewhere.grants });
