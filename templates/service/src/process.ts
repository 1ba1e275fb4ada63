import { type Config, ConfigError, loadConfig } from "./config";
import { createLog, type Log } from "./log";
import { startTelemetry } from "./telemetry";

/** What every process of this service starts with. */
export interface Runtime {
  readonly config: Config;
  readonly log: Log;
  /** Aborted by SIGTERM and SIGINT: stop taking on work, finish what came in. */
  readonly stopping: AbortSignal;
}

/**
 * Runs a process: checks the environment, then `work`, then exits.
 *
 * Exit codes: 0 done, also after SIGTERM; 1 a fault, or not finished SHUTDOWN_SECONDS after SIGTERM; 78 wrong environment.
 */
export async function runProcess(work: (runtime: Runtime) => Promise<void>): Promise<void> {
  const env = process.env;
  let log = createLog("info", { name: env.SERVICE_NAME ?? "unknown", version: env.SERVICE_VERSION ?? "unknown" });
  const crash = (kind: string) => (err: unknown) => {
    log.fatal({ err }, kind);
    process.exit(1);
  };
  process.on("uncaughtException", crash("uncaught exception"));
  process.on("unhandledRejection", crash("unhandled rejection"));
  // Node's own listener would write text.
  process.removeAllListeners("warning").on("warning", (err) => log.warn({ err }, "warning of Node"));

  try {
    const config = loadConfig(env);
    log = createLog(config.LOG_LEVEL, { name: config.SERVICE_NAME, version: config.SERVICE_VERSION });
    const stopping = stopSignal(log, config.SHUTDOWN_SECONDS);
    const stopTelemetry = startTelemetry(config, log);
    await work({ config, log, stopping }).finally(stopTelemetry);
    log.info("stopped");
    process.exit(0);
  } catch (err) {
    if (err instanceof ConfigError) log.fatal({ problems: err.problems }, err.message);
    else log.fatal({ err }, "process failed");
    process.exit(err instanceof ConfigError ? ConfigError.exitCode : 1);
  }
}

function stopSignal(log: Log, seconds: number): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: string) => {
    if (controller.signal.aborted) return;
    log.info({ signal }, "stopping");
    controller.abort();
    // Whatever still hangs then must not wait for the platform's SIGKILL, which would cut the log off.
    setTimeout(() => {
      log.fatal({ seconds }, "not stopped in SHUTDOWN_SECONDS");
      process.exit(1);
    }, seconds * 1000).unref();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return controller.signal;
}
