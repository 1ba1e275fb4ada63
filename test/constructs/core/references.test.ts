import { execFileSync } from "node:child_process";
import { App, Fn, Lazy, ref, TerraformLocal, TerraformStack, TerraformVariable, Testing, Token } from "cdktf";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { jsonText, literal, shellText } from "../../../constructs/core/literal";
import { describeOnEmulator } from "../../support/deployment";
import { evaluateLocals, withoutExpressions } from "../../support/terraform-console";

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
function evaluate(texts: (reference: string) => Readonly<Record<string, string>>, value: unknown) {
  const stack = new TerraformStack(new App(), "stack");
  const known = typeof value === "string" ? withoutExpressions(value) : value;
  const reference = new TerraformLocal(stack, "Value", known).asString;
  const written = texts(reference);
  for (const [name, text] of Object.entries(written)) new TerraformLocal(stack, name, text);
  stack.prepareStack();
  const { locals } = JSON.parse(Testing.synth(stack)) as { locals: Record<string, unknown> };
  return evaluateLocals(locals, Object.keys(written));
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

  it("are text whatever their type is", () => {
    for (const value of [8080, true, "8080"]) {
      const { json, shell, port } = evaluate(
        (reference) => ({
          json: jsonText({ a: literal(reference) }),
          shell: shellText(literal(reference)),
          port: jsonText({ a: literal(`port-${Token.asNumber(reference)}-${Token.asNumber(reference)}1`) }),
        }),
        value,
      );
      expect(JSON.parse(json as string)).toEqual({ a: String(value) });
      expect(shell).toBe(`'${value}'`);
      expect(JSON.parse(port as string)).toEqual({ a: `port-${value}-${value}1` });
    }
  });

  it("may be numbers and lists of a document", () => {
    const list = (reference: string) => Fn.split(",", reference);
    const texts = (reference: string) => ({
      list: jsonText({ own: list(reference), some: ["a", ...list(reference), "b"] }),
      nested: jsonText({ command: jsonText(list(reference)) }),
    });
    for (const value of HOSTILE.filter((each) => !each.includes(","))) {
      const { list: written, nested } = evaluate(texts, `${value},second`);
      expect(JSON.parse(written as string)).toEqual({ own: [value, "second"], some: ["a", value, "second", "b"] });
      expect(JSON.parse(JSON.parse(nested as string).command)).toEqual([value, "second"]);
    }
    const { number } = evaluate((reference) => ({ number: jsonText({ port: Token.asNumber(reference) }) }), 8080);
    expect(JSON.parse(number as string)).toEqual({ port: 8080 });
  });

  it("are encoded in texts that only synth yields, too", () => {
    const texts = (reference: string) => {
      const late = (text: string) => literal(Lazy.stringValue({ produce: () => text }));
      return {
        known: jsonText({ a: late('says "hi"') }),
        lazy: jsonText({ a: late(`says "hi" to $${reference}`), b: jsonText([late(reference)]) }),
        raw: jsonText({ a: literal(Token.asString(Token.asAny("${local.Value}"))) }),
        shell: `printf %s ${shellText(late(`it's ${reference}`))}`,
      };
    };
    for (const value of HOSTILE) {
      const { known, lazy, raw, shell } = evaluate(texts, value);
      expect(JSON.parse(known as string)).toEqual({ a: 'says "hi"' });
      const { a, b } = JSON.parse(lazy as string) as { a: string; b: string };
      expect([a, JSON.parse(b)]).toEqual([`says "hi" to $${value}`, [value]]);
      expect(JSON.parse(raw as string)).toEqual({ a: value });
      expect(execFileSync("bash", ["--norc", "-c", shell as string], { encoding: "utf8" })).toBe(`it's ${value}`);
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

it("JSON has no quotes of expressions: they are in local values, one for each expression", () => {
  const stack = new TerraformStack(new App(), "stack");
  const joined = Fn.join("-", ["a", new TerraformVariable(stack, "name", {}).stringValue]);
  for (const id of ["One", "Two"]) {
    new TerraformLocal(
      stack,
      id,
      Lazy.stringValue({ produce: () => jsonText({ a: literal(joined), b: literal(joined) }) }),
    );
  }
  stack.prepareStack();
  const { locals } = JSON.parse(Testing.synth(stack)) as { locals: Record<string, string> };
  const { One, Two, ...others } = locals;
  expect(Object.values(others)).toEqual(['${join("-", ["a", var.name])}']);
  expect(JSON.parse(One as string)).toEqual(JSON.parse(Two as string));
});

it("numbers that stand for references are no digits", () => {
  const stack = new TerraformStack(new App(), "stack");
  const port = Token.asNumber(ref("var.port"));
  new TerraformLocal(stack, "Text", literal(`a-${port}-2e+298 ${-8.5}`));
  const { locals } = stack.toTerraform() as { locals: { Text: string } };
  expect(locals.Text).toBe("a-${var.port}-2e+298 -8.5");
});
