import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { COMBINATIONS } from "../../support/engines";
import { readSources } from "./sources";

/** Bindings that are compared, each with the one before it. */
const BINDINGS = [
  COMBINATIONS["cdktf with provider 5"],
  COMBINATIONS["cdktf with provider 6"],
  COMBINATIONS["cdktn with provider 6"],
] as const;

/** Resources and data sources that the constructs import, by the folder of their bindings. */
export function usedTypes(): string[] {
  const used = [...readSources("constructs").values()].flatMap(({ text }) =>
    [...text.matchAll(/"@cdktf\/provider-aws\/lib\/([\w-]+)"/g)].map(([, name]) => name!),
  );
  return [...new Set(used)].sort();
}

/** Arguments of a resource and of its blocks, with their types; `?` is an optional one. Undefined without the resource. */
function argumentsOf(bindings: string, type: string): ReadonlyMap<string, string> | undefined {
  const folder = join(bindings, "lib", type);
  if (!existsSync(folder)) return undefined;
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"));
  const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  const prefix = type.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return new Map(
    [...text.matchAll(/^export interface (\w+)(?: extends [^{]+)? \{\n(.*?)^\}/gms)].flatMap(
      ([, name = "", body = ""]) => {
        const block = name.replace(prefix, "").replace(/^A?Config$|^ConfigA$/, "");
        return [...body.matchAll(/^\s+readonly (\w+)(\??): (.+);$/gm)].map(([, argument, optional, kind = ""]) => [
          `${block === "" ? "" : `${block}.`}${argument}`,
          `${kind.replaceAll(/\b(?:cdktf|cdktn)\./g, "")}${optional}`,
        ]);
      },
    ),
  );
}

/** Block of an argument, empty for one of the resource itself. */
const blockOf = (name: string): string => name.slice(0, Math.max(name.indexOf("."), 0));

/** Differences between two versions of the bindings of a resource. */
export function differences(
  before: ReadonlyMap<string, string> | undefined,
  after: ReadonlyMap<string, string> | undefined,
): string[] {
  if (before === undefined || after === undefined) return before === after ? [] : [after ? "new" : "removed"];
  // A block that only one of them has shows as the argument that holds it.
  const blocks = (side: ReadonlyMap<string, string>) => new Set([...side.keys()].map(blockOf));
  const [blocksBefore, blocksAfter] = [blocks(before), blocks(after)];
  const removed = [...before.keys()]
    .filter((name) => !after.has(name) && blocksAfter.has(blockOf(name)))
    .map((name) => `without \`${name}\``);
  const added = [...after].flatMap(([name, type]) => {
    const old = before.get(name);
    // Every resource of provider 6 can name a region of its own.
    if (old === type || (old === undefined && (name === "region" || !blocksBefore.has(blockOf(name))))) return [];
    if (old === undefined) return [type.endsWith("?") ? `\`${name}\`` : `\`${name}\`, **required**`];
    const required = old === `${type}?` ? "now **required**" : type === `${old}?` ? "now optional" : undefined;
    return [`\`${name}\`: ${required ?? `\`${old}\` is now \`${type}\``}`];
  });
  return [...removed, ...added];
}

/** Text of docs/provider-lines.md. */
export function providerLinesPage(): string {
  const rows = usedTypes().map((type) => {
    const versions = BINDINGS.map(({ packages }) => argumentsOf(packages["@cdktf/provider-aws"], type));
    return [type, differences(versions[0], versions[1]), differences(versions[1], versions[2])] as const;
  });
  const cell = (found: readonly string[]) => found.join("; ").replaceAll("|", "\\|");
  const [five, six, newest] = BINDINGS.map(({ provider }) => provider);
  return [
    "# Differences between versions of the AWS provider",
    "",
    "Arguments of the resources and data sources that the constructs use, compared in the bindings of each version. Written by",
    "`UPDATE=1 npx vitest run --project contract test/contract/engines.test.ts`. In provider 6 every resource has the argument `region`, too;",
    "constructs leave it to the provider. Bindings do not contain defaults, nor what a plan shows: see the upgrade guide of the",
    "provider, <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade>.",
    "",
    `| resource | ${six}, from ${five} | ${newest}, from ${six} |`,
    "|---|---|---|",
    ...rows
      .filter(([, line, later]) => line.length + later.length > 0)
      .map(([type, line, later]) => `| \`${type}\` | ${cell(line)} | ${cell(later)} |`),
    "",
    `Without a difference: ${rows
      .filter(([, line, later]) => line.length + later.length === 0)
      .map(([type]) => `\`${type}\``)
      .join(", ")}.`,
    "",
  ].join("\n");
}
