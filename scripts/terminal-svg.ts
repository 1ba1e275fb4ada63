/** Draws the screens of a terminal as one animated SVG, which needs no script: GitHub shows it in a README. */

import { escapeXml } from "../contract/text";

/** Screen of a terminal, with its colors as escape sequences, and the time for which it is shown. */
export interface Frame {
  readonly screen: string;
  readonly seconds: number;
}

/** Text of one style in a row. */
interface Run {
  readonly column: number;
  readonly text: string;
  /** Classes of the style, separated by spaces. */
  readonly style: string;
}

const COLUMN = 8.43;
const ROW = 19;
const MARGIN = 16;

const COLORS: Readonly<Record<number, string>> = {
  31: "#ff7b72",
  32: "#56d364",
  33: "#e3b341",
  34: "#79c0ff",
  35: "#d2a8ff",
  36: "#76e3ea",
};

/** Splits the rows of a screen into runs. A style goes on in the next row, as tmux writes it. */
export function runsOf(screen: string): Run[][] {
  let [color, bold, dim] = [0, false, false];
  const apply = (code: number): void => {
    if (code === 0) [color, bold, dim] = [0, false, false];
    else if (code === 1) bold = true;
    else if (code === 2) dim = true;
    else if (code === 22) [bold, dim] = [false, false];
    else if (code === 39) color = 0;
    else if (code in COLORS) color = code;
  };
  return screen.split("\n").map((line) => {
    let column = 0;
    const runs: Run[] = [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
    for (const [, codes, text = ""] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
      if (codes !== undefined) for (const code of codes.split(";")) apply(Number(code));
      const style = [color === 0 ? "" : `c${color}`, bold ? "b" : "", dim ? "d" : ""].filter(Boolean).join(" ");
      // Words far apart get places of their own, whatever the width of a space is in the font.
      for (const part of text.matchAll(/\S+(?: \S+)*/g)) {
        runs.push({ column: column + [...text.slice(0, part.index)].length, text: part[0], style });
      }
      column += [...text].length;
    }
    return runs;
  });
}

/** Row that stays the same from one frame until before another. */
interface Span {
  readonly row: number;
  readonly runs: readonly Run[];
  readonly from: number;
  readonly until: number;
}

function spansOf(frames: readonly Run[][][]): Span[] {
  const rows = Math.max(...frames.map((frame) => frame.length));
  return Array.from({ length: rows }, (_, row) => {
    const spans: Span[] = [];
    for (const [index, frame] of frames.entries()) {
      const [runs, last] = [frame[row] ?? [], spans.at(-1)];
      const same = last?.until === index && JSON.stringify(last.runs) === JSON.stringify(runs);
      if (same) spans[spans.length - 1] = { ...last, until: index + 1 };
      else if (runs.length > 0) spans.push({ row, runs, from: index, until: index + 1 });
    }
    return spans;
  }).flat();
}

const rounded = (value: number): string => String(Math.round(value * 100) / 100);

function textElement({ row, runs }: Span): string {
  const y = rounded(MARGIN + ROW * (row + 0.75));
  const tspans = runs.map(({ column, text, style }) => {
    const classes = style === "" ? "" : ` class="${style}"`;
    return `<tspan x="${rounded(MARGIN + COLUMN * column)}"${classes}>${escapeXml(text)}</tspan>`;
  });
  return `<text y="${y}">${tspans.join("")}</text>`;
}

/** Draws the frames one after the other, again and again. Readers who prefer no motion see the last one. */
export function terminalSvg(
  frames: readonly Frame[],
  { columns, title }: { readonly columns: number; readonly title: string },
): string {
  const spans = spansOf(frames.map(({ screen }) => runsOf(screen)));
  const starts = frames.map((_, index) => frames.slice(0, index).reduce((sum, { seconds }) => sum + seconds, 0));
  const total = starts.at(-1)! + frames.at(-1)!.seconds;
  const percent = (frame: number): string => `${rounded((100 * starts[frame]!) / total)}%`;

  const groups = new Map<string, Span[]>();
  for (const span of spans) {
    const name = `s${span.from}-${span.until}`;
    groups.set(name, [...(groups.get(name) ?? []), span]);
  }
  const styles: string[] = [];
  const drawn: string[] = [];
  for (const [name, group] of groups) {
    const { from, until } = group[0]!;
    const last = until === frames.length;
    const keyframes = [
      from === 0 ? "" : `0%{opacity:0}${percent(from)}{opacity:1}`,
      last ? "" : `${percent(until)}{opacity:0}`,
    ].join("");
    if (keyframes !== "") {
      styles.push(
        `@keyframes ${name}{${from === 0 ? "0%{opacity:1}" : ""}${keyframes}}.${name}{animation-name:${name}}`,
      );
    }
    drawn.push(`<g class="${name} ${last ? "last" : "past"}">\n${group.map(textElement).join("\n")}\n</g>`);
  }
  const rows = Math.max(...spans.map(({ row }) => row)) + 1;
  const [width, height] = [MARGIN * 2 + COLUMN * columns, MARGIN * 2 + ROW * rows].map(Math.ceil);
  const colors = Object.entries(COLORS).map(([code, color]) => `.c${code}{fill:${color}}`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">`,
    "<style>",
    "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace;fill:#e6edf3;white-space:pre}",
    `${colors.join("")}.b{font-weight:700}.d{fill:#9198a1}`,
    `g{animation:${rounded(total)}s step-end infinite}`,
    ...styles,
    "@media(prefers-reduced-motion:reduce){g{animation:none}.past{opacity:0}}",
    "</style>",
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...drawn,
    "</svg>\n",
  ].join("\n");
}
