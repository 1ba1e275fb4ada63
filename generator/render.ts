import { ANSWERS_FILE, formatAnswersFile } from "./answers-file";
import { compileTemplate } from "./compile-template";
import { withImports } from "./imports";
import { type ManifestRow, pathOf, rowsFor } from "./manifest";
import type { Answers } from "./options";
import { PNPM_VERSION } from "./package-managers";
import { fillTemplate } from "./template";

/** The files below `templates/`, and the version of the package that they belong to. */
export interface Templates {
  readonly version: string;
  /** Texts by path below `templates/`, with forward slashes. */
  readonly files: ReadonlyMap<string, string>;
}

/** A file to be written. */
export interface OutputFile {
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
}

/** Path of the package in a generated repository, until a registry has the package. */
export function vendoredPath(version: string): string {
  return `vendor/antifragile-${version}.tgz`;
}

/** Variables of templates in addition to the answers. */
export function templateVariables(version: string): Readonly<Record<"version" | "vendored" | "pnpmVersion", string>> {
  return { version, vendored: `file:${vendoredPath(version)}`, pnpmVersion: PNPM_VERSION };
}

/** Answers of a repository to which these questions do not apply. */
const UNASKED: Partial<Answers> = { ci: "none", directory: "none" };

function fill(source: string, row: ManifestRow, context: Readonly<Record<string, unknown>>): string {
  const template = compileTemplate(row.template, source);
  try {
    return fillTemplate(template, context);
  } catch (error) {
    throw new Error(`templates/${row.template}: ${(error as Error).message}`, { cause: error });
  }
}

/** Renders a repository: files by path, sorted. Pure: equal answers give equal bytes. */
export function render(answers: Answers, templates: Templates): Map<string, OutputFile> {
  const context = Object.assign(Object.create(null), UNASKED, answers, templateVariables(templates.version));
  const files: [string, OutputFile][] = [
    [ANSWERS_FILE, { content: formatAnswersFile(answers, templates.version), mode: 0o644 }],
  ];
  for (const row of rowsFor(answers)) {
    const source = templates.files.get(row.template);
    if (source === undefined) throw new Error(`templates/${row.template} is missing, but the manifest names it`);
    const filled = row.template.endsWith(".hbs") ? fill(source, row, context) : source;
    const content = row.template.endsWith(".ts.hbs") ? withImports(filled) : filled;
    files.push([pathOf(row, answers), { content, mode: row.mode ?? 0o644 }]);
  }
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
