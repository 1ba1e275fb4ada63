/** What `cdktf.out/manifest.json` tells of the stacks of a synthesized app. */
export interface StackManifest {
  readonly stacks: Readonly<Record<string, { readonly dependencies: readonly string[] }>>;
}

/**
 * Stacks with what they stand on first; by name where that does not tell.
 *
 * @param names those that are wanted, which bring what they stand on. Default: all
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
