import { randomUUID } from "node:crypto";
import { maxHeaderSize } from "node:http";
import type { Socket } from "node:net";
import Fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { type Authorize, bindContract, type Contract, type Handlers } from "./contract";
import { docsPage } from "./docs-page";
import type { Log } from "./log";
import { methodsOf } from "./methods";
import { Problem } from "./problem";
import { observeRequests } from "./telemetry";

/** Dependencies of the web process. */
export interface AppOptions {
  readonly log: Log;
  readonly contract: Contract;
  readonly handlers: Handlers;
  readonly authorize?: Authorize;
  /** True while this instance should get requests: started, and not shutting down. */
  readonly ready: () => boolean;
  /** Longest time from the first byte of a request to its response, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Serves `/openapi.yaml` and `/docs` to everyone, without a token. */
  readonly publicDocs: boolean;
}

/** Bytes of the bodies of all requests in progress. A slow one keeps its memory for as long as a request may take. */
const MAX_BODIES = 64 * 2 ** 20;

/** The HTTP server of the service. It does not listen yet. */
export function createApp(options: AppOptions): FastifyInstance {
  const { log, contract, handlers, authorize, ready, requestTimeoutMs, publicDocs } = options;
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: ({ headers }) => {
      const given = headers["x-request-id"];
      return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    },
    rewriteUrl: ({ url = "/" }) => withoutServer(contract, url.replace(/^https?:\/\/[^/?#]*\/?/i, "/")),
    // RFC 9110: HEAD wherever there is GET.
    exposeHeadRoutes: true,
    // While the load balancer deregisters this instance, it still accepts requests.
    return503OnClosing: false,
    // Ends connections whose request never arrives in full. The deadline below answers them first.
    requestTimeout: 2 * requestTimeoutMs,
    // Longer than the idle timeout of the load balancer (60 s), which must be the side that closes.
    keepAliveTimeout: 72_000,
    routerOptions: { maxParamLength: 1000 },
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
    clientErrorHandler: refuseConnection,
    // Node.js would answer this without a problem; a hook below does.
    http: { requireHostHeader: false },
  });
  app.server.on("connect", (_request, socket) => closeWith(new Problem(405, "this is not a proxy"), socket as Socket));
  app.server.on("checkExpectation", (_request, response) => {
    response.statusCode = 417;
    response.setHeader("content-type", "application/problem+json").end(JSON.stringify(new Problem(417)));
  });
  // One for each request that is pipelined.
  app.server.on("connection", (socket) => socket.setMaxListeners(0));
  acceptJson(app);
  const allowed = methodsOf(app);

  observeRequests(app);

  app.addHook("onRequest", (request, reply, done) => {
    reply.header("x-request-id", request.id);
    done();
  });
  let open = 0;
  app.decorate("openRequests", () => open);
  app.decorateRequest("deadline");
  // Fastify's own `handlerTimeout` ends when the body has been read, so that handlers could take forever.
  app.addHook("onRequest", (request, reply, done) => {
    const deadline = new AbortController();
    request.deadline = deadline;
    const timer = setTimeout(() => {
      const late = new Problem(503, "the request took too long");
      deadline.abort(late);
      // The body may not have been read: the connection cannot take another request.
      if (!reply.sent) reply.header("connection", "close").send(late);
      else if (!reply.raw.writableFinished) reply.raw.destroy();
    }, requestTimeoutMs);
    open += 1;
    reply.raw.once("finish", () => clearTimeout(timer));
    onceClosed(request, reply, () => {
      open -= 1;
      clearTimeout(timer);
      if (!reply.raw.writableFinished) deadline.abort(new Error("the caller disconnected"));
    });
    done();
  });
  let bodies = 0;
  app.addHook("onRequest", (request, reply, done) => {
    const { headers, raw } = request;
    const hosts = raw.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host");
    if (hosts.length !== 1 && raw.httpVersion !== "1.0") return done(new Problem(400, "send one host header"));
    const declared = headers["content-length"] ?? (headers["transfer-encoding"] ? Infinity : 0);
    const size = Math.min(Number(declared), app.initialConfig.bodyLimit ?? 0);
    if (bodies + size > MAX_BODIES) {
      return done(new Problem(503, "too many requests", { headers: { "retry-after": "1", connection: "close" } }));
    }
    bodies += size;
    onceClosed(request, reply, () => {
      bodies -= size;
    });
    done();
  });
  app.addHook("onSend", async (_request, reply) => {
    if (!ready()) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    if (routeOptions.config.quiet) return;
    // The path as declared in the contract, never the URL: what callers put into it may be secret.
    const fields = { method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    request.log.info(fields, "request");
  });

  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(async ({ method, url }, reply) => {
    if (method === "OPTIONS" && url === "*") return reply.code(204).send();
    const methods = allowed(url);
    if (methods.length === 0) throw new Problem(404, "no such path");
    if (method === "OPTIONS") return reply.code(204).header("allow", methods.join(", ")).send();
    throw new Problem(405, `use ${methods.join(", ")}`, { headers: { allow: methods.join(", ") } });
  });

  // Neither depends on a backing service: while a database is down, the platform must not replace every instance.
  const quiet = { config: { quiet: true } };
  app.get("/livez", quiet, async () => ({ status: "alive" }));
  app.get("/readyz", quiet, async (_request, reply) =>
    ready() ? { status: "ready" } : reply.code(503).send({ status: "draining" }),
  );
  if (publicDocs) {
    app.get("/openapi.yaml", (_request, reply) => reply.type("application/yaml").send(contract.text));
    app.get("/docs", (_request, reply) =>
      reply
        .type("text/html")
        .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
        .send(docsPage(contract)),
    );
  }

  bindContract(app, contract, handlers, authorize);
  return app;
}

/** Bodies are JSON in UTF-8, and nothing else. Fastify's own parser would replace invalid bytes. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    if (request.headers["content-encoding"]) return done(new Problem(415, "send the body without content-encoding"));
    let text: string;
    try {
      text = utf8.decode(body);
    } catch {
      return done(new Problem(400, "the body is not UTF-8"));
    }
    parse(request, text, done);
  });
}

/**
 * Calls `end` when the response has left, or cannot. A pipelined one that waits for an earlier response has no connection
 * yet, and does not notice its end.
 */
function onceClosed({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply, end: () => void): void {
  let open = true;
  const close = () => {
    socket.off("close", close);
    if (open) end();
    open = false;
  };
  raw.once("close", close);
  socket.once("close", close);
}

/** Sends every error as RFC 9457 `application/problem+json`; those of the service itself are logged. */
function sendProblem(error: FastifyError | Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error);
  if (problem.status >= 500) request.log.error({ err: error }, "request failed");
  return reply
    .code(problem.status)
    .headers(problem.more.headers ?? {})
    .type("application/problem+json")
    .send(JSON.stringify(problem));
}

function toProblem(error: FastifyError | Problem): Problem {
  if (error instanceof Problem) return error;
  // Code may throw anything, also null.
  const { statusCode = 500, code, message }: Partial<FastifyError> = Object(error);
  // Their messages repeat the URL, which may hold secrets.
  if (code === "FST_ERR_BAD_URL") return new Problem(400, "the URL is malformed");
  if (code === "FST_ERR_MAX_PARAM_LENGTH") return new Problem(414, "a part of the path is too long");
  // Errors that Fastify finds before the handler: a wrong content type, broken JSON, a body that is too large or cut off.
  // Those of other libraries are not for callers.
  return statusCode < 500 && /^FST_|^ECONNRESET$/.test(code ?? "")
    ? new Problem(statusCode, message)
    : new Problem(500);
}

/** Answers bytes that are not an HTTP request, and closes the connection. No request exists to log. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  const problems: Record<string, Problem> = {
    HPE_HEADER_OVERFLOW: new Problem(431, `the headers are larger than ${maxHeaderSize} bytes`),
    ERR_HTTP_REQUEST_TIMEOUT: new Problem(408, "the request did not arrive in time"),
  };
  if (error.code === "ECONNRESET") socket.destroy();
  else closeWith(problems[error.code ?? ""] ?? new Problem(400, "the request is malformed"), socket);
}

function closeWith(problem: Problem, socket: Socket): void {
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\nconnection: close\r\ncontent-type: application/problem+json\r\n`;
  // Nothing may follow a response that has begun.
  const idle = !(socket as { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent;
  if (socket.writable && idle) socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** On a shared load balancer the service has a path of its own, which the contract names as its server. */
function withoutServer({ document }: Contract, url: string): string {
  const path = document.servers?.[0]?.url;
  return path?.startsWith("/") && url.startsWith(`${path}/`) ? url.slice(path.length) : url;
}

declare module "fastify" {
  interface FastifyInstance {
    /** Number of requests without a complete response. */
    openRequests(): number;
  }
  interface FastifyRequest {
    /** Aborted when the time for the request is over, and when the caller disconnects. */
    deadline: AbortController;
  }
  interface FastifyContextConfig {
    /** Neither logged nor traced: load balancers send a health check every few seconds. */
    quiet?: boolean;
  }
}
