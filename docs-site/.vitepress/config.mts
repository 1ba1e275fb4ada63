import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type MarkdownOptions } from "vitepress";

const site = join(dirname(fileURLToPath(import.meta.url)), "..");
const docs = join(site, "../docs");

// A copy, since pages become modules, which find the packages that they import above them.
rmSync(join(site, "pages"), { recursive: true, force: true });
cpSync(docs, join(site, "pages"), { recursive: true });

interface Item {
  readonly text: string;
  readonly link: string;
}

/** Pages of the table in docs/README.md, in its order: every guide is there, a test checks that. */
function guides(): Item[] {
  const rows = readFileSync(join(docs, "README.md"), "utf8").matchAll(/^\| (.+?) \| (.+) \|$/gm);
  return [...rows].flatMap(([, , links = ""]) =>
    [...links.matchAll(/\[([^\]]+)\]\((\w[\w/-]*\.md)\)/g)].map(([, text = "", page = ""]) => ({
      text: (text[0]!.toUpperCase() + text.slice(1)).replaceAll("`", ""),
      link: `/${page.replace(/\.md$/, "").replace(/README$/, "")}`,
    })),
  );
}

/** Families of the API reference, as its front page lists them. */
function families(): Item[] {
  const page = readFileSync(join(docs, "api/README.md"), "utf8");
  return [...page.matchAll(/^## \[(.+)\]\((.+)\.md\)$/gm)].map(([, text = "", file = ""]) => ({
    text,
    link: `/api/${file}`,
  }));
}

/** Decisions, by their titles. */
function decisions(): Item[] {
  const files = readdirSync(join(docs, "adr")).filter((name) => name.endsWith(".md"));
  return files.sort().map((name) => ({
    text: /^# (.*)$/m.exec(readFileSync(join(docs, "adr", name), "utf8"))?.[1] ?? name,
    link: `/adr/${name.replace(/\.md$/, "")}`,
  }));
}

/** Target of a link on the site; undefined for a file of the repository that the site does not have. */
function targetOf(href: string, page: string): string | undefined {
  if (/^[a-z]+:|^#/.test(href)) return href;
  const target = posix.join(posix.dirname(page), href);
  if (target === "adr") return decisions()[0]!.link;
  return target.startsWith("..") || !/\.md(#|$)/.test(target) ? undefined : href;
}

/** Changes the pages where the site differs from GitHub: diagrams, links into the repository, and braces, which Vue evaluates. */
const config: MarkdownOptions["config"] = (md) => {
  const { fence, code_inline: code, text } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, ...rest) =>
    tokens[index]!.info.trim() === "mermaid"
      ? `<Mermaid code="${encodeURIComponent(tokens[index]!.content)}" />`
      : fence!(tokens, index, ...rest);

  type Rule = NonNullable<typeof text>;
  const withoutBraces =
    (rule: Rule): Rule =>
    (...args) =>
      rule(...args).replaceAll("{{", "&#123;&#123;");
  md.renderer.rules.code_inline = withoutBraces(code!);
  md.renderer.rules.text = withoutBraces(text!);

  md.core.ruler.push("links-into-the-repository", ({ tokens, env }) => {
    for (const { children } of tokens) {
      let dropped = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const target = targetOf(token.attrGet("href") ?? "", env.relativePath as string);
          dropped = target === undefined;
          if (!dropped) token.attrSet("href", target!);
        }
        if (dropped && /^link_(open|close)$/.test(token.type)) {
          dropped = token.type === "link_open";
          Object.assign(token, { type: "text", tag: "", nesting: 0, content: "" });
        }
      }
    }
  });
};

const REFERENCE =
  /^\/(api|commands|options|errors|glossary|alarms|assumptions|changes|provider-lines|strategies|security|design-rules)/;
const pages = guides();

export default defineConfig({
  title: "antifragile",
  description: "A service and the AWS infrastructure it runs on, by one command.",
  srcDir: "pages",
  outDir: "dist",
  cacheDir: "node_modules/.vitepress",
  base: (process.env.DOCS_BASE as `/${string}/` | undefined) ?? "/",
  cleanUrls: true,
  rewrites: (page) => (basename(page) === "README.md" ? posix.join(posix.dirname(page), "index.md") : page),
  markdown: { config },
  // Mermaid is large, and loaded only by pages with a diagram.
  vite: { build: { chunkSizeWarningLimit: 3_000 } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Tutorial", link: "/tutorial" },
      { text: "Guides", link: "/" },
      { text: "API", link: "/api/" },
      { text: "Commands", link: "/commands" },
    ],
    sidebar: [
      { text: "Guides", items: pages.filter(({ link }) => !REFERENCE.test(link)) },
      { text: "Reference", items: pages.filter(({ link }) => REFERENCE.test(link)) },
      { text: "API by family", collapsed: true, items: families() },
      { text: "Decisions", collapsed: true, items: decisions() },
    ],
  },
});
