import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { ApplicationAutoScalingClient } from "@aws-sdk/client-application-auto-scaling";
import { AutoScalingClient } from "@aws-sdk/client-auto-scaling";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { ElasticLoadBalancingV2Client } from "@aws-sdk/client-elastic-load-balancing-v2";
import { IAMClient } from "@aws-sdk/client-iam";
import { SSMClient } from "@aws-sdk/client-ssm";
import { vi } from "vitest";
import { inOrder, type StackManifest } from "../../contract/stacks";
import {
  type Change,
  Emulator,
  findTools,
  type Leftover,
  missingTools,
  ProviderPool,
  TerraformStack,
} from "../../emulator";
import { type Combination, onCombination } from "./engines";
import { runningProgram } from "./program";
import { requiring } from "./required-tools";

/** Installed tools: Terraform, its plugins and moto. */
export const tools = await findTools();

/** `describe` for tests that deploy. */
export const { describe: describeOnEmulator } = requiring(missingTools(tools));

const ROOT = resolve(__dirname, "../..");

/** Name of the file with the calls that an emulator has answered, in the folder of the logs. */
export const CALLS = "calls.jsonl";

/** Folder of the logs, copies and states of a named deployment; kept until its next run. */
export function resultsFolder(name: string): string {
  return join(ROOT, ".test-results", name);
}

/** Starts an emulator that notes its calls in a folder, which it empties before. */
export function startEmulator(results: string): Promise<Emulator> {
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  return Emulator.start({ log: join(results, "emulator.log"), calls: join(results, CALLS), tools });
}

/**
 * Variables that make an emulator the account of a command; nothing else is different from a real deployment.
 *
 * @param folder receives Terraform's configuration
 */
export function accountOf(emulator: Emulator, folder: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: emulator.url,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
    TF_CLI_CONFIG_FILE: terraformConfiguration(folder),
  };
}

/** Calls in an emulator's log, as `service:operation`. */
export const callsIn = (log: string, region = "\\S+"): string[] =>
  [...log.matchAll(new RegExp(`^\\d\\d:\\d\\d:\\d\\d ${region} (\\S+) (\\S+) \\d+$`, "gm"))].map(([, ...call]) =>
    call.join(":"),
  );

/**
 * Starts an emulator that everything in this process and its children takes for AWS, until the tests call `vi.unstubAllEnvs()`.
 *
 * @param folder receives Terraform's configuration
 */
export async function startAsAws(results: string, folder: string): Promise<Emulator> {
  const emulator = await startEmulator(results);
  for (const [name, value] of Object.entries(accountOf(emulator, folder))) vi.stubEnv(name, value);
  return emulator;
}

/** Writes what Terraform is to know of this machine's plugins, for `TF_CLI_CONFIG_FILE`; returns the file. */
function terraformConfiguration(folder: string): string {
  const file = join(folder, "terraform.rc");
  const mirrored = '"registry.terraform.io/hashicorp/aws"';
  writeFileSync(
    file,
    tools.pluginMirror.found
      ? `disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(tools.pluginMirror.path)}
    include = [${mirrored}]
  }
  direct {
    exclude = [${mirrored}]
  }
}
`
      : "disable_checkpoint = true\n",
  );
  return file;
}

export interface DeploymentOptions {
  /** Names the folder of logs, `.test-results/<name>`: one for each test file. */
  readonly name: string;
  /** Names of the stacks, in the order in which they are applied. @default - the order of their dependencies */
  readonly stacks?: readonly string[];
  /** Names of stacks that no other one needs: they are deployed at the same time, once what they need is. @default - none */
  readonly beside?: readonly string[];
  /** @default - the region of the first stack's provider */
  readonly region?: string;
  /** Creates the resources that exist before the app, and returns the variables that describe them to the app. */
  readonly prepare?: (emulator: Emulator) => Promise<Variables>;
  /** Engine and bindings that synthesize the app. @default - those of this repository */
  readonly combination?: Combination;
}

