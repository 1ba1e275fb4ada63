import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COMBINATIONS, describeWithNodes, NODES_OF_CDKTN } from "../support/engines";
import { ROOT, stackJson, stackNames } from "../support/examples";
import { run, succeeded, usePackage } from "./packed";

const packed = usePackage();

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "antifragile-node-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { packages, version, provider } = COMBINATIONS["cdktn with provider 6"];

/** Packages that the infrastructure of a repository on CDK Terrain needs, beside the package itself. */
const INSTALLED: Readonly<Record<string, string>> = {
  cdktn: packages.cdktf,
  "@cdktn/provider-aws": packages["@cdktf/provider-aws"],
  ...Object.fromEntries(["constructs", "tsx", "vitest"].map((name) => [name, join(ROOT, "node_modules", name)])),
};

describeWithNodes("a repository on CDK Terrain", () => {
  it.each(NODES_OF_CDKTN)(
    "is generated, synthesized, and passes its tests of the infrastructure, by %s",
    async (node) => {
      const by = async (...args: readonly string[]) =>
        succeeded(await run([node, ...args], join(folder, "orders")), args.join(" "));
      const flags = ["--yes", "--no-install", "--no-git", "--engine", "cdktn", "--deployment", "canary"];
      mkdirSync(join(folder, "orders"));
      await by(packed.bin, "new", ".", "--name", "orders", ...flags);
      for (const [name, from] of Object.entries(INSTALLED)) {
        const path = join(folder, "orders/node_modules", name);
        mkdirSync(dirname(path), { recursive: true });
        symlinkSync(from, path);
      }
      // Node.js looks for what a package requires beside the target of a link.
      const library = join(folder, "orders/node_modules/antifragile");
      await run(["cp", "-r", packed.folder, library], folder);

      await by(packed.bin, "synth");
      const outdir = join(folder, "orders/infra/cdktf.out");
      const stacks = stackNames(outdir).map((name) => stackJson(outdir, name)) as unknown as {
        "//": { metadata: { version: string } };
        terraform: { required_providers: { aws: { version: string } } };
      }[];
      expect(stacks.length).toBeGreaterThan(2);
      for (const { "//": about, terraform } of stacks) {
        expect(about.metadata.version).toBe(version);
        expect(terraform.required_providers.aws.version).toBe(provider);
      }
      const vitest = [join(ROOT, "node_modules/vitest/vitest.mjs"), "run", "infra/test"];
      await by(...vitest, "--update");
      expect(await by(...vitest)).toMatch(/Tests .*\d+ passed/);
      const { engines } = JSON.parse(readFileSync(join(folder, "orders/package.json"), "utf8"));
      expect(engines.node).toBe("^22.13.0 || >=24.0.0");
    },
  );
});
