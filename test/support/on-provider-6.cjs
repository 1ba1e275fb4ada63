/** Lets a program run as if `@cdktf/provider-aws` 21 (AWS provider 6) were installed: `node --require on-provider-6.cjs <program>`. */
const Module = require("node:module");

const BINDINGS = /^@cdktf\/provider-aws(?=\/|$)/;

/** @type {any} */
const loader = Module;
const original = loader._resolveFilename;
loader._resolveFilename = (/** @type {string} */ request, /** @type {unknown[]} */ ...rest) =>
  original.call(loader, request.replace(BINDINGS, "provider-aws-6"), ...rest);
