import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inOrder, type StackManifest } from "../contract/stacks";
import { Emulator } from "./index";
import { type Change, describeProgress, type Plan, type Progress, TerraformStack } from "./terraform";
import { findTools, missingTools } from "./tools";

/** What a local deployment tells of itself while it works. */
export interface DeployReport {
  /** A step begins. */
  readonly begin: (title: string) => void;
  /** What goes on in the step: replaces what was told before. */
  readonly progress: (text: string) => void;
  /** The step is done, and what came of it. */
  readonly done: (result: string) => void;
}

export interface DeployLocallyOptions {
  /** Folder that the app was synthesized into: `cdktf.out`. */
  readonly synthesized: string;
  readonly report: DeployReport;
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
 * Deploys a synthesized app on an emulator and takes it away again: each stack is planned and applied by Terraform with
 * the real AWS provider, read back through AWS's API, planned again (which must be empty), and destroyed.
 *
 * @throws ToolsMissingError before anything is done; Error that names the stack and the log when a step fails
 */
export async function deployLocally({ synthesized, report, signal }: DeployLocallyOptions): Promise<void> {
  const manifest = JSON.parse(await readFile(join(synthesized, "manifest.json"), "utf8")) as Manifest;
  const names = inOrder(manifest);
  const tools = await findTools();
  const missing = missingTools(tools);
  if (missing.length > 0) throw new ToolsMissingError(missing);

  const folder = await mkdtemp(join(tmpdir(), "antifragile-local-"));
  report.begin("start the emulator");
  const emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools });
  try {
    report.done(`an AWS account on this machine, ${emulator.url}`);
    const stacks = names.map(
      (name) =>
        new TerraformStack({
          stack: join(synthesized, manifest.stacks[name]?.workingDirectory ?? ""),
          folder,
          emulatorUrl: emulator.url,
          tools,
          signal,
          onProgress: (progress) => report.progress(tell(progress)),
        }),
    );
    for (const stack of stacks) {
      report.begin(`plan ${stack.name}`);
      const plan = await stack.plan();
      report.done(summary(plan));
      report.begin(`apply ${stack.name}`);
      await stack.applyPlanned();
      report.done("applied");
    }
    for (const region of await regionsOf(synthesized, manifest)) {
      report.begin(`read back from AWS's API, ${region}`);
      const found = await readBack(emulator.url, region);
      report.done(found.length === 0 ? "no service, no log group" : found.join("\n"));
    }
    for (const stack of stacks) {
      report.begin(`plan ${stack.name} again`);
      const plan = await stack.plan();
      if (!plan.empty)
        throw new Error(`${stack.name} is not what was applied:\n${plan.changes.map(describe).join("\n")}`);
      report.done("no changes");
    }
    for (const stack of [...stacks].reverse()) {
      report.begin(`destroy ${stack.name}`);
      await stack.destroy();
      report.done("destroyed");
    }
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
    await emulator.stop();
  }
  await rm(folder, { recursive: true, force: true });
}

function tell(progress: Progress): string {
  const why = progress.address.startsWith("aws_lb.") ? " (Terraform waits a fixed minute for a load balancer)" : "";
  return describeProgress(progress) + why;
}

function summary({ changes }: Plan): string {
  const count = (action: string) =>
    changes.filter(({ actions, address }) => actions.includes(action) && !address.startsWith("output.")).length;
  return `${count("create")} to add, ${count("update")} to change, ${count("delete")} to destroy`;
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

/** What AWS itself says is there: services with their tasks and scaling, and log groups. */
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
    found.push(`log group ${logGroupName} keeps ${retentionInDays ?? "for ever, not"} days`);
  }
  return found;
}
