import ts from "typescript";

/** Kinds of text that a rule applies to. */
export type Kind = "doc comment" | "comment" | "message" | "test name" | "prose";

/** Text of a file that people read, with the line where it starts. */
export interface Passage {
  readonly kind: Kind;
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Word or phrase to avoid, and the words to use instead. */
export interface Rule {
  readonly pattern: RegExp;
  readonly instead: string;
  /** @default - all kinds */
  readonly kinds?: readonly Kind[];
}

/** Words to avoid. A row is a pattern over a line of text, without case, and the replacement. */
export const RULES: readonly Rule[] = [
  {
    pattern: /^(what|how|where|whether|who|which|whom|whose)\b/,
    instead: "a noun or a verb that a reader searches for",
    kinds: ["doc comment"],
  },
  { pattern: /\b(told|tells?)\b/, instead: "configured, reports, receives, is notified" },
  { pattern: /\b(mends?|mended|mending)\b/, instead: "fix, fixed" },
  { pattern: /\b(go|goes|going|went|gone|taken|took|takes) back\b/, instead: "roll back, return" },
  { pattern: /\b(stands?|stood|standing|lives?|lived) on\b/, instead: "runs on, depends on, uses" },
  { pattern: /\bthere (is|are) no\b/, instead: "what is there, and what to do", kinds: ["message"] },
  { pattern: /(?<!there )\bis no (?!longer\b|more than\b)[a-z]/, instead: "must be ..., is not a valid ..." },
  {
    pattern: /\b(whoever|whomever|somebody|anybody|nobody|everybody)\b/,
    instead: "a user, an operator, the caller, no one",
  },
  { pattern: /\b(bears?|borne)\b/, instead: "tolerate, withstand" },
  { pattern: /\bpictures?\b/, instead: "dashboard, diagram, chart" },
  { pattern: /\b(a|an|the|its|each|every|this|that|no|one|of|own) measures?\b/, instead: "metric" },
  { pattern: /(?<!state )\bmachines\b/, instead: "instances (EC2), computers, programs" },
  { pattern: /(?<!load[ -])\bbalancers?\b/, instead: "load balancer" },
  {
    pattern: /\bbehind (a|an|the|its|this|another) (shared |load |existing )*balancer/,
    instead: "target of, registered with",
  },
  {
    pattern: /\b(is|are|was|were|be|been) said\b|\bunless said\b|\bsaid (so|twice|otherwise)\b/,
    instead: "is set, is stated, is reported",
  },
  { pattern: /\b(the way (in|out)|ways? in and out)\b/, instead: "ingress; escape hatch, migration" },
  { pattern: /\b(who may call|what is seen)\b/, instead: "authentication and authorization; observability" },
  { pattern: /\b(take|takes|taken|taking|took) (it |them |that |all )?away\b/, instead: "delete, remove" },
  { pattern: /\b(unproved|anew)\b/, instead: "not proven, untested; again" },
  { pattern: /\bquarter of an hour\b/, instead: "15 minutes" },
  { pattern: /\b(for ever|by its own word|letter by letter|by hand of)\b/, instead: "forever; explicitly; exactly" },
  {
    pattern:
      /\b(colou?rs?(?<=colours?)|behaviours?|favou?r(?<=favour)\w*|honour\w*|neighbour\w*|centres?|licences?|catalogues?|defences?|grey|whilst|artefacts?|judgements?|programmes?|cancell(?:ed|ing)|labell(?:ed|ing)|modell(?:ed|ing)|travell(?:ed|ing)|fulfil)\b/,
    instead: "American spelling",
  },
  {
    pattern:
      /\b(initial|organ|recogn|normal|serial|synchron|author|summar|optim|minim|maxim|custom|real|character|general|special|final|util|categor|priorit|synthes|capital|parameter|central|local|visual|token|sanit|standard|stabil|mem[oe]r)is(e|es|ed|ing|ation|ations|er|ers)\b|\b(analys|catalys|paralys)(e|ed|es|ing)\b/,
    instead: "American spelling (-ize, -yze)",
  },
];

/** Text that may break a rule, with the reason. One that nothing needs any more fails. */
export interface Exception {
  readonly file: string;
  /** Part of the line, as it is in the file. */
  readonly text: string;
  readonly why: string;
}

/** Finding: the place, the words, and what to write instead. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly words: string;
  readonly instead: string;
}

/** Text with the line of each character, so that a phrase is found across a line break. */
class Flow {
  text = "";
  readonly lines: number[] = [];

