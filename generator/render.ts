import Handlebars from "handlebars";

type CompileOptions = NonNullable<Parameters<typeof Handlebars.compile>[1]>;

import { ANSWERS_FILE, formatAnswersFile } from "./answers-file";
import { type ManifestRow, manifest } from "./manifest";
import type { Answers } from "./options";
import { comparisons, serializers } from "./serializers";

/** The files below `templates/`, and the version of the package that they belong to. */
export interface Templates {
  readonly version: string;
  /** Path below `templates/`, with forward slashes -> text. */
  readonly files: ReadonlyMap<string, string>;
}

/** A file to be written. */
export interface OutputFile {
  readonly content: string;
  /** Permission bits. */
  readonly mode: number;
}

/** Where a generated repository keeps the package it was made by, until the package can be had from a registry. */
export function vendoredPath(version: string): string {
  return `vendor/antifragile-${version}.tgz`;
}

/** What a template may name besides the answers. */
export function templateVariables(version: string): Readonly<Record<"version" | "vendored", string>> {
  return { version, vendored: `file:${vendoredPath(version)}` };
}

type KnownHelpers = NonNullable<CompileOptions["knownHelpers"]>;

const handlebars = Handlebars.create();
for (const name of Object.keys(handlebars.helpers)) {
  if (!["if", "unless", "each"].includes(name)) handlebars.unregisterHelper(name);
}
for (const [name, helper] of Object.entries({ ...serializers, ...comparisons }))
  handlebars.registerHelper(name, helper);

function fill(source: string, row: ManifestRow, context: object): string {
  const template = handlebars.compile(source, {
    strict: true,
    noEscape: true,
    knownHelpersOnly: true,
    knownHelpers: Object.fromEntries(Object.keys(handlebars.helpers).map((name) => [name, true])) as KnownHelpers,
  });
  try {
    return template(context);
  } catch (error) {
    throw new Error(`templates/${row.template}: ${(error as Error).message}`, { cause: error });
  }
}

/** The repository that the answers ask for: path -> file, sorted by path. Pure: equal answers give equal bytes. */
export function render(answers: Answers, templates: Templates): Map<string, OutputFile> {
  const context = Object.assign(Object.create(null), answers, templateVariables(templates.version));
  const files: [string, OutputFile][] = [
    [ANSWERS_FILE, { content: formatAnswersFile(answers, templates.version), mode: 0o644 }],
  ];
  for (const row of manifest) {
    if (row.when !== undefined && !row.when(answers)) continue;
    const source = templates.files.get(row.template);
    if (source === undefined) throw new Error(`templates/${row.template} is missing; the manifest names it`);
    const content = row.template.endsWith(".hbs") ? fill(source, row, context) : source;
    files.push([row.path, { content, mode: row.mode ?? 0o644 }]);
  }
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
