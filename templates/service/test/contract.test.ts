import { readFileSync } from "node:fs";
import { join } from "node:path";
import Fastify from "fastify";
import { describe, expect, it } from "vitest";
import { generated } from "../scripts/generate";
import { bindContract, type Contract, type Handlers, readContract } from "../src/contract";
import { testApp, validRequest } from "./support/app";

const root = join(__dirname, "..");
const contract = readContract(join(root, "openapi.yaml"));
const edited = (edit: (document: any) => void): Contract => {
  const copy = structuredClone(contract);
  edit(copy.document);
  return copy;
};

describe("the contract", () => {
  it("matches the types in src/contract-types.ts", async () => {
    const file = "src/contract-types.ts";
    expect(readFileSync(join(root, file), "utf8"), "run `npm run generate`").toBe((await generated())[file]);
  });

  it("is served, also as an HTML page", async () => {
    const { app } = testApp();
    expect((await app.inject("/openapi.yaml")).body).toBe(contract.text);
    const page = await app.inject("/docs");
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.body).toContain("createQuote");
  });

  it("is also served under the path of its server, for a shared load balancer", async () => {
    const shared = edited((document) => {
      document.servers = [{ url: "/shared" }];
    });
    const { app } = testApp({ contract: shared });
    for (const url of ["/livez", "/shared/livez", "/shared/docs?x=1"]) {
      expect((await app.inject(url)).statusCode, url).toBe(200);
    }
    for (const url of ["/sharedlivez", "/other/livez", "/shared/shared/livez", "/shared"]) {
      expect((await app.inject(url)).statusCode, url).toBe(404);
    }
  });

  it("reports all mismatches at start: a missing handler, an extra one, no problem response", () => {
    const other = edited(({ paths }) => {
      paths["/v1/quotes"].post.operationId = "renamed";
      paths["/v1/more"] = { get: { ...paths["/v1/quotes"].post, operationId: "surplus", responses: {} } };
    });
    const handlers = { createQuote: async () => ({}), surplus: async () => ({}) } as unknown as Handlers;
    const bind = () => bindContract(Fastify(), other, handlers, async () => {});
    expect(bind).toThrow(/no handler "renamed"/);
    expect(bind).toThrow(/handler "createQuote" has no operation/);
    expect(bind).toThrow(/GET \/v1\/more needs a `default` response/);
  });

  it("validates requests: another minimum changes the response", async () => {
    const body = { lines: [{ sku: "a", quantity: 1, unitPriceCents: 1 }] };
    const request = { method: "POST", url: "/v1/quotes", payload: body } as const;
    expect((await testApp().app.inject(request)).statusCode).toBe(201);

    const strict = edited(({ components }) => {
      components.schemas.Line.properties.quantity.minimum = 2;
    });
    const refused = await testApp({ contract: strict }).app.inject(request);
    expect(refused.statusCode).toBe(400);
    expect(refused.json().errors).toEqual([{ in: "body", pointer: "/lines/0/quantity", message: "must be >= 2" }]);
  });

  it("validates responses", async () => {
    const strict = edited(({ components }) => components.schemas.Quote.required.push("validUntil"));
    const { app, lines } = testApp({ contract: strict });
    const answer = await app.inject(validRequest("createQuote"));
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("validUntil");
    expect(lines.join()).toContain("validUntil");
  });
});

describe("a request that does not match the contract", () => {
  it("gets all faults, as problem+json", async () => {
    const payload = { lines: [{ sku: "", quantity: "2", more: 1 }] };
    const answer = await testApp().app.inject({ method: "POST", url: "/v1/quotes?page=1", payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    const found = answer.json().errors.map((fault: { in: string; pointer: string }) => `${fault.in}${fault.pointer}`);
    expect(found.sort()).toEqual(
      [
        "query/page",
        "body/lines/0/sku",
        "body/lines/0/quantity",
        "body/lines/0/more",
        "body/lines/0/unitPriceCents",
      ].sort(),
    );
  });

  it.each([
    [400, { payload: "{", headers: { "content-type": "application/json" } }],
    [400, {}],
    [415, { payload: "sku=a", headers: { "content-type": "text/plain" } }],
    [
      400,
      {
        payload: Buffer.from('{"lines":[{"sku":"\xff","quantity":1,"unitPriceCents":1}]}', "latin1"),
        headers: { "content-type": "application/json" },
      },
    ],
    [415, { payload: "{}", headers: { "content-type": "application/json", "content-encoding": "gzip" } }],
    [413, { payload: JSON.stringify({ lines: "x".repeat(2 ** 21) }), headers: { "content-type": "application/json" } }],
    [404, { url: "/v1/nothing" }],
  ])("is answered %i with a problem", async (status, request) => {
    const answer = await testApp().app.inject({ method: "POST", url: "/v1/quotes", ...request });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json()).toMatchObject({ type: "about:blank", status });
  });
});

describe("every operation", () => {
  const operations = Object.values(contract.document.paths).flatMap((item) =>
    Object.values(item).flatMap((operation) => ("operationId" in operation ? (operation.operationId ?? []) : [])),
  );

  // The binder validates the response, so a status below 400 means that it matches.
  it.each(operations)("%s answers a valid request as the contract specifies", async (id) => {
    const { app } = testApp();
    const answer = await app.inject(validRequest(id));
    expect(answer.statusCode, answer.body).toBeLessThan(300);
  });
});
