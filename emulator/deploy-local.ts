import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { boundariesIn, boundaryArn, boundaryDocument } from "../contract/boundary";
import type { ProgressReporter } from "../contract/progress";
import { inOrder, type Place, placeOf, type StackManifest } from "../contract/stacks";
import { UserError } from "../contract/user-error";
import { Emulator } from "./index";
import { ProviderPool } from "./provider-process";
import { readServices } from "./runner/applied";
import { AccountClient } from "./runner/client";
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
  /** Uses what is deployed, before it is destroyed. @default - it is destroyed at once */
  readonly use?: (deployed: Deployed) => Promise<void>;
}

/** Deployment on an emulator, while it is in use. */
export interface Deployed {
  /** Address of the emulator. */
  readonly url: string;
  /** Folder for everything that belongs to this deployment. It is removed at the end. */
  readonly folder: string;
  /** Environments with services. */
  readonly environments: readonly Place[];
}

interface Manifest extends StackManifest {
  readonly stacks: Readonly<
    Record<string, { readonly dependencies: readonly string[]; readonly workingDirectory: string }>
  >;
}

/** Stacks of a synthesized app. */
interface Synthesized {
  readonly manifest: Manifest;
  /** JSON of each stack, by its name. */
  readonly programs: ReadonlyMap<string, string>;
  readonly folderOf: (stack: string) => string;
}

/**
 * Deploys an app to an emulator and destroys it again: each stack is planned and applied by Terraform with the real AWS
 * provider, read back through AWS's API, planned again (which must be empty), and destroyed.
 *
 * @throws UserError where this machine lacks tools; the error of a failed synthesis; Error that names the stack and the log when a
 *   later step fails
 */
