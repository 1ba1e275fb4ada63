import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp } from "./app";
import { readContract } from "./contract";
import { createHandlers } from "./handlers";
import { runProcess } from "./process";

/** The web process: serves the contract on PORT. */
void runProcess(async ({ config, log, stopping }) => {
  const contract = readContract(join(__dirname, "../openapi.yaml"));
  const app = createApp({ log, contract, handlers: createHandlers(), ready: () => !stopping.aborted });
  await app.listen({ port: config.PORT, host: "0.0.0.0" });
  log.info({ port: (app.server.address() as AddressInfo).port }, "listening");

  if (!stopping.aborted) await once(stopping, "abort");
  // Not ready from here on, and the load balancer has this long to notice.
  await sleep(config.DRAIN_SECONDS * 1000);
  await app.close();
});
