/** Major and minor part of a version. */
export type MinorVersion = readonly [major: number, minor: number];

/** Oldest Node.js that the command line and generated repositories run on. */
export const OLDEST_NODE: MinorVersion = [20, 19];

/** Oldest Node.js of a generated repository on CDK Terrain. */
export const OLDEST_NODE_OF_CDKTN: MinorVersion = [22, 13];

interface OldestVersions {
  /** Oldest that applies synthesized stacks. */
  readonly any: MinorVersion;
  /** Oldest that locks state in S3. */
  readonly s3: MinorVersion;
}

/** Oldest Terraform. */
export const OLDEST_TERRAFORM: OldestVersions = { any: [1, 5], s3: [1, 11] };

/** Oldest OpenTofu. */
export const OLDEST_TOFU: OldestVersions = { any: [1, 6], s3: [1, 10] };

/** Compares a version such as `20.18.1` with the oldest that is allowed. */
export function isOlder(version: string, [major, minor]: MinorVersion): boolean {
  const [own = 0, second = 0] = version.split(".").map(Number);
  return own < major || (own === major && second < minor);
}

/** Oldest versions of Terraform and OpenTofu, and where to get them. */
export function terraformVersions(key: keyof OldestVersions): string {
  const [terraform, tofu] = [OLDEST_TERRAFORM, OLDEST_TOFU].map((oldest) => oldest[key].join("."));
  return `Terraform ${terraform} (https://developer.hashicorp.com/terraform/install) or OpenTofu ${tofu} (https://opentofu.org/docs/intro/install), or newer`;
}

/** Error text for a missing Terraform. */
export function terraformMissing(program: string): string {
  return `${program} is not installed. Install ${terraformVersions("s3")}`;
}
