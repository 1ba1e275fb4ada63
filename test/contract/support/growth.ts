/**
 * Counts the work of apps of 100 and of 200 services, and prints as JSON, by case, what grows faster than the services do.
 * A program of its own: within vitest it takes many times as long.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { App, CloudNativeService, type Environment, Platform, ServiceStack } from "../../../constructs";
import { CALL_GRAPHS, type Call, LAYOUTS, type Layout, servicesPerPlatform } from "../../support/call-graphs";
import { countOperations, growingFaster, type Operations } from "../../support/operation-count";

// cdktf notes where each token was made: the same work for each, and a quarter of all.
const cdktf = createRequire(join(process.cwd(), "package.json"));
const traces = join(dirname(cdktf.resolve("cdktf")), "tokens/private/stack-trace.js");
(cdktf(traces) as { captureStackTrace: () => string[] }).captureStackTrace = () => [];

const environment: Environment = {
  name: "dev",
  region: "eu-central-1",
  profile: "dev",
  quotas: { vpcs: 1_000, elasticIps: 1_000 },
};

/** Each account has ten platforms: AWS allows ten resource policies of CloudWatch Logs in a region. */
const accountOf = (platform: number) => String(100_000_000_000 + Math.floor(platform / 10));

/** Makes services that call each other, and decides what waits for what; writes the app where asked to. */
function build(services: number, calls: readonly Call[], layout: Layout, outdir: string, write: boolean): void {
  const app = new App({ outdir });
  const perPlatform = servicesPerPlatform(layout, services);
  const platforms = Array.from(
    { length: Math.ceil(services / perPlatform) },
    (_, n) =>
      new Platform(app, `shop-${n}`, {
        environment: { ...environment, account: accountOf(n) },
        vpc: { cidr: "10.0.0.0/16" },
      }),
  );
  const all = layout === "one stack" ? platforms[0]?.stack("all") : undefined;
  const made = Array.from({ length: services }, (_, n) => {
    const platform = platforms[Math.floor(n / perPlatform)] as Platform;
    return new CloudNativeService(all ?? platform.stack(`service-${n}`), `Service${n}`);
  });
  for (const [from, to] of calls) {
    if (Math.floor(from / perPlatform) === Math.floor(to / perPlatform)) {
      made[from]?.call(made[to] as CloudNativeService);
    }
  }
  if (write) app.synth();
  else ServiceStack.of(made[0] as CloudNativeService).dependsOn(platforms[0] as Platform);
}

/** Sorting grows by a little more than its input. */
const LINEAR = 2.4;
/** Minimum number of runs; functions that run less often are counted with their callers. */
const AT_LEAST = 1_000;

function growing(work: (size: number) => unknown): string[] {
  const [small, large] = [100, 200].map((size) => countOperations(() => work(size))) as [Operations, Operations];
  return growingFaster(small, large, LINEAR, AT_LEAST);
}

const outdir = mkdtempSync(join(tmpdir(), "antifragile-growth-"));
try {
  const found: Record<string, string[]> = {};
  for (const [shape, calls] of Object.entries(CALL_GRAPHS)) {
    for (const layout of LAYOUTS.slice(0, 2)) {
      found[`calls of ${shape}, in ${layout}`] = growing((n) => build(n, calls(n), layout, outdir, false));
    }
  }
  for (const layout of LAYOUTS) {
    const calls = CALL_GRAPHS["the five before"];
    found[`calls of the five before, written, in ${layout}`] = growing((n) => build(n, calls(n), layout, outdir, true));
  }
  // The count itself must see what it is for.
  found.pairs = growing((n) => Array.from({ length: n }, (_, a) => Array.from({ length: n }, (_, b) => a * b)));
  console.log(JSON.stringify(found));
} finally {
  rmSync(outdir, { recursive: true, force: true });
}
