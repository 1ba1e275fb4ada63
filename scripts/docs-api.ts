import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PluginOptions } from "typedoc-plugin-markdown";

const root = join(__dirname, "..");

/** Folders of constructs/, each a page: what `antifragile` exports is what they export. */
export function families(): string[] {
  return readdirSync(join(root, "constructs"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Writes the API reference into a folder: a front page, the ids of children, and a page for each family, without dates, versions and without links to lines. */
export async function writeApi(out: string): Promise<void> {
  // TypeDoc is an ES module.
  const { Application } = await import("typedoc");
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    outputs: [{ name: "markdown", path: out }],
    entryPoints: families().map((family) => join(root, "constructs", family, "index.ts")),
    tsconfig: join(root, "tsconfig.json"),
    basePath: join(root, "constructs"),
    displayBasePath: join(root, "constructs"),
    name: "API of antifragile",
    readme: "none",
    disableSources: true,
    hideGenerator: true,
    githubPages: false,
    gitRevision: "main",
    excludePrivate: true,
    excludeProtected: true,
    excludeInternal: true,
    excludeExternals: true,
    skipErrorChecking: true,
    logLevel: "Error",
    sort: ["kind", "alphabetical"],
    router: "module",
    ...({
      entryFileName: "README",
      hidePageHeader: true,
      hideBreadcrumbs: true,
      useCodeBlocks: true,
      expandObjects: true,
      interfacePropertiesFormat: "table",
      classPropertiesFormat: "table",
      propertyMembersFormat: "table",
      parametersFormat: "table",
    } satisfies Partial<PluginOptions>),
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc read nothing");
  await app.generateOutputs(project);
  const pageOf = (family: string) => readFileSync(join(out, `${family}.md`), "utf8");
  const { CHILDREN_PAGE, childrenPage, frontPage } = await import("./docs-api-index");
  writeFileSync(join(out, "README.md"), await frontPage(project, pageOf));
  writeFileSync(join(out, CHILDREN_PAGE), childrenPage());
}
