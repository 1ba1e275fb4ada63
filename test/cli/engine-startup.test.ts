import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { run, usePackage } from "./packed";

const MODULES = join(__dirname, "../../node_modules");

const packed = usePackage();
let work: string;
beforeAll(() => {
  symlinkSync(MODULES, join(dirname(packed.folder), "node_modules"));
  work = mkdtempSync(join(tmpdir(), "antifragile-startup-"));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

const APP = `
  const { join } = require("node:path");
  const { App, CloudNativeService, Ingress, insecureHttp, Platform } = require(process.env.LIBRARY);
  const { AssetType, Lazy, Op, TerraformAsset, TerraformOutput } = require("cdktf");
  const loaded = (part) => Object.keys(require.cache).filter((file) => file.includes(part)).length;
  const app = new App({ outdir: process.env.OUT });
  const environment = { name: "production", region: "eu-central-1", profile: "production" };
  const platform = new Platform(app, "shop", { environment, vpc: { cidr: "10.0.0.0/16" }, listener: insecureHttp() });
  const stack = platform.stack("orders");
  new CloudNativeService(stack, "Orders").add(new Ingress());
`;

/** Runs a program with a library, by default the packed one, in the folder whose `node_modules` it uses. */
const program = (code: string, env: NodeJS.ProcessEnv, folder = dirname(packed.folder)) =>
  run([process.execPath, "--eval", APP + code], folder, { env: { LIBRARY: packed.folder, ...env } });

function files(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), readFileSync(path, "base64")];
    }),
  );
}

it("leaves out what an app does not use, resolves nested expressions once, and changes no byte of the output", async () => {
  const ASSET = `
    new TerraformAsset(stack, "Asset", { path: ${JSON.stringify(__dirname)}, type: AssetType.ARCHIVE });
    console.log(loaded("archiver/lib"), loaded("lib/kinesis-firehose"), loaded("lib/ecs-service/"));
    let times = 0;
    let nested = Lazy.anyValue({ produce: () => { times++; return 1; } });
    for (let level = 0; level < 6; level++) nested = Op.add(nested, 1);
    new TerraformOutput(stack, "Nested", { value: nested });
    app.synth();
    console.log(times < 9);
  `;
  const light = await program(ASSET, { OUT: join(work, "light") });
  expect(light).toMatchObject({ code: 0, stdout: "0 0 1\ntrue\n" });
  const plain = await program(ASSET, { OUT: join(work, "plain"), ANTIFRAGILE_DEBUG: "1" });
  expect(plain).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[^0].*\nfalse\n$/) });
  const [a, b] = [files(join(work, "light")), files(join(work, "plain"))];
  expect(Object.keys(a).some((file) => file.endsWith("archive.zip"))).toBe(true);
  expect(a).toEqual(b);
});

const VALUES = `
  const { DefaultTokenResolver, StringConcat, Token, Tokenization } = require("cdktf");
  const resolver = new DefaultTokenResolver(new StringConcat());
  const token = Token.asString("a"), list = Token.asList(["a"]), number = Token.asNumber(7), map = Token.asStringMap({ a: "b" });
  const lazy = Lazy.anyValue({ produce: () => ({ a: [token, undefined, null], b: undefined }) });
  class Kind { a = token; }
  const cyclic = {};
  cyclic.a = cyclic;
  const values = [
    undefined, null, true, 0, -1, 1e300, NaN, "", "a", "1e5", "a-e-b", "x" + token, "x" + number, "$" + "{a}", number, list, map, lazy,
    [], [undefined], [null, token, [token]], list.concat("b"), {}, { a: undefined, b: { c: [] } }, { [token]: 1 }, { a: map, b: list, c: number },
    "String Map Token Value", ["Any Map Token Value"], -123456789, [-123456789], list[0], new Kind(), new Date(0), () => 1, { a: () => 1 },
    { resolve: 1 }, { a: lazy, b: [lazy, { c: lazy }] }, platform, [platform], cyclic, Symbol.iterator, 10n, Object.create(null),
    { "a.b": { "c/d": [{ e: () => 1 }] } },
  ];
  for (const value of values) {
    let found;
    try { found = Tokenization.resolve(value, { scope: stack, preparing: false, resolver }); } catch (error) { found = error.message; }
    console.log(require("node:util").inspect(found, { depth: 9 }));
  }
`;

it("resolves every kind of value as the engine does, with its errors", async () => {
  const light = await program(VALUES, { OUT: join(work, "light-values") });
  const plain = await program(VALUES, { OUT: join(work, "plain-values"), ANTIFRAGILE_DEBUG: "1" });
  expect(plain).toMatchObject({ code: 0, stdout: expect.stringContaining("Found an encoded map token") });
  expect(light).toEqual(plain);
});

const BROKEN = `
  new TerraformOutput(stack, "Broken", { value: Lazy.stringValue({ produce: () => platform }) });
  app.synth();
`;

it("reports the line that created a faulty token on request, and says how", async () => {
  const hint = await program(BROKEN, { OUT: join(work, "hint") });
  expect(hint).toMatchObject({ code: 1, stderr: expect.stringContaining("(set ANTIFRAGILE_DEBUG=1 to see the line)") });
  const line = await program(BROKEN, { OUT: join(work, "line"), ANTIFRAGILE_DEBUG: "1" });
  expect(line).toMatchObject({ code: 1, stderr: expect.stringMatching(/Object creation stack:[\s\S]*\[eval\]:\d+/) });
});

it("changes nothing inside another version of the engine", async () => {
  const other = join(work, "node_modules");
  mkdirSync(join(other, "cdktf"), { recursive: true });
  for (const name of readdirSync(MODULES)) if (name !== "cdktf") symlinkSync(join(MODULES, name), join(other, name));
  for (const name of readdirSync(join(MODULES, "cdktf"))) {
    if (name !== "package.json") symlinkSync(join(MODULES, "cdktf", name), join(other, "cdktf", name));
  }
  const manifest = JSON.parse(readFileSync(join(MODULES, "cdktf/package.json"), "utf8"));
  writeFileSync(join(other, "cdktf/package.json"), JSON.stringify({ ...manifest, version: "0.21.1" }));
  const library = join(work, "library");
  mkdirSync(library);
  for (const name of ["constructs.js", "to-opensearch.mjs"]) {
    writeFileSync(join(library, name), readFileSync(join(packed.folder, "dist", name)));
  }
  const env = { OUT: join(work, "other"), LIBRARY: join(library, "constructs.js") };
  expect(await program(BROKEN, env, work)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/creation stack:[\s\S]*\[eval\]:\d+/),
  });
});
