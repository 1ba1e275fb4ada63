import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { processRunner } from "../../../generator/processes";
import { gitMerge } from "../../../generator/upgrade/git";
import { type MergeInput, mergeTrees, type Tree } from "../../../generator/upgrade/merge";
import { GENERATED_FILES, RENAMED_FILES } from "../../../generator/upgrade/versions";
import { generate, useVersions, VERSIONS } from "../../cli/support/versions";
import { EVERYTHING, repositoryFiles } from "../../templates/support/repository";

const temporary = mkdtempSync(join(tmpdir(), "antifragile-merge-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const mergeText = gitMerge(temporary, { run: processRunner(process.env) }, new AbortController().signal, [
  "yours",
  "old",
  "new",
]);

const tree = (files: Readonly<Record<string, string>>): Tree => new Map(Object.entries(files));

/** Merges, and returns the plan with the tree that it leads to. */
async function upgrade(base: Tree, ours: Tree, theirs: Tree, more: Partial<MergeInput> = {}) {
  const input = { base, ours, theirs, blocked: new Set<string>(), renames: [], generated: {}, mergeText, ...more };
  const { rows, writes } = await mergeTrees(input);
  const result = new Map(theirs);
  for (const [path, text] of writes) {
    if (text === undefined) result.delete(path);
    else result.set(path, text);
  }
  return { rows, writes, result };
}

/** Merge of one file, named f. */
async function one(base?: string, ours?: string, theirs?: string, more: Partial<MergeInput> = {}) {
  const of = (text?: string) => (text === undefined ? new Map() : tree({ f: text }));
  const { rows, result } = await upgrade(of(base), of(ours), of(theirs), more);
  return { kind: rows[0]?.kind, text: result.get("f") };
}

/** Files of a generated repository without the package in it. */
function filesOf(folder: string): Tree {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return new Map(
    paths
      .filter((path) => !path.startsWith("vendor"))
      .map((path) => [path, readFileSync(join(folder, path), "latin1")] as const),
  );
}

const LINES = Array.from({ length: 9 }, (_, index) => `line ${index}\n`).join("");
const OURS = LINES.replace("line 0", "ours");
const THEIRS = LINES.replace("line 8", "theirs");
const BOTH = OURS.replace("line 8", "theirs");
const crlf = (text: string) => text.replaceAll("\n", "\r\n");

