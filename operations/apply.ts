import { chmodSync, existsSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { dependentsOf, type StackManifest } from "../contract/stacks";
import { cancelled } from "../contract/user-error";
import { ALLOWABLE, type Allowances } from "./allowances";
import { splitDeletions } from "./deletions";
import { destroyCloud } from "./destroy-cloud";
import { keepAccess, removeKept } from "./kept-access";
import { lostAccess } from "./live-access";
import { type ContainerCloud, describeObstacles, REFUSED_BY_AWS, undeletableIn } from "./obstacles";
import { describeVerdict, judgePlan } from "./plan-gate";
import { describeStopReport, findStopReasons, type ServicePlace } from "./stop-reasons";
import { type Ended, Terraform, type TerraformOptions } from "./terraform";
import { readPlan, type TerraformPlan } from "./terraform-plan";

export interface ApplyOptions extends TerraformOptions {
  /** Folders of the synthesized stacks, `cdktf.out/stacks/<name>`, in the order in which they are applied. */
  readonly folders: readonly string[];
  /** Manifest of the synthesized app: its stacks and their dependencies. */
  readonly manifest: StackManifest;
  /** Resources that may be deleted and replaced, by address. */
  readonly allowances: Allowances;
  /** Asked for each stack that changes, after its plan was shown. Rejects when the command is interrupted. */
  readonly confirm: (stack: string, interrupted: AbortSignal) => Promise<boolean>;
  /** @default - ECS is asked */
  readonly stopReasons?: typeof findStopReasons;
  readonly cloudOf?: PlanOptions["cloudOf"];
}

/**
 * Applies stacks one after the other: each is planned once those before it are applied, its plan passes the gate, is
 * confirmed, and that very plan is applied. What a stack deletes is deleted once the stacks that depend on it are applied and
 * no longer use it; what a live release still uses is kept until a deployment after the next release. Where ECS rolled a
 * service back, reports why its tasks stopped.
 *
 * @returns 0 all is applied; 1 Terraform failed, or a plan was declined; 3 the gate refused
 * @throws UserError with code 130 when the command was interrupted
 */
export async function applyStacks(options: ApplyOptions): Promise<0 | 1 | 3> {
  return Terraform.use(options, async (terraform) => {
    const used = new Set<string>();
    const done = new Set<string>();
    const names = options.folders.map((folder) => basename(folder));
    const postponed: string[] = [];
    const keeping = new Set<string>();
    const apply = async (folder: string, dependents: readonly string[]) => {
      const outcome = await applyStack(folder, { ...options, terraform, dependents }, used);
      if (typeof outcome === "number") {
        if (done.size > 0) options.print(`  Applied before it: ${[...done].join(", ")}\n`);
        return outcome;
      }
      if (outcome.applied) done.add(basename(folder));
      if (outcome.postponed) postponed.unshift(folder);
      if (outcome.keeps) keeping.add(basename(folder));
      return undefined;
    };
    for (const folder of options.folders) {
      const failed = await apply(folder, dependentsOf(basename(folder), options.manifest, names));
      if (failed !== undefined) return failed;
    }
    for (const folder of [...postponed]) {
      const users = dependentsOf(basename(folder), options.manifest, [...keeping]);
      if (users.length > 0) {
        options.print(describeWaiting(basename(folder), users));
        continue;
      }
      const failed = await apply(folder, []);
      if (failed !== undefined) return failed;
    }
    reportUnused(options.allowances, used, options.print);
    return 0;
  });
}

/** Reason why the deletions of a stack wait for a release. */
export function describeWaiting(stack: string, users: readonly string[]): string {
  return `\n${stack}\nDeletes nothing yet: a live release of ${users.join(" and ")} may still use it. Release, then deploy again.\n`;
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
): Promise<{ readonly applied: boolean; readonly postponed: boolean; readonly keeps: boolean } | 1 | 3> {
  const stack = basename(folder);
  const { terraform, print, confirm } = options;
  const planned = await planStack(folder, options, used);
  if (typeof planned === "number") return planned;
  const { keeps } = planned;
  const postponed = planned.deletions !== undefined;
  if (planned.file === undefined) return { applied: false, postponed, keeps };
  if (!(await confirm(stack, terraform.interrupted))) {
    print(`${stack} is as it was\n`);
    return 1;
  }
  return (await applyPlan(folder, planned.file, options)) === 0 ? { applied: true, postponed, keeps } : 1;
}

/** Context of the steps that plan and apply one stack. */
export interface PlanOptions {
  readonly terraform: Terraform;
  readonly allowances: Allowances;
  readonly print: (text: string) => void;
  /** Names of the stacks that are applied before the deletions of this one. Default: none */
  readonly dependents?: readonly string[];
  /** @default - S3 and ECR are asked */
  readonly cloudOf?: (region: string | undefined) => ContainerCloud;
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
 * @param options.targets addresses to which the plan is limited
 * @param options.destroys plans the deletion of everything in the stack, and shows nothing
 * @throws UserError with code 130 when the command was interrupted
 */
export async function planOf(
  terraform: Terraform,
  folder: string,
  {
    readOnly = false,
    targets = [],
    destroys = false,
  }: { readonly readOnly?: boolean; readonly targets?: readonly string[]; readonly destroys?: boolean } = {},
): Promise<Planned> {
  const stack = basename(folder);
  const unprepared = await initStack(terraform, folder);
  if (unprepared !== undefined) return { state: "failed", error: unprepared };
  const file = terraform.privateFile(`${stack}${targets.length > 0 ? "-in-part" : ""}.tfplan`);
  const flags = [
    "-input=false",
    "-detailed-exitcode",
    ...(destroys ? ["-destroy"] : []),
    ...(readOnly ? ["-lock=false"] : []),
    ...targets.map((target) => `-target=${target}`),
    `-out=${file}`,
  ];
  const quiet = readOnly || destroys;
  const plan = await terraform.run(folder, ["plan", ...flags], { quiet });
  // Terraform writes a plan as readable as any file, and it may be copied.
  if (existsSync(file)) chmodSync(file, 0o600);
  if (plan.code === 0) return { state: "same" };
  if (plan.code !== 2) {
    const output = quiet ? plan.errors : "";
    return { state: "failed", error: describeFailure(terraform, folder, "plan", plan, output) };
  }
  const shown = await terraform.run(folder, ["show", "-json", file], { quiet: true });
  if (shown.code !== 0) {
    return { state: "failed", error: describeFailure(terraform, folder, "show", shown, shown.errors) };
  }
  try {
    return { state: "differs", plan: readPlan(shown.output), file };
  } catch (error) {
    return { state: "failed", error: `✖ the plan of ${stack} ${(error as Error).message}\n` };
  }
}

/**
 * Plans a stack and judges the plan; adds to `used` the allowances that it needed. Keeps what live releases still need, unless
 * its removal is allowed.
 *
 * @returns the plan to apply now, and what waits; 1 Terraform failed; 3 the gate refused
 * @throws UserError with code 130 when the command was interrupted
 */
export async function planStack(
  folder: string,
  options: PlanOptions,
  used: Set<string>,
): Promise<PlannedStack | 1 | 3> {
  options.print(`\n${basename(folder)}\n`);
  // A command that was killed may have left them.
  removeKept(folder);
  try {
    return await planWithKept(folder, options, used);
  } finally {
    removeKept(folder);
  }
}

async function planWithKept(
  folder: string,
  { allowances, print, terraform, dependents = [], cloudOf = destroyCloud }: PlanOptions,
  used: Set<string>,
): Promise<PlannedStack | 1 | 3> {
  let planned = await planOf(terraform, folder);
  const lost =
    planned.state === "differs"
      ? lostAccess(planned.plan).filter(({ action, address }) => !allowances[action]?.includes(address))
      : [];
  const keeps = lost.some(({ certain }) => certain);
  if (lost.length > 0) {
    keepAccess(folder, lost);
    const unique = (texts: readonly string[]) => [...new Set(texts)];
    const services = unique(lost.map(({ service }) => service)).join(" and ");
    const addresses = unique(lost.map(({ address }) => `  ${address}\n`)).join("");
    print(
      `\nKept until the next release of ${services}, whose tasks may still use it; the deployment after that removes it:\n${addresses}\nThe plan that keeps it:\n`,
    );
    planned = await planOf(terraform, folder);
  }
  if (planned.state === "same") return { file: undefined, keeps };
  if (planned.state === "failed") {
    print(planned.error);
    return 1;
  }
  const { refused, allowed } = judgePlan(planned.plan, allowances);
  for (const { action, address } of allowed) used.add(`${action} ${address}`);
  if (refused.length + allowed.length > 0) print(describeVerdict({ refused, allowed, unused: [] }));
  if (refused.length > 0) return 3;
  const obstacles = await undeletableIn(planned.plan, { cloudOf, terraform: chdir(folder, terraform.command) });
  if (obstacles.length > 0) {
    print(describeObstacles(REFUSED_BY_AWS, obstacles));
    return 3;
  }
  const split = dependents.length > 0 ? splitDeletions(planned.plan) : undefined;
  if (split === undefined) return { file: planned.file, keeps };
  const { deleted, rest } = split;
  print(
    `\nDeleted after ${dependents.join(" and ")}, where it may still be used:\n${deleted.map((each) => `  ${each}\n`).join("")}`,
  );
  if (rest.length === 0) return { file: undefined, deletions: { file: planned.file }, keeps };
  print("The rest of the plan comes first:\n");
  const first = await planOf(terraform, folder, { targets: rest });
  if (first.state === "failed") {
    print(first.error);
    return 1;
  }
  return { file: first.state === "differs" ? first.file : undefined, deletions: { file: undefined }, keeps };
}

/** Plans of a stack that passed the gate. */
export interface PlannedStack {
  /** File of the plan that is applied now; undefined without changes. */
  readonly file: string | undefined;
  /** Set if deletions wait for other stacks. Its file is their plan, where that can be made before the first one is applied. */
  readonly deletions?: { readonly file: string | undefined };
  /** True if it keeps something for a live release, which the stacks that it depends on must not delete either. */
  readonly keeps: boolean;
}

/**
 * Applies a plan of a stack, where `terraform init` was run.
 *
 * @param options.destroys true for the plan of a deletion
 * @throws UserError with code 130 when the command was interrupted and the plan is not completely applied
 */
export async function applyPlan(
  folder: string,
  file: string,
  { destroys = false, ...options }: PlanOptions & Pick<ApplyOptions, "stopReasons"> & { readonly destroys?: boolean },
): Promise<0 | 1> {
  const { terraform, print } = options;
  const apply = await terraform.run(folder, ["apply", "-input=false", file], { changes: true });
  if (apply.code === 0) return 0;
  const interrupted = terraform.interrupted.aborted;
  if (!interrupted) await reportStopReasons(apply.errors + apply.output, options);
  print(describeFailure(terraform, folder, "apply", apply));
  if (!interrupted) return 1;
  throw cancelled(
    `${basename(folder)} may be partly ${destroys ? "destroyed" : "applied"}; what was completed is in its state. To complete it, ${terraform.again}`,
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
    return `✖ the last apply of ${basename(folder)} could not save its state. Save it before anything else:\n  ${pushCommand(folder, terraform.command)}\n  If the state is locked, although that run has ended, remove the lock before, by the ID that Terraform shows:\n  ${chdir(folder, terraform.command)} force-unlock ID\n`;
  }
  const init = await terraform.run(folder, ["init", "-input=false"], { quiet: true });
  return init.code === 0 ? undefined : describeFailure(terraform, folder, "init", init, init.output + init.errors);
}

/** Name of the file in which Terraform keeps a state that it could not save. */
const UNSAVED_STATE = "errored.tfstate";

/** Terraform in the folder of a stack, as a user types it. */
export function chdir(folder: string, program: string): string {
  return `${program} -chdir=${relative(process.cwd(), folder) || "."}`;
}

function pushCommand(folder: string, program: string): string {
  const file = join(relative(process.cwd(), folder), UNSAVED_STATE);
  return `${chdir(folder, program)} state push ${UNSAVED_STATE} && rm ${file}`;
}

/** Failure of Terraform, after the output that was not shown yet, with what to do. */
function describeFailure(terraform: Terraform, folder: string, step: string, { errors }: Ended, output = ""): string {
  const remedies = remediesOf(errors, folder, terraform.command, terraform.again).map((remedy) => `  ${remedy}\n`);
  return `${output}\n✖ terraform ${step} of ${basename(folder)} failed\n${remedies.join("")}`;
}

/** Ways out of the errors of Terraform that have one. */
export function remediesOf(errors: string, folder: string, program: string, again = ""): readonly string[] {
  const text = plain(errors);
  const remedies: string[] = [];
  if (existsSync(join(folder, UNSAVED_STATE))) {
    remedies.push(`The state could not be saved. Save it before anything else: ${pushCommand(folder, program)}`);
  }
  if (text.includes("Error acquiring the state lock")) remedies.push(lockRemedy(text, folder, program));
  remedies.push(...orderRemedies(text, again));
  if (text.includes("Saved plan is stale")) {
    remedies.push("The state has changed since the plan was made, so nothing was applied: plan again.");
  }
  if (/\b(ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired)\b|security token .{0,40}expired/.test(text)) {
    remedies.push(`The AWS credentials have expired: renew them and ${again}.`);
  }
  if (text.includes("Error releasing the state lock")) {
    remedies.push("The lock of the state stays: the next run says how to remove it.");
  }
  return remedies;
}

/** Remedies where another stack or repository must be deployed before. */
function orderRemedies(text: string, again: string): string[] {
  const found = [
    ...text.matchAll(
      /Parameter \(\/antifragile\/([^/)]+)\/([^/)]+)\/([^)]+)\): (couldn't find resource|.*?Error:|.*)/g,
    ),
  ];
  return found.flatMap(([, environment, owner, path = "", problem = ""]) => {
    const [kind, name] = path.split("/");
    if (problem.includes("ParameterAlreadyExists")) {
      const what = kind === "services" ? `The service ${name}` : `${owner}/${path}`;
      return [
        `${what} still exists in another stack of ${environment}. To move it here, deploy that stack without it first, then ${again}.`,
      ];
    }
    if (problem !== "couldn't find resource") return [];
    const what =
      kind === "services"
        ? `The service ${name} is not deployed on the platform ${owner} in ${environment}`
        : kind === "platform"
          ? `The platform ${owner} is not deployed in ${environment}`
          : `What the stack ${owner} publishes as ${path} does not exist in ${environment}`;
    return [`${what}: deploy it first, in its repository. Then ${again}; what it needs from here is applied.`];
  });
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
