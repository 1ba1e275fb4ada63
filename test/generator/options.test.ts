import nodePath from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kebab } from "../../contract/names";
import { defaultOf, refusal, resolveAnswers } from "../../generator/answers";
import { HEADER } from "../../generator/answers-file";
import { switches } from "../../generator/flags";
import type { AnswersOf, OptionTable, Row } from "../../generator/option-table";
import { type Answers, options } from "../../generator/options";
import { reopenAnswer } from "../../generator/prompts";
import { fakePrompter } from "./support/fake-prompts";
import { given } from "./support/given";
import type { sampleTable } from "./support/sample-table";

const rows = Object.entries(options as OptionTable);

describe("the option table", () => {
  it.each(rows)("%s has a key that is a valid flag and JSON key", (key) => {
    expect(key).toMatch(/^[a-z][a-zA-Z0-9]*$/);
    expect(key).not.toBe(HEADER);
    expect(Object.keys(switches)).not.toContain(kebab(key));
    expect(Object.keys(switches)).not.toContain(`no-${kebab(key)}`);
  });

  it.each(rows)("%s has a valid example and default", (_key, row) => {
    const earlier = resolveAnswers(options, given({ flag: { name: "orders" } }), { folder: undefined }).answers;
    const samples: unknown[] = [];
    if (row.kind === "text") samples.push(row.example);
    const preset = defaultOf(row, earlier);
    if (preset !== undefined) samples.push(preset);
    expect(samples.length).toBeGreaterThan(0);
    expect(samples.map((sample) => refusal(row, sample))).toEqual(samples.map(() => undefined));
  });

  it.each(rows)("%s depends only on earlier rows", (key, row) => {
    const above = rows
      .slice(
        0,
        rows.findIndex(([other]) => other === key),
      )
      .map(([other]) => other);
    const looked: string[] = [];
    const spy = new Proxy({}, { get: (_target, name) => void looked.push(String(name)) });
    row.when?.(spy);
    if (typeof row.default === "function") row.default(spy);
    expect(looked.filter((name) => !above.includes(name))).toEqual([]);
  });

  it("derives the type of the answers from the rows", () => {
    const license: Answers["license"] = "mit-0";
    const sample: Pick<AnswersOf<typeof sampleTable>, "chaos" | "instanceType"> = {
      chaos: true,
      instanceType: undefined,
    };
    // @ts-expect-error not a value of the row
    const other: Answers["license"] = "mit";
    // @ts-expect-error a flag is true or false
    const text: AnswersOf<typeof sampleTable>["chaos"] = "yes";
    // @ts-expect-error a row without "when" always has an answer
    const none: AnswersOf<typeof sampleTable>["region"] = undefined;
    expect([license, sample.instanceType, other, text, none]).toHaveLength(5);
  });
});

const nowhere = { folder: undefined };
/** Answers to every question but that of the engine. */
const silent = rows.flatMap(([key, row]) =>
  ["name", "accounts", "engine", "provider"].includes(key) || row.default === undefined
    ? []
    : [[key, typeof row.default === "function" ? "x" : row.default]],
);

describe("engine and provider", () => {
  const resolved = (flag: object) => resolveAnswers(options, given({ flag: { name: "orders", ...flag } }), nowhere);

  it.each([
    [{}, { engine: "cdktf", provider: "5" }],
    [{ provider: "6" }, { engine: "cdktf", provider: "6" }],
    [{ engine: "cdktn" }, { engine: "cdktn", provider: "6" }],
    [
      { engine: "cdktn", provider: "6", platform: true },
      { engine: "cdktn", provider: "6" },
    ],
  ])("of %j are %j", (flag, expected) => {
    expect(resolved(flag)).toMatchObject({ problems: [], answers: expected });
  });

  it("refuse AWS provider 5 on CDK Terrain, with the reason and what is left", () => {
    expect(resolved({ engine: "cdktn", provider: "5" }).problems).toEqual([
      '--provider: "5" is not allowed; CDK Terrain has bindings of AWS provider 6 only; use 6',
    ]);
    expect(resolved({ provider: "7" }).problems).toEqual([
      expect.stringMatching(/"7" is not allowed; use one of 5, 6/),
    ]);
  });

  it("ask for an engine, and after a change of it drop a provider that it excludes", async () => {
    const question = options.engine.ask;
    const fake = fakePrompter({ [question]: ["cdktn"] });
    const before = given({ flag: { name: "orders", provider: "5", ...Object.fromEntries(silent) } });
    const after = await reopenAnswer(options, "engine", before, nowhere, fake);
    expect(fake.asked).toEqual([question]);
    expect(resolveAnswers(options, after, nowhere)).toMatchObject({
      problems: [],
      answers: { engine: "cdktn", provider: "6" },
    });
  });
});

const refused = (row: Row, value: string): boolean => refusal(row, value) !== undefined;

