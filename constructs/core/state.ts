import { dirname, join, resolve } from "node:path";
import { App, LocalBackend, S3Backend, type TerraformStack } from "cdktf";
import type { Environment } from "./environment";

/** Name of the bucket that `antifragile bootstrap` makes: one for an account and region, since names of buckets are the world's. */
export function stateBucketName(account: string, region: string): string {
  return `antifragile-state-${account}-${region}`;
}

/**
 * Where Terraform keeps the stack's state: in S3, encrypted, under a key of its own, and locked there while it is used; or
 * beside the app.
 *
 * @see https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
 */
export function keepState(stack: TerraformStack, { account, region, state = "local" }: Environment): void {
  if (state === "local") {
    // Beside the app, wherever it is started from: cdktf would put it into the folder that one happens to be in.
    new LocalBackend(stack, {
      path: join(dirname(resolve(App.of(stack).outdir)), `terraform.${stack.node.id}.tfstate`),
    });
    return;
  }
  const own = state === "s3" ? {} : state;
  const bucketRegion = own.region ?? region;
  new S3Backend(stack, {
    bucket: own.bucket ?? stateBucketName(account ?? "", bucketRegion),
    region: bucketRegion,
    key: `${stack.node.id}/terraform.tfstate`,
    encrypt: true,
    kmsKeyId: own.kmsKeyArn,
    allowedAccountIds: account === undefined ? undefined : [account],
  });
  // Newer than cdktf; Terraform 1.10 knows it first.
  stack.addOverride("terraform.backend.s3.use_lockfile", true);
}
