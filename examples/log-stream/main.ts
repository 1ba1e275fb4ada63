/**
 * Log lines that outlive the searches: two services keep theirs in one archive, and what is odd is counted. Those of one are
 * searched in OpenSearch too, in a domain that is there already.
 *
 * The archive costs 1 USD a month for its key and about 0.03 a GB and month; what goes there about 0.05 a GB. The function
 * that sends to OpenSearch costs cents.
 */
import {
  App,
  CloudNativeService,
  Duration,
  type Environment,
  LogArchive,
  LogStream,
  openSearch,
  Platform,
  sharedArchive,
  worker,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, alarmRecipients: { emails: ["on-call@example.com"] } });
const kept = new LogArchive(platform, "Archive", { keep: Duration.days(365), coldAfter: Duration.days(90) });
const stack = platform.stack("shop");

const orders = new LogStream(stack, "OrdersLogs", {
  name: "/shop/dev/orders",
  destinations: [
    sharedArchive(kept),
    openSearch({
      domainArn: "arn:aws:es:eu-central-1:123456789012:domain/logs",
      endpoint: "https://search-logs-abc.eu-central-1.es.amazonaws.com",
    }),
  ],
  mask: ["EmailAddress"],
  counts: [{ name: "Errors", pattern: '{ $.level = "error" }', alarmAbove: 10 }],
  queries: { "Slow requests": "filter durationMs > 1000 | sort durationMs desc" },
});
// Nothing of these may be lost: a task waits when CloudWatch is slow.
const payments = new LogStream(stack, "PaymentsLogs", {
  name: "/shop/dev/payments",
  delivery: "audit",
  destinations: [sharedArchive(kept)],
});

new CloudNativeService(stack, "Orders", { process: worker(), logs: orders });
new CloudNativeService(stack, "Payments", { process: worker(), logs: payments });

app.synth();
