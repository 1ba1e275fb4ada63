import type { Handlers } from "./contract";
import { quote } from "./quotes";

/** What this service does: one handler for each operation of openapi.yaml. */
export function createHandlers(): Handlers {
  return {
    async createQuote({ body }) {
      return { status: 201, body: quote(body.lines) };
    },
  };
}
