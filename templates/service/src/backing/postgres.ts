import { readFileSync } from "node:fs";
import type { PoolClient, PoolConfig, QueryResultRow } from "pg";
import type { Config } from "../config";
import type { Log } from "../log";
import { awsToken } from "./aws-token";
import { unavailable, watchHealth } from "./health";

/** The attached PostgreSQL database. */
export interface Postgres {
  /** Runs one statement. Throws `Problem` 503 when the database cannot be reached, and its own errors otherwise. */
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Runs statements on one connection; for admin tasks. */
  session<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Who signs in, and with what. */
export interface Login {
  readonly user: string;
  password(): Promise<string>;
}

/** Connects when first needed, and again whenever the database is back. */
export async function openPostgres(config: Config, log: Log, login: Login = loginOf(config)): Promise<Postgres> {
  // Not an import at the top: telemetry must be there first to see what pg does.
  const { Pool } = await import("pg");
  const health = watchHealth("postgres", log);
  const pool = new Pool(poolConfig(config, login));
  // A connection that breaks while nobody uses it. Without a listener it would end the process.
  pool.on("error", (error) => health.down(error));

  const connect = async (): Promise<PoolClient> => {
    try {
      const client = await pool.connect();
      health.up();
      return client;
    } catch (error) {
      health.down(error);
      throw unavailable();
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
      if (!isLost(error)) throw error;
      broken = error as Error;
      health.down(error);
      throw unavailable();
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  };
  return {
    session,
    query: (text, values) => session(async (client) => (await client.query(text, values as unknown[])).rows),
    close: () => pool.end(),
  };
}

function poolConfig(config: Config, login: Login): PoolConfig {
  return {
    host: config.PGHOST,
    port: config.PGPORT,
    database: config.PGDATABASE,
    user: login.user,
    // Asked at every new connection: a rotated password is taken up without a restart, and a token ends soon.
    password: () => login.password(),
    ssl: tls(config),
    max: config.PG_POOL_MAX,
    application_name: config.SERVICE_NAME,
    connectionTimeoutMillis: 3000,
    statement_timeout: 10_000,
    idleTimeoutMillis: 60_000,
    maxLifetimeSeconds: 900,
  };
}

/** As libpq has it: `require` encrypts, `verify-full` also makes sure whom it talks to. */
function tls({ PGSSLMODE, PGSSLROOTCERT }: Config): PoolConfig["ssl"] {
  if (PGSSLMODE === "disable") return false;
  if (PGSSLMODE === "require") return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, ca: PGSSLROOTCERT && readFileSync(PGSSLROOTCERT, "utf8") };
}

function loginOf(config: Config): Login {
  const { PGUSER, PGPASSWORD, PG_CREDENTIALS_ARN, PG_IAM_ARN } = config;
  if (PG_IAM_ARN) return { user: PGUSER, password: () => token(config, PG_IAM_ARN) };
  if (PG_CREDENTIALS_ARN) return { user: PGUSER, password: async () => (await secret(PG_CREDENTIALS_ARN)).password };
  return { user: PGUSER, password: async () => PGPASSWORD ?? "" };
}

/** The master of the database, whose password AWS keeps and rotates. */
export async function masterLogin(arn: string): Promise<Login> {
  const { username } = await secret(arn);
  return { user: username, password: async () => (await secret(arn)).password };
}

function token({ PGHOST, PGPORT, PGUSER }: Config, arn: string): Promise<string> {
  const region = arn.split(":")[3] ?? "";
  const query = { Action: "connect", DBUser: PGUSER };
  return awsToken({ service: "rds-db", region, host: `${PGHOST}:${PGPORT}`, query });
}

async function secret(arn: string): Promise<{ username: string; password: string }> {
  const { GetSecretValueCommand, SecretsManagerClient } = await import("@aws-sdk/client-secrets-manager");
  const client = new SecretsManagerClient({ region: arn.split(":")[3] });
  try {
    const { SecretString = "{}" } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    return JSON.parse(SecretString);
  } finally {
    client.destroy();
  }
}

/** Whether an error says that the connection is lost or refused, rather than that a statement is wrong. */
function isLost(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? "");
  // Classes of SQLSTATE: 08 connection, 57P shutdown. Other codes of five characters are answers of a running database.
  return /^(08|57P)/.test(code) || !/^[0-9A-Z]{5}$/.test(code);
}
