import { runProcess } from "../../src/process";

// A process that breaks in the way that CRASH says, some time after its start.
void runProcess(async () => {
  setTimeout(() => {
    if (process.env.CRASH === "rejection") void Promise.reject(new Error("canary: rejected"));
    else throw new Error("canary: thrown");
  }, 10);
  await new Promise((resolve) => setTimeout(resolve, 10_000));
});
