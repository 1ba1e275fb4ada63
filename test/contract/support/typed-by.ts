import { join, resolve } from "node:path";
import ts from "typescript";
import type { Combination } from "../../support/engines";
import { ROOT } from "./sources";

const SETTINGS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ["lib.es2023.d.ts"],
  types: ["node"],
  strict: true,
  esModuleInterop: true,
  skipLibCheck: true,
  noEmit: true,
};

/** Compiler errors of programs when the engine and the provider bindings are in these folders. */
export function typeErrors(
  packages: Combination["packages"],
  {
    files = [],
    written = {},
  }: { readonly files?: readonly string[]; readonly written?: Readonly<Record<string, string>> },
): string[] {
  const texts = new Map(Object.entries(written).map(([name, text]) => [join(ROOT, "test/contract", name), text]));
  const settings: ts.CompilerOptions = {
    ...SETTINGS,
    paths: {
      antifragile: [join(ROOT, "constructs/index.ts")],
      "antifragile/testing": [join(ROOT, "constructs/testing/index.ts")],
      ...Object.fromEntries(
        Object.entries(packages).flatMap(([name, folder]) => [
          [name, [folder]],
          [`${name}/*`, [`${folder}/*`]],
        ]),
      ),
    },
  };
  const host = ts.createCompilerHost(settings);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.readFile = (path) => texts.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = texts.get(path);
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  };
  const program = ts.createProgram([...files.map((file) => resolve(ROOT, file)), ...texts.keys()], settings, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) =>
        `${file?.fileName.slice(ROOT.length + 1)}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`,
    );
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Keys that are arguments of Terraform rather than of a resource, or duplicates. */
const META = ["//", "lifecycle", "depends_on", "provider", "connection", "provisioner"];

/**
 * Synthesized resources as a program that gives each, as it is, to the type of its arguments: the compiler finds names that the
 * provider does not know, and values of another type, however deep.
 */
export function asArguments(resources: Readonly<Record<string, Readonly<Record<string, Json>>>>): string {
  const types = Object.keys(resources);
  const imports = types.map(
    (type) =>
      `import type { ${argumentsOf(type)} } from "@cdktf/provider-aws/lib/${type.replace(/^aws_/, "").replaceAll("_", "-")}";`,
  );
  const values = types.flatMap((type) =>
    Object.entries(resources[type] ?? {}).map(([id, block]) => {
      const given = Object.entries(block as { readonly [key: string]: Json }).filter(([key]) => !META.includes(key));
      return `export const ${type}_${id}: ${argumentsOf(type)} = ${literal(Object.fromEntries(given))};`;
    }),
  );
  return [...imports, ...values].join("\n");
}

/** Names to which the bindings append a letter, because a block of another resource has the same name. */
const WITH_LETTER: Readonly<Record<string, string>> = {
  aws_s3_bucket_logging: "S3BucketLoggingAConfig",
  aws_s3_bucket_server_side_encryption_configuration: "S3BucketServerSideEncryptionConfigurationAConfig",
  aws_s3_bucket_versioning: "S3BucketVersioningAConfig",
  aws_wafv2_web_acl_association: "Wafv2WebAclAssociationConfigA",
};

/** Name of a resource's arguments in the bindings. */
function argumentsOf(type: string): string {
  return WITH_LETTER[type] ?? `${pascal(type)}Config`;
}

function literal(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  // What Terraform computes has the type that it has.
  if (typeof value === "string" && value.startsWith("${")) return `${JSON.stringify(value)} as never`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(camel(key))}: ${literal(inner as Json)}`)
    .join(", ")} }`;
}

function camel(name: string): string {
  return /^[a-z0-9_]+$/.test(name) ? name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name;
}

function pascal(type: string): string {
  const name = camel(type.replace(/^aws_/, ""));
  return `${name[0]?.toUpperCase()}${name.slice(1)}`;
}
