import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, usePackage } from "./packed";
import {
  binOf,
  commit,
  generate,
  git,
  put,
  textOf,
  tree,
  useVersions,
  VERSIONS,
  type Version,
} from "./support/versions";

const packed = usePackage();
const unpacked = useVersions();

type To = Version | "the present";

const folderOf = (version: To): string => (version === "the present" ? packed.folder : unpacked(version));

/** Upgrades between any two versions, of which the newer one has the command. */
const PAIRS = [...VERSIONS, "the present" as const].flatMap((to, index, all) =>
  to === "0.0.1" || to === "0.0.2" ? [] : all.slice(0, index).map((from) => [from as Version, to] as const),
);

const NEEDS = ["--database", "postgres", "--cache", "valkey", "--queue", "sqs", "--job", "--calls", "payments"];

const REPOSITORIES: Readonly<Record<string, { readonly flags: readonly string[]; readonly since: Version }>> = {
  "a service with everything": { flags: [...NEEDS, "--ci", "gitlab", "--capacity", "ec2"], since: "0.0.1" },
  "a service with a pipeline": { flags: [], since: "0.0.1" },
  "a platform": { flags: ["--platform"], since: "0.0.1" },
  "a service for pnpm that joins a platform": {
    flags: ["--joins", "shop", "--package-manager", "pnpm", "--ci", "github-actions"],
    since: "0.0.2",
  },
};

