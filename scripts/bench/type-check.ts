import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { repositoryFiles, writeFiles } from "../../test/templates/support/repository";
import { folder, measureCommand, ROOT, ratioOf } from "./measure";
import { npmInstall } from "./peers";
import { ratioRow } from "./rows";

/** A later type check of a generated repository beside its first. */
export function typeCheckRow(): void {
  const repository = join(folder, "repository");
  const files = repositoryFiles({ auth: "oidc" });
  const manifest = JSON.parse(files.get("package.json")!);
  // The package of this version, and engines that are installed here, in the place of half a gigabyte.
  for (const name of ["antifragile", "cdktf", "constructs", "@cdktf/provider-aws"])
    delete manifest.devDependencies[name];
  writeFiles(repository, files.set("package.json", JSON.stringify(manifest)));
  npmInstall(repository);
  const modules = join(repository, "node_modules");
  for (const name of ["cdktf", "constructs", "@cdktf"])
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  symlinkSync(ROOT, join(modules, "antifragile"));
  const check = () => measureCommand("npm run typecheck", repository);
  const cold = () => {
    measureCommand("rm -rf node_modules/.cache", repository);
    return check();
  };
  // Each pair ends with the later check, which finds the state that the first has written.
  const ratio = ratioOf(cold, check, 1, 3);
  ratioRow(
    "type check of a generated repository, after a first one",
    {
      median: 1 / ratio.median,
      lowest: 1 / ratio.highest,
      highest: 1 / ratio.lowest,
    },
    0.6,
  );
}
