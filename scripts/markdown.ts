/** Heading of a Markdown page. */
export interface Heading {
  readonly text: string;
  /** Anchor that GitHub and the site give it: a second heading of the same words has a number. */
  readonly anchor: string;
}

/** Text of a page without its code blocks. */
export const withoutCode = (page: string): string => page.replace(/^```[\s\S]*?^```$/gm, "");

/** Headings of a Markdown page, in order. */
export function headingsOf(page: string): Heading[] {
  const used = new Map<string, number>();
  return [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, raw = ""]) => {
    const text = raw.replace(/\\(?=[_<>*])/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const times = used.get(slug) ?? 0;
    used.set(slug, times + 1);
    return { text, anchor: times === 0 ? slug : `${slug}-${times}` };
  });
}

/** Writes a table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** Text that begins with a capital letter. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
