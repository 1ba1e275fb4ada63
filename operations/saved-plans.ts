import { copyFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dependentsOf } from "../contract/stacks";
import { UserError } from "../contract/user-error";
import type { Allowances } from "./allowances";
import { type ApplyOptions, applyPlan, describeWaiting, initStack, planStack, reportUnused } from "./apply";
import { readManifest, readWritten, stacksOfEnvironment } from "./synthesized";
import { Terraform, type TerraformOptions } from "./terraform";

/** Index of the saved plans, for the command that applies them. */
interface SavedPlans {
  readonly environment: string;
  readonly allowances: Allowances;
  /**
   * Stacks in the order in which they are applied: `same` has no changes, `saved` has a plan, `later` depends on one that
   * changes and so could not be planned yet. One whose deletions wait for the others is in it twice, or after them.
   */
  readonly stacks: readonly SavedPlan[];
}

interface SavedPlan {
  readonly name: string;
  readonly plan: "same" | "saved" | "later";
  /** True if it keeps something for a live release. */
  readonly keeps?: boolean;
  /** Set for deletions: stacks that may use what is deleted. */
  readonly users?: readonly string[];
}

const FILE = "antifragile-plans.json";

/** Name of a saved plan in the folder of its stack. */
const PLAN = "antifragile.tfplan";

export interface SavedPlansOptions extends TerraformOptions {
  /** Output folder of synth: `infra/cdktf.out`. */
  readonly outdir: string;
  /** Name of the environment: `staging`. */
  readonly environment: string;
  readonly cloudOf?: ApplyOptions["cloudOf"];
}

/**
 * Plans the stacks of an environment and saves the plans that pass the gate, for {@link applySavedPlans}. Changes nothing.
 *
 * A stack that depends on one whose plan has changes is planned later: its plan would be based on values that are about to
 * change, or fail on resources that do not exist yet.
 *
 * @returns 0 all plans passed; 1 Terraform failed; 3 the gate refused
 */
export async function savePlans(options: SavedPlansOptions & { readonly allowances: Allowances }): Promise<0 | 1 | 3> {
  const { outdir, environment, allowances, print, cloudOf } = options;
  const manifest = readManifest(outdir);
  const names = stacksOfEnvironment(environment, outdir);
  const kept = (name: string) => join(outdir, "stacks", name, PLAN);
  for (const path of [join(outdir, FILE), ...names.map(kept)]) rmSync(path, { force: true });
  return Terraform.use(options, async (terraform) => {
    const used = new Set<string>();
    const changing = new Set<string>();
    const stacks: SavedPlan[] = [];
    const waiting: SavedPlan[] = [];
    const passed = new Map<string, string>();
    for (const name of names) {
      const awaited = (manifest.stacks[name]?.dependencies ?? []).filter((each) => changing.has(each));
      if (awaited.length > 0) {
        print(`\n${name}\nis planned after ${awaited.join(" and ")} has been applied, because it depends on it\n`);
        changing.add(name);
        stacks.push({ name, plan: "later" });
        continue;
      }
      const dependents = dependentsOf(name, manifest, names);
      const planOptions = { terraform, allowances, print, dependents, cloudOf };
      const planned = await planStack(join(outdir, "stacks", name), planOptions, used);
      if (typeof planned === "number") return planned;
      const { file, deletions, keeps } = planned;
      if (deletions !== undefined)
        waiting.unshift({ name, plan: deletions.file === undefined ? "later" : "saved", users: dependents });
      const plan = file ?? deletions?.file;
      if (plan !== undefined) passed.set(name, plan);
      if (file !== undefined) changing.add(name);
      if (file !== undefined || deletions === undefined)
        stacks.push({ name, plan: file === undefined ? "same" : "saved", keeps });
    }
    stacks.push(...waiting);
    // The copies have the mode of the private files.
    for (const [name, file] of passed) copyFileSync(file, kept(name));
    if (!stacks.some(({ plan }) => plan === "later")) reportUnused(allowances, used, print);
    const saved: SavedPlans = { environment, allowances, stacks };
    writeFileSync(join(outdir, FILE), `${JSON.stringify(saved, undefined, 2)}\n`);
    return 0;
  });
}

