/** Pages of the API reference that lead into the others: the front page, and the ids of children. */
import type { Comment, DeclarationReflection, ProjectReflection } from "typedoc";
import { childrenOf } from "../test/contract/support/children";
import { everything } from "../test/contract/support/everything";
import { headingsOf } from "./markdown";

/** Page of the ids of children, beside the families. */
export const CHILDREN_PAGE = "children.md";

/** First sentence of a comment, in one line. */
export function firstSentence(text: string): string {
  const line = text
    .split(/\n\s*\n/)[0]!
    .replace(/\s+/g, " ")
    .trim();
  return /^.*?\.(?= [A-Z`]|$)/.exec(line)?.[0] ?? line;
}

/** Text of a comment; a link of TypeDoc to an export shows its name. */
const textOf = (comment: Comment | undefined): string =>
  (comment?.summary ?? []).map(({ kind, text }) => (kind === "inline-tag" ? `\`${text}\`` : text)).join("");

/** Sentence of an export whose name and partner state its purpose: `QueueProps` of `Queue`, `EGRESSES` of `Egress`. */
export function sentenceByName(name: string, exported: ReadonlySet<string>): string | undefined {
  const partner = name.replace(/Props$/, "");
  if (partner !== name && exported.has(partner)) return `Props of \`${partner}\`.`;
  const [call] = [name.replace(/Options$/, "")].map((each) => each[0]!.toLowerCase() + each.slice(1));
  if (name.endsWith("Options") && exported.has(call!)) return `Options of \`${call}()\`.`;
  if (!/^[A-Z_]+$/.test(name)) return undefined;
  const words = name.toLowerCase().split("_");
  const pascal = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  const type = [pascal, pascal.replace(/s$/, ""), pascal.replace(/es$/, "")].find((each) => exported.has(each));
  return type === undefined ? undefined : `Values of \`${type}\`.`;
}

const escapeCell = (text: string): string =>
  text.replaceAll("|", "\\|").replaceAll(/<(?=[^`]*(?:`[^`]*`[^`]*)*$)/g, "&lt;");

/**
 * The front page: what each family and each of its exports is for, in one sentence. `pageOf` returns the page of a family.
 *
 * @throws Error that lists the exports without a sentence
 */
export async function frontPage(project: ProjectReflection, pageOf: (family: string) => string): Promise<string> {
  // TypeDoc is an ES module.
  const { ReflectionKind } = await import("typedoc");
  const order = [ReflectionKind.Class, ReflectionKind.Function, ReflectionKind.Variable];
  const rank = ({ kind }: DeclarationReflection) => (order.includes(kind) ? order.indexOf(kind) : order.length);
  const modules = project.children ?? [];
  const names = new Set(modules.flatMap(({ children = [] }) => children.map(({ name }) => name)));
  const silent: string[] = [];

  const families = modules.map((module) => {
    const headings = headingsOf(pageOf(module.name));
    const exported = (module.children ?? []).filter((each) => each.isDeclaration());
    const rows = [...exported]
      .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, "en"))
      .map((each) => {
        const title = each.kind === ReflectionKind.Function ? `${each.name}()` : each.name;
        const anchor = headings.find(({ text }) => text.replace(/<.*/, "") === title)?.anchor;
        const declared = each.isReference() ? (each.getTargetReflectionDeep() as DeclarationReflection) : each;
        const own = firstSentence(textOf(declared.comment ?? declared.signatures?.[0]?.comment));
        const sentence = own === "" ? sentenceByName(each.name, names) : own;
        if (anchor === undefined || sentence === undefined) silent.push(each.name);
        return `| [\`${title}\`](${module.name}.md#${anchor}) | ${escapeCell(sentence ?? "")} |`;
      });
    const summary = firstSentence(textOf(module.comment));
    if (summary === "") silent.push(module.name);
    return [
      `## [${module.name}](${module.name}.md)`,
      "",
      summary,
      "",
      "| export | purpose |",
      "|---|---|",
      ...rows,
      "",
    ];
  });
  if (silent.length > 0) throw new Error(`these exports need a sentence in their comment: ${silent.join(", ")}`);
  return [
    "# API reference",
    "",
    "Exports of `antifragile`, by family; those of `testing` come from `antifragile/testing`. In each family constructs come first, then",
    "functions, values and types. Examples in the pages are compiled and synthesized by tests. Guides by task: [docs](../README.md).",
    "",
    `For an attribute that has no prop, see [overrides](../overrides.md) and the [ids of children](${CHILDREN_PAGE}).`,
    "",
    ...families.flat(),
  ].join("\n");
}

/** The page of the ids of children. */
export function childrenPage(): string {
  const tables = [...childrenOf(everything().node.findAll())].map(([owner, rows]) =>
    [
      `## ${owner}`,
      "",
      "| ids | resource |",
      "|---|---|",
      ...[...rows].map(([id, type]) => `| \`${id}\` | \`${type}\` |`),
      "",
    ].join("\n"),
  );
  return [
    "# Ids of children",
    "",
    "Resources below each construct, of an app that uses every construct with most of its options. `A / B` is the child `B` of the child `A`:",
    '`construct.node.findChild("A").node.findChild("B")`. The main resource is `construct.node.defaultChild`. See [overrides](../overrides.md).',
    "",
    "`<n>` is a number from 1, `<Environment>` the name of an environment, and `<Service>` the id of a service. Ids of `Connections`, of queries,",
    "metrics and gates contain names that the app chooses. A resource exists only with the options that need it. Ids are part of addresses, so they",
    "stay: a changed one is a breaking change.",
    "",
    ...tables,
  ].join("\n");
}
