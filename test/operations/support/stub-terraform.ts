import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import type { TerraformOptions } from "../../../operations/terraform";

/** Responses of a stub for Terraform, by stack. */
export interface Fake {
  readonly init?: number;
  readonly plan?: number;
  readonly apply?: number;
  readonly says?: string;
  readonly changes?: readonly {
    readonly address: string;
    readonly actions: readonly string[];
    readonly name?: string;
    readonly from?: string;
    /** Attributes before the change. @default - the name */
    readonly before?: object;
  }[];
}

const SCRIPT = `
const { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const fake = JSON.parse(readFileSync("fake.json", "utf8"));
const [command] = process.argv.slice(2);
appendFileSync("../calls", basename(process.cwd()) + " " + process.argv.slice(2).join(" ") + "\\n");
const out = process.argv.find((each) => each.startsWith("-out="))?.slice(5);
if (command === "plan") {
  const targets = process.argv.filter((each) => each.startsWith("-target=")).map((each) => each.slice(8));
  writeFileSync(out, targets.join() || basename(process.cwd()), { mode: 0o644 });
  process.exit(fake.plan ?? 2);
}
if (command === "apply" && fake.apply === undefined) {
  const plan = process.argv.at(-1);
  appendFileSync("../applied", readFileSync(plan, "utf8") + " " + (statSync(plan).mode & 0o777).toString(8) + "\\n");
}
if (command === "show") {
  const kept = existsSync("kept.tf.json") ? JSON.parse(readFileSync("kept.tf.json", "utf8")).resource : {};
  const changes = (fake.changes ?? []).filter(({ address }) => {
    const [type, name] = address.split(".");
    return kept[type]?.[name] === undefined;
  });
  const resource_changes = changes.map(({ address, actions, name, from, before = { name } }) => ({
    address, type: address.split(".")[0], previous_address: from, change: { actions, before, after: { name } },
  }));
  console.log(JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes }));
}
if (command === "apply" && fake.says) process.stderr.write(fake.says);
process.exit(fake[command] ?? 0);
`;

/** Folders of stacks, and a Terraform that responds as they say. */
export function stubTerraform(fakes: Readonly<Record<string, Fake>>) {
  const root = mkdtempSync(join(tmpdir(), "antifragile-stub-"));
  writeFileSync(join(root, "terraform.cjs"), SCRIPT);
  const folders = Object.entries(fakes).map(([name, fake]) => {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "fake.json"), JSON.stringify(fake));
    return join(root, name);
  });
  /** Runs a command with this Terraform, and returns what it did. */
  const run = async (
    command: (base: TerraformOptions & { readonly folders: readonly string[] }) => Promise<number>,
  ) => {
    const printed: string[] = [];
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const code = await command({
        folders,
        terraform: [process.execPath, join(root, "terraform.cjs")],
        print: (text) => printed.push(text),
        env: process.env,
      });
      const calls = readFileSync(join(root, "calls"), "utf8").trim().split("\n");
      const plans = calls.flatMap((call) => /-out=(.*)/.exec(call)?.[1] ?? []);
      const applied = existsSync(join(root, "applied")) ? readFileSync(join(root, "applied"), "utf8") : "";
      return { code, calls, plans, applied, text: printed.join("") };
    } finally {
      stderr.mockRestore();
    }
  };
  return { run };
}
