import { readFileSync } from "node:fs";
import Ajv, { type ErrorObject, type ValidateFunction } from "ajv/dist/2020";
import addFormats from "ajv-formats";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { parse } from "yaml";
import type { operations } from "./contract-types";
import { type Fault, Problem } from "./problem";

// ---- Types of the handlers, from the types that openapi-typescript writes

type OperationId = keyof operations;
type Parameters<Id extends OperationId> = operations[Id]["parameters"];
type Content<T, Type extends string> = T extends { content: Record<Type, infer Body> } ? Body : undefined;
type Responses<Id extends OperationId> = operations[Id]["responses"];
type Given<T> = [T] extends [undefined] ? Record<string, never> : NonNullable<T>;

/** A request that fits the contract. */
export interface Call<Id extends OperationId> {
  readonly path: Given<Parameters<Id>["path"]>;
  readonly query: Given<Parameters<Id>["query"]>;
  readonly body: Content<operations[Id]["requestBody"], "application/json">;
  readonly request: FastifyRequest;
}

/** An answer that the contract knows. Errors are thrown as `Problem` instead. */
export type Answer<Id extends OperationId> = {
  [Status in Exclude<keyof Responses<Id>, "default">]: {
    readonly status: Status;
    readonly body: Content<Responses<Id>[Status], "application/json">;
  };
}[Exclude<keyof Responses<Id>, "default">];

/** The handler of every operation of the contract, by `operationId`. */
export type Handlers = { readonly [Id in OperationId]: (call: Call<Id>) => Promise<Answer<Id>> };

/** Decides whether the request may use an operation; throws `Problem` 401, 403 or 503. One scope set must be held whole. */
export type Authorize = (request: FastifyRequest, scopeSets: readonly (readonly string[])[]) => Promise<void>;

// ---- The document, as far as this file reads it

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

/** The contract, as text to serve and as data to bind. */
export interface Contract {
  readonly text: string;
  readonly document: Document;
}

/** Contract and handlers do not belong together. Names every fault. */
export class ContractError extends Error {
  constructor(faults: readonly string[]) {
    super(`openapi.yaml and src/handlers.ts do not fit: ${faults.join("; ")}`);
    this.name = "ContractError";
  }
}

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options", "trace"];
const LOCATIONS = ["path", "query", "header"] as const;

export function readContract(file: string): Contract {
  const text = readFileSync(file, "utf8");
  return { text, document: parse(text) };
}

