import { describe, expect, it } from "vitest";
import {
  cycles,
  engineInside,
  entriesOnly,
  familyOrder,
  handOver,
  importsOf,
  pureModules,
  separateParts,
} from "./support/arrows";
import { madeUp, parse, readSources, textOf } from "./support/sources";

/** Layers of `constructs/`: a family may import those above it in this list, and types of its own row. */
const LEVELS = [
  ["core"],
  // Below the others: flow logs and session logs are log streams.
  ["logging"],
  ["vpc", "discovery"],
  // Databases run in a network.
  ["backing"],
  ["load-balancer", "cluster"],
  // Instances that are registered with a load balancer need the priority of a rule.
  ["auto-scaling-group"],
  ["platform"],
  ["service"],
  ["auth", "pipeline", "telemetry", "chaos"],
  // Looks at stacks from outside.
  ["testing"],
];

const PARTS = ["constructs", "generator", "operations", "emulator"];

/** Folder of plain data that all parts may import. */
const AGREED = "contract";

/** Pure modules: equal input gives equal output, everywhere and at any time. */
const PURE = [
  "contract/placeholders.ts",
  "contract/images.ts",
  "contract/release.ts",
  "contract/release-permissions.ts",
  "contract/stacks.ts",
  "contract/table.ts",
  "contract/text.ts",
  "contract/version.ts",
  "constructs/core/names.ts",
  "constructs/core/schedule.ts",
  "constructs/core/units.ts",
  "constructs/load-balancer/priority.ts",
  "constructs/vpc/cidr.ts",
  "constructs/core/scaling.ts",
  "constructs/service/task/shutdown.ts",
  "constructs/service/deployment/strategy-support.ts",
  "constructs/service/task/task-size.ts",
  "generator/answers.ts",
  "generator/answers-file.ts",
  "generator/flags.ts",
  "generator/manifest.ts",
  "generator/options.ts",
  "generator/reference.ts",
  "generator/render.ts",
  "generator/serializers.ts",
  "operations/plan-gate.ts",
  "operations/release/plan.ts",
];

