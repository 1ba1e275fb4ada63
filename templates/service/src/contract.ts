import { readFileSync } from "node:fs";
import Ajv, { type ErrorObject, type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { parse } from "yaml";
import type { operations } from "./contract-types";
import { type Fault, Problem } from "./problem";

// ---- Types of the handlers, derived from the types that openapi-typescript generates

type OperationId = keyof operations;
type Parameters<Id extends OperationId> = operations[Id]["parameters"];
type Content<T, Type extends string> = T extends { content: Record<Type, infer Body> } ? Body : undefined;
type Responses<Id extends OperationId> = operations[Id]["responses"];
type Given<T> = [T] extends [undefined] ? Record<string, never> : NonNullable<T>;

/** A request that matches the contract. */
export interface Call<Id extends OperationId> {
  readonly path: Given<Parameters<Id>["path"]>;
  readonly query: Given<Parameters<Id>["query"]>;
  readonly body: Content<operations[Id]["requestBody"], "application/json">;
  readonly request: FastifyRequest;
  /** Aborted at the deadline of the request, and when the caller disconnects. Pass it to everything that waits. */
  readonly signal: AbortSignal;
}

/** A response that the contract declares. Errors are thrown as `Problem` instead. */
export type Answer<Id extends OperationId> = {
  [Status in Exclude<keyof Responses<Id>, "default">]: {
    readonly status: Status;
    readonly body: Content<Responses<Id>[Status], "application/json">;
  };
}[Exclude<keyof Responses<Id>, "default">];

/** One handler for each operation of the contract, by `operationId`. */
export type Handlers = { readonly [Id in OperationId]: (call: Call<Id>) => Promise<Answer<Id>> };

/** Authorizes a request for an operation; throws `Problem` 401, 403 or 503. The token must hold all scopes of one set. */
export type Authorize = (request: FastifyRequest, scopeSets: readonly (readonly string[])[]) => Promise<void>;

// ---- The parts of an OpenAPI document that this file reads

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header" | "cookie";
  readonly required?: boolean;
  readonly schema?: object;
}
interface Media {
  readonly content?: Record<string, { readonly schema?: object }>;
}
interface Operation {
  readonly operationId?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Media & { readonly required?: boolean };
  readonly responses?: Record<string, Media>;
  readonly security?: readonly Record<string, readonly string[]>[];
}
interface Document {
  readonly openapi: string;
  readonly servers?: readonly { readonly url: string }[];
  readonly paths: Record<string, Record<string, Operation> & { readonly parameters?: readonly Parameter[] }>;
  readonly security?: Operation["security"];
}

/** The contract: its text, which is served, and its content, which is bound to handlers. */
export interface Contract {
  readonly text: string;
  readonly document: Document;
}

/** The contract and the handlers do not match. Lists every mismatch. */
export class ContractError extends Error {
  constructor(faults: readonly string[]) {
    super(`openapi.yaml and src/handlers.ts do not match: ${faults.join("; ")}`);
    this.name = "ContractError";
  }
}

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];
const LOCATIONS = ["path", "query", "header"] as const;

// An attacker must not decide how much work a refusal takes, or how large it is.
const MAX_ERRORS = 20;
const MAX_POINTER = 200;
/** Larger requests are refused at their first fault, in bytes. */
const MAX_FULL_CHECK = 64 * 1024;
/** Levels of nesting in a request. */
const MAX_DEPTH = 64;

export function readContract(file: string): Contract {
  const text = readFileSync(file, "utf8");
  return { text, document: parse(text) };
}

/**
 * Adds a route for every operation of the contract. Requests and responses are validated against it.
 *
 * @param authorize runs first, for every operation with `security`; only `security: []` makes an operation public
 * @throws ContractError for an operation without a handler, a handler without an operation, or an unsupported feature
 */
