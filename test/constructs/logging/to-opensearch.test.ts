import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { handler } from "../../../constructs/logging/to-opensearch.mjs";
import { FakeOpenSearch, SIGNER } from "../../support/fake-opensearch";

const REGION = "eu-central-1";
const NOON = Date.parse("2026-11-22T12:00:00Z");

describe("the function that sends lines to OpenSearch", () => {
  let domain: FakeOpenSearch;
  beforeAll(async () => {
    domain = new FakeOpenSearch(REGION);
    vi.stubEnv("ENDPOINT", await domain.start());
    vi.stubEnv("INDEX", "shop-dev-orders");
    vi.stubEnv("REGION", REGION);
    vi.stubEnv("AWS_ACCESS_KEY_ID", SIGNER.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", SIGNER.secretAccessKey);
    vi.stubEnv("AWS_SESSION_TOKEN", SIGNER.sessionToken);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await domain.stop();
  });
  let next = 0;
  beforeEach(() => {
    domain.documents.length = 0;
    domain.sizes.length = 0;
    domain.troubles.length = 0;
  });

  const batchOf = (messages: readonly string[], { at = NOON, messageType = "DATA_MESSAGE" } = {}) => {
    const logEvents = messages.map((message, index) => ({ id: `${next++}`, timestamp: at + index, message }));
    const batch = { messageType, logGroup: "/shop/dev/orders", logStream: "orders/app/0123", logEvents };
    return { awslogs: { data: gzipSync(JSON.stringify(batch)).toString("base64") } };
  };
  const stored = () => domain.documents.map(({ text }) => JSON.parse(text) as Record<string, unknown>);

  it("stores the fields of JSON lines, and others unchanged, with their time and source", async () => {
    await handler(batchOf(['{"level":"info","order":{"lines":[1,2.5,null]}}', "plain words"]));
    const about = { "@log_group": "/shop/dev/orders", "@log_stream": "orders/app/0123" };
    expect(stored()).toEqual([
      { "@timestamp": "2026-11-22T12:00:00.000Z", ...about, level: "info", order: { lines: [1, 2.5, null] } },
      { "@timestamp": "2026-11-22T12:00:00.001Z", ...about, "@message": "plain words" },
    ]);
  });

  it("loses no digits of numbers, and no part of a line with line breaks between values", async () => {
    await handler(batchOf(['{\n  "id": 12345678901234567890,\r\n  "note": "a\\nb"\n}\n']));
    expect(domain.documents[0]?.text).toContain('"id": 12345678901234567890');
    expect(stored()).toMatchObject([{ note: "a\nb" }]);
  });

  it("writes each day into its own index, by the time of the line", async () => {
    await handler(batchOf(["late", "early"], { at: Date.parse("2026-11-22T23:59:59.999Z") }));
    expect(domain.documents.map(({ index }) => index)).toEqual([
      "shop-dev-orders-2026.11.22",
      "shop-dev-orders-2026.11.23",
    ]);
  });

  it("stores a repeated batch once", async () => {
    const batch = batchOf(["one", '{"two":2}']);
    await handler(batch);
    await handler(batch);
    expect(domain.documents).toHaveLength(2);
  });

  it("stores a line as text if its fields conflict with earlier ones", async () => {
    const odd = '{"took":"long"}';
    await handler(batchOf(['{"took":3}', odd, '{"took":4}', '{"":1}', '{"@timestamp":7}']));
    expect(stored().map((each) => each["@message"] ?? each.took)).toEqual([3, 4, odd, '{"":1}', '{"@timestamp":7}']);
  });

  it("stores any line completely", async () => {
    const line = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value, undefined, 1)),
      fc.constantFrom("", "{}", "[]", "null", "{", '{"a":1}}', '{"a":1}\n{"b":2}', "\u2028", '{"__proto__":{"a":1}}'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), async (lines) => {
        domain.documents.length = 0;
        await handler(batchOf(lines));
        const [first] = domain.documents.map(({ id }) => Number(id)).sort((a, b) => a - b);
        const texts = new Map(domain.documents.map(({ id, text }) => [Number(id) - (first ?? 0), text]));
        lines.forEach((message, index) => {
          const document = JSON.parse(texts.get(index) ?? "") as Record<string, unknown>;
          if ("@message" in document) {
            expect(document["@message"]).toBe(Buffer.from(message, "utf8").toString("utf8"));
          } else {
            expect(document).toEqual({ ...document, ...(JSON.parse(message) as object) });
          }
        });
        expect(texts.size).toBe(lines.length);
      }),
    );
  });

  it("limits requests to the size that the smallest domain accepts", async () => {
    await handler(batchOf(Array.from({ length: 60 }, () => "x".repeat(200_000))));
    expect(domain.documents).toHaveLength(60);
    expect(domain.sizes.length).toBeGreaterThan(2);
    expect(Math.max(...domain.sizes)).toBeLessThan(10_000_000);
  });

  it("fails while the domain is down, and completes the batch when it is up again", async () => {
    const batch = batchOf(["one", "two"], { at: Date.parse("2026-11-22T23:59:59.999Z") });
    domain.troubles.push({ status: 503 });
    await expect(handler(batch)).rejects.toThrow(/127\.0\.0\.1:\d+ responded with 503/);
    domain.troubles.push({ status: 429, item: true });
    await expect(handler(batch)).rejects.toThrow("1 of 2 lines were refused: 429 mapper_parsing_exception");
    await handler(batch);
    expect(stored().map((each) => each["@message"])).toEqual(["two", "one"]);
  });

  it("prints a remedy if access is denied, and never quotes a line", async () => {
    domain.troubles.push({ status: 403 });
    await expect(handler(batchOf(["a secret"]))).rejects.toThrow(
      /allow the role of the function to write to shop-dev-orders/,
    );
    domain.troubles.push({ status: 400, item: true }, { status: 400, item: true });
    const refusal = (await handler(batchOf(["a secret"])).catch((error: unknown) => error)) as Error;
    expect(refusal.message).toBe("1 of 1 lines were refused: 400 mapper_parsing_exception");
  });

  it("is denied access with an invalid signature", async () => {
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "another");
    await expect(handler(batchOf(["line"]))).rejects.toThrow("403");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", SIGNER.secretAccessKey);
    expect(domain.documents).toEqual([]);
  });

  it("sends nothing for a control message of CloudWatch", async () => {
    await handler(batchOf(["CWL CONTROL MESSAGE"], { messageType: "CONTROL_MESSAGE" }));
    expect(domain.sizes).toEqual([]);
  });
});
