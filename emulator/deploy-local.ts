import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { ProgressReporter } from "../contract/progress";
import { inOrder, type StackManifest } from "../contract/stacks";
import { Emulator } from "./index";
import { ProviderPool } from "./provider-process";
import { type Change, describeProgress, type Progress, TerraformStack } from "./terraform";
import { findTools, missingTools, type Tools } from "./tools";

/** Reports the steps; a failed one is the caller's to mark, since it sees the error. */
type Steps = Omit<ProgressReporter, "failed">;

export interface DeployLocallyOptions {
  /** Synthesizes the app, and returns its output folder `cdktf.out`. The emulator starts meanwhile. */
  readonly synthesize: () => Promise<string>;
  readonly report: Steps;
  /** Interrupts it; what was applied ends with the emulator. */
  readonly signal: AbortSignal;
}

/** This machine lacks tools: nothing was deployed. */
export class ToolsMissingError extends Error {
  override readonly name = "ToolsMissingError";
  constructor(readonly missing: readonly string[]) {
    super(`not deployed, since this machine lacks what it takes:\n${missing.map((tool) => `  ${tool}`).join("\n")}`);
  }
}

interface Manifest extends StackManifest {
  readonly stacks: Readonly<
    Record<string, { readonly dependencies: readonly string[]; readonly workingDirectory: string }>
  >;
}

/**
 * Deploys an app to an emulator and destroys it again: each stack is planned and applied by Terraform with the real AWS
 * provider, read back through AWS's API, planned again (which must be empty), and destroyed.
 *
 * @throws ToolsMissingError when the app is synthesized, and nothing deployed; the error of a failed synthesis; Error that names
 *   the stack and the log when a later step fails
 */
export async function deployLocally({ synthesize, report, signal }: DeployLocallyOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "antifragile-local-"));
  const starting = startEmulator(join(folder, "emulator.log"));
  const started = starting.catch(() => undefined);
  let synthesized: string;
  try {
    report.begin("synthesize");
    synthesized = await synthesize();
    report.done(relative(process.cwd(), synthesized));
    report.begin("start the emulator");
    await starting;
  } catch (error) {
    await (await started)?.emulator.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const { emulator, tools } = await starting;
  const manifest = JSON.parse(await readFile(join(synthesized, "manifest.json"), "utf8")) as Manifest;
  const providers = new ProviderPool(join(folder, "provider.log"));
  const failed = new AbortController();
  const { first, beside } = new Turns(report);
  const stop = AbortSignal.any([signal, failed.signal]);
  const [main = [], ...others] = independentGroups(manifest).map((group, index) =>
    group.map(
      (name) =>
        new TerraformStack({
          stack: join(synthesized, manifest.stacks[name]?.workingDirectory ?? ""),
          folder,
          emulatorUrl: emulator.url,
          tools,
          providers,
          signal: stop,
          onProgress: (progress) => {
            if (index === 0 && progress.action !== "read") first.progress(tell(progress));
          },
        }),
    ),
  );
  const sideBySide = async (...works: readonly (() => Promise<void>)[]) => {
    const problems: unknown[] = [];
    const fail = (error: unknown) => {
      problems.push(error);
      // The other's Terraform ends in good order before the emulator does.
      failed.abort();
    };
    await Promise.all(works.map((work) => work().catch(fail)));
    if (problems.length > 0) throw problems[0];
  };
  try {
    report.done(`an AWS account on this machine, ${emulator.url}`);
    await sideBySide(
      () => apply(main, first),
      // In the minute in which Terraform waits for the first group's load balancer.
      async () => {
        for (const group of others) {
          await apply(group, beside);
          await planAgain(group, beside);
        }
        for (const stack of main) await stack.init();
      },
    );
    for (const region of await regionsOf(synthesized, manifest)) {
      report.begin(`read back from AWS's API, ${region}`);
      const found = await readBack(emulator.url, region);
      report.done(found.length === 0 ? "no service, no log group" : found.join("\n"));
    }
    await sideBySide(
      () => planAgain(main.slice(0, 1), first),
      () => planAgain(main.slice(1), beside),
    );
    await sideBySide(
      () => destroy(main, first),
      () => destroy(others.flat(), beside),
    );
    report.begin("look for what is left");
    const { billable, free } = await emulator.leftovers();
    if (billable.length > 0) {
      throw new Error(`left behind, and billed:\n${billable.map(({ kind, id }) => `  ${kind} ${id}`).join("\n")}`);
    }
    report.done(
      free.length === 0
        ? "nothing"
        : `nothing billable; free: ${free.map(({ kind, id }) => `${kind} ${id}`).join(", ")}`,
    );
  } catch (error) {
    const where = `logs are kept in ${folder}`;
    throw error instanceof Error ? Object.assign(error, { message: `${error.message}\n${where}` }) : error;
  } finally {
    await providers.stop();
    await emulator.stop();
  }
  await rm(folder, { recursive: true, force: true });
}

/** @throws ToolsMissingError if this machine lacks tools */
async function startEmulator(log: string): Promise<{ emulator: Emulator; tools: Tools }> {
  const tools = await findTools();
  const missing = missingTools(tools);
  if (missing.length > 0) throw new ToolsMissingError(missing);
  return { emulator: await Emulator.start({ log, tools }), tools };
}

/** Stacks that depend on each other, in the order in which they are applied; the largest group first. */
export function independentGroups(manifest: StackManifest): string[][] {
  const groups: Set<string>[] = [];
  for (const name of inOrder(manifest)) {
    const own = new Set(inOrder(manifest, [name]));
    const met = groups.filter((group) => [...own].some((each) => group.has(each)));
    for (const group of met) groups.splice(groups.indexOf(group), 1);
    groups.push(new Set([...met.flatMap((group) => [...group]), ...own]));
  }
  const order = inOrder(manifest);
  return groups
    .map((group) => order.filter((name) => group.has(name)))
    .sort((a, b) => b.length - a.length || order.indexOf(a[0] as string) - order.indexOf(b[0] as string));
}