let work: string;
beforeAll(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-paths-")));
  mkdirSync(join(work, "fresh"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const cached = new Map<string, Promise<string>>();

/** Answers of a repository that is older than the questions. */
const OF_BEFORE = ["--accounts", "one"];

/** Folder of what a version generates, with the answers of a repository that had them before. */
function fresh(version: To, name: string): Promise<string> {
  const key = `${version} ${name}`.replaceAll(" ", "-");
  const folder = join(work, "fresh", key);
  const flags = REPOSITORIES[name]?.flags ?? [];
  const more = version === "the present" && !flags.includes("--platform") ? OF_BEFORE : [];
  const made = cached.get(key) ?? generate(folderOf(version), folder, [...flags, ...more]).then(() => folder);
  cached.set(key, made);
  return made;
}

let repositories = 0;

/** A committed repository of a version, with edits. */
async function repository(version: Version, name: string, edit: (folder: string) => void = () => undefined) {
  const folder = join(work, String(repositories++));
  cpSync(await fresh(version, name), folder, { recursive: true });
  git(folder, "init", "--quiet");
  commit(folder);
  edit(folder);
  commit(folder);
  return folder;
}

const upgrade = (folder: string, to: To) =>
  run([process.execPath, binOf(folderOf(to)), "upgrade", "--no-install"], folder);

/** Files of a folder. Versions before the present one do not make new files executable. */
function treeOf(folder: string, version: To): Record<string, string> {
  const files = Object.entries(tree(folder));
  return Object.fromEntries(
    files.map(([path, mark]) => [path, version === "the present" ? mark : mark.replace("x ", "")]),
  );
}

const pairsOf = (repository: string) =>
  PAIRS.filter(([from]) => VERSIONS.indexOf(from) >= VERSIONS.indexOf(REPOSITORIES[repository]!.since));

describe.each(Object.keys(REPOSITORIES))("%s", (name) => {
  it.each(pairsOf(name))("of %s, untouched, becomes equal to a fresh one of %s", async (from, to) => {
    const folder = await repository(from, name);
    expect(await upgrade(folder, to)).toMatchObject({ code: 0, stderr: "" });
    expect(treeOf(folder, to)).toEqual(treeOf(await fresh(to, name), to));
  });
});

/** Puts a line after the one that begins with a text. */
function addAfter(folder: string, path: string, start: string, line: string): void {
  const lines = textOf(folder, path).split("\n");
  const at = lines.findIndex((each) => each.trim().startsWith(start));
  if (at < 0) throw new Error(`${path} has no line that begins with ${start}`);
  put(folder, path, lines.toSpliced(at + 1, 0, line).join("\n"));
}

const OPERATION = `  /v1/stock:
    get:
      operationId: getStock
      responses:
        "204":
          description: In stock
`;

/** An edit of each kind: an operation, a variable, an image, another service, a dependency; files that are gone, moved and in CRLF. */
function editEachKind(folder: string): void {
  put(folder, "openapi.yaml", textOf(folder, "openapi.yaml").replace(/^paths:\n/m, `paths:\n${OPERATION}`));
  put(folder, "Dockerfile", `${textOf(folder, "Dockerfile")}LABEL team=orders\n`);
  put(folder, ".env.example", `${textOf(folder, ".env.example")}STOCK_URL=http://localhost:9999\n`);
  addAfter(folder, "src/backing.ts", "import", 'import "./stock";');
  put(folder, "src/stock.ts", "export const stock = 1;\n");
  put(folder, "services/stock/index.js", "// Another service.\n");
  const manifest = JSON.parse(textOf(folder, "package.json"));
  manifest.dependencies["left-pad"] = "1.3.0";
  manifest.scripts.stock = "node services/stock/index.js";
  put(folder, "package.json", `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(join(folder, "test/logs.test.ts"));
  put(folder, "test/observability/telemetry.test.ts", textOf(folder, "test/telemetry.test.ts"));
  rmSync(join(folder, "test/telemetry.test.ts"));
  put(folder, ".gitattributes", `${textOf(folder, ".gitattributes")}src/quotes.ts -text\n`);
  put(folder, "src/quotes.ts", `${textOf(folder, "src/quotes.ts")}// Ours.\n`.replaceAll("\n", "\r\n"));
}

/** Edits that {@link editEachKind} made, and that are in a repository. */
function editsIn(folder: string) {
  const manifest = JSON.parse(textOf(folder, "package.json"));
  return {
    operation: textOf(folder, "openapi.yaml").includes(OPERATION),
    image: /^LABEL team=orders$/m.test(textOf(folder, "Dockerfile")),
    variable: /^STOCK_URL=/m.test(textOf(folder, ".env.example")),
    import: /^import ".\/stock";$/m.test(textOf(folder, "src/backing.ts")),
    files: ["src/stock.ts", "services/stock/index.js"].filter((path) => existsSync(join(folder, path))).length,
    packages: [manifest.dependencies["left-pad"], manifest.scripts.stock],
    deleted: ["test/logs.test.ts", "test/telemetry.test.ts"].filter((path) => existsSync(join(folder, path))),
    moved: existsSync(join(folder, "test/observability/telemetry.test.ts")),
    crlf: /\/\/ Ours\.\r\n$/.test(textOf(folder, "src/quotes.ts")) && !/[^\r]\n/.test(textOf(folder, "src/quotes.ts")),
  };
}

const ALL_EDITS = {
  operation: true,
  image: true,
  variable: true,
  import: true,
  files: 2,
  packages: ["1.3.0", "node services/stock/index.js"],
  deleted: [],
  moved: true,
  crlf: true,
};

const EDITED = "a service with everything";

describe("a service with everything and the edits of a team", () => {
  it.each(PAIRS)("keeps them from %s to %s", async (from, to) => {
    const folder = await repository(from, EDITED, editEachKind);
    const { code, stdout } = await upgrade(folder, to);
    const conflicts = [...stdout.matchAll(/^ {2}CONFLICT {2}(\S+)/gm)].map(([, path]) => path);
    expect({ code, conflicts }).toEqual({ code: 0, conflicts: [] });
    expect(editsIn(folder)).toEqual(ALL_EDITS);
    commit(folder);
    expect(await upgrade(folder, to)).toMatchObject({ code: 0, stdout: expect.stringContaining("nothing to upgrade") });
  });

  it("has the same files after one upgrade as after one for each version", async () => {
    const [direct, stepwise] = [
      await repository("0.0.1", EDITED, editEachKind),
      await repository("0.0.1", EDITED, editEachKind),
    ];
    expect(await upgrade(direct, "the present")).toMatchObject({ code: 0 });
    for (const to of ["0.0.3", "0.0.4", "the present"] as const) {
      expect(await upgrade(stepwise, to)).toMatchObject({ code: 0 });
      commit(stepwise);
    }
    expect(treeOf(stepwise, "0.0.4")).toEqual(treeOf(direct, "0.0.4"));
  });
});

it("edits of a renamed file move with it; those of files that the new version does not have stay in place, and are listed", async () => {
  const folder = await repository("0.0.1", EDITED, (at) => {
    addAfter(at, "src/backing/aws-token.ts", "import", 'import "./mine";');
    put(at, "scripts/gameday.ts", `// Mine.\n${textOf(at, "scripts/gameday.ts")}`);
  });
  const { code, stdout } = await upgrade(folder, "the present");
  expect(code).toBe(1);
  expect(stdout).toMatch(/CONFLICT {2}src\/backing\/cache-token\.ts {2}\(\d+ places? marked/);
  expect(textOf(folder, "src/backing/cache-token.ts")).toContain('import "./mine";');
  expect(existsSync(join(folder, "src/backing/aws-token.ts"))).toBe(false);
  expect(stdout).toMatch(/keep {6}scripts\/gameday\.ts {2}\(the new version does not have it, but you changed it/);
  expect(stdout).toMatch(/delete {4}scripts\/balancer\.ts\n/);
});

it("npm run pack:fixture packs a version that generates what the present one does", async () => {
  const tsx = createRequire(__filename).resolve("tsx/cli");
  const script = join(__dirname, "../../scripts/pack-fixture.ts");
  expect(await run([process.execPath, tsx, script, "9.0.0", work], work)).toMatchObject({ code: 0, stderr: "" });
  const folder = join(work, "9.0.0");
  mkdirSync(folder);
  execFileSync("tar", ["-xzf", join(work, "antifragile-9.0.0.tgz"), "-C", folder]);
  await generate(join(folder, "package"), join(work, "next"), [...(REPOSITORIES[EDITED]?.flags ?? []), ...OF_BEFORE]);
  const files = (of: string) => {
    const { ".antifragile.json": answers, "package.json": manifest, ...others } = tree(of);
    return Object.fromEntries(Object.entries(others).filter(([path]) => !path.startsWith("vendor/")));
  };
  expect(files(join(work, "next"))).toEqual(files(await fresh("the present", EDITED)));
});
