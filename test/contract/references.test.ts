import { App, Fn, ref, TerraformStack, Testing, Token } from "cdktf";
import { Construct } from "constructs";
import { beforeAll, describe, expect, it } from "vitest";
import { InvalidPropsError, LogStream, Platform } from "../../constructs";
import { checkArguments } from "../../constructs/core/check-types";
import {
  LISTS_KNOWN_AT_APPLY,
  NUMBERS_KNOWN_AT_APPLY,
  STRINGS_KNOWN_AT_SYNTH,
} from "../../constructs/core/known-at-synth";
import { synthesize } from "../../constructs/testing";
import { describeOnEmulator } from "../support/deployment";
import { evaluateLocals, withoutExpressions } from "../support/terraform-console";
import { referenceApps } from "./support/reference-app";
import { type ReferenceProp, referenceProps } from "./support/reference-props";
import type { References } from "./support/references";

const props = referenceProps();
const accepted = props.filter(({ refused }) => refused === undefined);
const refused = props.filter((prop) => prop.refused !== undefined);
const keyOf = ({ call, prop }: Pick<ReferenceProp, "call" | "prop">) => `${call} ${prop}`;

/** Props that nothing refers to, and why. */
const UNUSED: Readonly<Record<string, string>> = {
  "new ChaosExperiment stopOn[0].alarmName": "AWS FIS refers to alarms by ARN",
};

/** Writes a reference as a user may, for a prop. */
type Wrap = (text: string, prop: string) => string;

/** Gives each prop a local value of its own, of the prop's type, and remembers it. */
class GivenValues implements References {
  readonly keys: string[] = [];
  readonly values: Record<string, unknown> = {};

  constructor(private readonly wrap: Wrap = (same) => same) {}

