import { backendsOf, bootstrap } from "./bootstrap";
import { OperationError, type Outcome, readFlags, run } from "./command";
import { readManifest, stacksOf, synthesize } from "./deploy";
import { type FolderCall, oneOperand } from "./saved-plans-command";

const USAGE = `Usage: antifragile bootstrap <environment>

Makes the bucket in S3 that holds Terraform's state of an environment, or of delivery: versioned, encrypted, closed to the
public, reached by TLS alone. What is there already is put right. State that was a file here moves into it. Uses the
credentials of the environment.
`;

/** The command `antifragile bootstrap`. */
export function runBootstrap({ args, print, cwd }: FolderCall): Promise<Outcome> {
  return run(async () => {
    if (args.includes("--help") || args.includes("-h")) {
      print(USAGE);
      return 0;
    }
    const environment = oneOperand(readFlags(args, {}, USAGE).operands, USAGE);
    const outdir = await synthesize(cwd, environment);
    const backends = backendsOf(outdir, stacksOf(environment, readManifest(outdir)));
    if (backends.length === 0) {
      throw new OperationError(
        `${environment} keeps its state in files: give it an account and state: "s3" in infra/environments.ts first`,
        2,
      );
    }
    try {
      await bootstrap({ outdir, backends, print });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof OperationError) throw error;
      if (code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND") {
        throw new OperationError(
          "the AWS SDK is missing: npm install --save-dev @aws-sdk/client-s3 @aws-sdk/client-sts",
          1,
        );
      }
      throw new OperationError(`AWS refused: ${message}`, 1);
    }
    return 0;
  });
}
