/** Rows of the table, of which those with a target are also in the chart. */
import type { Spread } from "./measure";

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly target: string;
  /** For the chart: the ratio and its target. */
  readonly chart?: Spread & { readonly target: number };
}
export const rows: Row[] = [];

export function row(what: string, figure: string, target: string, chart?: Row["chart"]): void {
  rows.push({ what, figure, target, ...(chart && { chart }) });
  console.log(`${what.padEnd(80)} ${figure.padStart(22)}   ${target}`);
}

export function ratioRow(what: string, found: Spread, target?: number): void {
  const figure = `${found.median.toFixed(2)} (${found.lowest.toFixed(2)}-${found.highest.toFixed(2)})`;
  row(
    what,
    figure,
    target === undefined ? "" : `<= ${target}`,
    target === undefined ? undefined : { ...found, target },
  );
}

/** Bars of the ratios, each with its spread and a mark at its target. */
export function chart(): string {
  const bars = rows.flatMap(({ what, chart: found }) => (found ? [{ what, ...found }] : []));
  const most = Math.max(...bars.flatMap(({ highest, target }) => [highest, target]));
  const x = (value: number) => Math.round(500 + (300 * value) / most);
  const lines = bars.flatMap(({ what, median, lowest, highest, target }, index) => {
    const y = 20 + 28 * index;
    return [
      `<text x="490" y="${y + 13}" text-anchor="end">${what.replaceAll("&", "&amp;")}</text>`,
      `<rect x="500" y="${y}" width="${x(median) - 500}" height="16" fill="#4878a8"/>`,
      `<line x1="${x(lowest)}" x2="${x(highest)}" y1="${y + 8}" y2="${y + 8}" stroke="#222" stroke-width="2"/>`,
      `<line x1="${x(target)}" x2="${x(target)}" y1="${y - 3}" y2="${y + 19}" stroke="#c0392b" stroke-width="2"/>`,
      `<text x="810" y="${y + 13}">${median.toFixed(2)}</text>`,
    ];
  });
  const height = 30 + 28 * bars.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="860" height="${height}" viewBox="0 0 860 ${height}" font-family="sans-serif" font-size="12">`,
    "<title>Ratios of user CPU to those of peers</title>",
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...lines,
    "</svg>\n",
  ].join("\n");
}