describe("name", () => {
  const hostile = [
    ..."../x|/etc/passwd|C:\\x|a/b|a\\b|.|..|.git|node_modules|con|nul|com1|lpt9|$(id)|`id`|a;b|-rf|--|a b|a\nb".split(
      "|",
    ),
    ..."a\u0000b|a\u001b[2Jb|Orders|orders-|or--ders|1orders|а-cyrillic|ｆｕｌｌ|orders\u200d|é|x|__proto__|constructor\n".split(
      "|",
    ),
    "{{constructor}}",
    '${file("/etc/passwd")}',
    "%{ if true }x%{ endif }",
    "a".repeat(300),
    "a".repeat(32),
    "",
  ];
  it.each(hostile)("refuses %j", (value) => {
    expect(refusal(options.name, value)).toMatch(/^use .*, for example orders$/);
  });

  it.each(["orders", "a1", "order-intake-2", "constructor", `a${"b".repeat(30)}`])("takes %s", (value) => {
    expect(refusal(options.name, value)).toBeUndefined();
  });

  it("never leaves its folder, on any system, for any input", () => {
    const piece = fc.constantFrom("..", "/", "\\", ".", "a", "-", "0", "C:", "\u0000", "nul", "~", "$", "\u202e", "o");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join("")),
        ),
        (value) => {
          if (refused(options.name, value)) return;
          for (const path of [nodePath.posix, nodePath.win32]) {
            const root = path === nodePath.posix ? "/work" : "C:\\work";
            expect(path.relative(root, path.resolve(root, value))).toBe(value);
          }
          expect(value).toMatch(/^[a-z0-9-]+$/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("environments", () => {
  it.each(["none", "qa", "qa,uat", "qa2,uat,preprod", "abcdefghij"])("takes %s", (value) => {
    expect(refused(options.environments, value)).toBe(false);
  });

  it.each([
    ..."QA|q|qa,|,qa|qa,,uat|qa uat|qa-2|2qa|abcdefghijk|qa,none|none,qa|qa,uat,qa|uat,qa,qa|qa\n".split("|"),
    ..."dev|staging|production|delivery|test|image|qa,build|pages|null|on".split("|"),
    "",
  ])("refuses %j", (value) => {
    expect(refused(options.environments, value)).toBe(true);
  });
});

describe("description", () => {
  it.each([
    "a\nb",
    "a\u001b[31mb",
    "a\u2028b",
    "\u202eabc",
    "",
    " a",
    "a ",
    "x".repeat(201),
    '${file("/etc/passwd")}',
    "%{ if true }",
    "${{ github.token }}",
    "\ud800",
  ])("refuses %j", (value) => {
    expect(refused(options.description, value)).toBe(true);
  });

  it.each([
    "Takes orders",
    "{{constructor}}",
    '"quotes" and \\ and </script>',
    "key: value # no",
    "naïve 👩‍💻",
    "100 % of $5",
  ])("takes %j", (value) => {
    expect(refused(options.description, value)).toBe(false);
  });
});

describe("platform", () => {
  const resolve = (flag: object) =>
    resolveAnswers(options, given({ flag: { name: "shop", ...flag } }), { folder: undefined });

  it("keeps the rows of a platform, and gives it its own description", () => {
    expect(resolve({ platform: true })).toMatchObject({ problems: [], missing: [] });
    expect(resolve({ platform: true }).answers).toEqual({
      name: "shop",
      platform: true,
      description: "The shop platform",
      engine: "cdktf",
      provider: "5",
      capacity: "fargate",
      region: "eu-central-1",
      environments: "none",
      branch: "main",
      packageManager: "npm",
      license: "none",
      updates: "none",
    });
    expect(resolve({}).answers).toMatchObject({ platform: false, description: "The shop service", joins: "none" });
  });

  it.each(["joins", "database", "cache", "queue", "job", "auth", "calls"])("refuses --%s beside it", (key) => {
    const value = { job: true, auth: "none", joins: "mall", calls: "payments", database: "none" }[key] ?? "none";
    expect(resolve({ [key]: value }).problems).toEqual([]);
    expect(resolve({ platform: true, [key]: value }).problems).toEqual([
      `--${key}: does not apply with --platform, which generates no service`,
    ]);
  });
});

describe("joins", () => {
  it("accepts valid platform names only", () => {
    for (const name of ["shop", "none", "shop-2"]) expect(refused(options.joins, name)).toBe(false);
    for (const name of ["Shop", "a", "../shop", "shop/dev", "${shop}"]) expect(refused(options.joins, name)).toBe(true);
    expect([options.joins.rule.pattern.source, options.joins.rule.allowed]).toEqual([
      options.name.rule.pattern.source,
      options.name.rule.allowed,
    ]);
  });
});

describe("region", () => {
  it.each(["eu-central-1", "us-gov-west-1", "ap-southeast-5", "eusc-de-east-1", "mx-central-1"])(
    "takes %s",
    (value) => {
      expect(refused(options.region, value)).toBe(false);
    },
  );
  it.each(["eu-central", "EU-CENTRAL-1", "eu central 1", "eu-central-1\n", "frankfurt", "-eu-central-1"])(
    "refuses %j",
    (value) => {
      expect(refused(options.region, value)).toBe(true);
    },
  );
});
