import { basename } from "node:path";
import { formatTable } from "../contract/table";
import { logLine } from "../contract/text";
import { cancelled } from "../contract/user-error";
import { refuseUnsavedState, remediesOf } from "./apply";
import { readPlan, type TerraformPlan } from "./plan-gate";
import { Terraform, type TerraformOptions } from "./terraform";

/** Difference between a resource and the code. */
export interface Difference {
  readonly address: string;
  readonly action: "create" | "update" | "replace" | "delete";
  /** Names of the attributes that differ; values may be secret. */
  readonly attributes: readonly string[];
  /** True where it was changed outside Terraform since the last apply; otherwise the code is not applied yet. */
  readonly outside: boolean;
}

/** Result for one stack. */
export interface StackDrift {
  readonly stack: string;
  readonly state: "same" | "differs" | "failed";
  readonly differences: readonly Difference[];
  /** Words of Terraform where it failed. */
  readonly error?: string;
}

export interface DriftOptions extends TerraformOptions {
  /** Folders of the synthesized stacks, `cdktf.out/stacks/<name>`. */
  readonly folders: readonly string[];
}

/**
 * Plans every stack, and changes nothing: no lock is taken, no state is written. It is a normal plan, not a refresh-only one, which
 * would also list what releases and scaling change on purpose.
 *
 * @throws UserError with code 130 when the command was interrupted
 */
export async function findDrift(options: DriftOptions): Promise<readonly StackDrift[]> {
  return Terraform.use(options, async (terraform) => {
    const found: StackDrift[] = [];
    for (const folder of options.folders) {
      found.push(await driftOf(terraform, folder));
      if (terraform.interrupted.aborted) throw cancelled("nothing was changed");
    }
    return found;
  });
}

async function driftOf(terraform: Terraform, folder: string): Promise<StackDrift> {
  const stack = basename(folder);
  const failed = (error: string): StackDrift => ({ stack, state: "failed", differences: [], error });
  const quiet = { quiet: true };
  refuseUnsavedState(folder);
  const file = terraform.privateFile(`${stack}.tfplan`);
  const init = await terraform.run(folder, ["init", "-input=false", "-no-color"], quiet);
  if (init.code !== 0) return failed(init.errors);
  const flags = ["-input=false", "-no-color", "-lock=false", "-detailed-exitcode", `-out=${file}`];
  const plan = await terraform.run(folder, ["plan", ...flags], quiet);
  if (plan.code === 0) return { stack, state: "same", differences: [] };
  if (plan.code !== 2) return failed([plan.errors.trim(), ...remediesOf(plan.errors, folder)].join("\n"));
  const shown = await terraform.run(folder, ["show", "-json", file], quiet);
  if (shown.code !== 0) return failed(shown.errors);
  return { stack, state: "differs", differences: differencesOf(readPlan(shown.output)) };
}

/** Differences that a plan would remove. */
export function differencesOf(plan: TerraformPlan): readonly Difference[] {
  const outside = new Set((plan.resource_drift ?? []).map(({ address }) => address));
  const resources = plan.resource_changes
    .filter(({ mode }) => mode !== "data")
    .map(({ address, change }) => ({ address, change, outside: outside.has(address) }));
  const outputs = Object.entries(plan.output_changes ?? {}).map(([name, change]) => ({
    address: `output.${name}`,
    change,
    outside: false,
  }));
  return [...resources, ...outputs].flatMap(({ address, change, outside }) => {
    const action = actionOf(change.actions);
    if (action === undefined) return [];
    const attributes = action === "update" || action === "replace" ? changedNames(change.before, change.after) : [];
    return [{ address, action, attributes, outside }];
  });
}

function actionOf(actions: readonly string[]): Difference["action"] | undefined {
  if (actions.includes("create") && actions.includes("delete")) return "replace";
  return (["create", "update", "delete"] as const).find((action) => actions.includes(action));
}

function changedNames(before: unknown, after: unknown): string[] {
  const [old, wanted] = [before, after].map((value) =>
    typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {},
  ) as [Record<string, unknown>, Record<string, unknown>];
  const names = [...new Set([...Object.keys(old), ...Object.keys(wanted)])].sort();
  return names.filter((name) => JSON.stringify(old[name]) !== JSON.stringify(wanted[name]));
}

/** Differences as a table, then what failed. */
export function describeDrift(environment: string, stacks: readonly StackDrift[]): string {
  const lines: string[] = [];
  const rows = stacks.flatMap(({ stack, differences }) =>
    differences.map(({ address, action, attributes, outside }) => [
      stack,
      address,
      action,
      outside ? "changed outside Terraform" : "not applied",
      attributes.join(", "),
    ]),
  );
  if (rows.length > 0)
    lines.push(formatTable(["stack", "resource", "action", "cause", "attributes"], rows).trimEnd(), "");
  for (const { stack, error } of stacks.filter(({ state }) => state === "failed")) {
    lines.push(
      `✖ ${stack} could not be planned:`,
      ...(error ?? "")
        .trim()
        .split("\n")
        .map((line) => `  ${logLine(line)}`),
      "",
    );
  }
  const same = stacks.filter(({ state }) => state === "same").length;
  lines.push(`${environment}: ${same} of ${stacks.length} stacks are as the code defines them`);
  if (rows.length > 0) lines.push(`  To apply the code: antifragile deploy ${environment}`);
  return `${lines.join("\n")}\n`;
}
