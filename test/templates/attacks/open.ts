import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { runProcess } from "../src/process";
import { testApp } from "./support/app";

// Runs the service without backing services and authentication, in its own process.
void runProcess(async ({ log, stopping }) => {
  const { app } = testApp();
  await app.listen({ port: 0, host: "127.0.0.1" });
  log.info({ port: (app.server.address() as AddressInfo).port }, "listening");
  await once(stopping, "abort");
  await app.close();
});
