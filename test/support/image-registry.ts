import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** Registry of images on loopback, to which a builder pushes; it accepts blobs and keeps none. */
export class ImageRegistry {
  /** Host and port, as in the name of an image. */
  host = "";
  /** Variables with which Buildah trusts it, and keeps everything in a folder. */
  readonly variables: NodeJS.ProcessEnv;
  readonly #server;
  readonly #blobs = new Set<string>();

  /** @param put receives the manifest of each image that was pushed, and returns its digest */
  static async start(
    folder: string,
    put: (repository: string, tag: string, manifest: string) => Promise<string>,
  ): Promise<ImageRegistry> {
    const registry = new ImageRegistry(folder, put);
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    registry.host = `127.0.0.1:${(registry.#server.address() as AddressInfo).port}`;
    return registry;
  }

  private constructor(
    folder: string,
    private readonly put: (repository: string, tag: string, manifest: string) => Promise<string>,
  ) {
    const file = (name: string) => join(folder, name);
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const keys = ["-newkey", "rsa:2048", "-nodes", "-keyout", file("key.pem"), "-out", file("cert.pem")];
    execFileSync("openssl", ["req", "-x509", "-days", "2", ...keys, ...subject], { stdio: "ignore" });
    const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${file("images")}"\nrunroot = "${file("run")}"\n`;
    writeFileSync(file("storage.conf"), storage);
    this.variables = {
      SSL_CERT_FILE: file("cert.pem"),
      CONTAINERS_STORAGE_CONF: file("storage.conf"),
      REGISTRY_AUTH_FILE: file("auth.json"),
      BUILDAH_ISOLATION: "chroot",
    };
    const tls = { key: readFileSync(file("key.pem")), cert: readFileSync(file("cert.pem")) };
    this.#server = createServer(tls, (request, response) => void this.#answer(request, response));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? "", "https://registry");
    const answer = (status: number, headers: Record<string, string> = {}) => response.writeHead(status, headers).end();
    if (pathname === "/v2/") {
      const known = request.headers.authorization !== undefined;
      return void (known ? answer(200) : answer(401, { "www-authenticate": 'Basic realm="registry"' }));
    }
    const [, repository = "", kind, name = ""] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(pathname) ?? [];
    if (kind === "manifests" && request.method === "PUT") {
      const digest = await this.put(repository, name, Buffer.concat(chunks).toString());
      return void answer(201, { "docker-content-digest": digest });
    }
    if (kind === "blobs" && request.method === "POST") return void answer(202, { location: `${pathname}1` });
    if (kind === "blobs" && request.method === "PATCH") return void answer(202, { location: pathname });
    if (kind === "blobs" && request.method === "PUT") {
      const digest = searchParams.get("digest") ?? "";
      this.#blobs.add(digest);
      return void answer(201, { "docker-content-digest": digest });
    }
    answer(this.#blobs.has(name) ? 200 : 404);
  }
}
