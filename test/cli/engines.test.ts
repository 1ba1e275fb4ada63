import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COMBINATIONS, describeWithCdktn, describeWithNodes, NODES, NODES_OF_CDKTN } from "../support/engines";
import { ROOT, stackJson } from "../support/examples";
import { run, usePackage } from "./packed";

const packed = usePackage();

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-engine-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const cdktf = COMBINATIONS["cdktf with provider 5"].packages;
const cdktn = COMBINATIONS["cdktn with provider 6"].packages;
const CDKTF = { cdktf: cdktf.cdktf, "@cdktf/provider-aws": cdktf["@cdktf/provider-aws"] };
const CDKTN = { cdktn: cdktn.cdktf, "@cdktn/provider-aws": cdktn["@cdktf/provider-aws"] };

/** Installs the package beside other packages, as npm does. */
function install(packages: Readonly<Record<string, string>>): void {
  const others = ["constructs", "@types/node"].map((name) => [name, join(ROOT, "node_modules", name)]);
  for (const [name, from] of [...Object.entries(packages), ...others]) {
    const path = join(folder, "node_modules", name!);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(from!, path);
  }
  // Copied, because Node.js looks for packages beside the target of a link.
  cpSync(packed.folder, join(folder, "node_modules/antifragile"), { recursive: true });
}

const APP = `
const app = new App({ outdir: "out" });
const environment = { name: "dev", region: "eu-central-1", profile: "dev" };
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
const stack = platform.stack("orders");
new CloudNativeService(stack, "Orders").add(new Ingress());
app.synth();
console.log(stack.providerLine, Object.keys(synthesize(stack).resource).length > 5);
`;
const NAMES = "App, CloudNativeService, Ingress, insecureHttp, Platform";

async function runProgram(name: string, text: string, node = process.execPath) {
  writeFileSync(join(folder, name), text);
  const { code, stdout, stderr } = await run([node, name], folder);
  return { code, stdout, errors: stderr.replace(/^(!| {2}).*\n/gm, "") };
}

const required = `const { ${NAMES} } = require("antifragile"); const { synthesize } = require("antifragile/testing");${APP}`;
const imported = `import { ${NAMES} } from "antifragile"; import { synthesize } from "antifragile/testing";${APP}`;

/** Version of the engine that wrote the program's output. */
function engineOf(): string {
  const { metadata } = stackJson(join(folder, "out"), "orders-dev-service")["//"] as { metadata: { version: string } };
  return metadata.version;
}

describeWithNodes("the package finds its engine", () => {
  it.each([
    ["cdktf", CDKTF, "0.21.0", "5 true\n", NODES],
    ["cdktn", CDKTN, "0.24.0", "6 true\n", NODES_OF_CDKTN],
    ["cdktf where both are", { ...CDKTF, ...CDKTN }, "0.21.0", "5 true\n", NODES.slice(0, 1)],
  ])("%s, with require and import, on each version of Node.js", async (_, packages, version, stdout, nodes) => {
    install(packages);
    expect(nodes).not.toEqual([]);
    for (const node of nodes) {
      for (const [name, text] of [
        ["app.cjs", required],
        ["app.mjs", imported],
      ] as const) {
        rmSync(join(folder, "out"), { recursive: true, force: true });
        expect(await runProgram(name, text, node), node).toEqual({ code: 0, stdout, errors: "" });
        expect(engineOf()).toBe(version);
      }
    }
  });

  it("and fails without one by the name of its default", async () => {
    install({});
    const { code, errors } = await runProgram("app.cjs", required);
    expect(code).toBe(1);
    expect(errors).toContain("Cannot find module 'cdktf'");
  });
});

/** Compiler errors of a program in the folder. */
function typeErrors(text: string): string[] {
  const main = join(folder, "main.ts");
  writeFileSync(main, text);
  writeFileSync(join(folder, "package.json"), "{}");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ["node", "antifragile/cdktn"],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
  };
  const host = { ...ts.createCompilerHost(options), getCurrentDirectory: () => folder };
  return ts
    .getPreEmitDiagnostics(ts.createProgram([main], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
}

describeWithCdktn("the types of the package on CDK Terrain", () => {
  const program = `
    import { App, AwsStack } from "antifragile";
    import { synthesize } from "antifragile/testing";
    import { TerraformOutput } from "cdktn";
    const app = new App();
    const stack = new AwsStack(app, "audit", { environment: { name: "dev", region: "eu-central-1", profile: "dev" }, lifetime: "data" });
    new TerraformOutput(stack, "Account", { value: stack.accountId });
    synthesize(stack);
  `;

  it("are those of cdktn, with types: [antifragile/cdktn] in tsconfig.json", () => {
    install(CDKTN);
    expect(typeErrors(program)).toEqual([]);
    // Types that the compiler cannot find are `any`, with which these compile.
    expect(typeErrors(`${program} app.unknown();`)).toEqual(["Property 'unknown' does not exist on type 'App'."]);
    const number = "const account: number = stack.environment.name;";
    expect(typeErrors(`${program} ${number}`)).toEqual(["Type 'string' is not assignable to type 'number'."]);
  });
});
