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
