import { App, ref, TerraformLocal, TerraformStack, Token } from "cdktf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { literal } from "../../../constructs/core/literal";

/** Value of a template without references in Terraform. */
function asTerraformReads(template: string): string {
  return template.replaceAll("$${", "${").replaceAll("%%{", "%{");
}

describe("literal", () => {
  it("escapes text with a meaning for Terraform", () => {
    expect(literal('${file("/etc/passwd")} and %{ if true }yes%{ endif }')).toBe(
      '$${file("/etc/passwd")} and %%{ if true }yes%%{ endif }',
    );
  });

  it("is read by Terraform as written, for any text", () => {
    const text = fc.string({ unit: fc.constantFrom("$", "%", "{", "}", "a", '"', "\\", "\n") });
    fc.assert(fc.property(text, (written) => asTerraformReads(literal(written)) === written));
    expect(literal("plain")).toBe("plain");
  });

  const reference = Token.asString({ resolve: () => "${aws_vpc.main.id}" } as never);
  const written = (text: string) => {
    const stack = new TerraformStack(new App(), "stack");
    new TerraformLocal(stack, "Text", text);
    return (stack.toTerraform() as { locals: { Text: string } }).locals.Text;
  };

  it("keeps references, also between hostile text", () => {
    expect(written(literal(`a\${b}${reference}c%{d}`))).toBe("a$${b}${aws_vpc.main.id}c%%{d}");
  });

  it("does not let a dollar sign before a reference turn it into text", () => {
    expect(written(literal(`$${reference}`))).toBe('${"$"}${aws_vpc.main.id}');
  });

  it("gives equal texts for equal texts with references", () => {
    const ofResource = ref("aws_vpc.main.id").toString();
    expect(literal(`${ofResource}:a`)).toBe(literal(`${ofResource}:a`));
    expect(literal(literal(ofResource))).toBe(literal(ofResource));
  });
});
