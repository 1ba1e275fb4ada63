import { runProcess } from "../src/process";

// Writes more lines than there is memory.
void runProcess(async ({ log }) => {
  log.info("working");
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (let n = 0; n < 200; n += 1) log.info({ n, text: "x".repeat(2 ** 20) });
});
