import { chmodSync, existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { cancelled } from "../contract/user-error";
import { ALLOWABLE, type Allowances } from "./allowances";
import { describeVerdict, judgePlan, readPlan, type TerraformPlan } from "./plan-gate";
import { describeStopReport, findStopReasons, type ServicePlace } from "./stop-reasons";
import { type Ended, Terraform, type TerraformOptions } from "./terraform";

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
  for (const action of ALLOWABLE) {
    for (const address of (allowances[action] ?? []).filter((each) => !used.has(`${action} ${each}`))) {
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
  const planned = await planStack(folder, options, used);
  if (typeof planned === "number") return planned;
  if (planned.file === undefined) return "same";
  if (!(await confirm(stack, terraform.interrupted))) {
    print(`${stack} is as it was\n`);
    return 1;
  }
  return (await applyPlan(folder, planned.file, options)) === 0 ? "applied" : 1;
}

/** Context of the steps that plan and apply one stack. */
export interface PlanOptions {
  readonly terraform: Terraform;
  readonly allowances: Allowances;
  readonly print: (text: string) => void;
}

/** Result of planning a stack. */
export type Planned =
  | { readonly state: "same" }
  | { readonly state: "differs"; readonly plan: TerraformPlan; readonly file: string }
  | { readonly state: "failed"; readonly error: string };

/**
 * Plans a stack into a private file.
 *
 * @param options.readOnly takes no lock, and shows nothing: an error has the words of Terraform
 * @throws UserError with code 130 when the command was interrupted
 */
export async function planOf(
  terraform: Terraform,
  folder: string,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Promise<Planned> {
  const stack = basename(folder);
  const unprepared = await initStack(terraform, folder);
  if (unprepared !== undefined) return { state: "failed", error: unprepared };
  const file = terraform.privateFile(`${stack}.tfplan`);
  const flags = ["-input=false", "-detailed-exitcode", ...(readOnly ? ["-lock=false"] : []), `-out=${file}`];
  const plan = await terraform.run(folder, ["plan", ...flags], { quiet: readOnly });
  // Terraform writes a plan as readable as any file, and it may be copied.
  if (existsSync(file)) chmodSync(file, 0o600);
  if (plan.code === 0) return { state: "same" };
  if (plan.code !== 2) {
    const output = readOnly ? plan.errors : "";
    return { state: "failed", error: describeFailure(terraform, folder, "plan", plan, { output }) };
  }
  const shown = await terraform.run(folder, ["show", "-json", file], { quiet: true });
  if (shown.code !== 0) {
    return { state: "failed", error: describeFailure(terraform, folder, "show", shown, { output: shown.errors }) };
  }
  try {
    return { state: "differs", plan: readPlan(shown.output), file };
  } catch (error) {
    return { state: "failed", error: `✖ the plan of ${stack} ${(error as Error).message}\n` };
  }
}

/**
 * Plans a stack and judges the plan; adds to `used` the allowances that it needed.
 *
 * @returns the file of the plan, undefined without changes; 1 Terraform failed; 3 the gate refused
 * @throws UserError with code 130 when the command was interrupted
 */
export async function planStack(
  folder: string,
  { allowances, print, terraform }: PlanOptions,
  used: Set<string>,
): Promise<{ readonly file: string | undefined } | 1 | 3> {
  print(`\n${basename(folder)}\n`);
  const planned = await planOf(terraform, folder);
  if (planned.state === "same") return { file: undefined };
  if (planned.state === "failed") {
    print(planned.error);
    return 1;
  }
  const { refused, allowed } = judgePlan(planned.plan, allowances);
  for (const { action, address } of allowed) used.add(`${action} ${address}`);
  if (refused.length + allowed.length > 0) print(describeVerdict({ refused, allowed, unused: [] }));
  return refused.length > 0 ? 3 : { file: planned.file };
}

/**
 * Applies a plan of a stack, where `terraform init` was run.
 *
 * @param options.again what to do when it was interrupted, or the credentials have expired
 * @throws UserError with code 130 when the command was interrupted and the plan is not completely applied
 */
export async function applyPlan(
  folder: string,
  file: string,
  { again = AGAIN, ...options }: PlanOptions & Pick<ApplyOptions, "stopReasons"> & { readonly again?: string },
): Promise<0 | 1> {
  const { terraform, print } = options;
  const apply = await terraform.run(folder, ["apply", "-input=false", file], { changes: true });
  if (apply.code === 0) return 0;
  const interrupted = terraform.interrupted.aborted;
  if (!interrupted) await reportStopReasons(apply.errors + apply.output, options);
  print(describeFailure(terraform, folder, "apply", apply, { again }));
  if (!interrupted) return 1;
  throw cancelled(
    `${basename(folder)} may be partly applied; what was completed is in its state. To complete it, ${again}`,
  );
}

/**
 * Prepares a stack's folder for Terraform.
 *
 * @returns the error; undefined if it is prepared
 * @throws UserError with code 130 when the command was interrupted
 */
export async function initStack(terraform: Terraform, folder: string): Promise<string | undefined> {
  // Planned without the state that was not saved, everything would be created twice.
  if (existsSync(join(folder, UNSAVED_STATE))) {
    return `✖ the last apply of ${basename(folder)} could not save its state. Save it before anything else:\n  ${pushCommand(folder, terraform.command)}\n`;
  }
  const init = await terraform.run(folder, ["init", "-input=false"], { quiet: true });
  return init.code === 0
    ? undefined
    : describeFailure(terraform, folder, "init", init, { output: init.output + init.errors });
}

/** Name of the file in which Terraform keeps a state that it could not save. */
const UNSAVED_STATE = "errored.tfstate";

function chdir(folder: string, program: string): string {
  return `${program} -chdir=${relative(process.cwd(), folder) || "."}`;
}

function pushCommand(folder: string, program: string): string {
  const file = join(relative(process.cwd(), folder), UNSAVED_STATE);
  return `${chdir(folder, program)} state push ${UNSAVED_STATE} && rm ${file}`;
}

const AGAIN = "run the command again";

/** Failure of Terraform, after the output that was not shown yet, with what to do. */
function describeFailure(
  terraform: Terraform,
  folder: string,
  step: string,
  { errors }: Ended,
  { output = "", again }: { readonly output?: string; readonly again?: string } = {},
): string {
  const remedies = remediesOf(errors, folder, terraform.command, again).map((remedy) => `  ${remedy}\n`);
  return `${output}\n✖ terraform ${step} of ${basename(folder)} failed\n${remedies.join("")}`;
}

/** Ways out of the errors of Terraform that have one. */
export function remediesOf(errors: string, folder: string, program: string, again = AGAIN): readonly string[] {
  const text = plain(errors);
  const remedies: string[] = [];
  if (existsSync(join(folder, UNSAVED_STATE))) {
    remedies.push(`The state could not be saved. Save it before anything else: ${pushCommand(folder, program)}`);
  }
  if (text.includes("Error acquiring the state lock")) remedies.push(lockRemedy(text, folder, program));
  if (text.includes("Saved plan is stale")) {
    remedies.push("The state has changed since the plan was made, so nothing was applied: plan again.");
  }
  if (/\b(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired)\b|security token .{0,40}expired/.test(text)) {
    remedies.push(`The AWS credentials have expired: renew them and ${again}.`);
  }
  return remedies;
}

function lockRemedy(text: string, folder: string, program: string): string {
  const field = (name: string) =>
    new RegExp(`\\b${name}: (.*?) (?:ID|Path|Operation|Who|Version|Created|Info):`).exec(text)?.[1];
  const [id, path = "", who = "another process", since] = ["ID", "Path", "Who", "Created"].map(field);
  const held = `The state is locked by ${who}${since === undefined ? "" : ` since ${since}`}.`;
  // Terraform locks a file by the operating system, which releases it when the process ends.
  if (id === undefined || /^(\/|[A-Za-z]:)/.test(path)) return `${held} Wait for it to end.`;
  return `${held} Wait for it to end; if it was killed: ${chdir(folder, program)} force-unlock ${id}`;
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
