import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Action, actionsFor, forwardedTo, type Rule, type RuledRequest, redirectLocation } from "./listener-rules";
import type { Target } from "./target-group";

/** Listener of a load balancer, with its rules. */
export interface Listener {
  readonly arn: string;
  readonly balancer: string;
  readonly protocol: "HTTP" | "HTTPS";
  readonly port: number;
  readonly rules: readonly Rule[];
}

const IDLE_MS = 60_000;

/** Load balancer on this machine. Obeys the rules of the listeners, and never sends a request twice. */
export class LocalBalancer {
  readonly #servers = new Map<string, { readonly server: Server; readonly url: string }>();
  readonly #targets = new Set<Target>();
  readonly #agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
  #listeners = new Map<string, Listener>();
  #turn = 0;

  /** Opens and closes ports until they are those of the listeners. */
  async update(listeners: readonly Listener[]): Promise<void> {
    this.#listeners = new Map(listeners.map((each) => [each.arn, each]));
    for (const [arn, { server }] of this.#servers) {
      if (this.#listeners.has(arn)) continue;
      server.close();
      server.closeAllConnections();
      this.#servers.delete(arn);
    }
    for (const { arn, port } of listeners) {
      if (this.#servers.has(arn)) continue;
      const server = createServer({ keepAliveTimeout: IDLE_MS }, (incoming, outgoing) =>
        this.#answer(arn, incoming, outgoing),
      );
      // A port below 1024 needs privileges. 80 is 8080 here, and 443 is 8443, if they are free.
      await listen(server, port < 1024 ? (port === 80 ? 8080 : 8000 + port) : port);
      this.#servers.set(arn, { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    }
  }

  /** Local URL of a listener. */
  urlOf(listener: string): string | undefined {
    return this.#servers.get(listener)?.url;
  }

  register(target: Target): void {
    this.#targets.add(target);
  }

  /** Sends a target no more requests. */
  deregister(target: Target): void {
    this.#targets.delete(target);
    target.end();
  }

  async close(): Promise<void> {
    for (const { server } of this.#servers.values()) {
      server.close();
      server.closeAllConnections();
    }
    for (const target of this.#targets) target.end();
    this.#agent.destroy();
  }

  #answer(arn: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const listener = this.#listeners.get(arn);
    const asked: RuledRequest = {
      method: incoming.method ?? "GET",
      url: incoming.url ?? "/",
      headers: incoming.headers,
      address: incoming.socket.remoteAddress ?? "127.0.0.1",
    };
    const actions = listener === undefined ? [] : actionsFor(listener.rules, asked);
    const action = actions.find(({ Type }) => ["forward", "fixed-response", "redirect"].includes(Type));
    const unknown = actions.find((each) => each !== action);
    if (listener === undefined || action === undefined || unknown !== undefined) {
      return void plain(outgoing, 501, `the local load balancer cannot carry out ${unknown?.Type ?? "this rule"}\n`);
    }
    if (action.Type === "fixed-response") {
      const { StatusCode = "503", ContentType, MessageBody = "" } = action.FixedResponseConfig ?? {};
      return void plain(outgoing, Number(StatusCode), MessageBody, ContentType);
    }
    if (action.Type === "redirect") return void this.#redirect(action, asked, listener, outgoing);
    const group = forwardedTo(action, Math.random());
    this.#forward(listener, group ?? "", incoming, outgoing);
  }

  #redirect(action: Action, asked: RuledRequest, listener: Listener, outgoing: ServerResponse): void {
    const { protocol, host, port, path } = redirectLocation(
      action.RedirectConfig ?? { StatusCode: "HTTP_302" },
      asked,
      {
        protocol: listener.protocol,
        port: listener.port,
      },
    );
    const own = [...this.#listeners.values()].find(
      (each) => each.balancer === listener.balancer && each.port === port && each.protocol.toLowerCase() === protocol,
    );
    const url = own && this.urlOf(own.arn);
    const location = url === undefined ? `${protocol}://${host}:${port}${path}` : `${url}${path}`;
    const status = action.RedirectConfig?.StatusCode === "HTTP_301" ? 301 : 302;
    outgoing.writeHead(status, { location }).end();
  }

  #forward(listener: Listener, group: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const all = [...this.#targets].filter((target) => target.group.TargetGroupArn === group);
    const healthy = all.filter((target) => target.healthy);
    // As in AWS: if no target is healthy, all of them receive requests.
    const targets = healthy.length > 0 ? healthy : all;
    const target = targets[this.#turn++ % targets.length];
    if (target === undefined) return void plain(outgoing, 503, "503 Service Temporarily Unavailable\n");
    const { method, headers, url } = incoming;
    const address = incoming.socket.remoteAddress ?? "";
    const forwarded = {
      "x-forwarded-for": [headers["x-forwarded-for"], address].filter(Boolean).join(", "),
      "x-forwarded-proto": listener.protocol.toLowerCase(),
      "x-forwarded-port": String(listener.port),
    };
    target.open += 1;
    let answered = false;
    const fail = (status: number) => {
      if (outgoing.headersSent) outgoing.destroy();
      else plain(outgoing, status, status === 504 ? "504 Gateway Time-out\n" : "502 Bad Gateway\n");
    };
    const onward = request(
      {
        host: "127.0.0.1",
        port: target.port,
        path: url,
        method,
        headers: { ...headers, ...forwarded },
        agent: this.#agent,
      },
      (answer) => {
        answered = true;
        // Each of the two connections has its own keep-alive.
        const { connection: _, "keep-alive": __, ...kept } = answer.headers;
        outgoing.writeHead(answer.statusCode ?? 502, kept);
        answer.on("error", () => outgoing.destroy()).pipe(outgoing);
      },
    );
    onward.setTimeout(IDLE_MS, () => {
      if (!answered) fail(504);
      onward.destroy();
    });
    onward.on("error", () => fail(502));
    outgoing.once("close", () => {
      target.open -= 1;
      onward.destroy();
    });
    incoming.pipe(onward);
  }
}

function plain(outgoing: ServerResponse, status: number, body: string, type = "text/plain"): void {
  outgoing.writeHead(status, { "content-type": type }).end(body);
}

/** Listens on a port, or on another one if it is taken. */
async function listen(server: Server, port: number): Promise<void> {
  const attempt = (on: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(on, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await attempt(port).catch(() => attempt(0));
}
