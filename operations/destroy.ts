import { basename } from "node:path";
import { applyPlan, chdir, planOf } from "./apply";
import type { DestroyCloud } from "./destroy-cloud";
import { type Kept, keptAfter } from "./kept";
import { describeObstacles, type Obstacle, undeletableIn } from "./obstacles";
import { type Finding, judgePlan } from "./plan-gate";
import { Terraform, type TerraformOptions } from "./terraform";
import { deletionsIn, regionOf, type TerraformPlan } from "./terraform-plan";

export interface DestroyOptions extends TerraformOptions {
  /** Name of the environment, or `delivery`. */
  readonly environment: string;
  /** Folders of the synthesized stacks, `cdktf.out/stacks/<name>`, in the order in which they are applied. */
  readonly folders: readonly string[];
  /** Remains that are in no stack: the state, for example. */
  readonly alsoKept: readonly Kept[];
  /** Asked once, when everything that is deleted is listed. Rejects when the command is interrupted. */
  readonly confirm: (interrupted: AbortSignal) => Promise<boolean>;
  readonly cloudOf: (region: string | undefined) => DestroyCloud;
}

interface PlannedDestruction {
  readonly folder: string;
  readonly plan: TerraformPlan;
  readonly file: string;
}

/**
 * Destroys stacks, each before those that it depends on. Plans all of them first, refuses if AWS would refuse one of the deletions
 * or another repository still uses the platform, lists what is deleted and what remains, asks, and applies those very plans.
 *
 * @returns 0 all is destroyed; 1 Terraform failed, or it was declined; 3 something cannot be deleted
 * @throws UserError with code 130 when the command was interrupted
 */
export async function destroyStacks(options: DestroyOptions): Promise<0 | 1 | 3> {
  const { environment, print } = options;
  return Terraform.use(options, async (terraform) => {
    const planned: PlannedDestruction[] = [];
    for (const folder of [...options.folders].reverse()) {
      print(`  planning ${basename(folder)}\n`);
      const result = await planOf(terraform, folder, { destroys: true });
      if (result.state === "failed") {
        print(result.error);
        return 1;
      }
      if (result.state === "differs") planned.push({ folder, ...result });
    }
    if (planned.length === 0) {
      print(`${environment} has nothing that could be destroyed\n`);
      return 0;
    }
    const obstacles = await obstaclesOf(planned, { ...options, program: terraform.command });
    if (obstacles.length > 0) {
      print(describeObstacles(`${environment} cannot be destroyed yet; nothing was deleted`, obstacles));
      return 3;
    }
    const kept = [...planned.flatMap(({ plan }) => keptAfter(plan)), ...options.alsoKept];
    print(describeDestruction(planned) + describeKept("This remains", kept));
    if (!(await options.confirm(terraform.interrupted))) {
      print("nothing was destroyed\n");
      return 1;
    }
    return destroyPlanned(planned, { ...options, terraform, kept });
  });
}

async function destroyPlanned(
  planned: readonly PlannedDestruction[],
  {
    environment,
    terraform,
    print,
    kept,
  }: Omit<DestroyOptions, "terraform"> & { readonly terraform: Terraform; readonly kept: readonly Kept[] },
): Promise<0 | 1> {
  const done: string[] = [];
  for (const { folder, file } of planned) {
    print(`\n${basename(folder)}\n`);
    const options = { terraform, allowances: {}, print, destroys: true };
    if ((await applyPlan(folder, file, options)) !== 0) {
      if (done.length > 0) print(`  Destroyed before it: ${done.join(", ")}\n`);
      return 1;
    }
    done.push(basename(folder));
  }
  print(`\n${environment} is destroyed. ${describeKept("This remains", kept).trimStart()}`);
  return 0;
}

async function obstaclesOf(
  planned: readonly PlannedDestruction[],
  { environment, cloudOf, program }: DestroyOptions & { readonly program: string },
): Promise<readonly Obstacle[]> {
  const found: Obstacle[] = [];
  const own = new Set(planned.flatMap(({ plan }) => parametersOf(plan).map(({ name }) => name)));
  for (const { folder, plan } of planned) {
    found.push(...(await undeletableIn(plan, { cloudOf, terraform: chdir(folder, program) })));
    const cloud = cloudOf(regionOf(plan));
    try {
      for (const { address, platform, deleted } of platformsOf(plan, environment)) {
        const users = await cloud.usersOf({ environment, platform }, { parameters: own, deleted });
        // A service and its platform may be destroyed by two plans.
        const unknown = users.filter(({ reason }) => found.every((other) => other.reason !== reason));
        found.push(...unknown.map((user) => ({ address, ...user })));
      }
    } finally {
      cloud.done();
    }
  }
  return found;
}

/** SSM parameters that a plan deletes. */
function parametersOf(plan: TerraformPlan) {
  return deletionsIn(plan).flatMap(({ address, type, before }) =>
    type === "aws_ssm_parameter" ? [{ address, name: String(before.name) }] : [],
  );
}

/** Platforms whose parameters a plan deletes, `/antifragile/<environment>/<platform>/...`; `platform` is that of the platform itself. */
function platformsOf(plan: TerraformPlan, environment: string) {
  const found = new Map<string, { address: string; platform: string; deleted: boolean }>();
  for (const { address, name } of parametersOf(plan)) {
    const [, root, own, platform, kind] = name.split("/");
    if (root !== "antifragile" || own !== environment || platform === undefined) continue;
    if (kind === "platform") found.set(platform, { address, platform, deleted: true });
    else if (!found.has(platform)) found.set(platform, { address, platform, deleted: false });
  }
  return [...found.values()];
}

/** Stacks in the order in which they are destroyed, with the consequences for what the gate protects. */
function describeDestruction(planned: readonly PlannedDestruction[]): string {
  return planned
    .map(({ folder, plan }) => {
      const count = deletionsIn(plan).length;
      const { refused } = judgePlan(plan);
      return `\n${basename(folder)}: ${count} ${count === 1 ? "resource is" : "resources are"} deleted${refused.length === 0 ? "" : ", of them"}\n${consequences(refused)}`;
    })
    .join("");
}

function consequences(findings: readonly Finding[]): string {
  return findings.map(({ address, what, effect }) => `  ${address}  (${what}: ${effect})\n`).join("");
}

function describeKept(title: string, kept: readonly Kept[]): string {
  return `\n${title} in the account:\n${kept.map(({ what, cost }) => `  ${what} (${cost})\n`).join("")}`;
}
