/**
 * Prints the errors of the compiler for each folder, as JSON: `compile.ts <typescript> <folder>...`. It does what `tsc` does there, but reads
 * the types of packages once: most of the work of `tsc` is to read a thousand of these files.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import type Ts from "typescript";

const [, , typescript = "", ...folders] = process.argv;
const ts = createRequire(typescript)(typescript) as typeof Ts;

const packages = new Map<string, Ts.SourceFile | undefined>();

function errorsIn(folder: string): string {
  const onUnRecoverableConfigFileDiagnostic = ({ messageText }: Ts.Diagnostic) => {
    throw new Error(String(messageText));
  };
  const system = { ...ts.sys, onUnRecoverableConfigFileDiagnostic };
  const { options, fileNames, errors } = ts.getParsedCommandLineOfConfigFile(
    join(folder, "tsconfig.json"),
    {},
    system,
  )!;
  const host = { ...ts.createCompilerHost(options), getCurrentDirectory: () => folder };
  const read = host.getSourceFile;
  host.getSourceFile = (file, how, ...rest) => {
    if (!file.includes("/node_modules/")) return read(file, how, ...rest);
    const key = `${file} ${typeof how === "object" ? how.impliedNodeFormat : how}`;
    if (!packages.has(key)) packages.set(key, read(file, how, ...rest));
    return packages.get(key);
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options, host));
  return ts.formatDiagnostics([...errors, ...found], { ...host, getNewLine: () => "\n" });
}

console.log(JSON.stringify(folders.map(errorsIn)));
