/**
 * Lighter start of the engine. Imported before `cdktf`, of which it changes two internals that cost a third of the time of
 * `synth` and a third of its memory, and do not show in its output. Another version of the engine runs unchanged.
 */
import { createRequire } from "node:module";

const VERSION = "0.21.0";

/** Environment variable that leaves the engine as it is: errors of tokens then name the line that created the token. */
const DEBUG_SWITCH = "ANTIFRAGILE_DEBUG";

const load = createRequire(__filename);

/** Loads `archiver`, 300 modules, when an asset is packed, which few apps do. */
function loadArchiverLate(engine: NodeJS.Require): void {
  const path = engine.resolve("archiver");
  if (engine.cache[path] !== undefined) return;
  const late = (...args: unknown[]) => {
    delete engine.cache[path];
    return (engine(path) as (...args: unknown[]) => unknown)(...args);
  };
  engine.cache[path] = { id: path, filename: path, loaded: true, exports: late, children: [], paths: [] } as never;
}

/** Leaves out the stack traces of tokens, of which an app creates thousands and an error prints one. */
function leaveOutTokenTraces(engine: NodeJS.Require): void {
  const module = engine("./lib/tokens/private/stack-trace") as { captureStackTrace: () => string[] };
  const hint = [`(set ${DEBUG_SWITCH}=1 to see the line)`];
  module.captureStackTrace = () => hint;
}

try {
  const manifest = load.resolve("cdktf/package.json");
  const { version } = load(manifest) as { version: string };
  if (version === VERSION && process.env[DEBUG_SWITCH] === undefined) {
    const engine = createRequire(manifest);
    loadArchiverLate(engine);
    leaveOutTokenTraces(engine);
  }
} catch {
  // Another layout of the engine: it starts as it is.
}
