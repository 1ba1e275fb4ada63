import { dirname, join, resolve } from "node:path";
import { App, LocalBackend, S3Backend, type TerraformStack } from "cdktf";
import { checkArguments } from "./check-types";
import type { Environment } from "./environment";

/**
 * Returns the name of the bucket that `antifragile bootstrap` creates. It contains account and region, since bucket names
 * are global.
 */
export function stateBucketName(account: string, region: string): string {
  checkArguments("stateBucketName", { account, region });
  return `antifragile-state-${account}-${region}`;
}

/** Location of a stack's state in S3. */
export interface StatePlace {
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  readonly kmsKeyArn: string | undefined;
}

/** Returns the location of a stack's state in S3; undefined if it is a local file. */
export function statePlace(stackId: string, { account, region, state = "local" }: Environment): StatePlace | undefined {
  if (state === "local") return undefined;
  const own = state === "s3" ? {} : state;
  const bucketRegion = own.region ?? region;
  return {
    bucket: own.bucket ?? stateBucketName(account ?? "", bucketRegion),
    region: bucketRegion,
    key: `${stackId}/terraform.tfstate`,
    kmsKeyArn: own.kmsKeyArn,
  };
}

/**
 * Configures the stack's backend: S3, encrypted, with a key per stack and a lock file; or a local file.
 *
 * @see https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
 */
export function keepState(stack: TerraformStack, environment: Environment): void {
  const place = statePlace(stack.node.id, environment);
  if (place === undefined) {
    // Next to the app, wherever the command is run from; cdktf would use the current directory.
    new LocalBackend(stack, {
      path: join(dirname(resolve(App.of(stack).outdir)), `terraform.${stack.node.id}.tfstate`),
    });
    return;
  }
  const { account } = environment;
  new S3Backend(stack, {
    bucket: place.bucket,
    region: place.region,
    key: place.key,
    encrypt: true,
    kmsKeyId: place.kmsKeyArn,
    allowedAccountIds: account === undefined ? undefined : [account],
  });
  // Not in cdktf's types; requires Terraform 1.10.
  stack.addOverride("terraform.backend.s3.use_lockfile", true);
}
