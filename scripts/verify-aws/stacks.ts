import { execFile, spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { inOrder } from "../../contract/stacks";
import { type ProgramInputs, programVariables } from "./run-names";

/** Failed run of Terraform, with its diagnostics. */
export class TerraformFailure extends Error {}

interface Event {
  readonly type?: string;
  readonly change?: { readonly resource?: { readonly addr?: string } };
  readonly diagnostic?: {
    readonly severity: string;
    readonly summary: string;
    readonly detail?: string;
    readonly address?: string;
  };
}

const eventsOf = (output: string): Event[] =>
  output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Event);

/** Stacks of one run, in a folder that also keeps their state until they are destroyed. */
export class RunStacks {
  /** @param folder exists while the run may have resources */
  constructor(readonly folder: string) {}

  get #out(): string {
    return join(this.folder, "cdktf.out");
  }

  /** Names of the stacks, in the order of their dependencies. */
  get names(): string[] {
    const manifest = join(this.#out, "manifest.json");
    return existsSync(manifest) ? inOrder(JSON.parse(readFileSync(manifest, "utf8"))) : [];
  }

  async synthesize(program: string, inputs: ProgramInputs): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    await promisify(execFile)(process.execPath, ["--import", require.resolve("tsx"), program], {
      cwd: this.folder, // cdktf puts the state there
      env: { ...process.env, ...programVariables(inputs), CDKTF_OUTDIR: this.#out },
    });
  }

  /** Number of resources by type. */
  resources(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const name of this.names) {
      const text = readFileSync(join(this.#out, "stacks", name, "cdk.tf.json"), "utf8");
      const { resource = {} } = JSON.parse(text) as { resource?: Record<string, object> };
      for (const [type, made] of Object.entries(resource)) {
        counts[type] = (counts[type] ?? 0) + Object.keys(made).length;
      }
    }
    return counts;
  }

  async apply(name: string, signal: AbortSignal): Promise<void> {
    await this.#terraform(name, ["init", "-input=false", "-no-color"], signal); // `destroy` finds the providers in place
    await this.#terraform(name, ["apply", "-input=false", "-json", "-auto-approve"], signal);
  }

  /** Addresses that a new plan would change. */
  async changes(name: string, signal: AbortSignal): Promise<string[]> {
    const output = await this.#terraform(name, ["plan", "-input=false", "-json"], signal);
    return eventsOf(output).flatMap(({ type, change }) =>
      type === "planned_change" && change?.resource?.addr ? [change.resource.addr] : [],
    );
  }

  /** Destroys all that is in the states, and removes the folder. Not interrupted by Ctrl-C. */
  async destroy(print: (line: string) => void): Promise<void> {
    for (const name of this.names.reverse()) {
      if (!readdirSync(this.folder).includes(`terraform.${name}.tfstate`)) continue;
      print(`Destroying ${name} ...`);
      // Terraform of an interrupted run may still be applying.
      await this.#terraform(name, ["destroy", "-input=false", "-json", "-auto-approve", "-lock-timeout=20m"]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #terraform(name: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
    const cwd = join(this.#out, "stacks", name);
    // Files, since a pipe breaks when this process is killed, which ends Terraform before it has written the state.
    const paths = ["out", "err"].map((stream) => join(cwd, `${args[0]}.${stream}`));
    const files = paths.map((path) => openSync(path, "w"));
    // In a process group of its own: the terminal's Ctrl-C would reach it too, and a second interrupt ends it without cleaning up.
    const child = spawn("terraform", args, {
      cwd,
      detached: true,
      stdio: ["ignore", ...files],
      env: { ...process.env, TF_IN_AUTOMATION: "1" },
    });
    for (const file of files) closeSync(file);
    const interrupt = () => child.kill("SIGINT");
    signal?.addEventListener("abort", interrupt, { once: true });
    if (signal?.aborted) interrupt();
    return new Promise<string>((done, fail) => {
      child.once("error", (error) => fail(new TerraformFailure(`terraform did not start: ${error.message}`)));
      child.once("exit", (code) => {
        const [output = "", errors = ""] = paths.map((path) => readFileSync(path, "utf8"));
        if (code === 0) done(output);
        else
          fail(
            new TerraformFailure(`terraform ${args[0]} of ${name} failed:\n${problems(output) || errors || output}`),
          );
      });
    }).finally(() => signal?.removeEventListener("abort", interrupt));
  }
}

function problems(output: string): string {
  return eventsOf(output)
    .flatMap(({ diagnostic }) => (diagnostic?.severity === "error" ? [diagnostic] : []))
    .map(({ address = "", summary, detail = "" }) => `${address}: ${summary} ${detail}`.replace(/\s+/g, " ").trim())
    .join("\n");
}
