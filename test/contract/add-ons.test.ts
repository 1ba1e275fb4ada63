import ts from "typescript";
import { describe, expect, it } from "vitest";
import { exportsOf } from "./support/public-api";
import { readSources } from "./support/sources";

const exported = exportsOf(readSources("constructs"), "constructs/index.ts");

/** Exported classes that can be added to a service. */
const addOns = [...exported.values()].flatMap(({ name, node }) =>
  node !== undefined &&
  ts.isClassDeclaration(node) &&
  node.heritageClauses?.some(({ types }) => types.some(({ expression }) => expression.getText() === "ServiceAddOn"))
    ? [name]
    : [],
);

/** Names that a doc comment shows as code or as a link. */
function namedIn(node: ts.Node): string[] {
  const text = ts
    .getJSDocCommentsAndTags(node)
    .map((doc) => doc.getText())
    .join("\n");
  return [...text.matchAll(/`([A-Z]\w+)`|\{@link ([A-Z]\w+)\}/g)].map(([, code, link]) => code ?? link ?? "");
}

const methodOf = (name: string, method: string) =>
  (exported.get(name)!.node as ts.ClassDeclaration).members.find((member) => member.name?.getText() === method)!;

describe("add-ons of a service", () => {
  it("are found", () => {
    expect(addOns.sort()).toEqual(["Ingress", "ServiceDashboard", "ServiceLevel", "Telemetry"]);
  });

  it("are all named where they are added, and where their type is documented", () => {
    expect(namedIn(methodOf("CloudNativeService", "add"))).toEqual(expect.arrayContaining(addOns));
    expect(namedIn(exported.get("ServiceAddOn")!.node!)).toEqual(expect.arrayContaining(addOns));
  });
});