  text(call: string, prop: string): string {
    return this.wrap(Token.asString(this.#given(call, prop, "given")), prop);
  }

  number(call: string, prop: string): number {
    return Token.asNumber(this.#given(call, prop, 8080));
  }

  list(call: string, prop: string): string[] {
    return Token.asList(this.#given(call, prop, ["given", "given too"]));
  }

  /** Name of the local value of a prop. */
  nameOf(index: number): string {
    return `given${index}x`;
  }

  #given(call: string, prop: string, value: unknown) {
    const key = keyOf({ call, prop });
    if (!this.keys.includes(key)) this.keys.push(key);
    const name = this.nameOf(this.keys.indexOf(key));
    this.values[name] = value;
    return ref(`local.${name}`);
  }
}

type Documents = readonly unknown[];

function synthesized(given: References): Documents {
  const stacks = referenceApps(given)
    .flatMap((app) => app.node.findAll())
    .filter((node): node is TerraformStack => node instanceof TerraformStack);
  return stacks.map((stack) => {
    stack.prepareStack();
    return JSON.parse(Testing.synth(stack, true)) as unknown;
  });
}

/** A given value, or the local value of an expression with quotes. */
const GIVEN = /local\.(given\d+x|Value[0-9a-f]{8})/;

function keysIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const isJson = (text: string) => /^\s*[[{]/.test(text);
const isScript = (text: string) => text.startsWith("#!");

/** The text, if a reference is part of JSON or a script without being encoded. */
function pasted(text: string): string | undefined {
  const safe = isJson(text)
    ? text.replaceAll(/jsonencode\((substr\(|tonumber\()?local\.(given\d+x|Value[0-9a-f]{8})/g, "")
    : text.replaceAll(/replace\((replace\()?local\.given\d+x(, "a", "b"\))?, "'"/g, "");
  return (isJson(text) || isScript(text)) && GIVEN.test(safe) ? text : undefined;
}

function isValidJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Outcome of a call's check of its arguments: codes and props of a refusal. */
function outcome({ call, argumentsWith }: ReferenceProp, value: unknown): string {
  try {
    checkArguments(call, argumentsWith(value));
    return "accepted";
  } catch (error) {
    if (!(error instanceof InvalidPropsError)) throw error;
    return error.problems.map(({ code, prop }) => `${code} ${prop}`).join(", ");
  }
}

const reference = ref("data.aws_ssm_parameter.Any.insecure_value");
const text = Token.asString(reference);
const number = Token.asNumber(reference);

/** References in each form that cdktf has for a type. */
const FORMS: Readonly<Record<ReferenceProp["form"], readonly unknown[]>> = {
  string: [text, `a ${text} b`, `${text}${text}`, Fn.join("-", ["a", text]), `port ${number}`, `${number}`],
  number: [number, Token.asNumber(Fn.lengthOf([text]))],
  list: [Token.asList(reference), Fn.split(",", text)],
  map: [Token.asStringMap(reference), reference],
  choice: [text, reference],
  key: [text, `a${text}`],
};

/** References of another type than the prop's. */
const OTHER_TYPES: Readonly<Partial<Record<ReferenceProp["form"], readonly unknown[]>>> = {
  string: [reference, number, Token.asList(reference), `a ${Token.asList(reference)[0]}`],
  number: [reference, text],
  list: [reference, text],
};

describe("a value that is known only at apply", () => {
  it("is given to every prop of every call", () => {
    // Each prop of the types that calls check is here once: a new prop changes these figures.
    expect({ props: props.length, accepted: accepted.length, refused: refused.length }).toEqual({
      props: 853,
      accepted: 181,
      refused: 672,
    });
  });

  it("is refused with the prop's name where it must be known at synth", () => {
    const wrong = refused.flatMap((prop) =>
      FORMS[prop.form].flatMap((value) => {
        const got = outcome(prop, value);
        return got === `PROP_KNOWN_AT_SYNTH ${prop.prop}` ? [] : [`${keyOf(prop)} (${prop.form}): ${got}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it("is accepted in every form of the prop's type, and refused in those of other types", () => {
    const wrong = accepted.flatMap((prop) => {
      const ofType = FORMS[prop.form].filter((value) => outcome(prop, value) !== "accepted");
      // An element that is a list stands for all elements; of alternatives, another one may be meant.
      const others = prop.prop.endsWith("[0]") ? [reference] : (OTHER_TYPES[prop.form] ?? []);
      const whole = prop.prop.replace(/\[0\]$/, "");
      const ofOther = others.filter((value) => {
        const [code, at] = outcome(prop, value).split(" ");
        return !/^PROP_(TYPE|KNOWN_AT_SYNTH)$/.test(code!) || (at !== prop.prop && at !== whole);
      });
      return [...ofType, ...ofOther].map((value) => `${keyOf(prop)} (${prop.form}): ${outcome(prop, value)}`);
    });
    expect(wrong).toEqual([]);
  });

  it("names no prop that does not exist in the reasons and exceptions", () => {
    const sources = new Set(props.map(({ source }) => source));
    const named = [...Object.values(STRINGS_KNOWN_AT_SYNTH).flat(), ...NUMBERS_KNOWN_AT_APPLY, ...LISTS_KNOWN_AT_APPLY];
    expect(named.filter((source) => !sources.has(source))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });

  it("states what to do", () => {
    const scaling = refused.find(({ call, prop }) => call === "new CloudNativeService" && prop === "scaling.max");
    expect(() => checkArguments(scaling!.call, scaling!.argumentsWith(number))).toThrow(
      /^new CloudNativeService\(\): scaling\.max must be known at synth, .*\n {2}Set a literal, .*\[PROP_KNOWN_AT_SYNTH\]$/,
    );
  });

  it("is refused as an id", () => {
    const stack = new Platform(new App(), "shop", {
      environment: { name: "dev", region: "eu-central-1", profile: "dev" },
    });
    const refusal = /reference: id must be known at synth.*\[PROP_KNOWN_AT_SYNTH\]/s;
    expect(() => new LogStream(stack, text)).toThrow(refusal);
    // Nothing checks the arguments of a plain construct.
    new Construct(stack, `Plain${number}`);
    expect(() => synthesize(stack)).toThrow(refusal);
  });

  const wraps: readonly (readonly [name: string, wrap: Wrap])[] = [
    ["alone", (same) => same],
    // URLs have none.
    ["after a dollar sign", (same, prop) => (/url$/i.test(prop) ? same : `$${same}`)],
    ["in a text", (same) => `a.${same}.b`],
    ["as a number in a text", (same) => `a${Token.asNumber(same)}`],
    ["through a function of Terraform", (same) => Fn.replace(same, "a", "b")],
    ["as an expression", (same) => Token.asString({ resolve: () => same } as never)],
  ];

  describe.each(wraps)("that an app uses %s", (_, wrap) => {
    const given = new GivenValues(wrap);
    let documents: Documents;

    beforeAll(() => {
      documents = synthesized(given);
    });

    it("is set for every prop that accepts it, and arrives in the documents as a reference", () => {
      expect([...given.keys].sort()).toEqual([...new Set(accepted.map(keyOf))].sort());
      const written = JSON.stringify(documents);
      const lost = given.keys.filter((_, index) => !written.includes(`local.${given.nameOf(index)}`));
      expect(lost).toEqual(Object.keys(UNUSED));
      expect(written).not.toMatch(/TfToken|\de\+29\d/);
    });

    it("is in no address and in no key", () => {
      expect(keysIn(documents).filter((key) => /given\d|TfToken|e\+29/.test(key))).toEqual([]);
    });

    it("is pasted neither into JSON nor into scripts, and leaves JSON valid", () => {
      const texts = textsIn(documents).filter((each) => GIVEN.test(each));
      expect(texts.filter((each) => isJson(each) && !isValidJson(each))).toEqual([]);
      expect(texts.flatMap((each) => pasted(each) ?? [])).toEqual([]);
      expect(texts.filter(isJson).length).toBeGreaterThan(20);
      expect(texts.filter(isScript).length).toBeGreaterThan(1);
    });
  });
});

/** Values with all characters that end or begin something in JSON, and none that a prop is split at. */
const HOSTILE = ['"},{"name" "x', "a\\ 'b' \n\t\r", "${x} %{y} $ $${z}", "<ä&日本>\u2028"];

/** Expressions that refer to anything else than what is given, which no program here has. */
const FOREIGN =
  /jsondecode\(data\.aws_ssm_parameter\.[\w-]+\.insecure_value\)(\.\w+|\["[^"]*"\])*|(data\.)?aws_\w+\.[\w-]+(\[\d+\]|\["[^"]*"\]|\.\w+)*/g;

const withoutForeign = (expression: string) =>
  expression.replaceAll(FOREIGN, '"own"').replaceAll(/(?<=join\(",", |tolist\()"own"/g, '["own"]');

/** Local values of all documents with their JSON that refers to a given value, under names of their own. */
function program(documents: Documents) {
  const locals: Record<string, unknown> = {};
  const names: string[] = [];
  documents.forEach((document, at) => {
    const own = (text: string) =>
      text
        .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, withoutForeign)
        .replaceAll(/local\.(?!given\d+x)/g, `local.s${at}`);
    const { locals: declared = {}, ...blocks } = document as { locals?: Record<string, unknown> };
    for (const [name, value] of Object.entries(declared)) {
      locals[`s${at}${name}`] = typeof value === "string" ? own(value) : value;
    }
    for (const text of textsIn(blocks).filter((each) => isJson(each) && GIVEN.test(each))) {
      names.push(`text${names.length}`);
      locals[names.at(-1)!] = own(text);
    }
  });
  return { locals, names };
}

function withReplaced(value: unknown, replace: (text: string) => unknown): unknown {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((each) => withReplaced(each, replace));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withReplaced(each, replace)]));
}

/** A JSON document whose strings with JSON are documents, too. */
function unfolded(text: string): unknown {
  return withReplaced(JSON.parse(text), (each) => (isJson(each) && isValidJson(each) ? unfolded(each) : each));
}

describeOnEmulator("JSON with values that are known only at apply, as Terraform writes it", () => {
  it("has the same form whatever the values are, which arrive unchanged", () => {
    const given = new GivenValues();
    const { locals, names } = program(synthesized(given));
    expect(names.length).toBeGreaterThan(20);
    const written = (value: string) =>
      evaluateLocals(
        {
          ...locals,
          ...(withReplaced(given.values, (text) => withoutExpressions(text.replaceAll("given", value))) as object),
        },
        names,
      );
    const plain = written("given");
    for (const value of HOSTILE) {
      const got = written(value);
      for (const name of names) {
        const expected = withReplaced(unfolded(plain[name]!), (text) => text.replaceAll("given", value));
        expect(unfolded(got[name]!)).toEqual(expected);
      }
    }
  });
});
