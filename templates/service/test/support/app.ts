import { join } from "node:path";
import { Writable } from "node:stream";
import type { InjectOptions } from "fastify";
import { createApp } from "../../src/app";
import { type Contract, readContract } from "../../src/contract";
import { createHandlers } from "../../src/handlers";
import { createLog } from "../../src/log";

const lines = [{ sku: "tea", quantity: 2, unitPriceCents: 250 }];

/** The HTTP side of the service in this process, without a port. */
export function testApp({
  contract = readContract(join(__dirname, "../../openapi.yaml")),
}: {
  contract?: Contract;
} = {}) {
  const logged: string[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(String(line));
      done();
    },
  });
  const log = createLog("info", { name: "under-test", version: "0" }, stream);
  return { app: createApp({ log, contract, handlers: createHandlers(), ready: () => true }), lines: logged };
}

/** A request that fits the contract, one for each operation: a new operation needs a new row. */
export function validRequest(operationId: string): InjectOptions {
  const requests: Record<string, InjectOptions> = {
    createQuote: { method: "POST", url: "/v1/quotes", payload: { lines } },
  };
  const request = requests[operationId];
  if (!request) throw new Error(`no valid request for ${operationId}; add one here`);
  return request;
}
