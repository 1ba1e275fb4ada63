import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { OperationError } from "./command";

/**
 * The CDK for Terraform's own command line. Fetched when it is first used: it is 576 packages, which no `npm install` of
 * a service should wait for.
 */
const CDKTF_CLI = "cdktf-cli@0.21.0";

/** Stacks of one environment, and delivery, which is one for all of them. */
export function stacksOf(environment: string, names: readonly string[]): string[] {
  const endings = ["platform", "data", "service"].map((lifetime) => `-${environment}-${lifetime}`);
  const own = names.filter((name) => endings.some((ending) => name.endsWith(ending)));
  return own.length === 0 ? [] : [...own, ...names.filter((name) => name.endsWith("-delivery"))].sort();
}

/** Compiles `infra/main.ts` of a generated repository, as `npm run synth` does, and returns the folder it went to. */
export async function synthesize(repository: string): Promise<string> {
  const main = join(repository, "infra", "main.ts");
  if (!existsSync(main)) {
    throw new OperationError(
      `no infra/main.ts in ${repository}: run this in a repository that antifragile new wrote`,
      2,
    );
  }
  let tsx: string;
  try {
    tsx = createRequire(main).resolve("tsx/cli");
  } catch {
    throw new OperationError("tsx is not installed here: run npm install first", 2);
  }
  const code = await inForeground([process.execPath, tsx, main], repository, process.env);
  if (code !== 0) throw new OperationError("infra/main.ts does not synthesize: see above", 1);
  return join(repository, "infra", "cdktf.out");
}

export interface DeployOptions {
  /** Folder of the generated repository. */
  readonly repository: string;
  /** Name of the environment: `dev`. */
  readonly environment: string;
  /** Passed on to `cdktf deploy`: `--auto-approve`. */
  readonly more: readonly string[];
  /** How to start npm without a shell. */
  readonly npm: readonly [string, ...string[]];
}

/**
 * Deploys the stacks of an environment to the account that the AWS credentials are for, by `cdktf deploy`.
 *
 * @throws OperationError when Terraform or the environment is missing; cdktf's own exit code otherwise
 */
export async function deploy({ repository, environment, more, npm }: DeployOptions): Promise<number> {
  const terraform = process.env.TERRAFORM_BINARY_NAME ?? "terraform";
  if (spawnSync(terraform, ["version"], { stdio: "ignore" }).error !== undefined) {
    throw new OperationError(
      `${terraform} is not installed: see https://developer.hashicorp.com/terraform/install (1.5 or newer)`,
      1,
    );
  }
  const outdir = await synthesize(repository);
  const manifest = JSON.parse(readFileSync(join(outdir, "manifest.json"), "utf8")) as {
    stacks: Record<string, unknown>;
  };
  const names = Object.keys(manifest.stacks);
  const stacks = stacksOf(environment, names);
  if (stacks.length === 0) {
    throw new OperationError(
      `infra/environments.ts has no environment ${JSON.stringify(environment)}; its stacks are: ${names.join(", ")}`,
      2,
    );
  }
  return inForeground(
    [...npm, "exec", "--yes", `--package=${CDKTF_CLI}`, "--", "cdktf", "deploy", ...stacks, "--skip-synth", ...more],
    join(repository, "infra"),
    // Neither the tool nor Terraform calls home.
    { ...process.env, CHECKPOINT_DISABLE: "1", DISABLE_VERSION_CHECK: "1" },
  );
}

function inForeground([program, ...args]: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, args, { cwd, env, stdio: "inherit" });
    // The terminal sends it to the child as well, which ends in good order; so does this then.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", wait);
      resolve(code ?? 130);
    });
  });
}
