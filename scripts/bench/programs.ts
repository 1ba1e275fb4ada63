/** Programs that synthesize: ours, and the same resources on the engines alone. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CALL_GRAPHS, type Layout, servicesPerPlatform } from "../../test/support/call-graphs";
import { folder, fresh, ROOT } from "./measure";

/** Counts what an app has synthesized, and prints it. */
export const COUNT = `
{
  const fs = require("node:fs"), path = require("node:path");
  const stacks = path.join(app.outdir, "stacks");
  let resources = 0;
  for (const stack of fs.readdirSync(stacks)) {
    const { resource } = JSON.parse(fs.readFileSync(path.join(stacks, stack, "cdk.tf.json"), "utf8"));
    for (const byId of Object.values(resource ?? {})) resources += Object.keys(byId).length;
  }
  console.log(JSON.stringify({ resources, outdir: app.outdir }));
}
`;

/** One production service with a load balancer, on its own platform; or many on one platform. */
export const synth = (services: number, library = "./dist/constructs.js") => `
  const { App, CloudNativeService, Ingress, insecureHttp, Platform } = require(${JSON.stringify(library)});
  const app = new App({ outdir: ${JSON.stringify(fresh())} });
  const environment = { name: "production", region: "eu-central-1", profile: "production", quotas: { targetGroupsPerLoadBalancer: 5000, rulesPerLoadBalancer: 5000 } };
  const platform = new Platform(app, "shop", { environment, vpc: { cidr: "10.0.0.0/16" }, listener: insecureHttp() });
  for (let i = 0; i < ${services}; i++) {
    const service = new CloudNativeService(platform.stack("s" + i), "Service" + i);
    if (${services} === 1) service.add(new Ingress());
  }
  app.synth();
  ${COUNT}
`;

/** Services that call each other. */
export function synthCalls(graph: keyof typeof CALL_GRAPHS, layout: Layout, services: number): string {
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

/** The same resources by the provider's own classes, written down one after the other. */
export const raw = (outdir: string, services = 1, engine = "cdktf") => `
  const { App, TerraformStack } = require("${engine}");
  const fs = require("node:fs"), path = require("node:path");
  const camel = (key) => key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  const config = (value) => Array.isArray(value) ? value.map(config)
    : value !== null && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [camel(k), config(v)]))
    : value;
  const app = new App({ outdir: ${JSON.stringify(fresh())} });
  for (const name of fs.readdirSync(path.join(${JSON.stringify(outdir)}, "stacks"))) {
   for (let copy = 0; copy < (name.startsWith("s0") ? ${services} : 1); copy++) {
    const stack = new TerraformStack(app, name + copy);
    const { AwsProvider } = require("@${engine}/provider-aws/lib/provider");
    new AwsProvider(stack, "aws", { region: "eu-central-1" });
    const { resource } = JSON.parse(fs.readFileSync(path.join(${JSON.stringify(outdir)}, "stacks", name, "cdk.tf.json"), "utf8"));
    for (const [type, byId] of Object.entries(resource ?? {})) {
      const module = require("@${engine}/provider-aws/lib/" + type.replace(/^aws_/, "").replaceAll("_", "-"));
      const L1 = Object.values(module).find((each) => each.tfResourceType === type);
      for (const [id, { lifecycle, ...values }] of Object.entries(byId)) new L1(stack, id, config(values));
    }
   }
  }
  app.synth();
`;

/** A folder with the program in TypeScript, and the packages that `npm run synth` uses. */
export function programFolder(): string {
  const program = join(folder, "program");
  mkdirSync(join(program, "node_modules"), { recursive: true });
  symlinkSync(ROOT, join(program, "node_modules/antifragile"));
  symlinkSync(join(ROOT, "node_modules/tsx"), join(program, "node_modules/tsx"));
  writeFileSync(join(program, "main.ts"), synth(1, "antifragile"));
  return program;
}
