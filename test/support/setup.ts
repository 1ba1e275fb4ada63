import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, vi } from "vitest";

// cdktf notes where each token was made: a trace of any depth, of which vitest looks up every line in source maps. Without
// it, tests that synthesize take half the time.
const require = createRequire(import.meta.url);
const traces = join(dirname(require.resolve("cdktf")), "tokens/private/stack-trace.js");
(require(traces) as { captureStackTrace: () => string[] }).captureStackTrace = () => [];

// Files of a project may share a process: each leaves time and the environment to the next as it found them.
const environment = process.env;
const before = { ...environment };
afterAll(() => {
  vi.useRealTimers();
  process.env = environment;
  for (const name of Object.keys(environment)) if (!(name in before)) delete environment[name];
  Object.assign(environment, before);
});
