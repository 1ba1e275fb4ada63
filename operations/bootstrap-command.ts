import { type CommandContext, defineCommand } from "../contract/command-line";
import { type ExitCode, UserError } from "../contract/user-error";
import { awsErrorForUser } from "./aws-sdk";
import { backendsOf, bootstrap } from "./bootstrap";
import { readManifest, stacksOfEnvironment, synthesize } from "./deploy";

/** The command `antifragile bootstrap`. */
export const runBootstrap = defineCommand(
  {
    name: "bootstrap",
    operands: ["<environment>"],
    description:
      "Creates the S3 bucket for the Terraform state of an environment, or of delivery: versioned, encrypted, not public, accessible over TLS only. Corrects an existing bucket, and moves state files of this folder into it. Uses the AWS credentials of the shell.",
    flags: {},
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const outdir = await synthesize(cwd, environment);
    const backends = backendsOf(outdir, stacksOfEnvironment(environment, readManifest(outdir)));
    if (backends.length === 0) {
      throw new UserError(
        `${environment} keeps its state in files: give it an account and state: "s3" in infra/environments.ts first`,
        2,
      );
    }
    try {
      await bootstrap({ outdir, backends, print });
    } catch (error) {
      throw awsErrorForUser(error);
    }
    return 0;
  },
);