describe("mergeTrees", () => {
  it.each<[string, (string | undefined)[], string | undefined, string | undefined]>([
    ["a file that neither side changed", [LINES, LINES, LINES], undefined, LINES],
    ["an edit of the user", [LINES, LINES, THEIRS], undefined, THEIRS],
    ["an untouched file", [LINES, OURS, LINES], "update", OURS],
    ["two edits", [LINES, OURS, THEIRS], "merge", BOTH],
    ["a new file", [undefined, OURS, undefined], "add", OURS],
    ["a new file that the user has already", [undefined, OURS, OURS], undefined, OURS],
    ["a file that the user deleted", [LINES, OURS, undefined], "keep", undefined],
    ["a file that both deleted", [LINES, undefined, undefined], undefined, undefined],
    ["an obsolete file", [LINES, undefined, LINES], "delete", undefined],
    ["an obsolete file with edits", [LINES, undefined, THEIRS], "keep", THEIRS],
    ["an edit that the new version has, too", [LINES, OURS, OURS], undefined, OURS],
    ["a file that the user replaced", [LINES, OURS, "# mine\n"], "keep", "# mine\n"],
    ["an untouched file in CRLF", [LINES, OURS, crlf(LINES)], "update", crlf(OURS)],
    ["an obsolete file in CRLF", [LINES, undefined, crlf(LINES)], "delete", undefined],
    ["two edits, in CRLF", [LINES, OURS, crlf(THEIRS)], "merge", crlf(BOTH)],
    ["an untouched binary file", ["a\0\r\n", "a\0\n", "a\0\r\n"], "update", "a\0\n"],
    ["a binary file that both changed", ["a\0", "b\0", "c\0"], "conflict", "c\0"],
    ["bytes that are not UTF-8", [LINES, OURS, `${THEIRS}\xff\xfe`], "merge", `${BOTH}\xff\xfe`],
  ])("decides about %s", async (_, [base, ours, theirs], kind, text) => {
    expect(await one(base, ours, theirs)).toEqual({ kind, text });
  });

  it("marks a conflict with both sides and the old text", async () => {
    const { kind, text } = await one(LINES, OURS, LINES.replace("line 0", "theirs"));
    expect(kind).toBe("conflict");
    expect(text).toContain("<<<<<<< yours\ntheirs\n||||||| old\nline 0\n=======\nours\n>>>>>>> new\n");
  });

  it("marks a new file that the user has with another text", async () => {
    const { kind, text } = await one(undefined, OURS, THEIRS);
    expect(kind).toBe("conflict");
    expect(text).toMatch(/<<<<<<< yours\n[\s\S]*theirs\n[\s\S]*=======\nours\n/);
  });

  it("leaves a generated file to its script, and a path that is not a plain file alone", async () => {
    expect(await one(LINES, OURS, THEIRS, { generated: { f: "generate" } })).toEqual({ kind: "keep", text: THEIRS });
    expect(await one(LINES, OURS, undefined, { blocked: new Set(["f"]) })).toEqual({
      kind: "conflict",
      text: undefined,
    });
  });

  it.each([
    ["untouched", LINES, OURS],
    ["edited", THEIRS, BOTH],
  ])("moves a renamed file, %s", async (_, theirs, expected) => {
    const renames = [["old.ts", "new.ts"]] as const;
    const { rows, result } = await upgrade(
      tree({ "old.ts": LINES }),
      tree({ "new.ts": OURS }),
      tree({ "old.ts": theirs }),
      {
        renames,
      },
    );
    expect([...result]).toEqual([["new.ts", expected]]);
    expect(rows).toEqual([expect.objectContaining({ kind: "rename", path: "new.ts" })]);
  });

  it("moves an edited file that was only renamed, and none that the user deleted or whose new name is taken", async () => {
    const [base, ours, renames] = [
      tree({ "old.ts": LINES }),
      tree({ "new.ts": LINES }),
      [["old.ts", "new.ts"]] as const,
    ];
    const moved = await upgrade(base, ours, tree({ "old.ts": THEIRS }), { renames });
    expect([...moved.result]).toEqual([["new.ts", THEIRS]]);
    const deleted = await upgrade(base, ours, tree({}), { renames });
    expect([...deleted.result]).toEqual([]);
    const taken = await upgrade(base, ours, tree({ "old.ts": THEIRS, "new.ts": "mine\n" }), { renames });
    expect(taken.result.get("old.ts")).toBe(THEIRS);
    expect(taken.result.get("new.ts")).toContain("mine\n");
  });

  it("merges package.json by meaning, in CRLF too", async () => {
    const of = (scripts: object) => `${JSON.stringify({ scripts }, null, 2)}\n`;
    const path = "package.json";
    for (const eol of [(text: string) => text, crlf]) {
      const { result } = await upgrade(
        tree({ [path]: of({ a: "1" }) }),
        tree({ [path]: of({ a: "2" }) }),
        tree({ [path]: eol(of({ mine: "1", a: "1" })) }),
      );
      expect(result.get(path)).toBe(eol(of({ mine: "1", a: "2" })));
    }
  });
});

/** Edit of a text file: a line that the user inserts or puts in place of another, or a line that is removed. */
const edit = fc.record({
  kind: fc.constantFrom("insert" as const, "replace" as const, "remove" as const),
  at: fc.nat(),
  text: fc.constantFrom("x", "", "=======", "<<<<<<< yours", "\tif (a) {", "}", "# é"),
});

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

