import { DefaultTokenResolver, Lazy, StringConcat, TerraformElement, Tokenization } from "cdktf";
import type { IConstruct } from "constructs";
import { checkArguments } from "./check-types";
import { InvalidPropsError, invalid, type Problem } from "./errors";
import { jsonText, markReferences } from "./literal";
import { isObject, mapText } from "./plain";

/** A tree of attributes in Terraform's JSON syntax. */
type Attributes = Readonly<Record<string, unknown>>;

/** Protected members of cdktf's elements, which have no public equivalent. */
interface Overridable {
  readonly rawOverrides: Attributes;
  synthesizeAttributes?(): Attributes;
}

/** Attributes of a resource before its overrides, with tokens. */
function attributesOf(element: TerraformElement): Attributes {
  return (element as unknown as Overridable).synthesizeAttributes?.() ?? {};
}

function resolved<T>(scope: IConstruct, value: T, preparing = false): T {
  return Tokenization.resolve(value, {
    scope,
    resolver: new DefaultTokenResolver(new StringConcat()),
    preparing,
  });
}

/**
 * Edits a JSON document in a string attribute of a Terraform resource, such as an IAM policy or a dashboard, where
 * `addOverride` could only replace the whole text. Runs at synth on the final document; several edits run in order.
 *
 * @param attribute name of the attribute in Terraform: `policy`, `dashboard_body`
 * @param edit returns the new document, or changes the one it is given
 * @example
 * ```ts
 * editDocument(orders.taskDefinition, "container_definitions", (containers: object[]) =>
 *   containers.map((container) => ({ ...container, interactive: true })),
 * );
 * ```
 * @throws InvalidPropsError OVERRIDE_DOCUMENT when the attribute is not a JSON document at synth
 */
// biome-ignore lint/suspicious/noExplicitAny: a document of AWS, whose shape only the caller knows.
export function editDocument(resource: TerraformElement, attribute: string, edit: (document: any) => unknown): void {
  checkArguments("editDocument", { resource, attribute, edit });
  const { rawOverrides } = resource as unknown as Overridable;
  const earlier = rawOverrides[attribute];
  resource.addOverride(
    attribute,
    Lazy.stringValue({
      produce: ({ preparing }) => {
        const text = resolved(resource, earlier ?? attributesOf(resource)[attribute], preparing);
        const document = parsed(text);
        if (document === undefined) {
          throw invalid(resource, {
            code: "OVERRIDE_DOCUMENT",
            prop: attribute,
            problem: `must be a JSON document, got ${JSON.stringify(text)}`,
            remedy: "Name a string attribute that holds JSON, in Terraform's spelling, such as policy.",
          });
        }
        return jsonText(mapText(edit(document) ?? document, markReferences)).replaceAll(DOLLAR, "\\u0024");
      },
    }),
  );
}

/** Stands for a dollar sign before a reference while a document is edited: as itself, it would escape the reference. */
const DOLLAR = "\uE024";

function parsed(text: unknown): object | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const document: unknown = JSON.parse(text.replaceAll("\\u0024", DOLLAR));
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Finds overrides that reach into a string, such as `container_definitions.0.ulimits`: they would replace all of it.
 */
export function overrideErrors(stack: IConstruct): InvalidPropsError[] {
  return stack.node.findAll().flatMap((element) => {
    if (!TerraformElement.isTerraformElement(element)) return [];
    const { rawOverrides } = element as unknown as Overridable;
    if (!Object.values(rawOverrides).some(isTree)) return [];
    const problems = intoStrings(rawOverrides, resolved(element, attributesOf(element)), "");
    return problems.length === 0 ? [] : [new InvalidPropsError(element.node.path, problems)];
  });
}

/** Reports whether an override has parts that may reach into an attribute. */
function isTree(value: unknown): value is Attributes {
  return isObject(value) && !Tokenization.isResolvable(value);
}

function intoStrings(overrides: Attributes, attributes: unknown, path: string): Problem[] {
  return Object.entries(overrides).flatMap(([key, value]) => {
    const attribute = (attributes as Attributes | undefined)?.[key];
    if (!isTree(value)) return [];
    if (isObject(attribute)) return intoStrings(value, attribute, `${path}${key}.`);
    if (typeof attribute !== "string") return [];
    return [
      {
        code: "OVERRIDE_IN_STRING",
        prop: `addOverride("${path}${key}.${Object.keys(value)[0] ?? ""}")`,
        problem: `cannot override a path inside ${path}${key}: its value is a string, and the override would replace all of it`,
        remedy:
          key === "container_definitions"
            ? "Use overrideContainer(name, { ... }) of the service."
            : `Use editDocument(resource, "${key}", (document) => ({ ...document })).`,
      },
    ];
  });
}
