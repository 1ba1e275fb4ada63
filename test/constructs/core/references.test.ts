import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, TerraformLocal, TerraformStack } from "cdktf";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { jsonText, literal, shellText } from "../../../constructs/core/literal";
import { describeOnEmulator, tools } from "../../support/deployment";

const HOSTILE = [
  'she said "hi" \\ and left',
  `x"},{"name":"NODE_OPTIONS","value":"--inspect=0.0.0.0`,
  "a\nb\tc\r\n",
  "'; rm -rf /; echo '",
  "${file(1)} %{ if true } $${x} $",
  "<ä&日本>\u2028",
  "",
];

/** Values that Terraform gives to texts, which may refer to a local value. */
function evaluate(
  texts: (reference: string) => Readonly<Record<string, string>>,
  value: string,
): Record<string, string> {
  const stack = new TerraformStack(new App(), "stack");
  const reference = new TerraformLocal(
    stack,
    "Value",
    value.replaceAll(/[$%](?=\{)/g, (sign) => sign + sign),
  );
  for (const [name, text] of Object.entries(texts(reference.asString))) new TerraformLocal(stack, name, text);
  const folder = mkdtempSync(join(tmpdir(), "antifragile-references-"));
  const { locals } = stack.toTerraform() as { locals: Record<string, string> };
  writeFileSync(join(folder, "main.tf.json"), JSON.stringify({ locals }));
  const program = tools.terraform.found ? tools.terraform.path : "";
  const names = Object.keys(texts("")).map((name) => `${name} = local.${name}`);
  const output = execFileSync(program, ["console"], {
    cwd: folder,
    input: `jsonencode({ ${names.join(", ")} })\n`,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
  return JSON.parse(JSON.parse(output));
}

describeOnEmulator("references of a user, as Terraform reads them", () => {
  let results: { value: string; read: Record<string, string> }[];

  beforeAll(() => {
    const texts = (reference: string) => ({
      json: jsonText({ a: literal(reference), b: literal(`from $${reference}!`), c: "own" }),
      nested: jsonText({ command: jsonText([literal(`x ${reference}`)]) }),
      whole: jsonText({ a: `$${reference} \${literal}` }, literal),
      shell: `printf %s ${shellText(literal(`it's $${reference}`))}`,
    });
    results = HOSTILE.map((value) => ({ value, read: evaluate(texts, value) }));
  });

  it("cannot leave the JSON string that contains them, and arrive unchanged", () => {
    for (const { value, read } of results) {
      expect(JSON.parse(read.json as string)).toEqual({ a: value, b: `from $${value}!`, c: "own" });
      expect(JSON.parse(JSON.parse(read.nested as string).command)).toEqual([`x ${value}`]);
      expect(JSON.parse(read.whole as string)).toEqual({ a: `$${value} \${literal}` });
    }
  });

  it("cannot leave the word of a shell that contains them", () => {
    for (const { value, read } of results) {
      expect(execFileSync("bash", ["--norc", "-c", read.shell as string], { encoding: "utf8" })).toBe(`it's $${value}`);
    }
  });
});

it("JSON with references is valid before they are known", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("$", "%", "{", "}", "a", '"', "\\", "\n") }), (text) => {
      const stack = new TerraformStack(new App(), "stack");
      const reference = new TerraformLocal(stack, "Value", "x").asString;
      new TerraformLocal(stack, "Text", jsonText({ a: literal(`${text}${reference}${text}`) }));
      const { Text } = (stack.toTerraform() as { locals: { Text: string } }).locals;
      expect(() => JSON.parse(Text)).not.toThrow();
    }),
  );
});