function edited(text: string, edits: readonly Edit[], writer: string): string {
  const lines = text.split("\n");
  for (const [index, { kind, at, text: words }] of edits.entries()) {
    const place = at % lines.length;
    // Unique, so that each line can be found again.
    if (kind === "remove") lines.splice(place, 1);
    else lines.splice(place, kind === "insert" ? 0 : 1, `${words} ${writer}-${index}.`);
  }
  return lines.join("\n");
}

/** Change of a tree, by the user or by a new version. */
const change = fc.record({
  kind: fc.constantFrom("edit", "edit", "edit", "delete", "rename", "add", "crlf", "binary", "rewrite"),
  file: fc.nat(),
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
});

type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(from: Tree, changes: readonly Change[], writer: string, renames: [string, string][] = []): Tree {
  const files = new Map(from);
  for (const [index, { kind, file, edits }] of changes.entries()) {
    const path = [...files.keys()][file % Math.max(files.size, 1)];
    if (path === undefined) break;
    const text = files.get(path)!;
    const words = `${writer}-${index}`;
    if (kind === "edit" && path === "package.json") {
      const manifest = JSON.parse(text);
      manifest.scripts[words] = words;
      files.set(path, `${JSON.stringify(manifest, null, 2)}\n`);
    } else if (kind === "edit") files.set(path, edited(text, edits, words));
    else if (kind === "add") files.set(`added-${file % 3}.ts`, `${words}\n${edited(text, edits, words)}`);
    else if (path === "package.json") continue;
    else if (kind === "delete") files.delete(path);
    else if (kind === "crlf" && writer === "user") files.set(path, crlf(text.replaceAll("\r\n", "\n")));
    else if (kind === "binary") files.set(path, `\0${words}\r\n`);
    else if (kind === "rewrite") files.set(path, `${words}\n`);
    else if (kind === "rename") {
      const to = `moved/${words}-${path.replaceAll("/", "-")}`;
      files.delete(path);
      files.set(to, text);
      renames.push([path, to]);
    }
  }
  return files;
}

const answers = fc.record({
  database: fc.constantFrom("none", "postgres"),
  queue: fc.constantFrom("none", "sqs"),
  ci: fc.constantFrom("none", "gitlab", "codepipeline"),
  auth: fc.constantFrom("none", "oidc"),
});

/** A few files of a generated repository, and package.json: all of them would merge alike. */
const generated = fc.record({ answers, picks: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }) }).map((drawn) => {
  const all = [...repositoryFiles(drawn.answers)].map(
    ([path, text]) => [path, Buffer.from(text).toString("latin1")] as const,
  );
  const picked = drawn.picks.map((pick) => all[pick % all.length]!);
  return new Map([...picked, ...all.filter(([path]) => path === "package.json")]);
});

const changes = fc.array(change, { maxLength: 6 });

/** Marks of the user in a tree: each is unique, and was written by the user. */
const written = (files: Tree): string[] =>
  [...files.values()].flatMap((text) => text.match(/user-\d+(-\d+\.)?/g) ?? []).sort();

const RUNS = Number(process.env.FC_RUNS ?? 150);

