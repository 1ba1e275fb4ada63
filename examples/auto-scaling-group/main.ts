/** EC2 instances that scale automatically: mixed types and Spot for batch work, one type registered with the load balancer. */
import { join } from "node:path";
import {
  App,
  AutoScalingGroup,
  cron,
  Duration,
  type Environment,
  InstanceTypes,
  insecureHttp,
  Platform,
  UserData,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });

// Any current Graviton type with room enough; the first instance is on demand, most others are Spot.
const reports = new AutoScalingGroup(platform, "Reports", {
  cluster: "none",
  instanceTypes: InstanceTypes.atLeast({ vcpus: 2, memoryMiB: 4096 }),
  scaling: {
    min: 1,
    max: 12,
    cpuPercent: 55,
    prediction: "forecast",
    schedules: [{ name: "Morning", schedule: cron("0 7 * * MON-FRI", { timezone: "Europe/Berlin" }), instances: 4 }],
    steps: [
      {
        name: "Backlog",
        metric: { namespace: "Shop/Reports", metricName: "Waiting", statistic: "Maximum" },
        out: [
          { from: 100, add: 1 },
          { from: 1000, add: 4 },
        ],
        in: [{ upTo: 10, remove: 1 }],
      },
    ],
  },
  spot: { onDemandBase: 1, percent: 75 },
});
reports.addLifecycleHook("Drain", { on: "terminate", timeout: Duration.minutes(10) });

// A web server of its own on each instance; one that does not answer is replaced.
new AutoScalingGroup(platform, "Catalog", {
  cluster: "none",
  instanceTypes: InstanceTypes.ofType("t4g.small"),
  scaling: { min: 1, max: 4, requestsPerInstance: 1000 },
  registerWith: { port: 8080, healthPath: "/health", paths: ["/catalog", "/catalog/*"] },
  userData: UserData.file(join(__dirname, "catalog.sh"), { variables: { PORT: "8080" } }),
  warmPool: { min: 1 },
});

app.synth();
