/**
 * Measures speed as ratios of user CPU between processes of one run, alternating, so that a busy machine slows down both
 * sides of a ratio. Peers are installed into a folder of their own. Nothing here fails: figures are for people to compare with the
 * targets beside them. Writes docs/performance.md and its chart.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { commands } from "../bin/commands";
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
function measure(program: string, cwd = ROOT): Cost {
  const last = `process.on("exit",()=>{const u=process.resourceUsage();require("node:fs").writeSync(2,JSON.stringify({userSeconds:u.userCPUTime/1e6,mebibytes:u.maxRSS/1024}))});`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", `${last}${program}`], {
    cwd,
    encoding: "utf8",
    // The peer's own check of its templates takes ten times as long as the rest, and has no counterpart here.
    env: { ...process.env, CI: "1", CDK_VALIDATION: "false" },
  });
  const told = /\{"userSeconds".*\}$/.exec(stderr)?.[0];
  if (status !== 0 || told === undefined) throw new Error(`${program}\nended with ${status}:\n${stderr}`);
  return { ...(JSON.parse(told) as Omit<Cost, "said">), said: stdout };
}

/** Peers, which are installed for a run. */
const PEERS = { "aws-cdk-lib": "2.276.0", "create-vite": "9.3.0", constructs: "10.7.2" };

function installPeers(): string {
  const peers = join(folder, "peers");
  mkdirSync(peers);
  writeFileSync(join(peers, "package.json"), JSON.stringify({ private: true, dependencies: PEERS }));
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
  execFileSync("npm", ["install", ...flags], { cwd: peers, stdio: "ignore" });
  copyFileSync(join(__dirname, "bench-aws-cdk.cjs"), join(peers, "app.cjs"));
  symlinkSync(join(ROOT, "node_modules/tsx"), join(peers, "node_modules/tsx"));
  return peers;
}

/** User CPU of a command and of the processes that it waits for, as the shell counts it. */
function measureCommand(command: string, cwd: string): { userSeconds: number } {
  const { stderr, status } = spawnSync("bash", ["-c", `TIMEFORMAT='user %U'; time { ${command} >/dev/null 2>&1; }`], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, CI: "1", CDK_VALIDATION: "false" },
  });
  const seconds = /user ([\d.]+)/.exec(stderr)?.[1];
  if (status !== 0 || seconds === undefined) throw new Error(`${command}\nended with ${status}:\n${stderr}`);
  return { userSeconds: Number(seconds) };
}

interface Ratio {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

type Run = () => { readonly userSeconds: number };

/** Ratios of pairs that ran one after the other. */
function ratioOf(mine: Run, reference: Run, divisor = 1): Ratio {
  const ratios = Array.from({ length: ROUNDS }, () => mine().userSeconds / reference().userSeconds / divisor);
  const sorted = ratios.sort((a, b) => a - b);
  return { median: sorted[Math.floor(ROUNDS / 2)]!, lowest: sorted[0]!, highest: sorted.at(-1)! };
}

const ratio = (program: () => string, reference: () => string, divisor?: number): Ratio =>
  ratioOf(
    () => measure(program()),
    () => measure(reference()),
    divisor,
  );

let runs = 0;
const fresh = () => join(folder, String(++runs));

/** Counts what an app has synthesized, and prints it. */
const COUNT = `
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
const synth = (services: number, library = "./dist/constructs.js") => `
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
const raw = (outdir: string, services = 1) => `
  const { App, TerraformStack } = require("cdktf");
  const fs = require("node:fs"), path = require("node:path");
  const camel = (key) => key.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
  const config = (value) => Array.isArray(value) ? value.map(config)
    : value !== null && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([k, v]) => [camel(k), config(v)]))
    : value;
  const app = new App({ outdir: ${JSON.stringify(fresh())} });
  for (const name of fs.readdirSync(path.join(${JSON.stringify(outdir)}, "stacks"))) {
   for (let copy = 0; copy < (name.startsWith("s0") ? ${services} : 1); copy++) {
    const stack = new TerraformStack(app, name + copy);
    const { AwsProvider } = require("@cdktf/provider-aws/lib/provider");
    new AwsProvider(stack, "aws", { region: "eu-central-1" });
    const { resource } = JSON.parse(fs.readFileSync(path.join(${JSON.stringify(outdir)}, "stacks", name, "cdk.tf.json"), "utf8"));
    for (const [type, byId] of Object.entries(resource ?? {})) {
      const module = require("@cdktf/provider-aws/lib/" + type.replace(/^aws_/, "").replaceAll("_", "-"));
      const L1 = Object.values(module).find((each) => each.tfResourceType === type);
      for (const [id, { lifecycle, ...values }] of Object.entries(byId)) new L1(stack, id, config(values));
    }
   }
  }
  app.synth();
`;

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly target: string;
  /** For the chart: the ratio and its target. */
  readonly chart?: Ratio & { readonly target: number };
}
const rows: Row[] = [];

