/**
 * Chaos experiments on a service: half of its tasks stop, and a dependency responds late. Both
 * stop when the service's own alarms go off. In an environment of the name `dev` alone.
 */
import {
  App,
  ChaosExperiment,
  CloudNativeService,
  cron,
  Duration,
  type Environment,
  Fault,
  Ingress,
  insecureHttp,
  Platform,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
const stack = platform.stack("orders");

const orders = new CloudNativeService(stack, "Orders", { scaling: { min: 2, max: 4, cpuPercent: 60 } });
orders.add(new Ingress());

new ChaosExperiment(stack, "LosesTasks", {
  target: orders,
  fault: Fault.stopTasks({ percent: 50 }),
  environments: ["dev"],
  schedule: cron("0 10 * * TUE", { timezone: "Europe/Berlin" }),
});

// AWS publishes new ones; before you copy this, ask for the digest of today's:
// docker buildx imagetools inspect public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent:latest --format '{{.Manifest.Digest}}'
const agentImage = `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"0".repeat(64)}`;

new ChaosExperiment(stack, "WaitsForOthers", {
  target: orders,
  fault: Fault.networkLatency({ percent: 50, delay: Duration.millis(300), hosts: ["payments.example.com"] }),
  environments: ["dev"],
  agentImage,
});

// All that the platform has in a zone is cut off: an experiment of its own, with a word of its own.
new ChaosExperiment(stack, "LosesAZone", {
  target: platform,
  fault: Fault.zoneLoss({ zone: 0, hits: "every service of the platform", duration: Duration.minutes(10) }),
  environments: ["dev"],
  stopOn: orders.health,
});

app.synth();
