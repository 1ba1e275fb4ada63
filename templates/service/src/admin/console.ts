import { once } from "node:events";
import { start } from "node:repl";
import { openBacking } from "../backing";
import { runProcess } from "../process";

/** `node dist/admin/console.js`: a REPL with the `config`, `log` and `backing` of the release. */
void runProcess(async (runtime) => {
  const backing = await openBacking(runtime);
  const prompt = start({ prompt: `${runtime.config.SERVICE_NAME}> ` });
  Object.assign(prompt.context, { config: runtime.config, log: runtime.log, backing });
  await once(prompt, "exit");
  await backing.close();
});
