import { join } from "node:path";
import ts from "typescript";
import { ROOT, type Sources } from "./sources";

/** A piece of program in the docs. */
export interface Snippet {
  /** File and line. */
  readonly place: string;
  readonly code: string;
}

const lineOf = (text: string, index: number) => text.slice(0, index).split("\n").length;

/** What stands under `@example` in the sources. */
export function examplesIn(sources: Sources): Snippet[] {
  return [...sources].flatMap(([path, { text }]) =>
    [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) =>
      [...comment[0].matchAll(/@example([\s\S]*?)(?=\n\s*\* @|\*\/$)/g)].map((example) => {
        const body = example[1]!.replace(/^[ \t]*\* ?/gm, "");
        const code = /```ts\n([\s\S]*?)```/.exec(body)?.[1];
        return { place: `${path}:${lineOf(text, comment.index + example.index)}`, code: code ?? "" };
      }),
    ),
  );
}

/** The TypeScript of a page in Markdown. */
export function snippetsIn(path: string, text: string): Snippet[] {
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((block) => ({
    place: `${path}:${lineOf(text, block.index)}`,
    code: block[1]!,
  }));
}

/** A snippet as a program: one without imports of its own takes what it names from the package and from the context. */
function asProgram({ code }: Snippet, names: readonly string[], context: readonly string[]): string {
  if (/^import /m.test(code)) return code;
  return [
    `import { ${names.join(", ")} } from "antifragile";`,
    'import { synthesize } from "antifragile/testing";',
    'import { exampleContext } from "./example-context";',
    `const { ${context.join(", ")} } = exampleContext();`,
    `{\n${code}\n}`,
    "export {};",
  ].join("\n");
}

/** What the compiler says about snippets, each with its place. */
export function compileErrors(
  snippets: readonly Snippet[],
  names: readonly string[],
  context: readonly string[],
): string[] {
  const config = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile).config as { compilerOptions: object };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const settings = { ...options, noUnusedLocals: false, noUnusedParameters: false, incremental: false };
  const files = new Map(
    snippets.map((snippet, index) => [join(__dirname, `snippet-${index}.ts`), asProgram(snippet, names, context)]),
  );
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  };
  const paths = [...files.keys()];
  const program = ts.createProgram(paths, settings, host);
  return paths.flatMap((path, index) => {
    const source = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${snippets[index]!.place}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
}

/** Runs a snippet that has no imports, with these names known. */
export function run({ code }: Snippet, known: Readonly<Record<string, unknown>>): void {
  const { outputText } = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  // In a block of its own: an example may call its own things as ours are called.
  new Function(...Object.keys(known), `"use strict";\n{\n${outputText}\n}`)(...Object.values(known));
}
