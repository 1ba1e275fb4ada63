import { setTimeout as delay } from "node:timers/promises";
import { logLine } from "../contract/text";
import { UserError } from "../contract/user-error";

/** Loads a client of the AWS SDK, an optional peer. @throws UserError that names the package to install */
export async function loadSdk<T>(packageName: string, load: () => Promise<T>): Promise<T> {
  // Seven lines about versions that are not installed, at each command on Node.js 20.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  try {
    return await load();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "MODULE_NOT_FOUND" && code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UserError(`the AWS SDK is missing: npm install --save-dev ${packageName}`, 1);
  }
}

interface AwsError extends NodeJS.ErrnoException {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

const THROTTLED = /throttl|TooManyRequests|RequestLimitExceeded|SlowDown/i;
const EXPIRED = /^(ExpiredToken|ExpiredTokenException|RequestExpired|TokenRefreshRequired)$/;
const NO_CREDENTIALS = /^(CredentialsProviderError|TokenProviderError)$/;
/** Error codes of Node.js for a failed or lost connection. */
const NETWORK =
  /^(E(CONNRESET|CONNREFUSED|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|AI_AGAIN|NOTFOUND)|ENOTFOUND)$/;

/** Returns whether an error comes from AWS or the connection to it, rather than from this program. */
export function isAwsError(error: unknown): error is AwsError {
  if (!(error instanceof Error)) return false;
  return "$metadata" in error || NO_CREDENTIALS.test(error.name) || isNetworkError(error as AwsError);
}

/** Returns whether an error means that the credentials have expired. */
export function isExpired(error: unknown): boolean {
  return error instanceof Error && EXPIRED.test(error.name);
}

function isThrottled({ name, $metadata, $retryable }: AwsError): boolean {
  return $retryable?.throttling === true || THROTTLED.test(name) || $metadata?.httpStatusCode === 429;
}

function isNetworkError({ code, name, message }: AwsError): boolean {
  return NETWORK.test(code ?? "") || name === "TimeoutError" || message === "socket hang up";
}

/** Converts an AWS error into a sentence for the user; returns any other error unchanged. */
export function awsErrorForUser(error: unknown): unknown {
  if (!isAwsError(error)) return error;
  const { name, message } = error;
  if (message === "Region is missing") {
    return new UserError("no AWS region is configured: pass --region, or set AWS_REGION", 2);
  }
  if (NO_CREDENTIALS.test(name)) {
    return new UserError(
      `no AWS credentials: ${logLine(message)}. Run aws configure or aws sso login, or set AWS_PROFILE`,
      1,
    );
  }
  if (isExpired(error)) {
    return new UserError(`the AWS credentials have expired (${name}): renew them and run the command again`, 1);
  }
  return new UserError(`AWS: ${name === "Error" ? "" : `${name}: `}${logLine(message)}`, 1);
}

/** Runs work, and converts its AWS errors into sentences for the user. */
export async function forUser<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw awsErrorForUser(error);
  }
}

/** Time for which unanswered calls are retried. */
const PATIENCE_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;

/** Settings of every client: a connection that hangs is closed and counts as dropped. */
const CLIENT_SETTINGS = {
  requestHandler: { connectionTimeout: 5_000, requestTimeout: 30_000, throwOnRequestTimeout: true },
} as const;

interface Client {
  // biome-ignore lint/suspicious/noExplicitAny: each client has its own commands
  send(...args: any[]): Promise<any>;
  readonly config: object;
  destroy(): void;
}

export interface AwsClientsOptions {
  readonly region: string | undefined;
  readonly print?: (text: string) => void;
  /** Time for which throttled, dropped and failed calls are retried. @default - 5 minutes */
  readonly patienceMs?: number;
}

/**
 * Clients of the AWS SDK in a region, one per service for the duration of a command.
 *
 * Once AWS has answered, a call that is throttled, dropped, hangs or fails within AWS is retried for minutes, because a failed
 * status call is not a failed step. Expired credentials are renewed if their source supports it. Access errors are
 * thrown at once.
 */
