import { createRequire } from "node:module";
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

/** Code of all `@example` tags in the sources. */
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

/** A snippet as a program: what it neither imports nor makes is of the package and of the context. */
function asProgram({ code }: Snippet, names: readonly string[], context: readonly string[]): string {
  const imports = code.match(/^import [^;]*;$/gm) ?? [];
  const imported = new Set(imports.join("\n").match(/\w+/g));
  return [
    ...imports,
    `import { ${names.filter((name) => !imported.has(name.replace("type ", ""))).join(", ")} } from "antifragile";`,
    ...(imported.has("synthesize") ? [] : ['import { synthesize } from "antifragile/testing";']),
    'import { exampleContext } from "./example-context";',
    `const { ${context.join(", ")} } = exampleContext();`,
    `{\n${code.replace(/^import [^;]*;$/gm, "")}\n}`,
    "export {};",
  ].join("\n");
}

/** Compiler errors in snippets, each with its location. */
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

/** Runs a snippet, with these names known and these modules to import; others are those that are installed. */
export function run(
  { code }: Snippet,
  known: Readonly<Record<string, unknown>>,
  modules: Readonly<Record<string, unknown>>,
): void {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS },
  });
  const installed = createRequire(__filename);
  const require = (specifier: string) => (specifier in modules ? modules[specifier] : installed(specifier));
  const names = { ...known, require, exports: {} };
  // In a block of its own: an example may call its own things as ours are called.
  new Function(...Object.keys(names), `{\n${outputText}\n}`)(...Object.values(names));
}
