/** Machines that scale by themselves: some alone and of mixed types, some behind the balancer. */
import { join } from "node:path";
import {
  App,
  AutoScalingGroup,
  Duration,
  type Environment,
  insecureHttp,
  Machines,
  Platform,
  UserData,
} from "antifragile";

const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev" };

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
const { network, balancer } = platform;
if (balancer === undefined) throw new Error("the platform has no listener");

// Any current Graviton type with room enough; the first machine is on demand, most others are Spot.
const reports = new AutoScalingGroup(platform, "Reports", {
  network,
  machines: Machines.atLeast({ vcpus: 2, memoryMiB: 4096 }),
  scaling: { min: 1, max: 12, cpuPercent: 55, prediction: "forecast" },
  spot: { onDemandBase: 1, percent: 75 },
});
reports.addSchedule("Morning", { cron: "0 7 * * MON-FRI", machines: 4, timezone: "Europe/Berlin" });
reports.addSteps("Backlog", {
  metric: { namespace: "Shop/Reports", metricName: "Waiting", statistic: "Maximum" },
  out: [
    { above: 100, add: 1 },
    { above: 1000, add: 4 },
  ],
  in: [{ below: 10, remove: 1 }],
});
reports.addHook("Drain", { on: "terminate", timeout: Duration.minutes(10) });

// A web server of its own on each machine; one that does not answer is replaced.
new AutoScalingGroup(platform, "Catalog", {
  network,
  machines: Machines.ofType("t4g.small"),
  scaling: { min: 1, max: 4, requestsPerMachine: 1000 },
  behind: { balancer, port: 8080, healthPath: "/health", paths: ["/catalog", "/catalog/*"] },
  userData: UserData.file(join(__dirname, "catalog.sh"), { variables: { PORT: "8080" } }),
  warmPool: { min: 1 },
});

app.synth();
