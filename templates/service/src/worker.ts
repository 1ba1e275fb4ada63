import { openBacking } from "./backing";
import { runProcess } from "./process";

/** The worker process: handles the messages of the queue. Several can run at the same time. */
void runProcess(async (runtime) => {
  const { log, stopping } = runtime;
  const backing = await openBacking(runtime);
  log.info("working");
  await backing.queue.work(async (message) => {
    // A message may be delivered twice, so this must be idempotent.
    log.info({ message }, "message received");
  }, stopping);
  await backing.close();
});
