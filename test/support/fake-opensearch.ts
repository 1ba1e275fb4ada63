import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "./sha256";

export interface StoredDocument {
  readonly index: string;
  readonly id: string;
  /** As it was sent. */
  readonly text: string;
}

/** As whom requests are signed. */
export const SIGNER = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "its/secret+key", sessionToken: "its//token==" };

/**
 * As much of OpenSearch as a sender of lines meets: bulk requests, ids that are there already, fields whose type
 * contradicts an earlier one. Requests that the SDK's own signer would sign otherwise are not let in.
 */
export class FakeOpenSearch {
  readonly documents: StoredDocument[] = [];
  /** Bytes of each request. */
  readonly sizes: number[] = [];
  /** Status of the next responses, which store nothing; `item` is the status of each document. */
  readonly troubles: { readonly status: number; readonly item?: boolean }[] = [];
  readonly #types = new Map<string, string>();
  readonly #server: Server;

  constructor(
    private readonly region: string,
    private readonly signer = SIGNER,
  ) {
    this.#server = createServer((request, response) => {
      void this.#answer(request).then(([status, body]) => {
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
  }

  async start(): Promise<string> {
    // On a busy machine a request may go out just as an idle connection is closed after the 5 seconds of the default.
    this.#server.keepAliveTimeout = 120_000;
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<[number, unknown]> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (!(await this.#isSigned(request, body))) return [403, { message: "The request signature does not match" }];
    const trouble = this.troubles.shift();
    if (trouble !== undefined && trouble.item !== true) return [trouble.status, { message: "no" }];
    const [, index = "", action] = (request.url ?? "").split("/");
    if (request.method !== "POST" || action !== "_bulk") return [405, { error: "not here" }];
    this.sizes.push(body.length);
    const lines = body.toString("utf8").split("\n");
    // A request that does not end in a line's end is refused.
    if (lines.pop() !== "" || lines.length % 2 !== 0) return [400, { error: "malformed" }];
    const items = [];
    for (let at = 0; at < lines.length; at += 2) {
      const id = (JSON.parse(lines[at] as string) as { create: { _id: string } }).create._id;
      const status = trouble?.status ?? this.#store(index, id, lines[at + 1] as string);
      const error = { type: "mapper_parsing_exception", reason: `failed to parse field: ${lines[at + 1]}` };
      items.push({ create: { _id: id, status, ...(status < 300 ? {} : { error }) } });
    }
    return [200, { errors: items.some(({ create }) => create.status >= 300), items }];
  }

  #store(index: string, id: string, text: string): number {
    if (this.documents.some((each) => each.index === index && each.id === id)) return 409;
    for (const [name, value] of Object.entries(JSON.parse(text) as object)) {
      const key = `${index} ${name}`;
      const type = typeof value;
      if (name === "" || (this.#types.get(key) ?? type) !== type) return 400;
      this.#types.set(key, type);
    }
    this.documents.push({ index, id, text });
    return 201;
  }

  async #isSigned(request: IncomingMessage, body: Buffer): Promise<boolean> {
    const { host = "", authorization } = request.headers;
    const [hostname = "", port] = host.split(":");
    const signedNames = /SignedHeaders=([^,]*)/.exec(authorization ?? "")?.[1]?.split(";") ?? [];
    const headers = Object.fromEntries(signedNames.map((name) => [name, String(request.headers[name])]));
    const time = String(request.headers["x-amz-date"]);
    const signer = new SignatureV4({
      service: "es",
      region: this.region,
      credentials: this.signer,
      sha256: Sha256 as never,
      applyChecksum: true,
    });
    const { headers: expected } = await signer.sign(
      {
        method: request.method ?? "",
        protocol: "http:",
        hostname,
        ...(port === undefined ? {} : { port: Number(port) }),
        path: request.url ?? "",
        query: {},
        headers,
        body,
      },
      { signingDate: new Date(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")) },
    );
    const own = createHash("sha256").update(body).digest("hex");
    return expected.authorization === authorization && headers["x-amz-content-sha256"] === own;
  }
}