async function apply(stacks: readonly TerraformStack[], report: Steps): Promise<void> {
  for (const stack of stacks) {
    report.begin(`plan ${stack.name}`);
    const { add, change, remove } = await stack.countPlanned();
    report.done(`${add} to add, ${change} to change, ${remove} to destroy`);
    report.begin(`apply ${stack.name}`);
    await stack.applyPlanned();
    report.done("applied");
  }
}

async function planAgain(stacks: readonly TerraformStack[], report: Steps): Promise<void> {
  for (const stack of stacks) {
    report.begin(`plan ${stack.name} again`);
    const plan = await stack.plan();
    if (!plan.empty)
      throw new Error(`${stack.name} is not what was applied:\n${plan.changes.map(describe).join("\n")}`);
    report.done("no changes");
  }
}

/** Destroys stacks that {@link planAgain} has just read, in reverse order. */
async function destroy(stacks: readonly TerraformStack[], report: Steps): Promise<void> {
  for (const stack of [...stacks].reverse()) {
    report.begin(`destroy ${stack.name}`);
    await stack.destroy({ refresh: false });
    report.done("destroyed");
  }
}

/** Reports two concurrent deployments as sequential steps: steps that run beside another one are reported after it. */
class Turns {
  #isWithinStep = false;
  readonly #beside: [title: string, result: string, milliseconds: number][] = [];
  readonly first: Steps;
  readonly beside: Steps;

  constructor(report: Steps) {
    const tellBeside = () => {
      for (const [title, result, milliseconds] of this.#beside.splice(0)) {
        report.begin(title);
        report.done(result, milliseconds);
      }
    };
    this.first = {
      begin: (title) => {
        this.#isWithinStep = true;
        report.begin(title);
      },
      progress: report.progress,
      done: (result) => {
        report.done(result);
        this.#isWithinStep = false;
        tellBeside();
      },
    };
    let title = "";
    let begun = 0;
    this.beside = {
      begin: (text) => {
        title = text;
        begun = performance.now();
      },
      progress: () => undefined,
      done: (result) => {
        this.#beside.push([title, result, performance.now() - begun]);
        if (!this.#isWithinStep) tellBeside();
      },
    };
  }
}

function tell(progress: Progress): string {
  const why = progress.address.startsWith("aws_lb.") ? " (Terraform waits a fixed minute for a load balancer)" : "";
  return describeProgress(progress) + why;
}

function describe({ address, actions, attributes }: Change): string {
  return `  ${actions.join(" and ")} ${address}: ${Object.keys(attributes).join(", ")}`;
}

async function regionsOf(synthesized: string, manifest: Manifest): Promise<string[]> {
  const regions = new Set<string>();
  for (const { workingDirectory } of Object.values(manifest.stacks)) {
    const program = JSON.parse(await readFile(join(synthesized, workingDirectory, "cdk.tf.json"), "utf8")) as {
      provider?: { aws?: readonly { region?: string }[] };
    };
    for (const { region } of program.provider?.aws ?? []) if (region !== undefined) regions.add(region);
  }
  return [...regions].sort();
}

interface EcsService {
  readonly serviceName: string;
  readonly status: string;
  readonly runningCount: number;
  readonly desiredCount: number;
}

/** Resources as reported by AWS: services with their tasks and scaling, and log groups. */
async function readBack(url: string, region: string): Promise<string[]> {
  const ask = async <T>(service: string, target: string, body: object): Promise<T> => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": target,
        // The emulator checks no signature, but reads region and service from it.
        authorization: `AWS4-HMAC-SHA256 Credential=test/20000101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=test`,
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${target} answered ${response.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  const ecs = <T>(action: string, body: object) => ask<T>("ecs", `AmazonEC2ContainerServiceV20141113.${action}`, body);
  const found: string[] = [];
  const { clusterArns } = await ecs<{ clusterArns: string[] }>("ListClusters", {});
  const { ScalableTargets: targets } = await ask<{
    ScalableTargets: { ResourceId: string; MinCapacity: number; MaxCapacity: number }[];
  }>("application-autoscaling", "AnyScaleFrontendService.DescribeScalableTargets", { ServiceNamespace: "ecs" });
  for (const cluster of clusterArns) {
    const { serviceArns } = await ecs<{ serviceArns: string[] }>("ListServices", { cluster });
    if (serviceArns.length === 0) continue;
    const { services } = await ecs<{ services: EcsService[] }>("DescribeServices", { cluster, services: serviceArns });
    for (const { serviceName, status, runningCount, desiredCount } of services) {
      const id = `service/${cluster.split("/").at(-1)}/${serviceName}`;
      const range = targets.find(({ ResourceId }) => ResourceId === id);
      const scaling = range === undefined ? "" : `, scales from ${range.MinCapacity} to ${range.MaxCapacity}`;
      found.push(`${id} is ${status}: ${runningCount} of ${desiredCount} tasks${scaling}`);
    }
  }
  const { logGroups } = await ask<{ logGroups: { logGroupName: string; retentionInDays?: number }[] }>(
    "logs",
    "Logs_20140328.DescribeLogGroups",
    {},
  );
  for (const { logGroupName, retentionInDays } of logGroups) {
    found.push(
      `log group ${logGroupName} ${retentionInDays === undefined ? "never expires" : `keeps ${retentionInDays} days`}`,
    );
  }
  return found;
}
