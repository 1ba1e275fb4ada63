/** Runs a program as if `@cdktf/provider-aws` 21 (AWS provider 6) were installed: `tsx on-provider-6.ts <program>`. */
import Module from "node:module";
import { resolve } from "node:path";

const BINDINGS = /^@cdktf\/provider-aws(?=\/|$)/;

type Resolve = (request: string, ...rest: unknown[]) => string;

const loader = Module as unknown as { _resolveFilename: Resolve };
const original = loader._resolveFilename;
loader._resolveFilename = function (this: unknown, request, ...rest) {
  return original.call(this, request.replace(BINDINGS, "provider-aws-6"), ...rest);
};

const program = process.argv[2];
if (program === undefined) throw new Error("name the program to run");
require(resolve(program));
