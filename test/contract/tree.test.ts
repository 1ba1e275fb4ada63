import { TerraformBackend, TerraformLocal, TerraformResource, TerraformStack, Testing, Token } from "cdktf";
import type { IConstruct } from "constructs";
import { describe, expect, it } from "vitest";
import * as library from "../../constructs";
import { synthesize } from "../../constructs/testing";
import { everything } from "./support/everything";
import { exportsOf } from "./support/public-api";
import { constructClasses } from "./support/rules";
import { readSources } from "./support/sources";

/** Constructs without a resource of their own to override, with the reason. */
const NO_DEFAULT_CHILD = new Map([
  ["CiRoles", "makes roles, none of which is more it than the others"],
  ["Connections", "makes a rule for each edge, named after it"],
  ["ExternalService", "is outside; the service that uses it gets its variables and the way"],
]);

const app = everything();
const nodes = app.node.findAll();
const sources = readSources("constructs");
const classes = constructClasses(sources, exportsOf(sources, "constructs/index.ts"));
const isA = (node: IConstruct, name: string) => {
  const type: unknown = Reflect.get(library, name);
  return typeof type === "function" && node instanceof type;
};
const stacks = nodes.filter((node): node is TerraformStack => node instanceof TerraformStack);

describe("C15: the tree", () => {
  it("has one of every exported construct", () => {
    expect(classes.map(({ name }) => name).filter((name) => !nodes.some((node) => isA(node, name)))).toEqual([]);
  });

  it.each(classes.filter(({ stack }) => !stack))("has a resource to override in each $name", ({ name }) => {
    const without = nodes.filter((node) => isA(node, name) && !(node.node.defaultChild instanceof TerraformResource));
    // An imported thing has no class of its own that is exported.
    expect(without.length > 0).toBe(NO_DEFAULT_CHILD.has(name));
  });

  it("calls it Resource", () => {
    const others = nodes
      .map((node) => node.node.defaultChild)
      .filter((child) => child !== undefined && child.node.id !== "Resource");
    expect(others.map((child) => child?.node.path)).toEqual([]);
  });

  it("names its children in PascalCase", () => {
    // Stacks are named by their lifetime, and cdktf names the backend.
    const others = nodes.filter(
      (node) => node !== app && !(node instanceof TerraformStack) && !(node instanceof TerraformBackend),
    );
    expect(others.filter(({ node }) => !/^[A-Z][A-Za-z0-9]*$/.test(node.id)).map(({ node }) => node.path)).toEqual([]);
    expect(others.length).toBeGreaterThan(100);
  });

  it("keeps resources below the construct that creates them", () => {
    const beside = nodes.filter(
      (node) => node instanceof TerraformResource && node.node.scope instanceof TerraformStack,
    );
    expect(beside.map(({ node }) => node.path)).toEqual([]);
  });
});

describe("C17: tags", () => {
  type Resources = Readonly<
    Record<string, Readonly<Record<string, { readonly tags?: Readonly<Record<string, string>> }>>>
  >;

  it.each(stacks.map((stack) => [stack.node.id, stack] as const))(
    "of %s come from the provider, except names",
    (_, stack) => {
      const program = synthesize(stack) as {
        resource?: Resources;
        provider: { aws: { default_tags: { tags: object }[] }[] };
      };
      const tagged = Object.entries(program.resource ?? {}).flatMap(([type, byId]) =>
        Object.entries(byId).flatMap(([id, { tags }]) =>
          Object.keys(tags ?? {})
            .filter((key) => key !== "Name")
            .map((key) => `${type}.${id} ${key}`),
        ),
      );
      expect(tagged).toEqual([]);
      expect(program.provider.aws[0]?.default_tags[0]?.tags).toMatchObject({ ManagedBy: "antifragile" });
    },
  );
});

describe("a stack that refers to every construct of the others", () => {
  it("reads their values from parameters, never from their state", () => {
    let reader: library.ServiceStack | undefined;
    const other = everything("dev", undefined, {
      more: (platform) => {
        reader = platform.stack("reader");
      },
    });
    const constructs = other.node.findAll().filter((node) => classes.some(({ name }) => isA(node, name)));
    const shared = constructs.filter((node) => {
      const stack = library.AwsStack.of(node);
      return stack !== reader && stack.environment.name === "dev" && stack.lifetime !== "delivery" && stack !== node;
    });
    shared.forEach((node, index) => {
      const own = Object.values(node).filter((value) => typeof value === "string" && Token.isUnresolved(value));
      const { defaultChild } = node.node;
      const ids = defaultChild instanceof TerraformResource ? [defaultChild.getStringAttribute("id")] : [];
      new TerraformLocal(reader as library.ServiceStack, `Value${index}`, [...own, ...ids]);
    });
    const stacksOf = other.node.findAll().filter((node): node is TerraformStack => node instanceof TerraformStack);
    for (const stack of stacksOf) stack.prepareStack();
    const documents = stacksOf.map((stack) => Testing.synth(stack));
    expect(documents.filter((each) => /terraform_remote_state|cross-stack-output/.test(each))).toEqual([]);
    expect(new Set(shared.map((node) => node.constructor.name)).size).toBeGreaterThan(15);
    const values = documents.join("").match(/jsondecode\(data\.aws_ssm_parameter\.Shared/g) ?? [];
    expect(values.length).toBeGreaterThan(shared.length);
  });
});
