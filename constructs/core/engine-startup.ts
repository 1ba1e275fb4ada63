/**
 * Lighter start of the engine. Imported before `cdktf`, of which it changes four internals that cost a third of the time of
 * `synth` and a third of its memory, and do not show in its output. Another version of the engine runs unchanged.
 */
import { createRequire } from "node:module";
import type { IResolvable } from "cdktf";
import type { IConstruct } from "constructs";

const VERSION = "0.21.0";

/** Environment variable that leaves the engine as it is: errors of tokens then name the line that created the token. */
const DEBUG_SWITCH = "ANTIFRAGILE_DEBUG";

const load = createRequire(__filename);

/** Loads `archiver`, 300 modules, when an asset is packed, which few apps do. */
function loadArchiverLate(engine: NodeJS.Require): void {
  const path = engine.resolve("archiver");
  if (engine.cache[path] !== undefined) return;
  const late = (...args: unknown[]) => {
    delete engine.cache[path];
    return (engine(path) as (...args: unknown[]) => unknown)(...args);
  };
  engine.cache[path] = { id: path, filename: path, loaded: true, exports: late, children: [], paths: [] } as never;
}

/** Leaves out the stack traces of tokens, of which an app creates thousands and an error prints one. */
function leaveOutTokenTraces(engine: NodeJS.Require): void {
  const module = engine("./lib/tokens/private/stack-trace") as { captureStackTrace: () => string[] };
  const hint = [`(set ${DEBUG_SWITCH}=1 to see the line)`];
  module.captureStackTrace = () => hint;
}

/** Values of the engine that stand for others: no token is a smaller number, or a text without these. */
const TOKEN = /TfToken\[|^(?:String|Any) Map Token Value$|[-|\d.+]e[-|\d.eE+]/;
const isPlain = (value: unknown) =>
  typeof value === "string"
    ? !TOKEN.test(value)
    : typeof value !== "number" || (Math.abs(value) < 1e200 && value !== -123456789);

/** Copies what has no token without the engine, which prepares a context for each value: a sixth of the time of many services. */
function resolvePlainValues(engine: NodeJS.Require): void {
  interface Options {
    readonly prefix?: readonly string[];
  }
  const module = engine("./lib/tokens/private/resolve") as { resolve: (value: unknown, options: Options) => unknown };
  const { resolve } = module;
  const quick = (value: unknown, options: Options): unknown => {
    const { prefix = [] } = options;
    const inside = (key: string, each: unknown) => quick(each, { ...options, prefix: [...prefix, key] });
    if (value === undefined || value === null || typeof value === "boolean") return value;
    if (typeof value !== "object")
      return isPlain(value) && typeof value !== "function" ? value : resolve(value, options);
    if (prefix.length < 100 && Array.isArray(value) && value.every(isPlain))
      return value.map((each, index) => inside(String(index), each)).filter((each) => each !== undefined);
    const plain = prefix.length < 100 && Object.getPrototypeOf(value) === Object.prototype && !("resolve" in value);
    if (!plain || !Object.keys(value).every(isPlain)) return resolve(value, options);
    const resolved: Record<string, unknown> = {};
    for (const [key, each] of Object.entries(value)) {
      const found = inside(key, each);
      if (found !== undefined) resolved[key] = found;
    }
    return resolved;
  };
  module.resolve = quick;
}

/** Scope whose values do not change, with the texts of its expressions by what else they depend on. */
let unchanged: { readonly scope: IConstruct; readonly texts: Map<string, Map<IResolvable, string>> } | undefined;

/**
 * Does work that changes no value of a scope: each expression is resolved once. The engine resolves one that contains others
 * again for each of its parts, so that its time doubles with each level.
 */
export function withoutChanges<T>(scope: IConstruct, work: () => T): T {
  unchanged = { scope, texts: new Map() };
  try {
    return work();
  } finally {
    unchanged = undefined;
  }
}

function resolveExpressionsOnce(engine: NodeJS.Require): void {
  const { DefaultTokenResolver } = engine("./lib/tokens") as typeof import("cdktf");
  const { OperatorExpression } = engine("./lib/tfExpression") as { OperatorExpression: object };
  const Expression = Object.getPrototypeOf(OperatorExpression) as new () => object;
  const { resolveToken } = DefaultTokenResolver.prototype;
  DefaultTokenResolver.prototype.resolveToken = function (token, context, processor) {
    const resolve = () => resolveToken.call(this, token, context, processor);
    if (context.scope !== unchanged?.scope || !(token instanceof Expression)) return resolve();
    const { preparing, suppressBraces, ignoreEscapes, warnEscapes } = context;
    const form = [preparing, suppressBraces, ignoreEscapes, warnEscapes].join();
    const texts = unchanged.texts.get(form) ?? new Map();
    unchanged.texts.set(form, texts);
    const text = texts.get(token) ?? resolve();
    if (typeof text === "string") texts.set(token, text);
    return text;
  };
}

try {
  const manifest = load.resolve("cdktf/package.json");
  const { version } = load(manifest) as { version: string };
  if (version === VERSION && process.env[DEBUG_SWITCH] === undefined) {
    const engine = createRequire(manifest);
    loadArchiverLate(engine);
    leaveOutTokenTraces(engine);
    resolveExpressionsOnce(engine);
    resolvePlainValues(engine);
  }
} catch {
  // Another layout of the engine: it starts as it is.
}