/** Environment variables that select what a program synthesizes. */
type Variables = Readonly<Record<string, string>>;

/** Things that may remain after a destroy: AWS keeps them, or the app does on purpose. None is billed. */
export const KEPT_ON_PURPOSE = ["task definition", "key pending deletion", "secret pending deletion"];

/** An app on an emulator of its own. */
export class Deployment {
  readonly clients: Clients;
  /** Folders of synthesized versions, by name. */
  readonly #versions = new Map<string, Promise<string>>();

  constructor(
    readonly emulator: Emulator,
    readonly stacks: readonly TerraformStack[],
    readonly region: string,
    /** Folder of all logs. */
    readonly results: string,
    /** Providers that the stacks share. */
    readonly providers: ProviderPool,
    /** Names of the stacks that are deployed at the same time as the others. */
    private readonly beside: readonly string[],
    /** Names of the stacks that a stack depends on. */
    private readonly dependenciesOf: (stack: string) => readonly string[],
    /** Synthesizes the app once more, into a folder of this name, and returns the folder. */
    private readonly synthesize: (name: string, variables: Variables) => Promise<string>,
  ) {
    this.clients = clientsFor(emulator.url, region);
  }

  /** File with the calls that the emulator has answered. */
  get calls(): string {
    return join(this.results, CALLS);
  }

  /** The stack of this name. */
  stack(name: string): TerraformStack {
    const found = this.stacks.find((each) => each.name === name);
    if (!found) throw new Error(`no stack ${name}; there are ${this.stacks.map((each) => each.name).join(", ")}`);
    return found;
  }

  /** A stack of another program, on the same account and, where their names are the same, with the same state. */
  stackOf(synthesized: string, name: string): TerraformStack {
    return new TerraformStack({
      stack: join(synthesized, "stacks", name),
      folder: this.results,
      emulatorUrl: this.emulator.url,
      tools,
      providers: this.providers,
    });
  }

  /** Stacks of the app in another version, which environment variables select; each version is synthesized once. */
  async inVersion(version: string, variables: Variables): Promise<(name: string) => TerraformStack> {
    const running = this.#versions.get(version) ?? this.synthesize(`version-${version}`, variables);
    this.#versions.set(version, running);
    const synthesized = await running;
    return (name) => this.stackOf(synthesized, name);
  }

  apply(): Promise<void> {
    return this.each((stack) => stack.apply());
  }

  destroy(): Promise<void> {
    const dependentsOf = (name: string) =>
      this.stacks.map((each) => each.name).filter((each) => this.dependenciesOf(each).includes(name));
    return this.each((stack) => stack.destroy(), [...this.stacks].reverse(), dependentsOf);
  }

  /** Does something with each stack, one after the other, and at the same time with those beside. */
  async each(
    act: (stack: TerraformStack) => Promise<void>,
    stacks = this.stacks,
    after = this.dependenciesOf,
  ): Promise<void> {
    const isBeside = ({ name }: TerraformStack) => this.beside.includes(name);
    const lanes = [stacks.filter((each) => !isBeside(each)), stacks.filter(isBeside)];
    const steps = new Map(stacks.map(({ name }) => [name, resolvers()]));
    // A failure is that of its lane.
    for (const { promise } of steps.values()) promise.catch(() => undefined);
    const inTurn = async (lane: readonly TerraformStack[]) => {
      const own = lane.map(({ name }) => name);
      for (const stack of lane) {
        const step = steps.get(stack.name);
        const others = after(stack.name).filter((each) => !own.includes(each));
        const run = Promise.all(others.map((each) => steps.get(each)?.promise)).then(() =>
          this.#explained(() => act(stack)),
        );
        run.then(step?.resolve, step?.reject);
        await run;
      }
    };
    await Promise.all(lanes.map(inTurn));
  }

