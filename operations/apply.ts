import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { UserError } from "../contract/user-error";
import { type Allowances, describeVerdict, judgePlan, readPlan } from "./plan-gate";
import { describeStopReport, findStopReasons, type ServicePlace } from "./stop-reasons";

export interface ApplyOptions {
  /** Folders of the synthesized stacks, `cdktf.out/stacks/<name>`, in the order in which they are applied. */
  readonly folders: readonly string[];
  /** How Terraform is started. */
  readonly terraform: readonly [string, ...string[]];
  /** What may be deleted and replaced, by name. */
  readonly allowances: Allowances;
  /** Asked for each stack that changes, after its plan was shown. */
  readonly confirm: (stack: string) => Promise<boolean>;
  readonly print: (text: string) => void;
  readonly env: NodeJS.ProcessEnv;
  /**
   * What applies a stack whose plan has passed, where it is not Terraform itself. It plans once more.
   *
   * @default - Terraform applies that very plan
   */
  readonly applyBy?: (stack: string) => { readonly command: readonly [string, ...string[]]; readonly cwd: string };
  /** @default - ECS is asked */
  readonly stopReasons?: typeof findStopReasons;
}

/** Name of the plan in a stack's folder. */
export const PLAN = "antifragile.tfplan";

/**
 * Applies stacks one after the other: each is planned, the plan passes the gate, and applied. Where ECS
 * rolled a service back, it tells why its tasks stopped.
 *
 * @returns 0 all is applied; 1 Terraform failed, or nobody wanted it; 3 the gate refused
 */
export async function applyStacks(options: ApplyOptions): Promise<0 | 1 | 3> {
  const used = new Set<string>();
  for (const folder of options.folders) {
    const outcome = await applyStack(folder, options, used).finally(() => rmSync(join(folder, PLAN), { force: true }));
    if (outcome !== 0) return outcome;
  }
  tellUnused(options.allowances, used, options.print);
  return 0;
}

/** Says which allowances no plan needed. */
export function tellUnused(allowances: Allowances, used: ReadonlySet<string>, print: (text: string) => void): void {
  for (const action of ["delete", "replace"] as const) {
    for (const address of allowances[action].filter((each) => !used.has(`${action} ${each}`))) {
      print(`--allow-${action} ${address} was not needed: take it away, or the next plan may do it\n`);
    }
  }
}

async function applyStack(folder: string, options: ApplyOptions, used: Set<string>): Promise<0 | 1 | 3> {
  const planned = await planStack(folder, options, used);
  if (planned === "same") return 0;
  if (planned !== "changes") return planned;
  const stack = basename(folder);
  if (!(await options.confirm(stack))) {
    options.print(`${stack} is as it was\n`);
    return 1;
  }
  const by = options.applyBy?.(stack);
  if (by === undefined) return applyPlan(folder, options);
  return applied(stack, await run(by.cwd, by.command, options.env, "read"), options);
}

/** How a stack is planned: see {@link ApplyOptions}. */
export type PlanOptions = Pick<ApplyOptions, "terraform" | "allowances" | "print" | "env">;

/**
 * Plans a stack into its folder and judges the plan; notes in `used` which allowances it needed.
 *
 * @returns whether it changes anything; 1 Terraform failed; 3 the gate refused
 */
export async function planStack(
  folder: string,
  options: PlanOptions,
  used: Set<string>,
): Promise<"same" | "changes" | 1 | 3> {
  const { allowances, print } = options;
  const stack = basename(folder);
  print(`\n${stack}\n`);
  const init = await terraform(folder, options, ["init", "-input=false"], { quiet: true });
  if (init.code !== 0) return failed(stack, "init", init.output + init.errors, print);
  const plan = await terraform(folder, options, ["plan", "-input=false", "-detailed-exitcode", `-out=${PLAN}`]);
  if (plan.code === 0) return "same";
  if (plan.code !== 2) return failed(stack, "plan", "", print);

  const shown = await terraform(folder, options, ["show", "-json", PLAN], { quiet: true });
  if (shown.code !== 0) return failed(stack, "show", shown.errors, print);
  const { refused, allowed } = judgePlan(read(stack, shown.output), allowances);
  for (const { action, address } of allowed) used.add(`${action} ${address}`);
  if (refused.length + allowed.length > 0) print(describeVerdict({ refused, allowed, unused: [] }));
  return refused.length > 0 ? 3 : "changes";
}

