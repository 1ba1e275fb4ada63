import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryFiles } from "../templates/support/repository";
import { ROOT } from "./examples";

const tsx = createRequire(__filename).resolve("tsx/cli");

/** Generates a repository and synthesizes its infrastructure with this library; returns both folders. */
export function synthGenerated(
  flags: object,
  change: (files: Map<string, string>) => void = () => {},
): { readonly repository: string; readonly outdir: string } {
  const repository = mkdtempSync(join(tmpdir(), "antifragile-generated-"));
  const files = repositoryFiles(flags);
  change(files);
  for (const [path, text] of files) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  const tsconfig = join(repository, "tsconfig.synth.json");
  const paths = {
    antifragile: [join(ROOT, "constructs/index.ts")],
    "antifragile/testing": [join(ROOT, "constructs/testing/index.ts")],
  };
  writeFileSync(
    tsconfig,
    JSON.stringify({ compilerOptions: { module: "esnext", moduleResolution: "bundler", paths } }),
  );
  execFileSync(process.execPath, [tsx, join(repository, "infra/main.ts")], {
    cwd: repository,
    env: { ...process.env, TSX_TSCONFIG_PATH: tsconfig },
    encoding: "utf8",
    stdio: "pipe",
  });
  return { repository, outdir: join(repository, "infra/cdktf.out") };
}
