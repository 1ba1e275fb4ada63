import { type Config, ConfigError, loadConfig } from "./config";
import { createLog, flushed, type Log } from "./log";
import { startTelemetry } from "./telemetry";

/** Dependencies of every process of this service. */
export interface Runtime {
  readonly config: Config;
  readonly log: Log;
  /** Aborted by SIGTERM and SIGINT: accept no more work, finish the work in progress. */
  readonly stopping: AbortSignal;
}

/**
 * Runs a process: validates the environment, runs `work`, then exits.
 *
 * Exit codes: 0 done, also after SIGTERM; 1 failed, or not done SHUTDOWN_SECONDS after SIGTERM; 78 invalid environment.
 */
export async function runProcess(work: (runtime: Runtime) => Promise<void>): Promise<void> {
  const env = process.env;
  let log = createLog("info", { name: env.SERVICE_NAME ?? "unknown", version: env.SERVICE_VERSION ?? "unknown" });
  const crash = (kind: string) => (err: unknown) => {
    log.fatal({ err }, kind);
    exit(1);
  };
  process.on("uncaughtException", crash("uncaught exception"));
  process.on("unhandledRejection", crash("unhandled rejection"));
  // Node's own listener would write plain text.
  process.removeAllListeners("warning").on("warning", (err) => log.warn({ err }, "Node.js warning"));

  try {
    const config = loadConfig(env);
    log = createLog(config.LOG_LEVEL, { name: config.SERVICE_NAME, version: config.SERVICE_VERSION });
    const stopping = stopSignal(log, config.SHUTDOWN_SECONDS);
    const stopTelemetry = startTelemetry(config, log);
    await work({ config, log, stopping }).finally(stopTelemetry);
    log.info("stopped");
    exit(0);
  } catch (err) {
    if (err instanceof ConfigError) log.fatal({ problems: err.problems }, err.message);
    else log.fatal({ err }, "process failed");
    exit(err instanceof ConfigError ? ConfigError.exitCode : 1);
  }
}

let isEnding = false;

/** Ends the process once its log is written. What fails in the meantime changes nothing. */
function exit(code: number): void {
  if (isEnding) return;
  isEnding = true;
  void flushed().finally(() => process.exit(code));
}

function stopSignal(log: Log, seconds: number): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: string) => {
    if (controller.signal.aborted) return;
    log.info({ signal }, "stopping");
    controller.abort();
    // Work that hangs must not wait for the platform's SIGKILL, which would cut off the log.
    setTimeout(() => {
      log.fatal({ seconds }, "not stopped in SHUTDOWN_SECONDS");
      exit(1);
    }, seconds * 1000).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return controller.signal;
}
