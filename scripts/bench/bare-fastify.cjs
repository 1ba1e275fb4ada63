// @ts-nocheck: its packages are installed for a run.
/** Bare Fastify with the same check of a token and the same validation as the generated service, and nothing else. */
const Fastify = require("fastify");
const { createRemoteJWKSet, jwtVerify } = require("jose");
const { quote } = require("./full/src/quotes.js");

const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience, PORT: port } = process.env;
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
const line = {
  type: "object",
  additionalProperties: false,
  required: ["sku", "quantity", "unitPriceCents"],
  properties: {
    sku: { type: "string", minLength: 1, maxLength: 64 },
    quantity: { type: "integer", minimum: 1, maximum: 10000 },
    unitPriceCents: { type: "integer", minimum: 0, maximum: 100000000 },
  },
};
const body = {
  type: "object",
  additionalProperties: false,
  required: ["lines"],
  properties: { lines: { type: "array", minItems: 1, maxItems: 100, items: line } },
};

const app = Fastify();
const onRequest = async (request) => {
  const token = request.headers.authorization.slice("Bearer ".length);
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience,
    algorithms: ["ES256"],
    requiredClaims: ["exp"],
  });
  if (!payload.scope.split(" ").includes("quotes:write")) throw new Error("the token lacks the scope");
};
app.post("/v1/quotes", { schema: { body }, onRequest }, async (request, reply) => {
  reply.code(201);
  return quote(request.body.lines);
});
app.listen({ port: Number(port), host: "127.0.0.1" });