export function bindContract(
  app: FastifyInstance,
  contract: Contract,
  handlers: Handlers,
  authorize?: Authorize,
): void {
  const { document } = contract;
  const faults: string[] = [];
  const unbound = new Set(Object.keys(handlers));
  const schemas = compiler(document);

  for (const [url, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method]!;
      const id = operation.operationId ?? "";
      const fault = (text: string) => faults.push(`${method.toUpperCase()} ${url} ${text}`);

      if (!unbound.delete(id)) {
        fault(id ? `has no handler "${id}", or shares it with another operation` : "has no operationId");
        continue;
      }
      // The router has a meaning of its own for other characters.
      if (!/^(\/([\w.~-]|\{\w+\})*)+$/.test(url)) fault("must have a path of letters, digits, _.~- and {names}");
      const security = operation.security ?? document.security;
      if (authorize && !security) fault("has no security; set `security: []` to make it public");
      if (!authorize && security?.length) fault("has security, but this service does not validate tokens");
      if (security?.some((set) => Object.keys(set).length !== 1))
        fault("must name exactly one scheme in each security");
      const scopeSets = (security ?? []).map((set) => Object.values(set).flat());

      const checks = requestChecks(schemas, [...(item.parameters ?? []), ...(operation.parameters ?? [])], fault);
      const bodySchema = jsonSchema(schemas, operation.requestBody, "application/json", "the request", fault);
      const bodyChecks = bodySchema && checksOf(schemas.body, bodySchema);
      const answers = new Map<string, ValidateFunction | undefined>();
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        const type = status === "default" ? "application/problem+json" : "application/json";
        const schema = jsonSchema(schemas, response, type, `response ${status}`, fault);
        answers.set(status, schema && schemas.body.first.compile(schema));
      }
      if (!answers.get("default")) fault("needs a `default` response of application/problem+json");

      const handler = handlers[id as OperationId] as unknown as (
        call: object,
      ) => Promise<{ status: number; body: unknown }>;
      app.route({
        method: method.toUpperCase(),
        exposeHeadRoute: !item.head,
        url: url.replace(/\{([^}]+)\}/g, ":$1"),
        // Before the body is read: an unauthenticated request costs as little as possible.
        onRequest: async (request) => {
          if (authorize && scopeSets.length > 0) await authorize(request, scopeSets);
        },
        handler: async (request, reply) => {
          const parts = { path: request.params, query: request.query, header: request.headers };
          const found = LOCATIONS.flatMap((part) => run(checks[part], parts[part], part));
          if (bodyChecks && (request.body !== undefined || operation.requestBody?.required)) {
            const small = Number(request.headers["content-length"] ?? Number.POSITIVE_INFINITY) <= MAX_FULL_CHECK;
            found.push(...run(bodyChecks, request.body ?? null, "body", small));
          }
          if (found.length === 0) found.push(...unstorable({ ...parts, body: request.body }));
          if (found.length > 0) {
            throw new Problem(400, "the request does not match the contract", { errors: found.slice(0, MAX_ERRORS) });
          }

          const { path, query } = parts;
          const answer = await handler(new Incoming(path, query, request.body, request));
          // The deadline has passed, and the caller has the response already.
          if (reply.sent) return reply;
          const schema = answers.get(String(answer.status));
          if (!answers.has(String(answer.status)) || (schema && !schema(answer.body))) {
            const errors = schema?.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`);
            throw new Error(
              `${id} returned ${answer.status}, which openapi.yaml does not allow: ${errors ?? "no such status"}`,
            );
          }
          return reply.code(answer.status).send(answer.body);
        },
      });
    }
  }
  for (const id of unbound) faults.push(`handler "${id}" has no operation`);
  if (faults.length > 0) throw new ContractError(faults);
}

/** A call as its handler gets it: see `Call`. */
class Incoming {
  constructor(
    readonly path: unknown,
    readonly query: unknown,
    readonly body: unknown,
    readonly request: FastifyRequest,
  ) {}

  /** Made for a handler that asks for it: of all that a request needs, it takes the most memory. */
  get signal(): AbortSignal {
    return this.request.deadline.signal;
  }
}

/** Two validators of the same schemas: one stops at the first fault, the other collects all. */
interface Validators {
  readonly first: Ajv;
  readonly all: Ajv;
}
interface Checks {
  readonly first: ValidateFunction;
  readonly all: ValidateFunction;
}
interface Compiler {
  readonly body: Validators;
  readonly parameters: Validators;
  resolve<T>(node: T): T;
}

const checksOf = ({ first, all }: Validators, schema: object): Checks => ({
  first: first.compile(schema),
  // Compiled when the first request is wrong: most of a start would go to checks that no request needs.
  get all() {
    return all.compile(schema);
  },
});

function compiler(document: Document): Compiler {
  const make = (coerceTypes: boolean | "array", allErrors: boolean) => {
    const useDefaults = coerceTypes !== false;
    // One of the four checks the schemas themselves: the code for that takes a third of the start, and eight megabytes.
    const validateSchema = !allErrors && !coerceTypes;
    const ajv = new Ajv({ allErrors, coerceTypes, useDefaults, validateSchema, strictTypes: false });
    addFormats(ajv);
    // Those of ajv-formats are wider than what stores and JavaScript can hold: urn:uuid:..., and 2^53 + 1.
    ajv.addFormat("uuid", /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i);
    ajv.addFormat("int64", { type: "number", validate: Number.isSafeInteger });
    // The whole document is one schema resource, so that every `#/components/...` in it resolves.
    ajv.addVocabulary([...Object.keys(document), "example"]);
    ajv.addSchema(document as unknown as object, "contract", undefined, false);
    return ajv;
  };
  const both = (coerceTypes: boolean | "array") => ({ first: make(coerceTypes, false), all: make(coerceTypes, true) });
  const resolve = <T>(node: T): T => {
    const pointer = (node as { $ref?: string } | undefined)?.$ref;
    if (!pointer) return node;
    const steps = pointer
      .slice(2)
      .split("/")
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    return resolve(steps.reduce((value, step) => (value as Record<string, unknown>)?.[step], document as unknown) as T);
  };
  // Values in a URL or a header are text: `limit=10` becomes a number. In JSON a number is a number.
  return { body: both(false), parameters: both("array"), resolve };
}

/** References in a schema are relative to the root of the document. */
const rooted = (schema: object): object =>
  JSON.parse(JSON.stringify(schema), (key, value) => (key === "$ref" ? `contract${value}` : value));

function requestChecks(
  { body, parameters, resolve }: Compiler,
  list: readonly Parameter[],
  fault: (text: string) => void,
) {
  const named = new Map(list.map(resolve).map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
  const checks: { [part in (typeof LOCATIONS)[number]]?: Checks } = {};
  for (const { in: part, name } of named.values()) {
    if (part === "cookie") fault(`has the cookie parameter "${name}"; cookies are not supported`);
  }
  for (const part of LOCATIONS) {
    const here = [...named.values()].filter((parameter) => parameter.in === part);
    const name = (parameter: Parameter) => (part === "header" ? parameter.name.toLowerCase() : parameter.name);
    const schema = {
      type: "object",
      properties: Object.fromEntries(here.map((parameter) => [name(parameter), rooted(parameter.schema ?? {})])),
      required: here.filter((parameter) => parameter.required).map(name),
      // A misspelled query parameter is an error. Headers are not: proxies add their own.
      additionalProperties: part === "header",
    };
    body.first.validateSchema(schema, true);
    checks[part] = checksOf(parameters, schema);
  }
  return checks;
}

function jsonSchema(
  { resolve }: Compiler,
  node: Media | undefined,
  type: string,
  what: string,
  fault: (text: string) => void,
): object | undefined {
  const content = resolve(node)?.content;
  if (!content) return undefined;
  const schema = content[type]?.schema;
  if (!schema || Object.keys(content).length > 1) {
    fault(`${what} must be ${type} and nothing else`);
    return undefined;
  }
  return rooted(schema);
}

/** Validates a part of a request. A valid one is validated once; of a small invalid one all faults are collected. */
function run(checks: Checks | undefined, value: unknown, part: Fault["in"], small = true): Fault[] {
  if (!checks || checks.first(value)) return [];
  const check = small && !checks.all(value) ? checks.all : checks.first;
  return (check.errors ?? []).slice(0, MAX_ERRORS).map((error) => ({
    in: part,
    pointer: pointerOf(error).slice(0, MAX_POINTER),
    message: error.message ?? error.keyword,
  }));
}

/** The location of the fault: a missing or unknown property is named itself, not the object around it. */
function pointerOf({ instancePath, params }: ErrorObject): string {
  const property = params.missingProperty ?? params.additionalProperty;
  return property === undefined ? instancePath : `${instancePath}/${escapePointer(String(property))}`;
}

const escapePointer = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** NUL and unpaired surrogates are valid in JSON, but not in the text of databases and queues. */
const UNSTORABLE = /[\0\p{Surrogate}]/u;

/** The first text or number that no store takes, or the first value that is nested too deeply to be written anywhere. */
function unstorable(request: { [part in Fault["in"]]?: unknown }): Fault[] {
  const open: [part: Fault["in"], pointer: string, value: unknown, depth: number][] = [];
  for (const [part, value] of Object.entries(request)) open.push([part as Fault["in"], "", value, 0]);
  for (let next = open.pop(); next; next = open.pop()) {
    const [part, pointer, value, depth] = next;
    const fault = (message: string): Fault[] => [{ in: part, pointer: pointer.slice(0, MAX_POINTER), message }];
    if (typeof value === "string" && UNSTORABLE.test(value)) return fault("must not contain U+0000 or lone surrogates");
    // In a URL, "Infinity" and "1e999" are numbers for Ajv, which skips their limits.
    if (typeof value === "number" && !Number.isFinite(value)) return fault("must be a finite number");
    if (typeof value !== "object" || value === null) continue;
    if (depth === MAX_DEPTH) return fault(`must not be nested more than ${MAX_DEPTH} levels deep`);
    for (const [name, inner] of Object.entries(value)) {
      if (UNSTORABLE.test(name)) return fault("must not contain names with U+0000 or lone surrogates");
      open.push([part, `${pointer}/${escapePointer(name)}`, inner, depth + 1]);
    }
  }
  return [];
}
