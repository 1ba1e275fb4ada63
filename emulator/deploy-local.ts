import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgressReporter } from "../contract/progress";
import { inOrder, type StackManifest } from "../contract/stacks";
import { Emulator } from "./index";
import { ProviderProcess } from "./provider-process";
import { type Change, describeProgress, type Progress, TerraformStack } from "./terraform";
import { findTools, missingTools } from "./tools";

/** Reports the steps; a failed one is the caller's to mark, since it sees the error. */
type Steps = Omit<ProgressReporter, "failed">;

export interface DeployLocallyOptions {
  /** Folder that the app was synthesized into: `cdktf.out`. */
  readonly synthesized: string;
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
 * Deploys a synthesized app to an emulator and destroys it again: each stack is planned and applied by Terraform with
 * the real AWS provider, read back through AWS's API, planned again (which must be empty), and destroyed.
 *
 * @throws ToolsMissingError before anything is done; Error that names the stack and the log when a step fails
 */
export async function deployLocally({ synthesized, report, signal }: DeployLocallyOptions): Promise<void> {
  const manifest = JSON.parse(await readFile(join(synthesized, "manifest.json"), "utf8")) as Manifest;
  const tools = await findTools();
  const missing = missingTools(tools);
  if (missing.length > 0) throw new ToolsMissingError(missing);

  const folder = await mkdtemp(join(tmpdir(), "antifragile-local-"));
  report.begin("start the emulator");
  const emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools });
  const failed = new AbortController();
  const turns = new Turns(report);
  const [main, ...others] = independentGroups(manifest).map((group, index) => {
    const told = index === 0 ? turns.first : turns.beside;
    const provider = new ProviderProcess(join(folder, `provider-${index}.log`));
    const stacks = group.map(
      (name) =>
        new TerraformStack({
          stack: join(synthesized, manifest.stacks[name]?.workingDirectory ?? ""),
          folder,
          emulatorUrl: emulator.url,
          tools,
          provider,
          signal: AbortSignal.any([signal, failed.signal]),
          onProgress: (progress) => told.progress(tell(progress)),
        }),
    );
    return new Group(stacks, provider, told);
  });
  // The others use the minutes in which AWS makes the first group's load balancer, one after the other.
  const sideBySide = async (first: (group: Group) => Promise<void>, other: (group: Group) => Promise<void>) => {
    const inTurn = async () => {
      for (const group of others) await other(group);
    };
    const problems: unknown[] = [];
    const stop = (error: unknown) => {
      problems.push(error);
      // The other's Terraform ends in good order before the emulator does.
      failed.abort();
    };
    await Promise.all([main && first(main).catch(stop), inTurn().catch(stop)]);
    if (problems.length > 0) throw problems[0];
  };
  try {
    report.done(`an AWS account on this machine, ${emulator.url}`);
    await sideBySide(
      (group) => group.apply(),
      async (group) => {
        await group.apply();
        await group.planAgain();
        await group.provider.stop();
      },
    );
    for (const region of await regionsOf(synthesized, manifest)) {
      report.begin(`read back from AWS's API, ${region}`);
      const found = await readBack(emulator.url, region);
      report.done(found.length === 0 ? "no service, no log group" : found.join("\n"));
    }
    await sideBySide(
      async (group) => {
        await group.planAgain();
        await group.destroy();
      },
      (group) => group.destroy(),
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
    await Promise.all([main, ...others].map((group) => group?.provider.stop()));
    await emulator.stop();
  }
  await rm(folder, { recursive: true, force: true });
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

/** Stacks that no stack outside depends on, with the provider that they use in turn. */
class Group {
  constructor(
    readonly stacks: readonly TerraformStack[],
    readonly provider: ProviderProcess,
    readonly report: Steps,
  ) {}

  async apply(): Promise<void> {
    for (const stack of this.stacks) {
      this.report.begin(`plan ${stack.name}`);
      const { add, change, remove } = await stack.countPlanned();
      this.report.done(`${add} to add, ${change} to change, ${remove} to destroy`);
      this.report.begin(`apply ${stack.name}`);
      await stack.applyPlanned();
      this.report.done("applied");
    }
  }

  async planAgain(): Promise<void> {
    for (const stack of this.stacks) {
      this.report.begin(`plan ${stack.name} again`);
      const plan = await stack.plan();
      if (!plan.empty)
        throw new Error(`${stack.name} is not what was applied:\n${plan.changes.map(describe).join("\n")}`);
      this.report.done("no changes");
    }
  }

  async destroy(): Promise<void> {
    for (const stack of [...this.stacks].reverse()) {
      this.report.begin(`destroy ${stack.name}`);
      await stack.destroy();
      this.report.done("destroyed");
    }
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
