import type { TerraformProvider } from "cdktf";
import { invalid } from "./errors";

/** Major version of the AWS provider that Terraform runs. */
export type ProviderLine = 5 | 6;

/**
 * Returns the major version of the AWS provider that the installed bindings are made from.
 *
 * @throws InvalidPropsError PROVIDER_LINE with bindings of another major version
 */
export function providerLineOf(provider: TerraformProvider): ProviderLine {
  const { providerVersion = "unknown" } = provider.terraformGeneratorMetadata ?? {};
  const line = Number(providerVersion.split(".")[0]);
  if (line === 5 || line === 6) return line;
  throw invalid(provider, {
    code: "PROVIDER_LINE",
    prop: "provider",
    problem: `must be AWS provider 5 or 6, but the installed bindings are those of ${providerVersion}`,
    remedy:
      "Install @cdktf/provider-aws 20.1.0 (AWS provider 5) or 21.x (6), or @cdktn/provider-aws 25.x (6) with cdktn.",
  });
}
