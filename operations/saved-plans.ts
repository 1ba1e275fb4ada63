import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StackManifest } from "../contract/stacks";
import { UserError } from "../contract/user-error";
import { type ApplyOptions, applyPlan, initStack, PLAN, planStack, reportUnused } from "./apply";
import { readManifest, stacksOf } from "./deploy";
import type { Allowances } from "./plan-gate";
import { Terraform, type TerraformOptions } from "./terraform";

/** Index of the saved plans, for the command that applies them. */
interface SavedPlans {
  readonly environment: string;
  readonly allowances: Allowances;
  /**
   * Stacks in the order in which they are applied: `same` has no changes, `saved` has a plan, `later` depends on one that
   * changes and so could not be planned yet.
   */
  readonly stacks: readonly { readonly name: string; readonly plan: "same" | "saved" | "later" }[];
}

const FILE = "antifragile-plans.json";

export interface SavedPlansOptions extends TerraformOptions {
  /** Output folder of synth: `infra/cdktf.out`. */
  readonly outdir: string;
  /** Name of the environment: `staging`. */
  readonly environment: string;
}

/** The stacks of an environment in a synthesized folder. */
function stacksIn(outdir: string, environment: string): { readonly names: string[]; readonly manifest: StackManifest } {
  const manifest = readManifest(outdir);
  const names = stacksOf(environment, manifest);
  if (names.length === 0) {
    throw new UserError(
      `environment ${JSON.stringify(environment)} does not exist; the stacks are: ${Object.keys(manifest.stacks).join(", ")}`,
      2,
    );
  }
  return { names, manifest };
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
  const { outdir, environment, allowances, print } = options;
  const { names, manifest } = stacksIn(outdir, environment);
  rmSync(join(outdir, FILE), { force: true });
  return Terraform.use(options, async (terraform) => {
    const used = new Set<string>();
    const changing = new Set<string>();
    const stacks: { name: string; plan: "same" | "saved" | "later" }[] = [];
    for (const name of names) {
      const standsOn = (manifest.stacks[name]?.dependencies ?? []).filter((each) => changing.has(each));
      const folder = join(outdir, "stacks", name);
      rmSync(join(folder, PLAN), { force: true });
      if (standsOn.length > 0) {
        print(`\n${name}\nis planned after ${standsOn.join(" and ")} has been applied, because it depends on it\n`);
        changing.add(name);
        stacks.push({ name, plan: "later" });
        continue;
      }
      const planned = await planStack(folder, { terraform, allowances, print }, used);
      if (planned === 1 || planned === 3) return planned;
      if (planned === "same") rmSync(join(folder, PLAN), { force: true });
      else changing.add(name);
      stacks.push({ name, plan: planned === "same" ? "same" : "saved" });
    }
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
  const { names } = stacksIn(outdir, environment);
  const unknown = saved.stacks.map(({ name }) => name).join() === names.join() ? undefined : names;
  if (unknown !== undefined) {
    throw new UserError(`the plans in ${outdir} are of other stacks than ${unknown.join(", ")}: plan again`, 1);
  }
  const used = new Set<string>();
  return Terraform.use(options, async (terraform) => {
    const planOptions = { ...options, allowances: saved.allowances, terraform };
    for (const { name, plan } of saved.stacks) {
      if (plan === "same") continue;
      const folder = join(outdir, "stacks", name);
      if (plan === "later") {
        const planned = await planStack(folder, planOptions, used);
        if (planned === "same") continue;
        if (planned !== "changes") return planned;
        if (onlySaved) {
          print(
            `✖ ${name} has changes that were not approved: it could be planned only after the stacks that it depends on were applied.\n` +
              `  The approved plans are applied. Plan ${environment} again, and have the new plan approved.\n`,
          );
          return 1;
        }
      } else {
        if (!existsSync(join(folder, PLAN))) {
          throw new UserError(
            `the plan of ${name} is gone, perhaps applied: run antifragile plan ${environment} again`,
            1,
          );
        }
        print(`\n${name}\n`);
        if ((await initStack(folder, planOptions)) !== 0) return 1;
      }
      const outcome = await applyPlan(folder, planOptions);
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
  const saved = JSON.parse(readFileSync(file, "utf8")) as SavedPlans;
  if (saved.environment !== environment) {
    throw new UserError(`the plans in ${outdir} are of ${saved.environment}, not of ${environment}`, 2);
  }
  return saved;
}
