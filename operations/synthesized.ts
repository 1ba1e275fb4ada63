import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inOrder, type Place, placeOf, type StackManifest } from "../contract/stacks";
import { didYouMean } from "../contract/text";
import { UserError } from "../contract/user-error";
import type { StateBackend } from "./state-bucket";
import type { Attributes } from "./terraform-plan";

/** Argument of commands for the stack that all environments share; `delivery-production` for roles in the account of production. */
export const DELIVERY = "delivery";

/** Returns whether an argument names stacks of delivery instead of an environment. */
export const isDelivery = (argument: string) => argument === DELIVERY || argument.startsWith(`${DELIVERY}-`);

/** Program of a synthesized stack, as far as commands read it. */
interface StackProgram {
  readonly provider?: {
    readonly aws?: readonly { readonly region?: string; readonly allowed_account_ids?: readonly string[] }[];
  };
  readonly terraform?: {
    readonly backend?: {
      readonly s3?: {
        readonly bucket: string;
        readonly region: string;
        readonly key: string;
        readonly kms_key_id?: string;
        readonly allowed_account_ids?: readonly string[];
      };
    };
  };
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Attributes>>>>;
}

/** Name of the program in the folder of a stack. */
const PROGRAM = "cdk.tf.json";

const SYNTHESIZE = "run antifragile synth";

/** Folder of a stack in the output folder of synth. */
const folderOf = (outdir: string, stack: string) => join(outdir, "stacks", stack);

/** Reads a file that a command wrote. @throws UserError with the remedy if it was cut off, or is of something else */
export function readWritten<T extends object>(file: string, remedy: string, isWhole = (_: T) => true): T {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as T;
    if (isWhole(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw new UserError(`${file} is damaged: ${remedy}`, 1);
}

/** Reads the program in the folder of a stack, `cdktf.out/stacks/<name>`. */
export function readProgram(folder: string): StackProgram {
  return readWritten(join(folder, PROGRAM), SYNTHESIZE);
}

/** Reads the manifest of a synthesized app. */
export function readManifest(outdir: string): StackManifest {
  return readWritten<StackManifest>(join(outdir, "manifest.json"), SYNTHESIZE, ({ stacks }) => stacks !== undefined);
}

/**
 * Stacks of one environment, each after its dependencies; or those of delivery, which belong to no environment: a release must not change
 * the pipeline that runs it, nor its roles.
 */
export function stacksOf(environment: string, manifest: StackManifest): string[] {
  const endings = isDelivery(environment)
    ? [`-${environment}`]
    : ["platform", "data", "service"].map((lifetime) => `-${environment}-${lifetime}`);
  const isOwn = (name: string) => endings.some((ending) => name.endsWith(ending));
  return inOrder(manifest, Object.keys(manifest.stacks).filter(isOwn));
}

/** The same for a synthesized app. @throws UserError if the environment does not exist */
export function stacksOfEnvironment(environment: string, outdir: string): string[] {
  const manifest = readManifest(outdir);
  const stacks = stacksOf(environment, manifest);
  if (stacks.length > 0) return stacks;
  throw new UserError(
    `infra/environments.ts has no environment ${JSON.stringify(environment)}${didYouMean(environment, environmentsIn(outdir))}\nIts stacks are: ${Object.keys(manifest.stacks).join(", ")}`,
    2,
  );
}

/** Environments and regions of the stacks of a synthesized app; empty if nothing was synthesized. */
export function placesIn(outdir: string, wanted?: string): Place[] {
  const stacks = join(outdir, "stacks");
  const places = new Map<string, Place>();
  for (const name of existsSync(stacks) ? readdirSync(stacks) : []) {
    const file = join(folderOf(outdir, name), PROGRAM);
    if (!/-(platform|service)$/.test(name) || !existsSync(file)) continue;
    const place = placeOf(readFileSync(file, "utf8"));
    if (place !== undefined && (wanted === undefined || place.environment === wanted)) {
      places.set(`${place.environment} ${place.region}`, place);
    }
  }
  return [...places.values()];
}

/** Pipelines of the stacks of delivery in a synthesized app; empty if nothing was synthesized. */
export function pipelinesIn(outdir: string): { readonly name: string; readonly region: string | undefined }[] {
  if (!existsSync(join(outdir, "manifest.json"))) return [];
  return stacksOf(DELIVERY, readManifest(outdir)).flatMap((stack) => {
    const { provider, resource } = readProgram(folderOf(outdir, stack));
    const region = provider?.aws?.[0]?.region;
    return Object.values(resource?.aws_codepipeline ?? {}).map(({ name }) => ({ name: String(name), region }));
  });
}

/** Names of the environments in a synthesized app. */
export function environmentsIn(outdir: string): string[] {
  return [...new Set(placesIn(outdir).map(({ environment }) => environment))];
}

/** S3 backends of the stacks; stacks with local state have none. */
export function backendsOf(outdir: string, stacks: readonly string[]): StateBackend[] {
  return stacks.flatMap((stack) => {
    const s3 = readProgram(folderOf(outdir, stack)).terraform?.backend?.s3;
    if (s3 === undefined) return [];
    const { bucket, region, key, kms_key_id: kmsKeyArn, allowed_account_ids: accounts } = s3;
    return [{ stack, bucket, region, key, kmsKeyArn, account: accounts?.[0] }];
  });
}
