/** Values of a resource's attributes. */
export type Attributes = Readonly<Record<string, unknown>>;

/** Change of one resource, in the format of `terraform show -json`. */
export interface ResourceChange {
  readonly address: string;
  readonly mode?: string;
  readonly type: string;
  readonly deposed?: string;
  /** Address before it was moved. */
  readonly previous_address?: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before?: unknown;
    readonly after?: unknown;
    readonly after_unknown?: unknown;
    readonly before_sensitive?: unknown;
    readonly after_sensitive?: unknown;
    readonly replace_paths?: readonly (readonly (string | number)[])[];
  };
}

/** Plan, in the format of `terraform show -json <plan>`. @see https://developer.hashicorp.com/terraform/internals/json-format */
export interface TerraformPlan {
  readonly resource_changes: readonly ResourceChange[];
  /** Resources that were changed outside Terraform. */
  readonly resource_drift?: readonly Pick<ResourceChange, "address" | "change">[];
  readonly output_changes?: Readonly<Record<string, ResourceChange["change"]>>;
  readonly configuration?: {
    readonly provider_config?: Readonly<
      Record<string, { readonly expressions?: { readonly region?: { readonly constant_value?: string } } }>
    >;
  };
}

/** Parses the output of `terraform show -json`. @throws Error if it is not a plan */
export function readPlan(text: string): TerraformPlan {
  let plan: unknown;
  try {
    plan = JSON.parse(text);
  } catch {
    throw new Error("is not JSON: create it with `terraform show -json <plan file>`");
  }
  const { format_version: version, resource_changes: changes, errored } = (plan ?? {}) as Record<string, unknown>;
  if (typeof version !== "string" || (plan as { planned_values?: unknown }).planned_values === undefined) {
    throw new Error(
      "is not a plan: create it with `terraform plan -out=<plan file>` and `terraform show -json <plan file>`",
    );
  }
  if (!version.startsWith("1.")) throw new Error(`has format ${version}; the supported format is 1.x`);
  if (errored === true) throw new Error("is a failed plan: fix its errors and plan again");
  const managed = ((changes ?? []) as readonly ResourceChange[]).filter(({ mode }) => mode !== "data");
  return { ...(plan as TerraformPlan), resource_changes: managed };
}

/** Resources that a plan deletes, also those that it creates again, with their attributes. */
export function deletionsIn(plan: TerraformPlan) {
  return plan.resource_changes
    .filter(({ change }) => change.actions.includes("delete"))
    .map(({ address, type, change }) => ({ address, type, before: attributes(change.before) }));
}

/** Region of a plan's provider. */
export function regionOf({ configuration }: TerraformPlan): string | undefined {
  return configuration?.provider_config?.aws?.expressions?.region?.constant_value;
}

export function attributes(value: unknown): Attributes {
  return typeof value === "object" && value !== null ? (value as Attributes) : {};
}

/** Returns whether a mark (true, or an object of the same shape that contains true) covers a path. */
export function isMarked(marks: unknown, path: readonly (string | number)[]): boolean {
  let here: unknown = marks;
  for (const key of path) {
    if (here === true) return true;
    here = (here as Record<string, unknown> | null | undefined)?.[key];
  }
  return JSON.stringify(here ?? false).includes("true");
}