export async function deployLocally({ synthesize, report, signal, use }: DeployLocallyOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "antifragile-local-"));
  const starting = startEmulator(join(folder, "emulator.log"));
  const started = starting.catch(() => undefined);
  let synthesized: Synthesized;
  try {
    synthesized = await synthesizeStacks(synthesize, report);
    report.begin("start the emulator");
    await starting;
  } catch (error) {
    await (await started)?.emulator.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const { emulator, tools } = await starting;
  const providers = new ProviderPool(join(folder, "provider.log"));
  const failed = new AbortController();
  const { first, beside } = new Turns(report);
  const stop = AbortSignal.any([signal, failed.signal]);
  const [main = [], ...others] = independentGroups(synthesized.manifest).map((group, index) =>
    group.map(
      (name) =>
        new TerraformStack({
          stack: synthesized.folderOf(name),
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
  let failure: Error | undefined;
  try {
    report.done(`an AWS account on this machine, ${emulator.url}`);
    await createBoundaries(emulator.url, synthesized);
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
    for (const region of regionsOf(synthesized)) {
      report.begin(`read back from AWS's API, ${region}`);
      const found = await readBack(new AccountClient(emulator.url, region));
      report.done(found.length === 0 ? "no service, no log group" : found.join("\n"));
    }
    await sideBySide(
      () => planAgain(main.slice(0, 1), first),
      () => planAgain(main.slice(1), beside),
    );
    await use?.({ url: emulator.url, folder, environments: environmentsOf(synthesized) });
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
    // Nothing has failed where a user has interrupted it.
    if (error instanceof Error && !signal.aborted) {
      failure = error;
      error.message += `\nlogs are kept in ${folder}`;
    }
    throw error;
  } finally {
    await providers.stop();
    await emulator.stop();
    if (failure === undefined) await rm(folder, { recursive: true, force: true });
  }
}

export interface DeployAgainOptions extends Omit<DeployLocallyOptions, "use"> {
  /** Address and folder of a local deployment that is in use. */
  readonly running: Pick<Deployed, "url" | "folder">;
}

/** Plans and applies the stacks of an app once more, on the emulator of a local deployment that is in use. */
export async function deployAgain({ synthesize, report, signal, running }: DeployAgainOptions): Promise<Deployed> {
  const synthesized = await synthesizeStacks(synthesize, report);
  const providers = new ProviderPool(join(running.folder, "provider.log"));
  const options = { folder: running.folder, emulatorUrl: running.url, tools: await findTools(), providers, signal };
  try {
    await createBoundaries(running.url, synthesized);
    const stacks = inOrder(synthesized.manifest).map(synthesized.folderOf);
    await apply(
      stacks.map((stack) => new TerraformStack({ ...options, stack })),
      report,
    );
  } finally {
    await providers.stop();
  }
  return { ...running, environments: environmentsOf(synthesized) };
}

/** Synthesizes the app, as a step, and reads its stacks. */
async function synthesizeStacks(synthesize: () => Promise<string>, report: Steps): Promise<Synthesized> {
  const begun = performance.now();
  // Not begun earlier: on a terminal, what the program prints would be in the line of the step.
  const outdir = await synthesize().finally(() => report.begin("synthesize"));
  report.done(relative(process.cwd(), outdir), performance.now() - begun);
  const manifest = JSON.parse(await readFile(join(outdir, "manifest.json"), "utf8")) as Manifest;
  const folderOf = (stack: string) => join(outdir, manifest.stacks[stack]?.workingDirectory ?? "");
  const programs = new Map<string, string>();
  for (const name of Object.keys(manifest.stacks)) {
    programs.set(name, await readFile(join(folderOf(name), "cdk.tf.json"), "utf8"));
  }
  return { manifest, programs, folderOf };
}

/** Creates the permissions boundaries that the stacks name, as `antifragile bootstrap` does in an account. */
async function createBoundaries(url: string, { programs }: Synthesized): Promise<void> {
  const iam = new AccountClient(url, "us-east-1");
  for (const boundary of boundariesIn([...programs.values()].join("\n"))) {
    await iam
      .call("iam", "CreatePolicy", {
        PolicyName: boundaryArn(boundary).replace(/^.*\//, ""),
        PolicyDocument: boundaryDocument(boundary),
      })
      .catch((error: Error) => {
        // It exists, from an earlier deployment.
        if (!error.message.includes("EntityAlreadyExists")) throw error;
      });
  }
}

/** @throws UserError if this machine lacks tools */
async function startEmulator(log: string): Promise<{ emulator: Emulator; tools: Tools }> {
  const tools = await findTools();
  const missing = missingTools(tools);
  if (missing.length > 0) {
    const lines = missing.map((tool) => `  ${tool}\n`).join("");
    throw new UserError(
      `not deployed, since this machine lacks what it takes:\n${lines}The synthesized stacks are in infra/cdktf.out.`,
      1,
    );
  }
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
    const { add, change, remove, empty } = await stack.countPlanned();
    report.done(`${add} to add, ${change} to change, ${remove} to destroy`);
    if (empty) continue;
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

/** Environments that have a stack of services. */
function environmentsOf({ programs }: Synthesized): Place[] {
  const services = [...programs].filter(([name]) => name.endsWith("-service"));
  const places = services.flatMap(([, program]) => placeOf(program) ?? []);
  return [...new Map(places.map((place) => [place.environment, place])).values()];
}

function regionsOf({ programs }: Synthesized): string[] {
  const providers = [...programs.values()].flatMap((text) => {
    const program = JSON.parse(text) as { provider?: { aws?: readonly { region?: string }[] } };
    return program.provider?.aws ?? [];
  });
  return [...new Set(providers.flatMap(({ region }) => region ?? []))].sort();
}

/** Resources as reported by AWS: services with their tasks and scaling, and log groups. */
async function readBack(account: AccountClient): Promise<string[]> {
  const { services } = await readServices(account);
  const { ScalableTargets: targets } = await account.call<{
    ScalableTargets: { ResourceId: string; MinCapacity: number; MaxCapacity: number }[];
  }>("application-autoscaling", "DescribeScalableTargets", { ServiceNamespace: "ecs" });
  const { logGroups } = await account.call<{ logGroups: { logGroupName: string; retentionInDays?: number }[] }>(
    "logs",
    "DescribeLogGroups",
  );
  return [
    ...services.map(({ serviceName, clusterArn, status, runningCount, desiredCount }) => {
      const id = `service/${clusterArn.split("/").at(-1)}/${serviceName}`;
      const range = targets.find(({ ResourceId }) => ResourceId === id);
      const scaling = range === undefined ? "" : `, scales from ${range.MinCapacity} to ${range.MaxCapacity}`;
      return `${id} is ${status}: ${runningCount} of ${desiredCount} tasks${scaling}`;
    }),
    ...logGroups.map(({ logGroupName, retentionInDays: days }) => {
      return `log group ${logGroupName} ${days === undefined ? "never expires" : `keeps ${days} days`}`;
    }),
  ];
}
