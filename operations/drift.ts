import { basename } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { formatTable } from "../contract/table";
import { logLine } from "../contract/text";
import { planOf } from "./apply";
import { Terraform, type TerraformOptions } from "./terraform";
import type { TerraformPlan } from "./terraform-plan";

/** Difference between a resource and the code. */
export interface Difference {
  readonly address: string;
  readonly action: "create" | "update" | "replace" | "delete";
  /** Names of the attributes that differ; values may be secret. */
  readonly attributes: readonly string[];
  /**
   * True where one of these attributes was changed outside Terraform since the last apply, or the resource was deleted; otherwise
   * the code is not applied yet.
   */
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
      const planned = await planOf(terraform, folder, { readOnly: true });
      const differences = planned.state === "differs" ? differencesOf(planned.plan) : [];
      const error = planned.state === "failed" ? { error: stripVTControlCharacters(planned.error).trim() } : {};
      found.push({ stack: basename(folder), state: planned.state, differences, ...error });
    }
    return found;
  });
}

/** Differences that a plan would remove. */
export function differencesOf(plan: TerraformPlan): readonly Difference[] {
  const drift = plan.resource_drift ?? [];
  const outputs = Object.entries(plan.output_changes ?? {}).map(([name, change]) => ({
    address: `output.${name}`,
    change,
  }));
  return [...plan.resource_changes, ...outputs].flatMap(({ address, change }) => {
    const action = actionOf(change.actions);
    if (action === undefined) return [];
    const attributes = action === "update" || action === "replace" ? changedNames(change) : [];
    const drifted = drift.filter((each) => each.address === address);
    const outside =
      action === "create"
        ? drifted.some((each) => each.change.actions.includes("delete"))
        : drifted.some((each) => changedNames(each.change).some((name) => attributes.includes(name)));
    return [{ address, action, attributes, outside }];
  });
}

function actionOf(actions: readonly string[]): Difference["action"] | undefined {
  if (actions.includes("create") && actions.includes("delete")) return "replace";
  return (["create", "update", "delete"] as const).find((action) => actions.includes(action));
}

function changedNames({ before, after }: { readonly before?: unknown; readonly after?: unknown }): string[] {
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
