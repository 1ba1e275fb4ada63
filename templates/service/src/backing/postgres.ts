import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { PoolClient, PoolConfig, QueryResultRow } from "pg";
import type { Config } from "../config";
import type { Log } from "../log";
import { unavailable, watchHealth } from "./health";

/** The attached PostgreSQL database. */
export interface Postgres {
  /** Runs one statement. Throws `Problem` 503 when the database cannot be reached, and the database's errors otherwise. */
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs several statements on one connection, for transactions and admin processes. */
  session<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Credentials of a database user. */
export interface Login {
  readonly user: string;
  password(): Promise<string>;
}

/** Options of a connection to the database. */
export interface PostgresOptions {
  /**
   * Credentials to sign in with.
   *
   * @default - those of the configuration
   */
  readonly login?: Login;
  /**
   * Longest time that a statement may take, in milliseconds.
   *
   * @default 5000
   */
  readonly statementMs?: number;
}

/** Time that this process waits for a statement in addition to the server's timeout; then the connection counts as lost. */
const GRACE_MS = 1000;
const CLOSE_MS = 500;

/** Connects on first use, and reconnects when the database is up again. */
export async function openPostgres(config: Config, log: Log, options: PostgresOptions = {}): Promise<Postgres> {
  // Not a static import: telemetry must be started first to instrument pg.
  const { Pool } = await import("pg");
  const health = watchHealth("postgres", log);
  const pool = new Pool(poolConfig(config, options.login ?? loginOf(config), options.statementMs ?? 5000));
  // An idle connection that breaks. Without a listener it would end the process.
  pool.on("error", (error) => health.down(error));

  const connect = async (): Promise<PoolClient> => {
    try {
      const client = await pool.connect();
      health.up();
      return client;
    } catch (error) {
      // All connections are busy: the database is not down.
      if ((error as Error).message !== "timeout exceeded when trying to connect") health.down(error);
      throw unavailable(error);
    }
  };
  const session = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on("error", onError);
    try {
      return await work(client);
    } catch (error) {
      if (!broken && !isLost(error)) throw error;
      broken ??= error as Error;
      health.down(broken);
      throw unavailable();
    } finally {
      client.off("error", onError);
      // A connection that is broken, or within a transaction, is destroyed: the pool opens another in its place.
      client.release(broken ?? client.getTransactionStatus() !== "I");
    }
  };
  return {
    session,
    query: (text, values) => session(async (client) => (await client.query(text, values as unknown[])).rows),
    // A database that does not respond does not close its connections either.
    close: () => Promise.race([pool.end(), sleep(CLOSE_MS)]),
  };
}

function poolConfig(config: Config, login: Login, statementMs: number): PoolConfig {
  return {
    host: config.PGHOST,
    port: config.PGPORT,
    database: config.PGDATABASE,
    user: login.user,
    // Called for every new connection: a rotated password needs no restart, and a token expires soon.
    password: () => login.password(),
    ssl: tls(config),
    max: config.PG_POOL_MAX,
    application_name: config.SERVICE_NAME,
    connectionTimeoutMillis: 3000,
    // The first bounds the work of the server, the second the wait for a server that never answers.
    statement_timeout: statementMs,
    query_timeout: statementMs + GRACE_MS,
    idle_in_transaction_session_timeout: 2 * statementMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idleTimeoutMillis: 60_000,
    maxLifetimeSeconds: 900,
  };
}

/** TLS options as in libpq: `require` encrypts, `verify-full` also authenticates the server. */
function tls({ PGSSLMODE, PGSSLROOTCERT }: Config): PoolConfig["ssl"] {
  if (PGSSLMODE === "disable") return false;
  if (PGSSLMODE === "require") return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, ca: PGSSLROOTCERT && readFileSync(PGSSLROOTCERT, "utf8") };
}

function loginOf(config: Config): Login {
  const { PGUSER, PGPASSWORD, PG_CREDENTIALS_ARN, PG_IAM_ARN } = config;
  if (PG_IAM_ARN) return { user: PGUSER, password: tokens(config, PG_IAM_ARN) };
  if (PG_CREDENTIALS_ARN) return { user: PGUSER, password: async () => (await secret(PG_CREDENTIALS_ARN)).password };
  return { user: PGUSER, password: async () => PGPASSWORD ?? "" };
}

/** Credentials of the database's master user, which AWS stores and rotates. */
export async function masterLogin(arn: string): Promise<Login> {
  const { username } = await secret(arn);
  return { user: username, password: async () => (await secret(arn)).password };
}

/** Tokens that RDS accepts as a password for 15 minutes, from the credentials of the task's role. */
function tokens({ PGHOST, PGPORT, PGUSER }: Config, arn: string): () => Promise<string> {
  // Loaded on first use: locally, users sign in with a password. The signer caches and refreshes the credentials.
  const signer = import("@aws-sdk/rds-signer").then(
    ({ Signer }) => new Signer({ hostname: PGHOST, port: PGPORT, username: PGUSER, region: arn.split(":")[3] ?? "" }),
  );
  return async () => (await signer).getAuthToken();
}

async function secret(arn: string): Promise<{ username: string; password: string }> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient({ region: arn.split(":")[3], maxAttempts: 2 });
  try {
    const command = new GetSecretValueCommand({ SecretId: arn });
    const { SecretString = "{}" } = await client.send(command, { abortSignal: AbortSignal.timeout(2500) });
    return JSON.parse(SecretString);
  } finally {
    client.destroy();
  }
}

/** The connection is lost, as opposed to a statement that failed: SQLSTATE classes 08 (connection) and 57P (shutdown). */
function isLost(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  // pg gives its own timeout no code.
  return /^(08|57P)/.test(String(code ?? "")) || message === "Query read timeout";
}
