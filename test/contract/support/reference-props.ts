import { type Form, reasonToKnow } from "../../../constructs/core/known-at-synth";
import type { Props, Shape } from "../../../constructs/core/shape";
import { CALLS, TYPES } from "../../../constructs/core/types.generated";

/** A prop of a public call that takes a plain value, a list or a map; or the keys of a map. */
export interface ReferenceProp {
  /** `new CloudNativeService` */
  readonly call: string;
  /** Prop as refusals name it: `scaling.metrics[0].name`. */
  readonly prop: string;
  /** Declaration: `MetricTarget.name`. */
  readonly source: string;
  readonly form: Form | "key";
  /** Reason why it takes no reference; undefined if it takes one. */
  readonly refused: string | undefined;
  /** Arguments of the call with this value, all others as short as their types allow. */
  readonly argumentsWith: (value: unknown) => Readonly<Record<string, unknown>>;
}

type Wrap = ReferenceProp["argumentsWith"];
type Place = Pick<ReferenceProp, "call" | "prop" | "source"> & { readonly wrap: Wrap };

const BUNDLES = ["props", "options", "attributes"];
const nameOf = (key: string) => key.replace("?", "");

/** Props of every public call, read from the types that the calls check. */
export function referenceProps(): ReferenceProp[] {
  return Object.entries(CALLS).flatMap(([call, args]) =>
    Object.entries(args).flatMap(([key, shape]) => {
      const name = nameOf(key);
      const bundle = BUNDLES.includes(name);
      const wrap: Wrap = (value) => ({ ...required(args), [name]: value });
      return propsBelow(shape, { call, prop: bundle ? "" : name, source: bundle ? call : `${call}.${name}`, wrap });
    }),
  );
}

function propsBelow(shape: Shape, place: Place): ReferenceProp[] {
  const { call, prop, source, wrap } = place;
  const here = (form: ReferenceProp["form"], refused: string | undefined): ReferenceProp => ({
    call,
    prop,
    source,
    form,
    refused,
    argumentsWith: wrap,
  });
  const of = (form: Form) => here(form, reasonToKnow(source, form));
  if (shape === "any" || shape === "function") return [];
  if (shape === "string" || shape === "number") return [of(shape)];
  if (shape === "word" || shape === "boolean") return [of("choice")];
  if (typeof shape === "string") {
    const type = TYPES[shape.slice(1)]!;
    return "props" in type ? propsOf(type, { ...place, source: shape.slice(1) }) : [];
  }
  if (isList(shape)) {
    const element = { call, prop: `${prop}[0]`, source: `${source}[]`, wrap: (value: unknown) => wrap([value]) };
    return [of("list"), ...propsBelow(shape[0], element)];
  }
  if ("oneOf" in shape) return shape.oneOf.flatMap((each) => propsBelow(each, place));
  // The kind of an alternative, or a word that stands for it.
  if ("words" in shape) return [of("choice")];
  if ("props" in shape) return propsOf(shape, place);
  const value = { call, prop: `${prop}.key`, source: `${source}.*`, wrap: (inner: unknown) => wrap({ key: inner }) };
  const keys: Wrap = (key) => wrap({ [String(key)]: sample(shape.values) });
  const key = { ...here("key", "keys are names"), prop: `${prop} (a key)`, argumentsWith: keys };
  return [of("map"), key, ...propsBelow(shape.values, value)];
}

function propsOf({ props }: Props, { call, prop, source, wrap }: Place): ReferenceProp[] {
  return Object.entries(props).flatMap(([key, shape]) => {
    const name = nameOf(key);
    // The kind decides between alternatives, which have no type of their own until it is known.
    if (name === "kind") return [];
    return propsBelow(shape, {
      call,
      prop: prop === "" ? name : `${prop}.${name}`,
      source: `${source}.${name}`,
      wrap: (value) => wrap({ ...required(props), [name]: value }),
    });
  });
}

const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);

function required(props: Readonly<Record<string, Shape>>): Record<string, unknown> {
  const entries = Object.entries(props).filter(([key]) => !key.endsWith("?"));
  return Object.fromEntries(entries.map(([key, shape]) => [key, sample(shape)]));
}

/** A value of a type, as short as it allows. */
function sample(shape: Shape): unknown {
  if (shape === "string" || shape === "word") return "text";
  if (shape === "number") return 1;
  if (shape === "boolean") return true;
  if (shape === "function") return () => undefined;
  if (shape === "any") return {};
  if (typeof shape === "string") {
    const type = TYPES[shape.slice(1)]!;
    return "props" in type ? required(type.props) : Object.fromEntries(type.members.map((member) => [member, 1]));
  }
  if (isList(shape)) return [];
  if ("oneOf" in shape) return sample(shape.oneOf[0]!);
  if ("words" in shape) return shape.words[0];
  return "props" in shape ? required(shape.props) : {};
}
