import { once } from "node:events";
import {
  request as call,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** Fault that a call meets: the connection is dropped, or AWS answers with an error. */
export type Fault = "drop" | "throttle" | "expire" | "deny";

/** Call of a JSON service with its input, or of a query service. */
export interface ReceivedCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly request: IncomingMessage;
  readonly body: Buffer;
}

/** Answer of AWS: status, headers and body. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const ERRORS: Readonly<Record<Exclude<Fault, "drop">, readonly [name: string, message: string]>> = {
  throttle: ["ThrottlingException", "Rate exceeded"],
  expire: ["ExpiredTokenException", "The security token included in the request is expired"],
  deny: ["AccessDeniedException", "not authorized"],
};

/** Error of AWS as its services write it. */
export function errorAnswer({ request }: ReceivedCall, type: string, message: string): Answer {
  const status = type === "InternalFailure" ? 500 : 400;
  const xml = (error: string) => ({ status, headers: { "content-type": "application/xml" }, body: error });
  const { authorization = "", "content-type": contentType = "application/json" } = request.headers;
  if (authorization.includes("/s3/")) {
    return xml(`<Error><Code>${type.replace(/Exception$/, "")}</Code><Message>${message}</Message></Error>`);
  }
  if (contentType.includes("form")) {
    return xml(`<ErrorResponse><Error><Code>${type}</Code><Message>${message}</Message></Error></ErrorResponse>`);
  }
  return { status, headers: { "content-type": contentType }, body: JSON.stringify({ __type: type, message }) };
}

/** Endpoint for all services of AWS on loopback, whose calls can be made to fail. */
export abstract class FaultyEndpoint {
  /** Calls in order, with the name of what they are about: `PutParameter lock`. */
  readonly calls: string[] = [];
  /** Decides which calls fail; `nth` counts calls of the same name. */
  fault: (call: string, nth: number) => Fault | undefined = () => undefined;
  /** Called before a call is answered, and waited for. */
  before: (call: string) => void | Promise<void> = () => undefined;
  /** Credentials are given out under this access key. */
  accessKey = "first";
  /** Access keys that have expired. */
  readonly expiredKeys = new Set<string>();
  url = "";

  readonly #server = createServer((request, response) => void this.#receive(request, response));

  /** @param root beginning of the names of parameters that is left out in the names of calls */
  constructor(private readonly root: string) {}

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Variables of a command whose AWS this is, with credentials that it fetches here. */
  get variables(): NodeJS.ProcessEnv {
    return { AWS_ENDPOINT_URL: this.url, AWS_CONTAINER_CREDENTIALS_FULL_URI: `${this.url}/credentials` };
  }

  protected abstract answer(call: ReceivedCall): Answer | Promise<Answer>;

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === "/credentials") {
      const Expiration = new Date(Date.now() + 3_600_000).toISOString();
      response.end(JSON.stringify({ AccessKeyId: this.accessKey, SecretAccessKey: "s", Token: "t", Expiration }));
      return;
    }
    const call = readCall(request, Buffer.concat(chunks));
    const { Name, Path, service, family } = call.input;
    const about = String(Name ?? Path ?? service ?? family ?? "");
    const name = `${call.operation} ${about.replace(this.root, "").replace(/^\//, "")}`.trim();
    const before = this.before(name);
    this.calls.push(name);
    await before;
    const key = /Credential=([^/]+)/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const nth = this.calls.filter((each) => each === name).length;
    const fault = this.expiredKeys.has(key) ? "expire" : this.fault(name, nth);
    if (fault === "drop") return void request.socket.destroy();
    const { status, headers, body } =
      fault === undefined ? await this.answer(call) : errorAnswer(call, ...ERRORS[fault]);
    response.writeHead(status, headers);
    response.end(body);
  }
}

function readCall(request: IncomingMessage, body: Buffer): ReceivedCall {
  const target = String(request.headers["x-amz-target"] ?? "");
  if (target !== "") {
    const input = JSON.parse(body.toString() || "{}") as Record<string, unknown>;
    return { operation: target.split(".").at(-1) ?? "", input, request, body };
  }
  const form = Object.fromEntries(new URLSearchParams(body.toString()));
  if (form.Action !== undefined) return { operation: form.Action, input: form, request, body };
  const [, operation = `${request.method} ${request.url}`] = /\/operation\/(\w+)$/.exec(request.url ?? "") ?? [];
  return { operation, input: {}, request, body };
}

/** Endpoint that passes calls on to another one. */
export class FaultProxy extends FaultyEndpoint {
  static to(target: string, root: string): Promise<FaultProxy> {
    return new FaultProxy(target, root).listen();
  }

  /** Changes what AWS answers to a call. */
  rewrite: (operation: string, text: string) => string = (_, text) => text;

  private constructor(
    private readonly target: string,
    root: string,
  ) {
    super(root);
  }

  protected override async answer({ operation, request, body }: ReceivedCall): Promise<Answer> {
    const { method, url, headers } = request;
    const passed = call(`${this.target}${url}`, { method, headers: passedOn(headers) }).end(body);
    const [answer] = (await once(passed, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const text = this.rewrite(operation, bytes.toString());
    const same = text === bytes.toString();
    return {
      status: answer.statusCode ?? 0,
      headers: { ...passedOn(answer.headers), ...(same ? {} : { "content-length": `${Buffer.byteLength(text)}` }) },
      body: same ? bytes : text,
    };
  }
}

/** Headers but for those of one connection. */
function passedOn(headers: IncomingHttpHeaders): Record<string, string> {
  const of = Object.entries(headers).filter(
    ([name]) => !/^(connection|expect|keep-alive|transfer-encoding)$/.test(name),
  );
  return Object.fromEntries(of.map(([name, value]) => [name, String(value)]));
}
