import { openBacking } from "./backing";
import { runProcess } from "./process";

/** The worker process: handles the messages of the queue. As many as needed may run at once. */
void runProcess(async (runtime) => {
  const { log, stopping } = runtime;
  const backing = await openBacking(runtime);
  log.info("working");
  await backing.queue.work(async (message) => {
    // A message may come twice: what is done here must bear it.
    log.info({ message }, "message received");
  }, stopping);
  await backing.close();
});