export class AwsClients {
  readonly #clients = new Map<string, Client>();
  #answered = false;
  #reported = false;

  constructor(private readonly options: AwsClientsOptions) {}

  /** Lends clients to work, and closes them however that ends. */
  static async use<T>(options: AwsClientsOptions, work: (clients: AwsClients) => Promise<T>): Promise<T> {
    const clients = new AwsClients(options);
    try {
      return await work(clients);
    } finally {
      clients.destroy();
    }
  }

  /** Returns the client of a service, created on first use. */
  get<C extends Client>(make: new (settings: { region?: string } & typeof CLIENT_SETTINGS) => C): C {
    const known = this.#clients.get(make.name);
    if (known !== undefined) return known as C;
    const { region } = this.options;
    const client = new make({ ...(region === undefined ? {} : { region }), ...CLIENT_SETTINGS });
    const send = client.send.bind(client);
    client.send = (...args: unknown[]) => this.#persistently(client, () => send(...args));
    this.#clients.set(make.name, client);
    return client;
  }

  /** Closes all connections. */
  destroy(): void {
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
  }

  async #persistently<T>(client: Client, call: () => Promise<T>): Promise<T> {
    const { patienceMs = PATIENCE_MS } = this.options;
    const end = Date.now() + patienceMs;
    let renewed = false;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const answer = await call();
        this.#answered = true;
        return answer;
      } catch (error) {
        if (isExpired(error) && !renewed) {
          renewed = true;
          await renewCredentials(client);
          continue;
        }
        if (!this.#isWorthRepeating(error as AwsError) || Date.now() + pause > end) throw error;
        this.#report(error as AwsError, patienceMs);
        await delay(pause * (0.5 + Math.random() / 2));
      }
    }
  }

  #isWorthRepeating(error: AwsError): boolean {
    if (isThrottled(error)) return true;
    const ownFault = (error.$metadata?.httpStatusCode ?? 0) >= 500;
    // An endpoint that was never reached may not exist: the region may be misspelled.
    return this.#answered && (ownFault || isNetworkError(error));
  }

  #report({ name, message }: AwsError, patienceMs: number): void {
    if (this.#reported) return;
    this.#reported = true;
    const minutes = Math.max(1, Math.round(patienceMs / 60_000));
    this.options.print?.(`  AWS does not answer (${name}: ${logLine(message)}): retrying for up to ${minutes} min\n`);
  }
}

/** Makes the client fetch its credentials again: from the SSO session, a process, the container or the instance. */
async function renewCredentials({ config }: Client): Promise<void> {
  const { credentials } = config as { credentials?: (options: { forceRefresh: boolean }) => Promise<unknown> };
  // If that fails, the next call fails with the error that the user needs to see.
  await credentials?.({ forceRefresh: true }).catch(() => undefined);
}

/** Account, partition and region of the credentials. */
export async function callerOf(clients: AwsClients) {
  const { GetCallerIdentityCommand, STSClient } = await loadSdk(
    "@aws-sdk/client-sts",
    () => import("@aws-sdk/client-sts"),
  );
  const sts = clients.get(STSClient);
  const { Account: account = "", Arn = "" } = await sts.send(new GetCallerIdentityCommand({}));
  return { account, partition: Arn.split(":")[1] ?? "aws", region: await sts.config.region() };
}

/**
 * Checks that credentials are for the account of what a command changes.
 *
 * @param undone what did not happen: "nothing was created"
 * @throws UserError if it belongs to another account
 */
export function checkAccount(own: string, what: string, account: string | undefined, undone: string): void {
  if (account === undefined || account === own) return;
  throw new UserError(
    `the credentials are for account ${own}, but ${what} belongs to ${account}: ${undone}. Use credentials of ${account}`,
    1,
  );
}
