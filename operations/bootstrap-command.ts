import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { badUsage, type ExitCode, UserError } from "../contract/user-error";
import { forUser } from "./aws-sdk";
import { bootstrap, boundariesOf } from "./bootstrap";
import { terraformOf } from "./bootstrap-terraform";
import { deploy } from "./deploy";
import { synthesize } from "./synth";
import { backendsOf, DELIVERY, isDelivery, stacksOfEnvironment } from "./synthesized";
import { requireTerminal } from "./terminal";

/** The command `antifragile bootstrap`. */
export const runBootstrap = defineCommand(
  {
    name: "bootstrap",
    operands: ["<environment>"],
    description:
      "Prepares an account for an environment, or for delivery. Creates the S3 bucket for Terraform state (versioned, encrypted, not public, accessible over TLS only) and the permissions boundaries of roles. Corrects existing ones, and moves state files of this folder into the bucket. For an environment in another account than the images, `delivery-production`, it then deploys the roles that deliver there. Uses the AWS credentials of the shell.",
    flags: {
      "dry-run": { help: "show what would change, and change nothing" },
      "auto-approve": { help: "deploy the roles without asking" },
      terraform: {
        value: "FILE",
        help: "write bucket and boundaries as Terraform to a new file, ending in .tf.json, instead of creating them; needs no credentials",
      },
    },
  },
  async (line, { cwd, print }: CommandContext): Promise<ExitCode> => {
    const environment = line.operands[0] as string;
    const dryRun = line.has("dry-run");
    const file = line.value("terraform");
    if (file !== undefined && dryRun) {
      throw badUsage(
        ["--dry-run, --terraform: exclude each other; keep one"],
        "antifragile bootstrap --help explains it.",
      );
    }
    if (file !== undefined && !file.endsWith(".tf.json")) {
      throw badUsage(
        [`--terraform: must be a file that ends in .tf.json`],
        "antifragile bootstrap --help explains it.",
      );
    }
    const deliversElsewhere = isDelivery(environment) && environment !== DELIVERY;
    const autoApprove = line.has("auto-approve");
    if (deliversElsewhere && !autoApprove && !dryRun && file === undefined) requireTerminal("whether to apply a plan");
    const outdir = await synthesize(cwd, environment);
    const stacks = stacksOfEnvironment(environment, outdir);
    const backends = backendsOf(outdir, stacks);
    const boundaries = boundariesOf(outdir, stacks);
    if (backends.length === 0 && boundaries.length === 0) {
      throw new UserError(
        `${environment} keeps its state in files, and its roles have no boundary of bootstrap: give it an account and state: "s3" in infra/environments.ts first`,
        2,
      );
    }
    if (file !== undefined) {
      writeNew(resolve(cwd, file), terraformOf(backends, boundaries));
      print(`${file}: review it, and apply it with Terraform\n`);
      const programs = stacks.map((stack) => join("infra/cdktf.out/stacks", stack));
      if (deliversElsewhere) print(`${programs.join(", ")}: the roles that deliver, to apply after it\n`);
      return 0;
    }
    await forUser(() => bootstrap({ outdir, backends, boundaries, dryRun, print }));
    if (!deliversElsewhere) return 0;
    if (!dryRun) return deploy({ repository: cwd, environment, autoApprove, allowances: {}, print });
    print(`${stacks.join(", ")}: would be planned and deployed, the roles that deliver\n`);
    return 0;
  },
);

/** @throws UserError if the file exists or cannot be written */
function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UserError(
      code === "EEXIST"
        ? `${path} exists: choose another file, or delete it first`
        : `cannot write the file: ${message}`,
      1,
    );
  }
}
