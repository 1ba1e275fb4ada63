import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A call that the server received. */
export interface ReceivedCall {
  /** `PUT /bucket/key`, or the action: `GetParameter`. */
  readonly call: string;
  /** Access key that signed it. */
  readonly accessKey: string;
}

/** S3 and SSM on loopback, as far as commands that pass plans from one machine to another use them. */
export class BucketAndParameters {
  readonly objects = new Map<string, Buffer>();
  readonly parameters = new Map<string, string>();
  readonly calls: ReceivedCall[] = [];
  readonly #server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const action = String(request.headers["x-amz-target"] ?? "").split(".")[1];
    const accessKey = /Credential=([^/]+)/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const path = decodeURIComponent((request.url ?? "").split("?")[0] ?? "");
    this.calls.push({ call: action ?? `${request.method} ${path}`, accessKey });
    if (action !== undefined) {
      const { status, answer } = this.#parameter(action, JSON.parse(body.toString("utf8")));
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" }).end(JSON.stringify(answer));
      return;
    }
    const failed = (status: number, code: string) =>
      response.writeHead(status, { "content-type": "application/xml" }).end(`<Error><Code>${code}</Code></Error>`);
    const known = this.objects.get(path);
    if (request.method === "PUT") {
      if (request.headers["if-none-match"] === "*" && known !== undefined) failed(412, "PreconditionFailed");
      else {
        this.objects.set(path, withoutChunks(body, request.headers["content-encoding"]));
        response.writeHead(200).end();
      }
    } else if (request.method === "DELETE") {
      this.objects.delete(path);
      response.writeHead(204).end();
      // Without s3:ListBucket, S3 answers 403 for an object that does not exist.
    } else if (known === undefined) failed(403, "AccessDenied");
    else response.writeHead(200).end(known);
  });

  #parameter(action: string, given: { readonly Name: string; readonly Value?: string }) {
    if (action === "PutParameter") {
      this.parameters.set(given.Name, given.Value ?? "");
      return { status: 200, answer: { Version: 1 } };
    }
    const value = this.parameters.get(given.Name);
    return value === undefined
      ? { status: 400, answer: { __type: "ParameterNotFound", message: "not found" } }
      : { status: 200, answer: { Parameter: { Name: given.Name, Value: value } } };
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Content of a body that the SDK signed chunk by chunk. */
function withoutChunks(body: Buffer, encoding: string | undefined): Buffer {
  if (!encoding?.includes("aws-chunked")) return body;
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, end), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