function row(what: string, figure: string, target: string, chart?: Row["chart"]): void {
  rows.push({ what, figure, target, ...(chart && { chart }) });
  console.log(`${what.padEnd(80)} ${figure.padStart(22)}   ${target}`);
}

function ratioRow(what: string, found: Ratio, target?: number): void {
  const figure = `${found.median.toFixed(2)} (${found.lowest.toFixed(2)}-${found.highest.toFixed(2)})`;
  row(
    what,
    figure,
    target === undefined ? "" : `<= ${target}`,
    target === undefined ? undefined : { ...found, target },
  );
}

/** Bars of the ratios, each with its spread and a mark at its target. */
function chart(): string {
  const bars = rows.flatMap(({ what, chart: found }) => (found ? [{ what, ...found }] : []));
  const most = Math.max(...bars.flatMap(({ highest, target }) => [highest, target]));
  const x = (value: number) => Math.round(380 + (300 * value) / most);
  const lines = bars.flatMap(({ what, median, lowest, highest, target }, index) => {
    const y = 20 + 28 * index;
    return [
      `<text x="370" y="${y + 13}" text-anchor="end">${what.replaceAll("&", "&amp;")}</text>`,
      `<rect x="380" y="${y}" width="${x(median) - 380}" height="16" fill="#4878a8"/>`,
      `<line x1="${x(lowest)}" x2="${x(highest)}" y1="${y + 8}" y2="${y + 8}" stroke="#222" stroke-width="2"/>`,
      `<line x1="${x(target)}" x2="${x(target)}" y1="${y - 3}" y2="${y + 19}" stroke="#c0392b" stroke-width="2"/>`,
      `<text x="690" y="${y + 13}">${median.toFixed(2)}</text>`,
    ];
  });
  const height = 30 + 28 * bars.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="740" height="${height}" viewBox="0 0 740 ${height}" font-family="sans-serif" font-size="12">`,
    "<title>Ratios of user CPU to those of peers</title>",
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...lines,
    "</svg>\n",
  ].join("\n");
}

function page(machine: string): string {
  return [
    "# Performance",
    "",
    "Compare the speed of antifragile with its peers on your machine:",
    "",
    "```sh",
    "npm run bench",
    "```",
    "",
    `The last run: ${machine}.`,
    `Each ratio is the median of ${ROUNDS} pairs of processes that ran in turn, with the lowest and the highest in parentheses;`,
    "1,000 services were run once. It compares user CPU, so other processes of the machine matter little. The validation of templates by AWS CDK is off:",
    "it takes ten times as long as the rest.",
    "",
    "![Ratios, with a red line at each target](performance.svg)",
    "",
    "| what | measured | target |",
    "|---|---|---|",
    ...rows.map(({ what, figure, target }) => `| ${what} | ${figure} | ${target} |`),
    "",
    "## What is not proven",
    "",
    "No test fails where a target is missed: a timed test would fail on a busy machine. CDK Terrain, projen and Fastify are not compared.",
    "",
  ].join("\n");
}

/** A folder with the program in TypeScript, and the packages that `npm run synth` uses. */
function programFolder(): string {
  const program = join(folder, "program");
  mkdirSync(join(program, "node_modules"), { recursive: true });
  symlinkSync(ROOT, join(program, "node_modules/antifragile"));
  symlinkSync(join(ROOT, "node_modules/tsx"), join(program, "node_modules/tsx"));
  writeFileSync(join(program, "main.ts"), synth(1, "antifragile"));
  return program;
}

