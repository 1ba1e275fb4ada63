import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { devNull, homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { ProviderPool } from "./provider-process";
import type { Tools } from "./tools";

/** Progress of one resource. */
export interface Progress {
  readonly stack: string;
  readonly address: string;
  readonly state: "started" | "running" | "done" | "failed";
  /** "create", "update", "delete", "read" ... */
  readonly action: string;
  /** Elapsed time. */
  readonly seconds: number;
}

/** A line for a person: "aws_lb.Public: still creating, 40 s". */
export function describeProgress({ address, state, action, seconds }: Progress): string {
  const doing = action.replace(/e$/, "").concat("ing");
  const text = {
    started: doing,
    running: `still ${doing}, ${seconds} s`,
    done: `${action} done in ${seconds} s`,
    failed: `${action} failed after ${seconds} s`,
  };
  return `${address}: ${text[state]}`;
}

/** A difference between the program and what is deployed. */
export interface Change {
  readonly address: string;
  /** Terraform's actions, for example `["update"]` or `["delete", "create"]`. */
  readonly actions: readonly string[];
  /** Attributes that differ: what is, and what would be. */
  readonly attributes: Readonly<Record<string, { readonly before: unknown; readonly after: unknown }>>;
}

export interface Plan {
  /** True if the plan has no changes. */
  readonly empty: boolean;
  readonly changes: readonly Change[];
}

/** Number of resources that an apply would change; a replaced one is added and removed. */
interface PlannedCounts {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
  /** True if there is nothing to apply. */
  readonly empty: boolean;
}

/** Error of a failed Terraform run; the message contains each diagnostic and the path of the log. */
export class TerraformError extends Error {
  override readonly name = "TerraformError";

  constructor(
    message: string,
    /** File with all that Terraform said. */
    readonly log: string,
  ) {
    super(`${message}\n  log: ${log}`);
  }
}

/** Options to deploy a stack to an emulator. */
export interface TerraformStackOptions {
  /** Folder of the synthesized stack, `cdktf.out/stacks/<name>`. It is copied and never changed. */
  readonly stack: string;
  /** Folder for the copy, the state and the logs. Keep it as long as the emulator runs. */
  readonly folder: string;
  readonly emulatorUrl: string;
  readonly tools: Tools;
  /** Providers that runs of several stacks share. @default - each run starts its own */
  readonly providers?: ProviderPool;
  /** Account to deploy to. @default - the first of the emulator */
  readonly account?: string;
  /** @default - progress is not reported */
  readonly onProgress?: (progress: Progress) => void;
  /** Interrupts Terraform, which then stops in good order. @default - never */
  readonly signal?: AbortSignal;
}

const PROGRAM = "cdk.tf.json";
const LOCK_FILE = ".terraform.lock.hcl";
const PLAN_FILE = "plan.tfplan";
const CREDENTIALS = "credentials";
const KILL_AFTER_MS = 30_000;

/** A synthesized stack, deployed on an emulator by Terraform itself. */
export class TerraformStack {
  readonly name: string;
  /** File with all that Terraform said. */
  readonly log: string;
  readonly #folder: string;
  readonly #options: TerraformStackOptions;
  #ready: Promise<void> | undefined;

  constructor(options: TerraformStackOptions) {
    this.#options = options;
    this.name = basename(resolve(options.stack));
    this.#folder = resolve(options.folder, this.name);
    this.log = join(this.#folder, "terraform.log");
  }

  /** Copy the program, point it at the emulator and fetch the provider where it is not there. Done once; the others call it. */
  init(): Promise<void> {
    this.#ready ??= this.#init();
    return this.#ready;
  }

  async #init(): Promise<void> {
    const { stack, tools } = this.#options;
    if (!existsSync(join(stack, PROGRAM))) {
      throw new Error(`no ${PROGRAM} in ${stack}: synthesize the app first, and name a folder below cdktf.out/stacks`);
    }
    await mkdir(this.#folder, { recursive: true });
    const before = await readFile(join(this.#folder, PROGRAM), "utf8").catch(() => "{}");
    const locked = existsSync(join(this.#folder, LOCK_FILE));
    await cp(stack, this.#folder, { recursive: true, filter: (path) => basename(path) !== ".terraform" });
    const program = JSON.parse(await readFile(join(stack, PROGRAM), "utf8")) as TerraformProgram;
    await writeFile(join(this.#folder, PROGRAM), JSON.stringify(forEmulator(program), undefined, 2));
    await writeFile(
      join(this.#folder, "emulator_override.tf.json"),
      JSON.stringify(emulatorOverride(program, join(this.#folder, CREDENTIALS)), undefined, 2),
    );
    await writeFile(join(this.#folder, "terraform.rc"), cliConfiguration(program, tools));
    // A program that wants the same plugins and keeps its state in the same place finds all as it was.
    const wanted = JSON.stringify(program.terraform);
    if (locked && wanted === JSON.stringify((JSON.parse(before) as TerraformProgram).terraform)) return;
    await this.#run(["init", "-input=false", "-no-color"], { offline: false }); // it may have plugins to download
  }

  /** Returns the changes that Terraform would make; empty if there are none. */
  async plan(): Promise<Plan> {
    const { code } = await this.#plan();
    if (code === 0) return { empty: true, changes: [] };
    const { output } = await this.#run(["show", "-json", PLAN_FILE], { quiet: true });
    return { empty: false, changes: readChanges(JSON.parse(output) as TerraformPlan) };
  }

  /** Plans, and counts what {@link applyPlanned} would do, without the attributes that {@link plan} reads for seconds more. */
  async countPlanned(): Promise<PlannedCounts> {
    const { code, output } = await this.#plan();
    const counts = output
      .split("\n")
      .map(readEvent)
      .findLast((event) => event?.type === "change_summary")?.changes;
    if (counts === undefined) throw new TerraformError(`terraform plan of ${this.name} counted no changes`, this.log);
    return { ...counts, empty: code === 0 };
  }

  async #plan(): Promise<{ code: number; output: string }> {
    await this.init();
    return this.#run(["plan", "-input=false", "-json", "-detailed-exitcode", `-out=${PLAN_FILE}`], {
      accepted: [0, 2],
    });
  }

  /** Applies what the last {@link plan} showed, and nothing else. */
  async applyPlanned(): Promise<void> {
    await this.#run(["apply", "-input=false", "-json", PLAN_FILE]);
  }

  /** @param options.replace address of a resource to replace. Default: none */
  async apply({ replace }: { readonly replace?: string } = {}): Promise<void> {
    await this.init();
    const replaced = replace === undefined ? [] : [`-replace=${replace}`];
    await this.#run(["apply", "-input=false", "-json", "-auto-approve", ...replaced]);
  }

  /** @param options.refresh reads each resource before it is destroyed. Default: true */
  async destroy({ refresh = true }: { readonly refresh?: boolean } = {}): Promise<void> {
    await this.init();
    await this.#run(["destroy", "-input=false", "-json", "-auto-approve", ...(refresh ? [] : ["-refresh=false"])]);
  }

  /** Output values by name, secret ones too. */
  async outputs(): Promise<Record<string, unknown>> {
    await this.init();
    const { output } = await this.#run(["output", "-json"], { quiet: true });
    const values = Object.entries(JSON.parse(output) as Record<string, { value: unknown }>);
    return Object.fromEntries(values.map(([name, { value }]) => [name, value]));
  }

  /** Addresses of all that is in the state, data sources included. */
  async resources(): Promise<string[]> {
    await this.init();
    const { output } = await this.#run(["state", "list"], { quiet: true });
    return output.split("\n").filter((line) => line !== "");
  }

  async #run(
    command: readonly string[],
    { accepted = [0], quiet = false, offline = true }: { accepted?: number[]; quiet?: boolean; offline?: boolean } = {},
  ): Promise<{ code: number; output: string }> {
    const { terraform } = this.#options.tools;
    if (!terraform.found) throw new Error(`${this.name} cannot be deployed: ${terraform.install}`);
    const log = createWriteStream(this.log, { flags: "a" });
    log.write(`\n# terraform ${command.join(" ")}\n`);
    // The key says which account is called, or who calls; a provider reads it at each run, also for a plan that another one made.
    const { account = `${command[0]}.${this.name}` } = this.#options;
    const key = `aws_access_key_id = ${account}\naws_secret_access_key = test\n`;
    await writeFile(join(this.#folder, CREDENTIALS), `[default]\n${key}`);
    const env = terraformEnvironment(this.#folder, this.#options.emulatorUrl, offline);
    // What is installed is found by `init`, with the version that the stack wants.
    // A shared provider does not run in this folder: a stack with files of its own, as functions, starts one that does.
    const files = readdirSync(this.#folder, { withFileTypes: true });
    const alone = command[0] === "init" || files.some((file) => file.isDirectory() && file.name !== ".terraform");
    const attached = alone ? undefined : await this.#options.providers?.attach(this.#folder, env);
    const child = spawn(terraform.path, command, {
      cwd: this.#folder,
      env: attached === undefined ? env : { ...env, TF_REATTACH_PROVIDERS: attached.attachment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const letGo = endWithThisProcess(child, this.#options.signal);
    const output: string[] = [];
    const errors: string[] = [];
    const read = async (stream: NodeJS.ReadableStream, onLine: (line: string) => void) => {
      for await (const line of createInterface({ input: stream })) {
        if (!quiet) log.write(`${line}\n`);
        onLine(line);
      }
    };
    try {
      const ended = new Promise<number>((done, fail) => {
        child.once("error", fail);
        child.once("close", (code, signal) => (signal ? fail(new Error(`ended by ${signal}`)) : done(code ?? 1)));
      });
      const [code] = await Promise.all([
        ended,
        read(child.stdout, (line) => {
          output.push(line);
          this.#tell(line);
        }),
        read(child.stderr, (line) => errors.push(line)),
      ]);
      if (!accepted.includes(code)) {
        const problems = diagnostics(output) || errors.join("\n").trim() || output.join("\n").trim();
        const outcome = this.#options.signal?.aborted ? "was interrupted" : "failed";
        throw new TerraformError(`terraform ${command[0]} of ${this.name} ${outcome}:\n${problems}`, this.log);
      }
      return { code, output: output.join("\n") };
    } catch (error) {
      if (error instanceof TerraformError) throw error;
      const reason = this.#options.signal?.aborted ? "was interrupted" : (error as Error).message;
      throw new TerraformError(`terraform ${command[0]} of ${this.name} ${reason}`, this.log);
    } finally {
      letGo();
      attached?.release();
      await new Promise<void>((done) => log.end(done));
    }
  }

  #tell(line: string): void {
    const { onProgress } = this.#options;
    const event = onProgress && readEvent(line);
    const state = event && PROGRESS_STATES[event.type ?? ""];
    if (!state || !event.hook?.resource) return;
    const { resource, action, elapsed_seconds: seconds = 0 } = event.hook;
    onProgress({ stack: this.name, address: resource.addr, state, action: action ?? "change", seconds });
  }
}

const PROGRESS_STATES: Readonly<Record<string, Progress["state"]>> = {
  apply_start: "started",
  apply_progress: "running",
  apply_complete: "done",
  apply_errored: "failed",
};

/** A line of Terraform's machine-readable output. @see https://developer.hashicorp.com/terraform/internals/machine-readable-ui */
interface TerraformEvent {
  readonly type?: string;
  readonly changes?: PlannedCounts;
  readonly hook?: {
    readonly resource?: { readonly addr: string };
    readonly action?: string;
    readonly elapsed_seconds?: number;
  };
  readonly diagnostic?: {
    readonly severity: string;
    readonly summary: string;
    readonly detail?: string;
    readonly address?: string;
  };
}

function readEvent(line: string): TerraformEvent | undefined {
  try {
    return line.startsWith("{") ? (JSON.parse(line) as TerraformEvent) : undefined;
  } catch {
    return undefined;
  }
}

function diagnostics(output: readonly string[]): string {
  return output
    .flatMap((line) => readEvent(line)?.diagnostic ?? [])
    .filter(({ severity }) => severity === "error")
    .map(({ address, summary, detail }) => {
      const more = detail ? `\n    ${detail.trim().replaceAll("\n", "\n    ")}` : "";
      return `  ${address ? `${address}: ` : ""}${summary}${more}`;
    })
    .join("\n");
}

interface TerraformPlan {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly before: Record<string, unknown> | null;
      readonly after: Record<string, unknown> | null;
      readonly after_unknown?: Record<string, unknown>;
    };
  }[];
  readonly output_changes?: Readonly<
    Record<string, { readonly actions: readonly string[]; readonly before?: unknown; readonly after?: unknown }>
  >;
}

function readChanges(plan: TerraformPlan): Change[] {
  const isChange = (actions: readonly string[]) => !["no-op", "read"].includes(actions[0] ?? "no-op");
  const resources = (plan.resource_changes ?? [])
    .filter(({ change }) => isChange(change.actions))
    .map(({ address, change }) => {
      const { actions, before, after, after_unknown: unknown = {} } = change;
      const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {}), ...Object.keys(unknown)]);
      const differing = [...names].filter(
        (name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]) || unknown[name] === true,
      );
      const attributes = differing.map((name) => [
        name,
        { before: before?.[name], after: unknown[name] === true ? "(known after apply)" : after?.[name] },
      ]);
      return { address, actions, attributes: Object.fromEntries(attributes) as Change["attributes"] };
    });
  const outputs = Object.entries(plan.output_changes ?? {})
    .filter(([, { actions }]) => isChange(actions))
    .map(([name, { actions, before, after }]) => ({
      address: `output.${name}`,
      actions,
      attributes: { value: { before, after } },
    }));
  return [...resources, ...outputs];
}

/** The part of a synthesized stack that decides where it goes. */
export interface TerraformProgram {
  readonly terraform?: {
    readonly required_providers?: Readonly<Record<string, { readonly version?: string }>>;
    readonly backend?: object;
  };
  readonly provider?: Readonly<Record<string, unknown>>;
}

/** Settings for a real account, which do not work on an emulator and which an override file cannot remove. */
const ACCOUNT_SETTINGS = [
  "allowed_account_ids",
  "assume_role",
  "assume_role_with_web_identity",
  "forbidden_account_ids",
  "profile",
  "shared_config_files",
  "shared_credentials_files",
];

function awsProviders(program: TerraformProgram): Record<string, unknown>[] {
  const providers = program.provider?.aws ?? [];
  return (Array.isArray(providers) ? providers : [providers]) as Record<string, unknown>[];
}

/** The program without the way into its real account. */
export function forEmulator(program: TerraformProgram): TerraformProgram {
  const aws = awsProviders(program).map((provider) =>
    Object.fromEntries(Object.entries(provider).filter(([name]) => !ACCOUNT_SETTINGS.includes(name))),
  );
  return { ...program, provider: { ...program.provider, aws } };
}

/** Override file that Terraform merges into the program: a file with fake keys, and local state. The address is in the environment. */
export function emulatorOverride(program: TerraformProgram, credentials: string): object {
  const aws = awsProviders(program).map(({ alias }) => ({
    ...(alias === undefined ? {} : { alias }),
    shared_credentials_files: [credentials],
    max_retries: 4,
    s3_use_path_style: true,
    skip_credentials_validation: true,
    skip_metadata_api_check: "true",
    skip_region_validation: true,
    // The account id is requested, because rules between security groups drift forever without it.
    skip_requesting_account_id: false,
  }));
  return { terraform: { backend: { local: { path: "terraform.tfstate" } } }, provider: { aws } };
}

/** Plugin sources of Terraform: the mirror if it has the plugin, otherwise the registry; each version is downloaded once. */
function cliConfiguration(program: TerraformProgram, { pluginMirror }: Tools): string {
  const wanted = program.terraform?.required_providers?.aws?.version?.replace(/^[=\s]+/, "");
  const isExact = wanted !== undefined && /^\d/.test(wanted);
  if (!pluginMirror.found || (isExact && !pluginMirror.versions.includes(wanted))) {
    const cache = process.env.TF_PLUGIN_CACHE_DIR || join(homedir(), ".terraform.d", "plugin-cache");
    mkdirSync(cache, { recursive: true });
    return `disable_checkpoint = true
plugin_cache_dir = ${JSON.stringify(cache)}
plugin_cache_may_break_dependency_lock_file = true
`;
  }
  const mirrored = '"registry.terraform.io/hashicorp/aws"';
  return `disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path    = ${JSON.stringify(pluginMirror.path)}
    include = [${mirrored}]
  }
  direct {
    exclude = [${mirrored}]
  }
}
`;
}

function terraformEnvironment(folder: string, emulatorUrl: string, offline: boolean): NodeJS.ProcessEnv {
  // Settings of the user's account or of their Terraform must not reach this one.
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|TF_(?!VAR_))/.test(name));
  // Nothing but the emulator can be reached, so a service that it does not know fails here and not in AWS.
  const nowhere = "http://127.0.0.1:9";
  const closed = { HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, http_proxy: nowhere, https_proxy: nowhere };
  return {
    ...Object.fromEntries(kept),
    ...(offline ? { ...closed, NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" } : {}),
    AWS_CONFIG_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    // The address of every service, of those too that a later provider adds.
    AWS_ENDPOINT_URL: emulatorUrl,
    CHECKPOINT_DISABLE: "1",
    TF_CLI_CONFIG_FILE: join(folder, "terraform.rc"),
    TF_IN_AUTOMATION: "1",
  };
}

/** Interrupt a child when the signal is given or this process ends; returns how to stop watching. */
function endWithThisProcess(child: ChildProcess, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    child.kill("SIGINT");
    timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
    timer.unref();
  };
  const kill = () => child.kill("SIGKILL");
  if (signal?.aborted) interrupt();
  signal?.addEventListener("abort", interrupt, { once: true });
  process.once("exit", kill);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", interrupt);
    process.off("exit", kill);
  };
}