describe("for random edits over generated trees", () => {
  const scenario = fc.record({ base: generated, news: changes, edits: changes });

  it("no line that the user wrote is lost, and deleted files stay deleted", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ base, news, edits }) => {
        const renames: [string, string][] = [];
        const ours = changed(base, news, "ours", renames);
        const theirs = changed(base, edits, "user");
        const { result } = await upgrade(base, ours, theirs, { renames });
        const left = new Set(written(result));
        expect(written(theirs).filter((mark) => !left.has(mark))).toEqual([]);
        for (const path of base.keys()) if (!theirs.has(path)) expect(result.has(path)).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });

  it("an untouched repository becomes byte-identical to a fresh one, in CRLF as in LF", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, fc.boolean(), async ({ base, news }, windows) => {
        const renames: [string, string][] = [];
        const ours = changed(base, news, "ours", renames);
        const eol = (files: Tree) =>
          new Map([...files].map(([path, text]) => [path, windows && !text.includes("\0") ? crlf(text) : text]));
        const { result, rows } = await upgrade(base, ours, eol(base), { renames });
        const fresh = eol(ours);
        for (const [path, text] of ours) if (text.includes("\0") || !base.has(path)) fresh.set(path, text);
        const sorted = (files: Tree) => [...files].sort(([a], [b]) => (a < b ? -1 : 1));
        // A new name that is in use by another file, a text in place of a binary file: line endings are ours.
        const lf = (files: Tree) => sorted(files).map(([path, text]) => [path, text.replaceAll("\r\n", "\n")]);
        expect(windows ? lf(result) : sorted(result)).toEqual(windows ? lf(fresh) : sorted(fresh));
        expect(rows.filter(({ kind }) => kind === "conflict" || kind === "keep")).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it("upgrading twice changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ base, news, edits }) => {
        const renames: [string, string][] = [];
        const ours = changed(base, news, "ours", renames);
        const { result } = await upgrade(base, ours, changed(base, edits, "user"), { renames });
        const again = await upgrade(ours, ours, result, { renames });
        expect([...again.writes.keys(), ...again.rows]).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("for random edits over what real versions generate", () => {
  const unpacked = useVersions();
  const KINDS: readonly (readonly [flags: readonly string[], answers: object])[] = [
    [
      ["--database", "postgres", "--cache", "valkey", "--queue", "sqs", "--ci", "gitlab"],
      { ...EVERYTHING, job: false, calls: "none", ci: "gitlab" },
    ],
    [["--platform"], { platform: true }],
  ];
  /** Trees by kind and version, the present one last. */
  let trees: Tree[][];
  beforeAll(async () => {
    trees = [];
    for (const [index, [flags, answers]] of KINDS.entries()) {
      const of: Tree[] = [];
      for (const version of VERSIONS) {
        const folder = join(temporary, `${index}-${version}`);
        await generate(unpacked(version), folder, flags);
        of.push(filesOf(folder));
      }
      const now = [...repositoryFiles(answers)];
      of.push(new Map(now.map(([path, text]) => [path, Buffer.from(text).toString("latin1")])));
      trees.push(of);
    }
  });

  const scenario = fc.record({
    kind: fc.nat({ max: KINDS.length - 1 }),
    from: fc.nat({ max: VERSIONS.length - 1 }),
    steps: fc.nat({ max: VERSIONS.length - 1 }),
    edits: changes,
  });

  it("no line that the user wrote is lost, deleted files stay deleted, and a second upgrade changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ kind, from, steps, edits }) => {
        const versions = trees[kind] as Tree[];
        const to = Math.min(from + 1 + steps, VERSIONS.length);
        const [base, ours] = [versions[from] as Tree, versions[to] as Tree];
        const more = { renames: RENAMED_FILES, generated: GENERATED_FILES };
        const untouched = await upgrade(base, ours, base, more);
        expect([...untouched.result].sort()).toEqual([...ours].sort());
        // Edits of files that the versions changed, too: the others stay as they are.
        const both = new Map([...base].filter(([path, text]) => ours.get(path) !== text));
        const others = [...base].filter(([path]) => !both.has(path));
        const theirs = new Map([...others, ...changed(both, edits, "user")]);
        const { result } = await upgrade(base, ours, theirs, more);
        const left = new Set(written(result));
        expect(written(theirs).filter((mark) => !left.has(mark))).toEqual([]);
        const moved = new Map(RENAMED_FILES);
        for (const path of base.keys()) {
          if (!theirs.has(path))
            expect([result.has(path), result.has(moved.get(path) ?? path)]).toEqual([false, false]);
        }
        const again = await upgrade(ours, ours, result, more);
        expect([...again.writes.keys(), ...again.rows]).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  }, 120_000);
});