const sources = readSources("bin", AGREED, ...PARTS, "examples", "scripts", "templates", "test");
const imports = importsOf(sources);
const product = imports.filter(({ from }) => !/^(scripts|templates|test)\//.test(from));
const entries = Object.keys((JSON.parse(textOf("package.json")) as { exports: object }).exports)
  .filter((entry) => !entry.endsWith(".json"))
  .map((entry) => entry.replace(/^\./, "antifragile"));

const madeUpImports = (files: Readonly<Record<string, string>>) => importsOf(madeUp(files));

describe("imports", () => {
  it("are found in every form", () => {
    const found = madeUpImports({
      "a/x.ts": [
        'import "./effect";',
        'import a, { type B } from "./value";',
        'import { type C } from "./type";',
        'import type { D } from "pkg";',
        'export * from "./all";',
        'export type { E } from "../b/y";',
        'const lazy = () => import("./lazy");',
        'type F = import("./in-type").F;',
        'const r = require("./required");',
      ].join("\n"),
      "b/y.ts": "export type E = 1;",
    });
    expect(found.map(({ specifier, kind, to }) => `${specifier} ${kind} ${to}`)).toEqual([
      "./effect value a/effect",
      "./value value a/value",
      "./type type a/type",
      "pkg type undefined",
      "./all value a/all",
      "../b/y type b/y.ts",
      "./lazy lazy a/lazy",
      "./in-type type a/in-type",
      "./required value a/required",
    ]);
  });

  it("are found in templates", () => {
    const source = parse("a.ts.hbs", '{{#if x}}\nimport { a } from "./a";\n{{/if}}\nconst b = {{json name}};\n');
    expect(importsOf(new Map([["a.ts.hbs", source]])).map(({ specifier }) => specifier)).toEqual(["./a"]);
  });

  it("of the repository are read", () => {
    expect(product.length).toBeGreaterThan(200);
    const lost = product.filter(({ to }) => to !== undefined && !sources.has(to) && !to.endsWith(".json"));
    expect(lost).toEqual([]);
  });
});

describe("R1: bin loads generator, operations and emulator when they are called", () => {
  it("holds", () => {
    expect(handOver(imports, "bin/antifragile.ts", AGREED)).toEqual([]);
  });

  it("is checked", () => {
    const found = handOver(
      madeUpImports({
        "bin/antifragile.ts": 'import { main } from "./main";',
        "bin/main.ts":
          'import { a } from "../generator/a"; import type { C } from "../constructs/c"; import x from "x"; import "../contract/d";',
        "contract/d.ts": "",
        "bin/late.ts": 'import { a } from "../generator/a";',
        "generator/a.ts": "",
        "constructs/c.ts": "",
      }),
      "bin/antifragile.ts",
      AGREED,
    );
    expect(found).toEqual([
      "bin/main.ts imports ../constructs/c (type)",
      "bin/main.ts imports x",
      "bin/main.ts imports ../generator/a at the start, not when it is called",
    ]);
  });
});

describe("R2: constructs, generator, operations and emulator do not import each other", () => {
  it("holds", () => {
    expect(separateParts(imports, PARTS, AGREED)).toEqual([]);
  });

  it("is checked", () => {
    const files = {
      "generator/a.ts": 'import type { B } from "../constructs/b"; import "./c"; import "../contract/d";',
      "constructs/b.ts": "",
      "contract/d.ts": 'import "../constructs/b"; import "pkg"; import "./e";',
      "contract/e.ts": "",
    };
    expect(separateParts(madeUpImports(files), PARTS, AGREED)).toEqual([
      "generator/a.ts imports ../constructs/b (type)",
      "contract/d.ts imports ../constructs/b",
      "contract/d.ts imports pkg",
    ]);
  });
});

describe("R3: families depend in one direction", () => {
  it("holds", () => {
    expect(familyOrder(imports, LEVELS)).toEqual([]);
  });

  it("is checked", () => {
    const found = familyOrder(
      madeUpImports({
        "constructs/core/a.ts": 'import type { S } from "../service/s";',
        "constructs/load-balancer/b.ts": 'import { C } from "../cluster/c"; import type { D } from "../cluster/c";',
        "constructs/new/d.ts": 'import "../core/a";',
        "constructs/service/s.ts": 'import "../core/a";',
        "constructs/cluster/c.ts": "",
      }),
      LEVELS,
    );
    expect(found).toEqual([
      "constructs/core/a.ts imports ../service/s (type): service stands above core",
      "constructs/load-balancer/b.ts imports ../cluster/c: load-balancer and cluster may know each other's types only",
      "constructs/new/d.ts imports ../core/a: new has no level",
    ]);
  });
});

describe("R4: no import cycles", () => {
  it("holds", () => {
    expect(cycles(product)).toEqual([]);
  });

  it("is checked", () => {
    const files = {
      "a/x.ts": 'import "./y";',
      "a/y.ts": 'import "./z"; import "./x";',
      "a/z.ts": 'import type { X } from "./x";',
    };
    expect(cycles(madeUpImports(files))).toEqual([
      "a/x.ts -> a/y.ts -> a/x.ts",
      "a/x.ts -> a/y.ts -> a/z.ts -> a/x.ts",
    ]);
  });
});

describe("R5: examples and templates import entry points of the package", () => {
  const folders = ["examples", "templates"];

  it("holds", () => {
    expect(entries).toEqual(["antifragile", "antifragile/cdktn", "antifragile/testing"]);
    expect(entriesOnly(imports, folders, entries)).toEqual([]);
  });

  it("is checked", () => {
    const found = entriesOnly(
      madeUpImports({
        "examples/a/main.ts": 'import "antifragile"; import "antifragile/dist/x"; import "../../constructs";',
        "constructs/index.ts": "",
      }),
      folders,
      entries,
    );
    expect(found).toEqual([
      "examples/a/main.ts imports antifragile/dist/x",
      "examples/a/main.ts imports ../../constructs",
    ]);
  });
});

describe("R6: the engine and the provider stay inside constructs", () => {
  const allowed = ["constructs/", "test/constructs/", "test/contract/", "test/support/"];

  it("holds", () => {
    expect(engineInside(imports, allowed)).toEqual([]);
  });

  it("is checked", () => {
    const found = engineInside(
      madeUpImports({
        "constructs/a.ts":
          'import "cdktf"; import "@cdktf/provider-aws/lib/sqs-queue"; import "@cdktf/provider-aws"; import "@cdktf/provider-aws/lib";',
        "generator/b.ts": 'import type { App } from "cdktf"; import "cdktf-cli"; import "@cdktf/provider-aws/lib/vpc";',
      }),
      allowed,
    );
    expect(found).toEqual([
      "constructs/a.ts imports @cdktf/provider-aws: name the folder of one resource, as in @cdktf/provider-aws/lib/sqs-queue",
      "constructs/a.ts imports @cdktf/provider-aws/lib: name the folder of one resource, as in @cdktf/provider-aws/lib/sqs-queue",
      "generator/b.ts imports cdktf (type)",
      "generator/b.ts imports @cdktf/provider-aws/lib/vpc",
    ]);
  });
});

describe("R7: pure modules have no side effects", () => {
  it("holds", () => {
    expect(pureModules(sources, imports, PURE)).toEqual([]);
  });

  it("is checked", () => {
    const files = madeUp({
      "a/pure.ts":
        'import { join } from "node:path"; import { b } from "./helper"; import type { T } from "./disk"; b(process.kind);',
      "a/helper.ts":
        'import "node:fs"; Date.now(); new Date(); new Date(0); Math.random(); process.env.HOME; fetch("x");',
      "a/disk.ts": 'import "node:fs";',
    });
    expect(pureModules(files, importsOf(files), ["a/pure.ts", "a/gone.ts"])).toEqual([
      "a/pure.ts, through a/helper.ts, imports node:fs",
      "a/pure.ts, through a/helper.ts, uses Date.now",
      "a/pure.ts, through a/helper.ts, uses new Date()",
      "a/pure.ts, through a/helper.ts, uses Math.random",
      "a/pure.ts, through a/helper.ts, uses process.env",
      "a/pure.ts, through a/helper.ts, uses fetch()",
      "a/gone.ts is not there",
    ]);
  });
});
