import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { repositoryFiles } from "../templates/support/repository";
import { runningProgram } from "./program";

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
  execFileSync(process.execPath, runningProgram(join(repository, "infra/main.ts")), {
    cwd: repository,
    encoding: "utf8",
    stdio: "pipe",
  });
  return { repository, outdir: join(repository, "infra/cdktf.out") };
}
