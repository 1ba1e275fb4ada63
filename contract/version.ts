/** Major and minor part of a version. */
export type MinorVersion = readonly [major: number, minor: number];

/** Oldest Node.js that the command line and generated repositories run on. */
export const OLDEST_NODE: MinorVersion = [20, 19];

/** Oldest Terraform that applies synthesized stacks, and the oldest that locks state in S3. */
export const OLDEST_TERRAFORM: { readonly any: MinorVersion; readonly s3: MinorVersion } = { any: [1, 5], s3: [1, 11] };

/** Compares a version such as `20.18.1` with the oldest that is allowed. */
export function isOlder(version: string, [major, minor]: MinorVersion): boolean {
  const [own = 0, second = 0] = version.split(".").map(Number);
  return own < major || (own === major && second < minor);
}

/** Error text for a missing Terraform. */
export function terraformMissing(program: string): string {
  return `${program} is not installed. Install ${OLDEST_TERRAFORM.s3.join(".")} or newer: https://developer.hashicorp.com/terraform/install`;
}
