import { expect, it } from "vitest";
import { runDeploy } from "../../bin/deploy";
import type { Context } from "../../generator/context";

const deploy = (...args: string[]) =>
  runDeploy({ args, print: () => undefined, columns: () => 80 } as unknown as Context);

const refused: [string[], RegExp][] = [
  [["--once"], /--once: goes with --local/],
  [["dev", "--once"], /--once: goes with --local/],
  [["dev", "--local"], /--local: deploys everything/],
  [["--local", "--auto-approve"], /--local: deploys everything/],
  [[], /name an environment, or use --local/],
];
for (const [args, message] of refused) {
  it(`refuses deploy ${args.join(" ")}`, async () => {
    const error = await deploy(...args).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
  });
}