/** Applies the plan that is in a stack's folder, where `terraform init` was run. */
export async function applyPlan(
  folder: string,
  options: PlanOptions & Pick<ApplyOptions, "stopReasons">,
): Promise<0 | 1> {
  return applied(basename(folder), await terraform(folder, options, ["apply", "-input=false", PLAN]), options);
}

/** Gets a stack's folder ready for a plan that was made elsewhere. */
export async function initStack(folder: string, options: PlanOptions): Promise<0 | 1> {
  const init = await terraform(folder, options, ["init", "-input=false"], { quiet: true });
  return init.code === 0 ? 0 : failed(basename(folder), "init", init.output + init.errors, options.print);
}

async function applied(
  stack: string,
  apply: Ended,
  options: Pick<ApplyOptions, "print" | "stopReasons">,
): Promise<0 | 1> {
  if (apply.code === 0) return 0;
  await tellWhy(apply.errors + apply.output, options);
  return failed(stack, "apply", "", options.print);
}

function read(stack: string, text: string) {
  try {
    return readPlan(text);
  } catch (error) {
    throw new UserError(`the plan of ${stack} ${(error as Error).message}`, 1);
  }
}

function failed(stack: string, command: string, output: string, print: (text: string) => void): 1 {
  print(`${output}\n✖ terraform ${command} of ${stack} failed\n`);
  return 1;
}

/** Asks ECS about each service that Terraform's errors name. */
async function tellWhy(
  errors: string,
  { print, stopReasons = findStopReasons }: Pick<ApplyOptions, "print" | "stopReasons">,
): Promise<void> {
  for (const place of rolledBack(errors)) {
    try {
      print(`\n${describeStopReport(place, await stopReasons(place))}`);
    } catch (error) {
      print(`\nwhy the tasks of ${place.service} stopped was not told: ${(error as Error).message}\n`);
    }
  }
}

/** Services that a postcondition says were rolled back; it names the command that tells why. */
export function rolledBack(errors: string): ServicePlace[] {
  // Terraform draws a box around its errors, in colour, and breaks their lines.
  const plain = stripVTControlCharacters(errors).replace(/[\s│]+/g, " ");
  const found = plain.matchAll(/antifragile stop-reasons --region (\S+) --cluster (\S+) --service (\S+)/g);
  const places = [...found].map(([, region = "", cluster = "", service = ""]) => ({ region, cluster, service }));
  return places.filter(
    (place, index) => places.findIndex((other) => JSON.stringify(other) === JSON.stringify(place)) === index,
  );
}

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

function terraform(
  cwd: string,
  { terraform: [program, ...first], env }: PlanOptions,
  args: readonly string[],
  { quiet = false }: { readonly quiet?: boolean } = {},
): Promise<Ended> {
  return run(cwd, [program, ...first, ...args], { ...env, TF_IN_AUTOMATION: "1" }, quiet ? "hide" : "show");
}

/** Runs a program. What it says is hidden, shown on the terminal as it comes, or shown and read. */
function run(
  cwd: string,
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
  output: "hide" | "show" | "read",
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...env, CHECKPOINT_DISABLE: "1" },
      stdio: ["ignore", output === "show" ? "inherit" : "pipe", "pipe"],
    });
    const said: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => {
      said.push(chunk);
      if (output === "read") process.stdout.write(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      errors.push(chunk);
      if (output !== "hide") process.stderr.write(chunk);
    });
    // The terminal sends it to the program as well, which ends in good order; so does this then.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    const end = (act: () => void) => {
      process.off("SIGINT", wait);
      act();
    };
    child.once("error", (error) => end(() => reject(error)));
    child.once("close", (code) =>
      end(() =>
        resolve({
          code: code ?? 130,
          output: Buffer.concat(said).toString("utf8"),
          errors: Buffer.concat(errors).toString("utf8"),
        }),
      ),
    );
  });
}
