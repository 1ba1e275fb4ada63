/** Identity of a user of ElastiCache. */
export interface CacheUser {
  readonly region: string;
  /** Name of the replication group or serverless cache. */
  readonly cache: string;
  readonly user: string;
}

/**
 * Creates a token that ElastiCache accepts as a password for 15 minutes: a presigned request to connect (AWS Signature
 * Version 4), from the credentials of the task's role.
 */
export async function cacheToken({ region, cache, user }: CacheUser): Promise<string> {
  // Loaded on first use: locally, users sign in with a password.
  const [{ defaultProvider }, { Hash }, { SignatureV4 }] = await Promise.all([
    import("@aws-sdk/credential-provider-node"),
    import("@smithy/hash-node"),
    import("@smithy/signature-v4"),
  ]);
  // Caches the credentials, and refreshes them in time.
  credentials ??= defaultProvider();
  const signer = new SignatureV4({
    service: "elasticache",
    region,
    credentials,
    sha256: Hash.bind(null, "sha256"),
    applyChecksum: false,
  });
  const request = {
    method: "GET",
    protocol: "https:",
    hostname: cache,
    path: "/",
    headers: { host: cache },
    query: { Action: "connect", User: user },
  };
  const { query = {} } = await signer.presign(request, { expiresIn: 900 });
  return `${cache}/?${new URLSearchParams(query as Record<string, string>)}`;
}

let credentials: ReturnType<typeof import("@aws-sdk/credential-provider-node").defaultProvider> | undefined;
