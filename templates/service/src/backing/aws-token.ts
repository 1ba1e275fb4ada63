import { createHash, createHmac } from "node:crypto";

/** Who this process is to AWS, for some hours at most. */
interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a token is for. */
export interface TokenFor {
  /** Name of the service as signatures have it: `rds-db`, `elasticache`. */
  readonly service: string;
  readonly region: string;
  /** What is connected to: `host:port`, or the name of the cache. */
  readonly host: string;
  readonly query: Readonly<Record<string, string>>;
}

let provider: (() => Promise<Credentials>) | undefined;

/**
 * A token that stands for a password for a quarter of an hour: a signed request to connect, which the server shows to IAM.
 * Made here alone (AWS Signature Version 4), from the credentials of the task's role.
 */
export async function awsToken(options: TokenFor, now = new Date()): Promise<string> {
  // Loaded when it is needed: developers sign in by a password. It keeps what it was given, and asks again in time.
  const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
  provider ??= defaultProvider();
  return signedUrl(options, await provider(), now);
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
/** As RFC 3986 has it; JavaScript leaves four more signs as they are. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function signedUrl({ service, region, host, query }: TokenFor, who: Credentials, now: Date): string {
  const time = now.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const unsigned = Object.entries({
    ...query,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${who.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": "900",
    "X-Amz-SignedHeaders": "host",
    ...(who.sessionToken ? { "X-Amz-Security-Token": who.sessionToken } : {}),
  })
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  const request = ["GET", "/", unsigned, `host:${host}`, "", "host", sha256("")].join("\n");
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
  const key = scope.split("/").reduce<string | Buffer>((from, part) => hmac(from, part), `AWS4${who.secretAccessKey}`);
  return `${host}/?${unsigned}&X-Amz-Signature=${hmac(key, text).toString("hex")}`;
}
