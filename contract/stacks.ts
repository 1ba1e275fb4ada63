/** Stacks of a synthesized app, in the format of `cdktf.out/manifest.json`. */
export interface StackManifest {
  readonly stacks: Readonly<Record<string, { readonly dependencies: readonly string[] }>>;
}

/**
 * Sorts stacks by their dependencies, then by name.
 *
 * @param names stacks to include, with their dependencies. Default: all
 */
export function inOrder({ stacks }: StackManifest, names: readonly string[] = Object.keys(stacks)): string[] {
  const ordered = new Set<string>();
  const visit = (name: string) => {
    if (ordered.has(name)) return;
    for (const dependency of [...(stacks[name]?.dependencies ?? [])].sort()) visit(dependency);
    ordered.add(name);
  };
  for (const name of [...names].sort()) visit(name);
  return [...ordered];
}

/** Returns those of the stacks that depend on one of them, directly or through others. */
export function dependentsOf(stack: string, { stacks }: StackManifest, among: readonly string[]): string[] {
  const needs = (name: string): boolean =>
    (stacks[name]?.dependencies ?? []).some((dependency) => dependency === stack || needs(dependency));
  return among.filter(needs);
}

/** Region of an environment. */
export interface Place {
  readonly environment: string;
  readonly region: string;
  /** The only account that it may be deployed to, if set. */
  readonly account?: string;
}

/** Returns the place of a synthesized stack, from the JSON of its program; undefined if the stack has no environment. */
export function placeOf(program: string): Place | undefined {
  const { provider } = JSON.parse(program) as {
    provider?: {
      aws?: readonly {
        region?: string;
        allowed_account_ids?: readonly string[];
        default_tags?: readonly { tags?: { Environment?: string } }[];
      }[];
    };
  };
  const { region, allowed_account_ids, default_tags } = provider?.aws?.[0] ?? {};
  const environment = default_tags?.[0]?.tags?.Environment;
  if (environment === undefined || region === undefined) return undefined;
  return { environment, region, account: allowed_account_ids?.[0] };
}