  add(text: string, line: number): void {
    const words = `${this.text === "" ? "" : " "}${text.trim()}`;
    this.text += words;
    for (const _ of words) this.lines.push(line);
  }
}

/** Removes code, links and addresses, which are names and not words. */
const withoutCode = (line: string): string =>
  line
    .replace(/\{\{.*?\}\}/g, "x")
    .replace(/`[^`]*`/g, "x")
    .replace(/https?:\/\/[^\s)>"]+/g, "x")
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/\{@link [^}]*\}/g, "x")
    .replace(/\$\{?\w+|\b[A-Z_]+=/g, "x");

const isTest = (file: string) => /(^|\/)test\//.test(file) && !file.startsWith("test/golden");

/** Passages of a TypeScript or JavaScript file: comments, texts with a space, and names of tests. */
function passagesOfCode(file: string, text: string): Passage[] {
  // Lines that a template leaves out, or fills in, are no program: they keep their place.
  const program = text.replace(/^\s*\{\{[#/~]?[^}]*\}\}\s*$/gm, "").replace(/\{\{[^}]*\}\}/g, "value");
  const source = ts.createSourceFile(file, program, ts.ScriptTarget.ES2022, true, ts.ScriptKind.TS);
  const found: Passage[] = [];
  const seen = new Set<number>();
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const comments = (ranges: readonly ts.CommentRange[] = []) => {
    for (const { pos, end } of ranges) {
      if (seen.has(pos)) continue;
      seen.add(pos);
      const comment = program.slice(pos, end);
      const kind = comment.startsWith("/**") ? "doc comment" : "comment";
      found.push({ kind, file, line: lineOf(pos), text: comment.replace(/^\/\*\*?|^\/\/+|\*\/$/g, "") });
    }
  };
  const visit = (node: ts.Node): void => {
    comments(ts.getLeadingCommentRanges(program, node.getFullStart()));
    comments(ts.getTrailingCommentRanges(program, node.getFullStart()));
    comments(ts.getTrailingCommentRanges(program, node.getEnd()));
    const literal = literalText(node);
    if (/\S\s+\S/.test(literal)) {
      const kind = isTestName(node) ? "test name" : "message";
      if (kind === "test name" || !isTest(file)) {
        found.push({ kind, file, line: lineOf(node.getStart(source)), text: literal });
      }
    }
    let end = -1;
    ts.forEachChild(node, (child) => {
      visit(child);
      end = child.end;
    });
    // Comments before a closing brace belong to the brace, which is not a node.
    const inside = end < 0 ? node.getStart(source) + 1 : end;
    if (end >= 0 || /^[{[(]/.test(program[inside - 1] ?? "")) {
      comments(ts.getLeadingCommentRanges(program, inside));
      comments(ts.getTrailingCommentRanges(program, inside));
    }
  };
  visit(source);
  return found;
}

/** Text of a literal, with a placeholder for each value that is inserted; empty for any other node. */
function literalText(node: ts.Node): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return "";
  return node.templateSpans.reduce((text, { literal }) => `${text}x${literal.text}`, node.head.text);
}

/** Returns whether a text is the name of a test: the first argument of `it`, `describe` or a function derived from them. */
function isTestName(node: ts.Node): boolean {
  const call = node.parent;
  return (
    ts.isCallExpression(call) && call.arguments[0] === node && /^(it|test|describe)/.test(call.expression.getText())
  );
}

/** Passages of Markdown: paragraphs, and the comments in its code. */
function passagesOfMarkdown(file: string, text: string): Passage[] {
  const found: { kind: "prose"; file: string; line: number; text: string }[] = [];
  let code = false;
  let paragraph = false;
  text.split("\n").forEach((line, index) => {
    const fence = line.startsWith("```");
    if (fence) code = !code;
    const prose = code ? (/(?:^|\s)(?:#|\/\/) (.*)$/.exec(line)?.[1] ?? "") : fence ? "" : line;
    const last = found.at(-1);
    if (paragraph && last !== undefined && !code && /^\s*[^\s|#*<-]/.test(prose)) last.text += `\n${prose}`;
    else if (prose.trim() !== "") found.push({ kind: "prose", file, line: index + 1, text: prose });
    paragraph = !code && prose.trim() !== "";
  });
  return found;
}

/** Passages of Python: comments, docstrings and texts with a space. A docstring is a doc comment. */
function passagesOfPython(file: string, text: string): Passage[] {
  const tokens = text.matchAll(/"""([\s\S]*?)"""|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|#(.*)/g);
  return [...tokens].flatMap(({ 0: all, 1: doc, 2: double, 3: single, 4: comment, index }) => {
    const line = text.slice(0, index).split("\n").length;
    const words = doc ?? comment ?? double ?? single ?? all;
    if (doc === undefined && comment === undefined && !/\S\s+\S/.test(words)) return [];
    const kind = doc === undefined ? (comment === undefined ? "message" : "comment") : "doc comment";
    return [{ kind, file, line, text: words } as const];
  });
}

/** Passages of a file. Files that are neither code nor Markdown are read line by line. */
export function passagesOf(file: string, text: string): Passage[] {
  const name = file.replace(/\.(hbs|golden)$/g, "").replace(/\.(hbs|golden)$/g, "");
  if (/\.(ts|mts|mjs|js)$/.test(name)) return passagesOfCode(file, text);
  if (name.endsWith(".md")) return passagesOfMarkdown(file, text);
  if (name.endsWith(".py")) return passagesOfPython(file, text);
  return text
    .split("\n")
    .map((line, index) => {
      const doc = /^\s*\/\*\*\s*(.*)$/.exec(line)?.[1];
      return {
        kind: doc === undefined ? ("prose" as const) : ("doc comment" as const),
        file,
        line: index + 1,
        text: doc ?? line,
      };
    })
    .filter((passage) => passage.text.trim() !== "");
}

/** Findings of the rules in passages. */
export function findingsIn(passages: readonly Passage[], rules: readonly Rule[] = RULES): Finding[] {
  return passages.flatMap(({ kind, file, line, text }) => {
    const flow = new Flow();
    text.split("\n").forEach((part, index) => {
      const words = withoutCode(part.replace(/^\s*\* ?/, "")).trim();
      if (words !== "") flow.add(words, line + index);
    });
    return rules
      .filter(({ kinds }) => kinds === undefined || kinds.includes(kind))
      .flatMap(({ pattern, instead }) =>
        [...flow.text.matchAll(new RegExp(pattern.source, "gi"))].map(({ 0: words, index }) => ({
          file,
          line: flow.lines[index] ?? line,
          words,
          instead,
        })),
      );
  });
}

/** Findings without those that an exception allows, and exceptions that allow nothing. */
export function withoutExceptions(
  findings: readonly Finding[],
  exceptions: readonly Exception[],
  lineOf: (file: string, line: number) => string,
): { readonly findings: readonly Finding[]; readonly unused: readonly Exception[] } {
  const used = new Set<Exception>();
  const left = findings.filter(({ file, line }) => {
    const allowed = exceptions.find((one) => one.file === file && lineOf(file, line).includes(one.text));
    if (allowed) used.add(allowed);
    return allowed === undefined;
  });
  return { findings: left, unused: exceptions.filter((one) => !used.has(one)) };
}
