/** Speed of synth beside AWS CDK and the engines alone. */
import type { CALL_GRAPHS, Layout } from "../../test/support/call-graphs";
import { type Cost, measure, measureCommand, ROOT, ratio, ratioOf, spreadOf } from "./measure";
import { NEWER_NODE, terrainFolder } from "./peers";
import { COUNT, programFolder, raw, synth, synthCalls } from "./programs";
import { ratioRow, row } from "./rows";

interface Made {
  readonly resources: number;
  readonly outdir: string;
}

export function synthRows(peers: string): void {
  const one = JSON.parse(measure(synth(1)).output) as Made;
  const cdk = () => measure('require("./app.cjs")', peers);
  const { resources: ofCdk } = JSON.parse(cdk().output) as Made;
  const mine = () => measure(synth(1));
  ratioRow(`synth, ${one.resources} resources / AWS CDK, ${ofCdk} resources`, ratioOf(mine, cdk), 0.65);
  ratioRow("synth, a resource / AWS CDK", ratioOf(mine, cdk, one.resources / ofCdk));
  ratioRow(
    "synth / raw cdktf with the same resources",
    ratio(
      () => synth(1),
      () => raw(one.outdir),
    ),
    1.1,
  );
  const terrain = terrainFolder();
  if (terrain !== undefined) {
    ratioRow(
      "synth on CDK Terrain / raw cdktn with the same resources",
      ratioOf(
        () => measure(synth(1, "antifragile"), terrain),
        () => measure(raw(one.outdir, 1, "cdktn"), terrain),
      ),
    );
  }
  row("synth, memory", `${Math.round(mine().mebibytes)} MiB`, "<= 110 MiB");
  const program = programFolder();
  const synthesize = `${ROOT}/dist/bin/run-program.js ${program}/main.ts`;
  const throughTsx = "node_modules/tsx/dist/cli.mjs app.cjs";
  ratioRow(
    "npm run synth / AWS CDK through tsx",
    ratioOf(
      () => measureCommand(`node ${synthesize}`, program),
      () => measureCommand(`node ${throughTsx}`, peers),
    ),
    0.7,
  );
  ratioRow(
    "npm run synth / AWS CDK through tsx, on Node.js 22 with its compile cache",
    ratioOf(
      () => measureCommand(`${peers}/${NEWER_NODE} ${synthesize}`, program),
      () => measureCommand(`${NEWER_NODE} ${throughTsx}`, peers),
    ),
    0.5,
  );
}

/** Cost of many services in one app. */
export function scaleRows(): void {
  const small = JSON.parse(measure(synth(2)).output) as Made;
  const perResource = ({ userSeconds, output }: Cost) => userSeconds / (JSON.parse(output) as Made).resources;
  const many: Cost[] = [];
  const ratios = [1, 2, 3].map(() => {
    const mine = measure(synth(1000));
    many.push(mine);
    return perResource(mine) / perResource(measure(`${raw(small.outdir, 1000)}${COUNT}`));
  });
  ratioRow("synth of 1,000 services, a resource / raw cdktf, 3 pairs", spreadOf(ratios), 1.6);
  const most = Math.max(...many.map(({ mebibytes }) => mebibytes));
  row("synth of 1,000 services, memory", `${Math.round(most)} MiB`, "<= 400 MiB");
  const costs = [10, 30, 100].map((services) => measure(synth(services)));
  const resources = costs.map(({ output }) => (JSON.parse(output) as Made).resources);
  const added = (from: number, to: number) =>
    (costs[to]!.userSeconds - costs[from]!.userSeconds) / (resources[to]! - resources[from]!);
  const growth = added(1, 2) / added(0, 1);
  row("cost of a resource, from 30 to 100 services / from 10 to 30", growth.toFixed(2), "1 is linear");
  row("synth of 100 services, a resource", `${(1000 * perResource(costs[2]!)).toFixed(2)} ms`, "");
}

/** Exponent by which the cost of services grows, from 10 of them to 1,000: 1 is linear. What an app costs without any is left out. */
function growth(graph: keyof typeof CALL_GRAPHS, layout: Layout): number {
  const [none, few, many] = [0, 10, 1000].map((services) => measure(synthCalls(graph, layout, services)).userSeconds);
  return Math.log10(((many as number) - (none as number)) / ((few as number) - (none as number))) / 2;
}

export function growthRows(): void {
  for (const graph of ["a chain", "the two before", "the five before", "any three", "a circle"] as const) {
    for (const layout of ["stacks of their own", "one stack"] as const) {
      const what = `growth from 10 to 1,000 services, calls of ${graph}, ${layout}`;
      row(what, growth(graph, layout).toFixed(2), "<= 1.05");
    }
  }
  const across = growth("the five before", "platforms of ten").toFixed(2);
  row("growth from 10 to 1,000 services on platforms of ten", across, "<= 1.05");
}