  /** Fails, naming each difference, unless a new plan of every stack is empty. */
  expectNoDrift(stacks = this.stacks): Promise<void> {
    return this.each(async (stack) => {
      const { empty, changes } = await stack.plan();
      if (!empty)
        throw new Error(`${stack.name} differs from its program:\n${describeChanges(changes)}\n  log: ${stack.log}`);
    }, stacks);
  }

  /** Fails, naming each thing, when something billable is left in the account, or something free that is not expected. */
  async expectNothingLeft(kept: readonly string[] = KEPT_ON_PURPOSE): Promise<void> {
    const { billable, free } = await this.emulator.leftovers();
    const unexpected = free.filter(({ kind }) => !kept.includes(kind));
    if (billable.length + unexpected.length > 0) {
      const list = (found: readonly Leftover[]) =>
        found.map((each) => `  ${each.kind} ${each.id} (${each.region})`).join("\n");
      throw new Error(
        `left in the account, billable:\n${list(billable)}\nfree:\n${list(unexpected)}\nlogs: ${this.results}`,
      );
    }
  }

  /** Runs a command with the endpoint of this account, and with an access key that says who calls. */
  async signedIn<T>(act: () => Promise<T>, caller = "test"): Promise<T> {
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: this.emulator.url,
      AWS_REGION: this.region,
      AWS_ACCESS_KEY_ID: caller,
      AWS_SECRET_ACCESS_KEY: "test",
    });
    try {
      return await act();
    } finally {
      process.env = before;
    }
  }

  /** The last plan of a stack as Terraform shows it: what was planned, the state before, and all outputs. */
  shownPlan(stack: string): string {
    const folder = join(this.results, stack);
    return execFileSync(tools.terraform.found ? tools.terraform.path : "", ["show", "-json", "plan.tfplan"], {
      cwd: folder,
      env: { ...process.env, TF_CLI_CONFIG_FILE: join(folder, "terraform.rc") },
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
  }

  /** Makes a change that AWS, or a release, makes on its own; returns what it changed. */
  async simulate(change: string, fields: object): Promise<unknown> {
    const response = await fetch(`${this.emulator.url}/antifragile/simulate`, {
      method: "POST",
      body: JSON.stringify({ region: this.region, change, ...fields }),
      headers: { "content-type": "application/json" },
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }

  /** Stop the emulator and close the clients; logs stay. Fails where the provider warned of a plan: users would see it each time. */
  async end(): Promise<void> {
    for (const client of Object.values(this.clients)) client.destroy();
    await this.providers.stop();
    await this.emulator.stop();
    const warnings = this.#warnings();
    if (warnings.length > 0) throw new Error(`Terraform warned:\n${warnings.join("\n")}`);
  }

  /** Warnings of all plans and applies, but for those of our own checks. */
  #warnings(): string[] {
    const logs = readdirSync(this.results)
      .map((stack) => join(this.results, stack, "terraform.log"))
      .filter((log) => existsSync(log));
    const warnings = logs
      .flatMap((log) => readFileSync(log, "utf8").split("\n"))
      .filter((line) => line.includes('"severity":"warning"') && !line.includes("Check block assertion"))
      .map((line) => JSON.parse(line) as { "@message": string; diagnostic: { address?: string } })
      .map((event) => `${event.diagnostic.address ?? ""} ${event["@message"]}`);
    return [...new Set(warnings)];
  }

  /** A Terraform run that failed says whether the emulator is gone, and how it answered the calls that failed. */
  async #explained<T>(run: () => Promise<T>): Promise<T> {
    this.emulator.assertRunning();
    try {
      return await run();
    } catch (error) {
      this.emulator.assertRunning();
      if (error instanceof Error) error.message += answersOfFailedCalls(error.message, this.emulator.log);
      throw error;
    }
  }
}

/** The emulator's log lines of the operations that an error of the AWS provider names. */
function answersOfFailedCalls(message: string, log: string): string {
  const operations = new Set([...message.matchAll(/operation error [\w ]+: (\w+)/g)].map(([, operation]) => operation));
  const lines = readFileSync(log, "utf8").split("\n");
  return [...operations]
    .map((operation) =>
      lines
        .filter((line) => line.includes(` ${operation} `))
        .slice(-6)
        .join("\n  "),
    )
    .map((answers) => `\n  the emulator's last answers:\n  ${answers}`)
    .join("");
}

/**
 * Start an emulator for an app and get its stacks ready; nothing is applied yet.
 *
 * @param app the app's `main.ts`, which is synthesized, or a folder that was: `cdktf.out`
 */
export async function deploy(app: string, options: DeploymentOptions): Promise<Deployment> {
  const results = resultsFolder(options.name);
  const emulator = await startEmulator(results);
  const variables = (await options.prepare?.(emulator)) ?? {};
  const { combination, beside = [] } = options;
  const synthesized = app.endsWith(".ts")
    ? await synthesize(app, join(results, "cdktf.out"), variables, combination)
    : resolve(app);
  // A folder that a test has written has stacks without a manifest.
  const file = join(synthesized, "manifest.json");
  const manifest: StackManifest = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { stacks: {} };
  const names = options.stacks ?? inOrder(manifest);
  const dependenciesOf = (name: string) => manifest.stacks[name]?.dependencies ?? [];
  const folders = names.map((name) => join(synthesized, "stacks", name));
  const region = options.region ?? regionOf(folders[0] as string);
  const providers = new ProviderPool(join(results, "provider.log"));
  const stacks = folders.map(
    (stack) => new TerraformStack({ stack, folder: results, emulatorUrl: emulator.url, tools, providers }),
  );
  const synthesizeAgain = (name: string, others: Variables) =>
    synthesize(app, join(results, name), { ...variables, ...others }, combination);
  return new Deployment(emulator, stacks, region, results, providers, beside, dependenciesOf, synthesizeAgain);
}

async function synthesize(
  main: string,
  output: string,
  variables: Variables,
  combination?: Combination,
): Promise<string> {
  const program = resolve(main);
  const { env, args } = combination === undefined ? { env: process.env, args: [] } : onCombination(combination);
  await promisify(execFile)(process.execPath, [...args, ...runningProgram(program)], {
    cwd: dirname(program),
    env: { ...env, ...variables, CDKTF_OUTDIR: output },
  }).catch((error: { stderr?: string; message: string }) => {
    throw new Error(`${basename(program)} was not synthesized:\n${error.stderr || error.message}`);
  });
  return output;
}

function regionOf(stack: string): string {
  const program = JSON.parse(readFileSync(join(stack, "cdk.tf.json"), "utf8")) as {
    provider?: { aws?: readonly { region?: string }[] };
  };
  const region = program.provider?.aws?.[0]?.region;
  if (!region) throw new Error(`no region in the AWS provider of ${stack}: name one in the options`);
  return region;
}

export function describeChanges(changes: readonly Change[]): string {
  return changes
    .map(({ address, actions, attributes }) => {
      const lines = Object.entries(attributes).map(
        ([name, { before, after }]) => `    ${name}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`,
      );
      return [`  ${address}: ${actions.join(", ")}`, ...lines].join("\n");
    })
    .join("\n");
}

export type Clients = ReturnType<typeof clientsFor>;

/** AWS clients whose account is an emulator. */
export function clientsFor(endpoint: string, region: string) {
  const options = { endpoint, region, credentials: { accessKeyId: "test", secretAccessKey: "test" }, maxAttempts: 1 };
  return {
    applicationAutoScaling: new ApplicationAutoScalingClient(options),
    autoScaling: new AutoScalingClient(options),
    ec2: new EC2Client(options),
    ecr: new ECRClient(options),
    ecs: new ECSClient(options),
    elb: new ElasticLoadBalancingV2Client(options),
    iam: new IAMClient(options),
    logs: new CloudWatchLogsClient(options),
    ssm: new SSMClient(options),
  };
}

/** A promise that is settled from outside. */
function resolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((...settle) => {
    [resolve, reject] = settle;
  });
  return { promise, resolve, reject };
}
