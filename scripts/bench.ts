/**
 * Measures speed as ratios of user CPU between processes of one run, alternating, so that a busy machine slows down both
 * sides of a ratio. Nothing here fails: figures are for people to compare with the targets beside them.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CALL_GRAPHS, type Layout, servicesPerPlatform } from "../test/support/call-graphs";

const ROOT = join(__dirname, "..");
const ROUNDS = 7;
const folder = mkdtempSync(join(tmpdir(), "antifragile-bench-"));

interface Cost {
  readonly userSeconds: number;
  readonly mebibytes: number;
  /** Output of the program. */
  readonly said: string;
}

/** Runs a program in a separate process, which reports its CPU time at the end. */
function measure(program: string): Cost {
  const last = `process.on("exit",()=>{const u=process.resourceUsage();require("node:fs").writeSync(2,JSON.stringify({userSeconds:u.userCPUTime/1e6,mebibytes:u.maxRSS/1024}))});`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", `${last}${program}`], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, CI: "1" },
  });
  const told = /\{"userSeconds".*\}$/.exec(stderr)?.[0];
  if (status !== 0 || told === undefined) throw new Error(`${program}\nended with ${status}:\n${stderr}`);
  return { ...(JSON.parse(told) as Omit<Cost, "said">), said: stdout };
}

/** Median of the ratios of pairs that ran one after the other. */
function ratio(program: () => string, reference: () => string): number {
  const ratios = Array.from({ length: ROUNDS }, () => {
    const [mine, other] = [measure(program()), measure(reference())];
    return mine.userSeconds / other.userSeconds;
  });
  return ratios.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number;
}

let runs = 0;
const fresh = () => join(folder, String(++runs));

/** One production service with a load balancer, on its own platform; or many on one platform. */
const synth = (services: number) => `
  const { App, CloudNativeService, Ingress, insecureHttp, Platform } = require("./dist/constructs.js");
  const app = new App({ outdir: ${JSON.stringify(fresh())} });
  const environment = { name: "production", region: "eu-central-1", profile: "production", quotas: { targetGroupsPerLoadBalancer: 5000, rulesPerLoadBalancer: 5000 } };
  const platform = new Platform(app, "shop", { environment, vpc: { cidr: "10.0.0.0/16" }, listener: insecureHttp() });
  for (let i = 0; i < ${services}; i++) {
    const service = new CloudNativeService(platform.stack("s" + i), "Service" + i);
    if (${services} === 1) service.add(new Ingress());
  }
  app.synth();
  const fs = require("node:fs"), path = require("node:path");
  const stacks = path.join(app.outdir, "stacks");
  let resources = 0;
  for (const stack of fs.readdirSync(stacks)) {
    const { resource } = JSON.parse(fs.readFileSync(path.join(stacks, stack, "cdk.tf.json"), "utf8"));
    for (const byId of Object.values(resource ?? {})) resources += Object.keys(byId).length;
  }
  console.log(JSON.stringify({ resources, outdir: app.outdir }));
`;

/** Services that call each other. */
function synthCalls(graph: keyof typeof CALL_GRAPHS, layout: Layout, services: number): string {
  const outdir = fresh();
  const calls = `${outdir}.json`;
  const perPlatform = servicesPerPlatform(layout, services);
  const platforms = layout === "platforms of ten" ? services / perPlatform : 1;
  const within = CALL_GRAPHS[graph](services).filter(
    ([from, to]) => Math.floor(from / perPlatform) === Math.floor(to / perPlatform),
  );
  writeFileSync(calls, JSON.stringify(within));
  return `
    const { App, CloudNativeService, Platform } = require("./dist/constructs.js");
    const app = new App({ outdir: ${JSON.stringify(outdir)} });
    // AWS allows ten platforms in an account and region.
    const environment = (n) => ({
      name: "dev", region: "eu-central-1", profile: "dev", account: String(100000000000 + Math.floor(n / 10)),
      quotas: { vpcs: 1000, elasticIps: 1000 },
    });
    const platforms = Array.from({ length: ${platforms} }, (_, n) =>
      new Platform(app, "shop-" + n, { environment: environment(n), vpc: { cidr: "10.0.0.0/16" } }));
    const all = ${layout === "one stack"} ? platforms[0].stack("all") : undefined;
    const made = Array.from({ length: ${services} }, (_, n) =>
      new CloudNativeService(all ?? platforms[Math.floor(n / ${perPlatform})].stack("service-" + n), "Service" + n));
    for (const [from, to] of require(${JSON.stringify(calls)})) made[from].call(made[to]);
    app.synth();
  `;
}

