import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import unsupported from "../../emulator/unsupported.json";
import { AwsCaller } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const DOCUMENT = join(__dirname, "../../docs/emulator.md");

interface Fake {
  readonly service: string;
  readonly operations: readonly string[];
  readonly what: string;
  readonly moto: string;
}

interface ModelException {
  readonly service: string;
  readonly operation: string;
  readonly path: string;
  readonly constraint: string;
  readonly reason: string;
  readonly source: string;
}

interface Refusal {
  readonly id: string;
  readonly service: string;
  readonly operations: readonly string[];
  readonly code: string;
  readonly source: string;
  readonly byMoto: boolean;
}

describeOnEmulator("the lists of the emulator", () => {
  let emulator: Emulator;

  beforeAll(async () => {
    const log = join(mkdtempSync(join(tmpdir(), "antifragile-lists-")), "emulator.log");
    emulator = await Emulator.start({ log, tools, catalogue: false });
  });

  afterAll(() => emulator?.stop());

  test.each(unsupported)("$what is still unsupported", async ({ service, operation, params, error }) => {
    const call = new AwsCaller(emulator.url).call(service, operation, params);
    // If the call works now, remove its row from emulator/unsupported.json.
    await expect(call).rejects.toMatchObject({ code: error });
  });

  test("no operation is both faked and unsupported", async () => {
    const fakes = await list<Fake>(emulator, "fakes");
    const faked = fakes.flatMap(({ service, operations }) => operations.map((operation) => `${service} ${operation}`));
    expect(
      unsupported.map(({ service, operation }) => `${service} ${operation}`).filter((each) => faked.includes(each)),
    ).toEqual([]);
  });

  test("a pipeline that does not exist has no state", async () => {
    const aws = new AwsCaller(emulator.url, "eu-central-1");
    await expect(aws.call("codepipeline", "GetPipelineState", { name: "none" })).rejects.toThrow(
      "PipelineNotFoundException",
    );
  });

  test("docs/emulator.md has the same lists (UPDATE=1 writes them)", async () => {
    const exceptions = await list<ModelException>(emulator, "model-exceptions");
    const tables = {
      exceptions:
        exceptions.length === 0
          ? "No constraint is exempt."
          : table(
              ["operation", "value", "constraint", "reason"],
              exceptions.map(({ service, operation, path, constraint, reason, source }) => [
                `${service} ${operation}`,
                `\`${path}\``,
                constraint,
                `${reason} ([source](${source}))`,
              ]),
            ),
      unsupported: table(
        ["unsupported", "instead", "call", "error"],
        unsupported.map(({ what, instead, service, operation, error }) => [
          what,
          instead,
          `${service} ${operation}`,
          `\`${error}\``,
        ]),
      ),
      fakes: table(["service", "operations", "faked behavior", "moto"], merged(await list<Fake>(emulator, "fakes"))),
      refusals: table(
        ["rule", "operations", "error", "source"],
        (await list<Refusal>(emulator, "refusals")).map(({ id, service, operations, code, source, byMoto }) => [
          `\`${id}\``,
          `${service} ${operations.join(", ")}`,
          `\`${code}\`${byMoto ? " (moto)" : ""}`,
          `[source](${source})`,
        ]),
      ),
    };
    const document = readFileSync(DOCUMENT, "utf8");
    const current = Object.entries(tables).reduce(
      (text, [name, rows]) => text.replace(marked(name), `<!-- ${name} -->\n${rows}\n<!-- /${name} -->`),
      document,
    );
    if (process.env.UPDATE) writeFileSync(DOCUMENT, current);
    expect(readFileSync(DOCUMENT, "utf8")).toBe(current);
  });
});

async function list<T>(emulator: Emulator, name: string): Promise<T[]> {
  return (await (await fetch(`${emulator.url}/antifragile/${name}`)).json()) as T[];
}

/** One row for all operations of a service with the same fake. */
function merged(fakes: readonly Fake[]): string[][] {
  const rows = new Map<string, { fake: Fake; operations: string[] }>();
  for (const fake of fakes) {
    const key = `${fake.service} ${fake.what} ${fake.moto}`;
    const row = rows.get(key) ?? { fake, operations: [] };
    row.operations.push(...fake.operations);
    rows.set(key, row);
  }
  return [...rows.values()].map(({ fake, operations }) => [fake.service, operations.join(", "), fake.what, fake.moto]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function marked(name: string): RegExp {
  return new RegExp(`<!-- ${name} -->[\\s\\S]*<!-- /${name} -->`);
}
