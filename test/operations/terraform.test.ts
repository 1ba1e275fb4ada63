import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { Terraform } from "../../operations/terraform";

/** Program that ends in order when it is interrupted. */
const SCRIPT = `process.on("SIGINT", () => process.exit(0)); setInterval(() => undefined, 1_000); console.log("begun");`;

/** Runs the program, and interrupts the command meanwhile. */
const interrupted = (changes: boolean) => {
  const print = (text: string) => void (text.includes("begun") && process.emit("SIGHUP"));
  return Terraform.use({ terraform: [process.execPath, "-e"], env: process.env, print }, async (terraform) => {
    const ended = await terraform.run(tmpdir(), [SCRIPT], { changes });
    await expect(terraform.run(tmpdir(), ["process.exit(0)"])).rejects.toMatchObject({ exitCode: 130 });
    return ended;
  });
};

it("a run that only reads ends the command when it is interrupted, even if it completes", async () => {
  await expect(interrupted(false)).rejects.toMatchObject({
    exitCode: 130,
    message: expect.stringContaining("is as it"),
  });
});

it("a run that changes a stack returns its result when it is interrupted, and nothing runs after it", async () => {
  expect(await interrupted(true)).toMatchObject({ code: 0, output: "begun\n" });
});
