import { chmodSync, existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { cancelled, UserError } from "../contract/user-error";
import { type Allowances, describeVerdict, judgePlan, readPlan } from "./plan-gate";
import { describeStopReport, findStopReasons, type ServicePlace } from "./stop-reasons";
import { Terraform, type TerraformOptions } from "./terraform";

export interface ApplyOptions extends TerraformOptions {
  /** Folders of the synthesized stacks, `cdktf.out/stacks/<name>`, in the order in which they are applied. */
  readonly folders: readonly string[];
  /** Resources that may be deleted and replaced, by address. */
  readonly allowances: Allowances;
  /** Asked for each stack that changes, after its plan was shown. Rejects when the command is interrupted. */
  readonly confirm: (stack: string, interrupted: AbortSignal) => Promise<boolean>;
  /** @default - ECS is asked */
  readonly stopReasons?: typeof findStopReasons;
}

/** Name of a plan that is kept in a stack's folder for `apply`. */
export const PLAN = "antifragile.tfplan";

/**
 * Applies stacks one after the other: each is planned once those before it are applied, its plan passes the gate, is
 * confirmed, and that very plan is applied. Where ECS rolled a service back, reports why its tasks stopped.
 *
 * @returns 0 all is applied; 1 Terraform failed, or a plan was declined; 3 the gate refused
 * @throws UserError with code 130 when the command was interrupted
 */
export async function applyStacks(options: ApplyOptions): Promise<0 | 1 | 3> {
  return Terraform.use(options, async (terraform) => {
    const used = new Set<string>();
    const done: string[] = [];
    for (const folder of options.folders) {
      const outcome = await applyStack(folder, { ...options, terraform }, used);
      if (outcome !== "same" && outcome !== "applied") {
        if (done.length > 0) options.print(`  Applied before it: ${done.join(", ")}\n`);
        return outcome;
      }
      if (outcome === "applied") done.push(basename(folder));
    }
    reportUnused(options.allowances, used, options.print);
    return 0;
  });
}

/** Reports allowances that no plan needed. */
export function reportUnused(allowances: Allowances, used: ReadonlySet<string>, print: (text: string) => void): void {
  for (const action of ["delete", "replace"] as const) {
    for (const address of allowances[action].filter((each) => !used.has(`${action} ${each}`))) {
      print(`--allow-${action} ${address} was not needed: remove it, or a later plan may use it\n`);
    }
  }
}

async function applyStack(
  folder: string,
  options: Omit<ApplyOptions, "terraform"> & PlanOptions,
  used: Set<string>,
): Promise<"same" | "applied" | 1 | 3> {
  const stack = basename(folder);
  const { terraform, print, confirm } = options;
  const plan = terraform.privateFile(`${stack}.tfplan`);
  const planned = await planStack(folder, options, used, plan);
  if (planned !== "changes") return planned;
  if (!(await confirm(stack, terraform.interrupted))) {
    print(`${stack} is as it was\n`);
    return 1;
  }
  return (await applyPlan(folder, options, plan)) === 0 ? "applied" : 1;
}

/** Context of the steps that plan and apply one stack. */
export interface PlanOptions {
  readonly terraform: Terraform;
  readonly allowances: Allowances;
  readonly print: (text: string) => void;
}

/**
 * Plans a stack into a file and judges the plan; adds to `used` the allowances that it needed.
 *
 * @returns "same" or "changes"; 1 Terraform failed; 3 the gate refused
 * @throws UserError with code 130 when the command was interrupted
 */
export async function planStack(
  folder: string,
  options: PlanOptions,
  used: Set<string>,
  file = PLAN,
): Promise<"same" | "changes" | 1 | 3> {
  const { allowances, print, terraform } = options;
  const stack = basename(folder);
  throwIfInterrupted(terraform, `${stack} is as it was`);
  print(`\n${stack}\n`);
  refuseUnsavedState(folder);
  if ((await initStack(folder, options)) !== 0) return 1;
  const plan = await terraform.run(folder, ["plan", "-input=false", "-detailed-exitcode", `-out=${file}`]);
  throwIfInterrupted(terraform, `${stack} is as it was`);
  if (plan.code !== 0 && plan.code !== 2) return failed(folder, "plan", plan.errors, print);
  const path = file === PLAN ? join(folder, PLAN) : file;
  // A plan holds values that are secret, and Terraform writes it as readable as any file.
  if (existsSync(path)) chmodSync(path, 0o600);
  if (plan.code === 0) return "same";

  const shown = await terraform.run(folder, ["show", "-json", file], { quiet: true });
  throwIfInterrupted(terraform, `${stack} is as it was`);
  if (shown.code !== 0) return failed(folder, "show", shown.errors, print, shown.errors);
  const { refused, allowed } = judgePlan(read(stack, shown.output), allowances);
  for (const { action, address } of allowed) used.add(`${action} ${address}`);
  if (refused.length + allowed.length > 0) print(describeVerdict({ refused, allowed, unused: [] }));
  return refused.length > 0 ? 3 : "changes";
}

/**
 * Applies a plan of a stack, where `terraform init` was run.
 *
 * @throws UserError with code 130 when the command was interrupted and the plan is not completely applied
 */
export async function applyPlan(
  folder: string,
  options: PlanOptions & Pick<ApplyOptions, "stopReasons">,
  file = PLAN,
): Promise<0 | 1> {
  const { terraform, print } = options;
  const stack = basename(folder);
  throwIfInterrupted(terraform, `${stack} is as it was`);
  const apply = await terraform.run(folder, ["apply", "-input=false", file]);
  if (apply.code === 0) return 0;
  if (!terraform.interrupted.aborted) await reportStopReasons(apply.errors + apply.output, options);
  failed(folder, "apply", apply.errors, print);
  throwIfInterrupted(
    terraform,
    `${stack} may be partly applied; what was completed is in its state. Run the command again to complete it`,
  );
  return 1;
}

/** Prepares a stack's folder for Terraform. */
export async function initStack(folder: string, { terraform, print }: PlanOptions): Promise<0 | 1> {
  const init = await terraform.run(folder, ["init", "-input=false"], { quiet: true });
  throwIfInterrupted(terraform, `${basename(folder)} is as it was`);
  return init.code === 0 ? 0 : failed(folder, "init", init.errors, print, init.output + init.errors);
}

function throwIfInterrupted({ interrupted }: Terraform, left: string): void {
  if (interrupted.aborted) throw cancelled(left);
}

function read(stack: string, text: string) {
  try {
    return readPlan(text);
  } catch (error) {
    throw new UserError(`the plan of ${stack} ${(error as Error).message}`, 1);
  }
}

/** Name of the file in which Terraform keeps a state that it could not save. */
const UNSAVED_STATE = "errored.tfstate";

/** Refuses a stack whose last apply could not save its state: planned without it, everything would be created twice. */
export function refuseUnsavedState(folder: string): void {
  if (!existsSync(join(folder, UNSAVED_STATE))) return;
  throw new UserError(
    `the last apply of ${basename(folder)} could not save its state. Save it before anything else:\n  ${pushCommand(folder)}`,
    1,
  );
}

function chdir(folder: string): string {
  return `terraform -chdir=${relative(process.cwd(), folder) || "."}`;
}

function pushCommand(folder: string): string {
  const file = join(relative(process.cwd(), folder), UNSAVED_STATE);
  return `${chdir(folder)} state push ${UNSAVED_STATE} && rm ${file}`;
}

function failed(folder: string, command: string, errors: string, print: (text: string) => void, output = ""): 1 {
  const remedies = remediesOf(errors, folder).map((remedy) => `  ${remedy}\n`);
  print(`${output}\n✖ terraform ${command} of ${basename(folder)} failed\n${remedies.join("")}`);
  return 1;
}

/** Ways out of the errors of Terraform that have one. */
export function remediesOf(errors: string, folder: string): readonly string[] {
  const text = plain(errors);
  const remedies: string[] = [];
  if (existsSync(join(folder, UNSAVED_STATE))) {
    remedies.push(`The state could not be saved. Save it before anything else: ${pushCommand(folder)}`);
  }
  if (text.includes("Error acquiring the state lock")) remedies.push(lockRemedy(text, folder));
  if (text.includes("Saved plan is stale")) {
    remedies.push("The state has changed since the plan was made, so nothing was applied: plan again.");
  }
  if (/\b(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired)\b|security token .{0,40}expired/.test(text)) {
    remedies.push("The AWS credentials have expired: renew them and run the command again.");
  }
  return remedies;
}

function lockRemedy(text: string, folder: string): string {
  const field = (name: string) =>
    new RegExp(`\\b${name}: (.*?) (?:ID|Path|Operation|Who|Version|Created|Info):`).exec(text)?.[1];
  const [id, path = "", who = "another process", since] = ["ID", "Path", "Who", "Created"].map(field);
  const held = `The state is locked by ${who}${since === undefined ? "" : ` since ${since}`}.`;
  // Terraform locks a file by the operating system, which releases it when the process ends.
  if (id === undefined || /^(\/|[A-Za-z]:)/.test(path)) return `${held} Wait for it to end.`;
  return `${held} Wait for it to end; if it was killed: ${chdir(folder)} force-unlock ${id}`;
}

/** Text of Terraform without the box that it draws around errors, its colors and its line breaks. */
function plain(errors: string): string {
  return stripVTControlCharacters(errors).replace(/[\s│╷╵]+/g, " ");
}

/** Reads from ECS the stop reasons of each service that Terraform's errors name. */
async function reportStopReasons(
  errors: string,
  { print, stopReasons = findStopReasons }: PlanOptions & Pick<ApplyOptions, "stopReasons">,
): Promise<void> {
  for (const place of rolledBack(errors)) {
    try {
      print(`\n${describeStopReport(place, await stopReasons(place))}`);
    } catch (error) {
      print(`\ncannot read why the tasks of ${place.service} stopped: ${(error as Error).message}\n`);
    }
  }
}

/** Services that a postcondition reports as rolled back; it names the command that shows why. */
export function rolledBack(errors: string): ServicePlace[] {
  const found = plain(errors).matchAll(/antifragile stop-reasons --region (\S+) --cluster (\S+) --service (\S+)/g);
  const places = [...found].map(([, region = "", cluster = "", service = ""]) => ({ region, cluster, service }));
  return places.filter(
    (place, index) => places.findIndex((other) => JSON.stringify(other) === JSON.stringify(place)) === index,
  );
}
