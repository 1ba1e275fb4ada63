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

/** A change of provider 6 that its guide names and that a comparison of bindings does not show. */
interface GuideEntry {
  readonly change: string;
  readonly here: string;
  /** Parts of the synthesized JSON of a resource that the change applies to. */
  readonly affects: RegExp;
}

/**
 * Entries of the provider's guide to version 6 for resource types that the constructs create, without those that remove an argument, which
 * the bindings show.
 *
 * @see https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
 */
export const GUIDE: Readonly<Record<string, GuideEntry>> = {
  "db-instance": {
    change: "`character_set_name` is refused beside a source to restore from",
    here: "not set",
    affects: /character_set_name/,
  },
  "elasticache-replication-group": {
    change: "`auth_token` requires `auth_token_update_strategy`; booleans as `0` and `1` are refused",
    here: "users sign in with IAM, so there is no token; booleans are `true` and `false`",
    affects: /auth_token|"(?:at_rest_encryption_enabled|auto_minor_version_upgrade)":"?[01]\b/,
  },
  "elasticache-user": {
    change: "an uppercase `engine` is deprecated",
    here: "`valkey`",
    affects: /"engine":"[^"]*[A-Z]/,
  },
  "elasticache-user-group": {
    change: "an uppercase `engine` is deprecated",
    here: "`valkey`",
    affects: /"engine":"[^"]*[A-Z]/,
  },
  "launch-template": {
    change: "booleans as `0` and `1` are refused",
    here: "booleans are `true` and `false`",
    affects: /"(?:delete_on_termination|encrypted|ebs_optimized|associate_\w+|primary_ipv6)":"?[01]\b/,
  },
  "lb-listener": {
    change: "most of `mutual_authentication` requires the mode `verify`",
    here: "not set",
    affects: /mutual_authentication/,
  },
  "lb-target-group": {
    change: "`preserve_client_ip` as `0` or `1` is refused",
    here: "not set",
    affects: /preserve_client_ip/,
  },
  "s3-bucket": {
    change: "`region` is an argument; the attribute is now `bucket_region`",
    here: "neither is used",
    affects: /"region":/,
  },
  "wafv2-web-acl": {
    change: "`enable_machine_learning` of bot control is `false` by default",
    here: "bot control is not used",
    affects: /bot_control/,
  },
};

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
    "constructs leave it to the provider. Bindings do not contain defaults, nor what a plan shows: see the section below.",
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
    "## What a plan shows after the upgrade to provider 6",
    "",
    "The first plan adds `region` to the state of every resource. The provider's guide",
    "(<https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade>) names further changes. These concern",
    "resource types that the constructs create, besides the removed arguments above, of which the constructs set none. A test",
    "finds that none of them applies to the examples and to one of every construct, so the plan changes nothing else. **No plan",
    "with provider 6 has been run here**: if one shows a change, the cause is an override of yours or missing in this list.",
    "",
    "| resource | change | here |",
    "|---|---|---|",
    ...Object.entries(GUIDE).map(([type, { change, here }]) => `| \`${type}\` | ${change} | ${here} |`),
    "",
  ].join("\n");
}
