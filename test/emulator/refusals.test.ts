import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import { describeOnEmulator, tools } from "../support/deployment";
import { type Case, connect } from "./refusals/account";
import { cases as configuration } from "./refusals/configuration";
import { cases as data } from "./refusals/data";
import { cases as delivery } from "./refusals/delivery";
import { cases as discovery } from "./refusals/discovery";
import { cases as ecs } from "./refusals/ecs";
import { cases as identity } from "./refusals/identity";
import { cases as network } from "./refusals/network";
import { cases as observability } from "./refusals/observability";
import { cases as scaling } from "./refusals/scaling";

interface Row {
  readonly id: string;
  readonly code: string;
  readonly source: string;
}

const FAMILIES = [ecs, network, scaling, identity, delivery, data, configuration, discovery, observability];
const cases: Record<string, Case> = Object.assign({}, ...FAMILIES);

describeOnEmulator("the emulator refuses what AWS refuses", () => {
  let emulator: Emulator;
  let rows: Row[];

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-refusals-"));
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    connect(emulator.url);
    rows = (await (await fetch(`${emulator.url}/antifragile/refusals`)).json()) as Row[];
  });

  beforeEach(() => emulator.reset());

  afterAll(() => emulator?.stop());

  test("every rule of the table has one case, and names its source", () => {
    const ids = FAMILIES.flatMap((family) => Object.keys(family));
    expect(ids.sort()).toEqual(rows.map(({ id }) => id).sort());
    for (const { source } of rows) expect(source).toMatch(/^https:\/\//);
  });

  test.each(Object.keys(cases))("%s", async (id) => {
    const { given, refused, accepted } = cases[id] as Case;
    const row = rows.find((each) => each.id === id);
    const prepared = await given?.();
    await expect(refused(prepared)).rejects.toMatchObject({ code: row?.code });
    await expect(accepted(prepared)).resolves.toBeDefined();
  });
});