/**
 * Makes a route of every operation of the contract. Requests and answers are checked against it.
 *
 * @param authorize asked before anything else of an operation with `security`; an operation is open only with `security: []`
 * @throws ContractError an operation without handler, a handler without operation, or a part that is not supported
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
      const security = operation.security ?? document.security;
      if (authorize && !security) fault("has no security; say `security: []` if everybody may call it");
      if (!authorize && security?.length) fault("has security, but this service checks no tokens");
      if (security?.some((set) => Object.keys(set).length !== 1))
        fault("must name exactly one scheme in each security");
      const scopeSets = (security ?? []).map((set) => Object.values(set).flat());

      const checks = requestChecks(schemas, [...(item.parameters ?? []), ...(operation.parameters ?? [])], fault);
      const bodySchema = jsonSchema(schemas, operation.requestBody, "application/json", "the request", fault);
      const answers = new Map<string, ValidateFunction | undefined>();
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        const type = status === "default" ? "application/problem+json" : "application/json";
        answers.set(status, jsonSchema(schemas, response, type, `response ${status}`, fault));
      }
      if (!answers.get("default")) fault("needs a `default` response of application/problem+json");

      const handler = handlers[id as OperationId] as unknown as (
        call: object,
      ) => Promise<{ status: number; body: unknown }>;
      app.route({
        method: method.toUpperCase(),
        url: url.replace(/\{([^}]+)\}/g, ":$1"),
        // Before the body is read: a stranger's request costs as little as possible.
        onRequest: async (request) => {
          if (authorize && scopeSets.length > 0) await authorize(request, scopeSets);
        },
        handler: async (request, reply) => {
          const parts = { path: request.params, query: request.query, header: request.headers };
          const found = LOCATIONS.flatMap((part) => run(checks[part], parts[part], part));
          if (bodySchema && (request.body !== undefined || operation.requestBody?.required)) {
            found.push(...run(bodySchema, request.body ?? null, "body"));
          }
          if (found.length > 0) throw new Problem(400, "the request does not fit the contract", { errors: found });

          const answer = await handler({ path: request.params, query: request.query, body: request.body, request });
          const schema = answers.get(String(answer.status));
          if (!answers.has(String(answer.status)) || (schema && !schema(answer.body))) {
            const errors = schema?.errors?.map(({ instancePath, message }) => `${instancePath} ${message}`);
            throw new Error(
              `${id} answered ${answer.status}, which openapi.yaml does not allow: ${errors ?? "no such status"}`,
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

interface Compiler {
  readonly body: Ajv;
  readonly parameters: Ajv;
  resolve<T>(node: T): T;
}

function compiler(document: Document): Compiler {
  const make = (coerceTypes: boolean | "array") => {
    const ajv = new Ajv({ allErrors: true, coerceTypes, useDefaults: coerceTypes !== false, strictTypes: false });
    addFormats(ajv);
    // The whole document is one schema resource, so that every `#/components/...` in it resolves.
    ajv.addVocabulary([...Object.keys(document), "example"]);
    ajv.addSchema(document as unknown as object, "contract", undefined, false);
    return ajv;
  };
  const resolve = <T>(node: T): T => {
    const pointer = (node as { $ref?: string } | undefined)?.$ref;
    if (!pointer) return node;
    const steps = pointer
      .slice(2)
      .split("/")
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    return resolve(steps.reduce((value, step) => (value as Record<string, unknown>)?.[step], document as unknown) as T);
  };
  // Everything in a URL or a header is text: `limit=10` becomes a number. In JSON a number is a number.
  return { body: make(false), parameters: make("array"), resolve };
}

/** References in a schema are meant from the root of the document. */
const rooted = (schema: object): object =>
  JSON.parse(JSON.stringify(schema), (key, value) => (key === "$ref" ? `contract${value}` : value));

function requestChecks(
  { parameters: ajv, resolve }: Compiler,
  list: readonly Parameter[],
  fault: (text: string) => void,
) {
  const named = new Map(list.map(resolve).map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]));
  const checks: { [part in (typeof LOCATIONS)[number]]?: ValidateFunction } = {};
  for (const { in: part, name } of named.values()) {
    if (part === "cookie") fault(`has the cookie parameter "${name}"; cookies are not supported`);
  }
  for (const part of LOCATIONS) {
    const here = [...named.values()].filter((parameter) => parameter.in === part);
    const name = (parameter: Parameter) => (part === "header" ? parameter.name.toLowerCase() : parameter.name);
    checks[part] = ajv.compile({
      type: "object",
      properties: Object.fromEntries(here.map((parameter) => [name(parameter), rooted(parameter.schema ?? {})])),
      required: here.filter((parameter) => parameter.required).map(name),
      // A misspelt query parameter is told, not ignored; headers are added by everything on the way.
      additionalProperties: part === "header",
    });
  }
  return checks;
}

function jsonSchema(
  { body: ajv, resolve }: Compiler,
  node: Media | undefined,
  type: string,
  what: string,
  fault: (text: string) => void,
) {
  const content = resolve(node)?.content;
  if (!content) return undefined;
  const schema = content[type]?.schema;
  if (!schema || Object.keys(content).length > 1) {
    fault(`${what} must be ${type} and nothing else`);
    return undefined;
  }
  return ajv.compile(rooted(schema));
}

function run(check: ValidateFunction | undefined, value: unknown, part: Fault["in"]): Fault[] {
  if (!check || check(value)) return [];
  return (check.errors ?? []).map((error) => ({
    in: part,
    pointer: pointerOf(error),
    message: error.message ?? error.keyword,
  }));
}

/** Where the fault is: a missing or unknown property is named itself, not the object around it. */
function pointerOf({ instancePath, params }: ErrorObject): string {
  const property = params.missingProperty ?? params.additionalProperty;
  return property === undefined
    ? instancePath
    : `${instancePath}/${String(property).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
