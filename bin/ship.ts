import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineCommand } from "../contract/command-line";
import { cancelled, UserError } from "../contract/user-error";
import type { Context } from "../generator/context";
import { type ReleaseCommandContext, runRelease } from "../operations/release/commands";
import { findStacks } from "../operations/release/find";
import { inForeground, tsxOf } from "../operations/synth";
import { backendsOf, stacksOfEnvironment } from "../operations/synthesized";
import { recordedAnswer } from "./recorded-answer";

/** Context of the command; tests replace the build. */
export type ShipContext = Pick<Context, "args" | "cwd" | "print" | "readText"> &
  ReleaseCommandContext & {
    /** Runs a program in a folder and returns its exit code. @default - with its output shown */
    readonly build?: (command: readonly string[], cwd: string) => Promise<number>;
  };

/** The command `antifragile ship`, in a generated repository. */
export const runShip = defineCommand(
  {
    name: "ship",
    operands: ["<environment>"],
    description:
      "Builds the image of the files in this folder, uncommitted changes included, pushes it, and releases it to an environment, for development. The same files are built once. Refuses an environment that a pipeline deploys, unless --beside-pipeline is given. Needs Docker, Podman, Buildah or Finch.",
    flags: {
      "beside-pipeline": { help: "also release to an environment that a pipeline deploys, until its next run" },
      "no-rollback": { help: "leave everything as it is when a step of the release fails, to look at it" },
    },
  },
  async (line, context: ShipContext): Promise<number> => {
    const environment = line.operands[0] as string;
    const { cwd, build = inForeground } = context;
    const script = join(cwd, "scripts", "image.ts");
    if (!existsSync(script)) {
      throw new UserError(
        `no scripts/image.ts in ${cwd}: run this command in a service that antifragile new generated`,
        2,
      );
    }
    await findStacks(cwd, environment);
    if (!line.has("beside-pipeline")) await refuseDeployedByPipeline(context, environment);
    const code = await build([process.execPath, tsxOf(script), script, "--uncommitted"], cwd);
    if (code === 130) throw cancelled("nothing was released");
    if (code !== 0) throw new UserError("the image cannot be built or pushed: fix the errors above", 1);
    const flags = line.has("no-rollback") ? ["--no-rollback"] : [];
    return runRelease({ ...context, args: [environment, "--image-file", "image.txt", ...flags] });
  },
);

/** Refuses an environment of a repository with CI whose state is shared: these are the environments that its pipeline deploys. */
async function refuseDeployedByPipeline(context: ShipContext, environment: string): Promise<void> {
  const ci = (await recordedAnswer(context, "ci")) ?? "unknown";
  const outdir = join(context.cwd, "infra", "cdktf.out");
  if (ci === "none" || backendsOf(outdir, stacksOfEnvironment(environment, outdir)).length === 0) return;
  throw new UserError(
    `${environment} is deployed by a pipeline (${ci}), from commits: push one, or pass --beside-pipeline, and the next run of the pipeline replaces this release`,
    3,
  );
}
