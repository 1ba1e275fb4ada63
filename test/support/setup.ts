import { createRequire } from "node:module";
import { dirname, join } from "node:path";

// cdktf notes where each token was made: a trace of any depth, of which vitest looks up every line in source maps. Without
// it, tests that synthesize take half the time.
const require = createRequire(import.meta.url);
const traces = join(dirname(require.resolve("cdktf")), "tokens/private/stack-trace.js");
(require(traces) as { captureStackTrace: () => string[] }).captureStackTrace = () => [];