function growthRows(): void {
  for (const graph of ["a chain", "the two before", "the five before", "any three", "a circle"] as const) {
    for (const layout of ["stacks of their own", "one stack"] as const) {
      const what = `growth from 10 to 1,000 services, calls of ${graph}, ${layout}`;
      row(what, growth(graph, layout).toFixed(2), "<= 1.05");
    }
  }
  const across = growth("the five before", "platforms of ten").toFixed(2);
  row("growth from 10 to 1,000 services on platforms of ten", across, "<= 1.05");
}

try {
  const peers = installPeers();
  const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${process.platform}`;
  console.log(`${machine}; user CPU, median of ${ROUNDS} pairs, lowest and highest\n`);
  const one = JSON.parse(measure(synth(1)).said) as { resources: number; outdir: string };
  const executable = "./dist/bin/antifragile.js";
  const command = (...words: string[]) =>
    `process.argv=${JSON.stringify([process.execPath, executable, ...words])};require(${JSON.stringify(executable)})`;
  const scaffold = () => command("new", fresh(), "--name", "orders", "--yes", "--no-install", "--no-git");
  const empty = () => "";
  ratioRow("antifragile new / an empty process", ratio(scaffold, empty), 2.5);
  const vite = () =>
    measureCommand(`node node_modules/create-vite/index.js ${fresh()} --template vanilla-ts --no-interactive`, peers);
  ratioRow(
    "antifragile new / create-vite",
    ratioOf(() => measure(scaffold()), vite),
  );
  const helps = Object.keys(commands).map((name) => ({
    name,
    ...ratioOf(
      () => measure(command(name, "--help")),
      () => measure(empty()),
    ),
  }));
  const slowest = helps.sort((a, b) => b.median - a.median)[0]!;
  ratioRow(`antifragile ${slowest.name} --help, the slowest / an empty process`, slowest, 1.3);

  const cdk = () => measure('require("./app.cjs")', peers);
  const { resources: ofCdk } = JSON.parse(cdk().said) as { resources: number };
  const mine = () => measure(synth(1));
  ratioRow(`synth, ${one.resources} resources / AWS CDK, ${ofCdk} resources`, ratioOf(mine, cdk), 0.65);
  ratioRow("synth, a resource / AWS CDK", ratioOf(mine, cdk, one.resources / ofCdk));
  ratioRow(
    "synth / raw cdktf with the same resources",
    ratio(
      () => synth(1),
      () => raw(one.outdir),
    ),
    1.1,
  );
  row("synth, memory", `${Math.round(mine().mebibytes)} MiB`, "<= 110 MiB");
  const program = programFolder();
  ratioRow(
    "npm run synth / AWS CDK through tsx",
    ratioOf(
      () => measureCommand(`node ${ROOT}/dist/bin/run-program.js ${program}/main.ts`, program),
      () => measureCommand("node node_modules/tsx/dist/cli.mjs app.cjs", peers),
    ),
    0.7,
  );
  const small = JSON.parse(measure(synth(2)).said) as { outdir: string };
  const many = measure(synth(1000));
  const perResource = many.userSeconds / (JSON.parse(many.said) as { resources: number }).resources;
  const rawMany = measure(`${raw(small.outdir, 1000)}${COUNT}`);
  const rawPerResource = rawMany.userSeconds / (JSON.parse(rawMany.said) as { resources: number }).resources;
  row("synth of 1,000 services, a resource / raw cdktf", (perResource / rawPerResource).toFixed(2), "<= 1.6");
  row("synth of 1,000 services, memory", `${Math.round(many.mebibytes)} MiB`, "<= 400 MiB");
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
    "",
  );
  // Minutes for each; a test of the suite counts the work of all of them.
  if (process.argv.includes("--growth")) growthRows();
  writeFileSync(join(ROOT, "docs/performance.svg"), chart());
  writeFileSync(join(ROOT, "docs/performance.md"), page(machine));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
