import { createRequire } from "node:module";

/** Major version of the AWS provider that Terraform runs. */
export type ProviderLine = 5 | 6;

/** Versions of the provider bindings (from their `package.json`) and the provider version of each. */
const LINE_OF_BINDINGS: Readonly<Record<string, ProviderLine>> = { "20": 5, "21": 6 };

let installed: ProviderLine | undefined;

/** Returns the provider version of the installed `@cdktf/provider-aws`: 20.x is AWS provider 5, 21.x is 6. */
export function installedProviderLine(): ProviderLine {
  if (installed === undefined) {
    const { version } = createRequire(__filename)("@cdktf/provider-aws/package.json") as { version: string };
    const line = LINE_OF_BINDINGS[version.split(".")[0] ?? ""];
    if (line === undefined) {
      throw new Error(`@cdktf/provider-aws ${version} is not supported: install 20.1.0 (AWS provider 5) or 21.x (6)`);
    }
    installed = line;
  }
  return installed;
}
