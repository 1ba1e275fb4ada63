import { randomUUID } from "node:crypto";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { type Authorize, bindContract, type Contract, type Handlers } from "./contract";
import { docsPage } from "./docs-page";
import type { Log } from "./log";
import { Problem } from "./problem";
import { observeRequests } from "./telemetry";

/** What the web process needs. */
export interface AppOptions {
  readonly log: Log;
  readonly contract: Contract;
  readonly handlers: Handlers;
  readonly authorize?: Authorize;
  /** Whether this instance should get requests: started, and not shutting down. */
  readonly ready: () => boolean;
  /** The longest that a request may take, in milliseconds: what came in before SIGTERM must be done by the exit. */
  readonly requestTimeoutMs: number;
}

/** The HTTP side of the service. It does not listen yet. */
export function createApp(options: AppOptions): FastifyInstance {
  const { log, contract, handlers, authorize, ready, requestTimeoutMs } = options;
  const app = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "request_id" }),
    genReqId: ({ headers }) => {
      const given = headers["x-request-id"];
      return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
    },
    rewriteUrl: ({ url = "/" }) => withoutServer(contract, url),
    exposeHeadRoutes: false,
    // While the load balancer takes this instance out, requests are still welcome.
    return503OnClosing: false,
    requestTimeout: requestTimeoutMs,
    handlerTimeout: requestTimeoutMs,
    // Longer than the idle timeout of the load balancer (60 s): it must be the one that closes.
    keepAliveTimeout: 72_000,
  });
  app.removeContentTypeParser("text/plain");

  observeRequests(app);

  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
  });
  app.addHook("onSend", async (_request, reply) => {
    if (!ready()) reply.header("connection", "close");
  });

  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions } = request;
    if (routeOptions.config.quiet) return;
    // The path as it is in the contract, never the URL: what callers put into it may be secret.
    const fields = { method, route: routeOptions.url, status: reply.statusCode, ms: Math.round(reply.elapsedTime) };
    request.log.info(fields, "request");
  });

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    let problem = error instanceof Problem ? error : undefined;
    // What Fastify found before the handler: a wrong content type, broken JSON, a body that is too large.
    if (!problem && error.statusCode && error.statusCode < 500) problem = new Problem(error.statusCode, error.message);
    if (!problem || problem.status >= 500) request.log.error({ err: error }, "request failed");
    problem ??= error.statusCode === 503 ? new Problem(503, "it took too long") : new Problem(500);
    return reply
      .code(problem.status)
      .headers(problem.more.headers ?? {})
      .type("application/problem+json")
      .send(problem.toJSON());
  });
  app.setNotFoundHandler(async () => {
    throw new Problem(404, "no such path, or not with this method");
  });

  // Neither asks a backing service: a database that is down must not make the platform replace every instance.
  const quiet = { config: { quiet: true } };
  app.get("/livez", quiet, async () => ({ status: "alive" }));
  app.get("/readyz", quiet, async (_request, reply) =>
    ready() ? { status: "ready" } : reply.code(503).send({ status: "draining" }),
  );
  app.get("/openapi.yaml", (_request, reply) => reply.type("application/yaml").send(contract.text));
  app.get("/docs", (_request, reply) =>
    reply
      .type("text/html")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(docsPage(contract)),
  );

  bindContract(app, contract, handlers, authorize);
  return app;
}

/** On a shared balancer the service has a path of its own, which the contract names as its server. */
function withoutServer({ document }: Contract, url: string): string {
  const path = document.servers?.[0]?.url;
  return path?.startsWith("/") && url.startsWith(`${path}/`) ? url.slice(path.length) : url;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Neither logged nor traced: probes come every few seconds. */
    quiet?: boolean;
  }
}
