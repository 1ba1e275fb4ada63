import { expect, it } from "vitest";
import type { Pipeline } from "../../../constructs";
import { run, snippetsIn } from "../../contract/support/examples";
import { textOf } from "../../contract/support/sources";
import { resources } from "../../support/synth";
import { orders } from "./support/orders";

const SHA256 = "15b7bed76420b50da3e121769c43341df8cd57d751ca14e6dbe9c850124c6dac";

interface BuildSpec {
  readonly phases: { readonly install: { readonly commands: readonly string[] } };
}

/** Commands of the builds that install Terraform or OpenTofu, without repetitions. */
function installCommands(edit: (pipeline: Pipeline) => void): string[] {
  const { stack, pipeline } = orders();
  edit(pipeline);
  const specs = Object.values(resources(stack, "aws_codebuild_project")).map(
    ({ source }) => (source as { buildspec: BuildSpec }).buildspec.phases.install.commands,
  );
  return [...new Set(specs.flat().filter((command) => /terraform|tofu/.test(command)))];
}

it("builds install OpenTofu after a checksum, by the function in docs/engines.md, and Terraform without it", () => {
  const [snippet] = snippetsIn("docs/engines.md", textOf("docs/engines.md"));
  const tofu = installCommands((pipeline) => {
    const code = `${snippet?.code}\ninstallOpenTofu(pipeline, "1.10.6", "${SHA256}");\n`;
    run({ place: "docs/engines.md", code }, { pipeline }, {});
  });
  // https://opentofu.org/docs/intro/install/standalone/
  const releases = "https://github.com/opentofu/opentofu/releases/download";
  expect(tofu).toEqual([
    `curl -fsSL --retry 3 -o /tmp/terraform.zip ${releases}/v1.10.6/tofu_1.10.6_linux_arm64.zip`,
    `echo "${SHA256}  /tmp/terraform.zip" | sha256sum -c -`,
    "unzip -q -o /tmp/terraform.zip tofu -d /usr/local/bin",
  ]);
  const terraform = installCommands(() => undefined);
  expect(terraform.map((command) => command.replace(/\S*(?:terraform_|[0-9a-f]{64})\S*/, "..."))).toEqual([
    "curl -fsSL --retry 3 -o /tmp/terraform.zip ...",
    expect.stringContaining("/tmp/terraform.zip"),
    "unzip -q -o /tmp/terraform.zip terraform -d /usr/local/bin",
  ]);
});
