import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { put, textOf } from "./versions";

/** Replaces a part of a file, which must be there. */
export function edit(folder: string, path: string, before: string | RegExp, after: string): void {
  const text = textOf(folder, path);
  expect(text, path).toMatch(before);
  put(folder, path, text.replace(before, after));
}

const OPERATION = `  /v1/stock:
    get:
      operationId: getStock
      responses:
        "204":
          description: In stock
        default: { $ref: "#/components/responses/Problem" }
`;

/** Changes of a team to a repository that still compiles: an operation with its handler and request, a variable, another image, a test that is gone. */
export function editAsTeam(folder: string): void {
  edit(folder, "openapi.yaml", /^components:\n/m, `${OPERATION}components:\n`);
  const handler = "    async getStock() {\n      return { status: 204, body: undefined };\n    },\n\n";
  edit(folder, "src/handlers.ts", /^(?= {4}async listQuotes\()/m, handler);
  const request = '    getStock: { method: "GET", url: "/v1/stock" },\n';
  edit(folder, "test/support/app.ts", /^(?= {4}listQuotes: \{)/m, request);
  const variable = '  STOCK_URL: { type: "url", optional: true, description: "URL of the stock" },\n';
  edit(folder, "src/config-declaration.ts", /^(?= {2}DRAIN_SECONDS: \{)/m, variable);
  edit(folder, "Dockerfile", /$/, "LABEL team=orders\n");
  rmSync(join(folder, "test/logs.test.ts"));
}