export interface ApplySavedOptions extends SavedPlansOptions {
  /** Applies only saved plans, because those are the ones that were approved. */
  readonly onlySaved: boolean;
  /** @default - ECS is asked why a service was rolled back */
  readonly stopReasons?: ApplyOptions["stopReasons"];
}

/**
 * Applies the plans of {@link savePlans} unchanged, in order. A stack that could not be planned then is planned now,
 * passes the same gate, and is applied; with `onlySaved` it must have no changes.
 *
 * @returns 0 everything is applied; 1 Terraform failed, or a plan is missing; 3 the gate refused
 * @throws UserError when there are no plans, or plans of another environment
 */
export async function applySavedPlans(options: ApplySavedOptions): Promise<0 | 1 | 3> {
  const { outdir, environment, onlySaved, print } = options;
  const saved = readSaved(outdir, environment);
  const manifest = readManifest(outdir);
  const names = stacksOfEnvironment(environment, outdir);
  const planned = new Set(saved.stacks.map(({ name }) => name));
  if (planned.size !== names.length || names.some((name) => !planned.has(name))) {
    throw new UserError(`the plans in ${outdir} are of other stacks than ${names.join(", ")}: plan again`, 1);
  }
  const used = new Set<string>();
  const again = `run antifragile plan ${environment} again, then antifragile apply ${environment}`;
  return Terraform.use({ ...options, again }, async (terraform) => {
    const planOptions = { ...options, allowances: saved.allowances, terraform };
    const queue = [...saved.stacks];
    const waiting: SavedPlan[] = [];
    const keeping = new Set<string>();
    for (let next = queue.shift(); next !== undefined; next = queue.shift() ?? waiting.shift()) {
      const { name, plan } = next;
      if (next.keeps) keeping.add(name);
      const users = (next.users ?? []).filter((each) => keeping.has(each));
      if (users.length > 0) {
        print(describeWaiting(name, users));
        rmSync(join(outdir, "stacks", name, PLAN), { force: true });
        continue;
      }
      if (plan === "same") continue;
      const folder = join(outdir, "stacks", name);
      let file = PLAN;
      if (plan === "later") {
        const dependents = dependentsOf(
          name,
          manifest,
          queue.map((each) => each.name),
        );
        const planned = await planStack(folder, { ...planOptions, dependents }, used);
        if (typeof planned === "number") return planned;
        if (planned.deletions !== undefined) waiting.unshift({ name, plan, users: dependents });
        if (planned.keeps) keeping.add(name);
        if (planned.file === undefined) continue;
        if (onlySaved) {
          print(
            `✖ ${name} has changes that were not approved: it could be planned only after the stacks that it depends on were applied.\n` +
              `  The approved plans are applied. Plan ${environment} again, and have the new plan approved.\n`,
          );
          return 1;
        }
        file = planned.file;
      } else {
        if (!existsSync(join(folder, PLAN))) {
          throw new UserError(
            `the plan of ${name} is gone, perhaps applied: run antifragile plan ${environment} again`,
            1,
          );
        }
        print(`\n${name}\n`);
        const unprepared = await initStack(terraform, folder);
        if (unprepared !== undefined) {
          print(unprepared);
          return 1;
        }
      }
      const outcome = await applyPlan(folder, file, planOptions);
      if (outcome !== 0) return outcome;
      rmSync(join(folder, PLAN), { force: true });
    }
    return 0;
  });
}

function readSaved(outdir: string, environment: string): SavedPlans {
  const file = join(outdir, FILE);
  if (!existsSync(file)) {
    throw new UserError(`no plans in ${outdir}: run antifragile plan ${environment} first`, 2);
  }
  const remedy = `run antifragile plan ${environment} again`;
  const saved = readWritten<SavedPlans>(
    file,
    remedy,
    ({ stacks, allowances }) => Array.isArray(stacks) && !!allowances,
  );
  if (saved.environment !== environment) {
    throw new UserError(`the plans in ${outdir} are of ${saved.environment}, not of ${environment}`, 2);
  }
  return saved;
}
