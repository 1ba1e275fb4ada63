import { dirname, join, resolve } from "node:path";
import { App, LocalBackend, S3Backend, type TerraformStack } from "cdktf";
import type { Environment } from "./environment";

/** Name of the bucket that `antifragile bootstrap` makes: one for an account and region, since names of buckets are the world's. */
export function stateBucketName(account: string, region: string): string {
  return `antifragile-state-${account}-${region}`;
}

/** Where in S3 the state of a stack is; undefined when it is kept beside the app. */
export interface StatePlace {
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  readonly kmsKeyArn: string | undefined;
}

/** Where in S3 the state of the stack of this id is; undefined when it is kept beside the app. */
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
 * Where Terraform keeps the stack's state: in S3, encrypted, under a key of its own, and locked there while it is used; or
 * beside the app.
 *
 * @see https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
 */
export function keepState(stack: TerraformStack, environment: Environment): void {
  const place = statePlace(stack.node.id, environment);
  if (place === undefined) {
    // Beside the app, wherever it is started from: cdktf would put it into the folder that one happens to be in.
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
  // Newer than cdktf; Terraform 1.10 knows it first.
  stack.addOverride("terraform.backend.s3.use_lockfile", true);
}