/** Exponent by which the cost of services grows, from 10 of them to 1,000: 1 is linear. What an app costs without any is left out. */
function growth(graph: keyof typeof CALL_GRAPHS, layout: Layout): number {
  const [none, few, many] = [0, 10, 1000].map((services) => measure(synthCalls(graph, layout, services)).userSeconds);
  return Math.log10(((many as number) - (none as number)) / ((few as number) - (none as number))) / 2;
}

/** The same resources by the provider's own classes, written down one after the other. */
const raw = (outdir: string) => `
  const { App, TerraformStack } = require("cdktf");
  const fs = require("node:fs"), path = require("node:path");
  const camel = (key) => key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  const config = (value) => Array.isArray(value) ? value.map(config)
    : value !== null && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [camel(k), config(v)]))
    : value;
  const app = new App({ outdir: ${JSON.stringify(fresh())} });
  for (const name of fs.readdirSync(path.join(${JSON.stringify(outdir)}, "stacks"))) {
    const stack = new TerraformStack(app, name);
    const { AwsProvider } = require("@cdktf/provider-aws/lib/provider");
    new AwsProvider(stack, "aws", { region: "eu-central-1" });
    const { resource } = JSON.parse(fs.readFileSync(path.join(${JSON.stringify(outdir)}, "stacks", name, "cdk.tf.json"), "utf8"));
    for (const [type, byId] of Object.entries(resource ?? {})) {
      const module = require("@cdktf/provider-aws/lib/" + type.replace(/^aws_/, "").replaceAll("_", "-"));
      const L1 = Object.values(module).find((each) => each.tfResourceType === type);
      for (const [id, { lifecycle, ...values }] of Object.entries(byId)) new L1(stack, id, config(values));
    }
  }
  app.synth();
`;

function row(what: string, figure: string, target: string): void {
  console.log(`${what.padEnd(80)} ${figure.padStart(12)}   ${target}`);
}

try {
  const one = JSON.parse(measure(synth(1)).said) as { resources: number; outdir: string };
  console.log(`user CPU, median of ${ROUNDS} pairs; Node ${process.versions.node}\n`);
  const scaffold = () =>
    `process.argv=[process.execPath,"antifragile","new",${JSON.stringify(fresh())},"--name","orders","--yes","--no-install","--no-git"];require("./dist/bin/antifragile.js")`;
  row("antifragile new, all files / an empty node process", ratio(scaffold, () => "").toFixed(2), "target <= 2.5");
  row(
    `synth of a production service, ${one.resources} resources / raw cdktf`,
    ratio(
      () => synth(1),
      () => raw(one.outdir),
    ).toFixed(2),
    "target <= 1.0",
  );
  const sizes = [10, 30, 100];
  const costs = sizes.map((services) => measure(synth(services)));
  const resources = costs.map(({ said }) => (JSON.parse(said) as { resources: number }).resources);
  const added = (from: number, to: number) =>
    ((costs[to] as Cost).userSeconds - (costs[from] as Cost).userSeconds) /
    ((resources[to] as number) - (resources[from] as number));
  row(
    "cost of a resource, from 30 to 100 services / from 10 to 30",
    (added(1, 2) / added(0, 1)).toFixed(2),
    "1 is linear",
  );
  row(
    "synth of 100 services, a resource",
    `${((1000 * (costs[2] as Cost).userSeconds) / (resources[2] as number)).toFixed(2)} ms`,
    "target <= 0.5",
  );
  row("synth of 100 services, memory", `${Math.round((costs[2] as Cost).mebibytes)} MiB`, "target <= 500 for 1000");
  for (const graph of ["a chain", "the two before", "the five before", "any three", "a circle"] as const) {
    for (const layout of ["stacks of their own", "one stack"] as const) {
      const what = `growth from 10 to 1,000 services, calls of ${graph}, ${layout}`;
      row(what, growth(graph, layout).toFixed(2), "target <= 1.05");
    }
  }
  const across = growth("the five before", "platforms of ten").toFixed(2);
  row("growth from 10 to 1,000 services on platforms of ten", across, "target <= 1.05");
} finally {
  rmSync(folder, { recursive: true, force: true });
}
