import { DefaultTokenResolver, Lazy, StringConcat, TerraformElement, Tokenization } from "cdktf";
import type { IConstruct } from "constructs";
import { checkArguments } from "./check-types";
import { InvalidPropsError, invalid, type Problem } from "./errors";

/** A tree of attributes in Terraform's JSON syntax. */
type Attributes = Readonly<Record<string, unknown>>;

/** Protected members of cdktf's elements, which have no public equivalent. */
interface Overridable {
  readonly rawOverrides: Attributes;
  synthesizeAttributes?(): Attributes;
}

/** Attributes of a resource before its overrides. */
function attributesOf(element: TerraformElement): Attributes {
  const attributes = (element as unknown as Overridable).synthesizeAttributes?.() ?? {};
  return Tokenization.resolve(attributes, {
    scope: element,
    resolver: new DefaultTokenResolver(new StringConcat()),
    preparing: false,
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
      produce: () => {
        const text = earlier === undefined ? attributesOf(resource)[attribute] : resolved(resource, earlier);
        const document = parsed(text);
        if (document === undefined) {
          throw invalid(resource, {
            code: "OVERRIDE_DOCUMENT",
            prop: attribute,
            problem: `must be a JSON document, got ${JSON.stringify(text)}`,
            remedy: "Name a string attribute that holds JSON, in Terraform's spelling, such as policy.",
          });
        }
        return JSON.stringify(edit(document) ?? document);
      },
    }),
  );
}

function resolved(scope: IConstruct, value: unknown): unknown {
  return Tokenization.resolve(value, {
    scope,
    resolver: new DefaultTokenResolver(new StringConcat()),
    preparing: false,
  });
}

function parsed(text: unknown): object | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === "object" && document !== null ? document : undefined;
  } catch {
    return undefined;
  }
}

/** Refuses overrides that reach into a string, such as `container_definitions.0.ulimits`: they would replace all of it. */
export function checkOverrides(stack: IConstruct): void {
  const errors = stack.node
    .findAll()
    .filter((each): each is TerraformElement => TerraformElement.isTerraformElement(each))
    .filter((element) => Object.keys((element as unknown as Overridable).rawOverrides).length > 0)
    .flatMap((element) => {
      const problems = intoStrings((element as unknown as Overridable).rawOverrides, attributesOf(element), "");
      return problems.length === 0 ? [] : [new InvalidPropsError(element.node.path, problems)];
    });
  const [first, ...others] = errors;
  if (first !== undefined) throw new InvalidPropsError(first.path, first.problems, others);
}

function intoStrings(overrides: Attributes, attributes: unknown, path: string): Problem[] {
  return Object.entries(overrides).flatMap(([key, value]) => {
    const attribute = (attributes as Attributes | undefined)?.[key];
    if (typeof value !== "object" || value === null || Tokenization.isResolvable(value)) return [];
    if (typeof attribute === "object" && attribute !== null) {
      return intoStrings(value as Attributes, attribute, `${path}${key}.`);
    }
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
