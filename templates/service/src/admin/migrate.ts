import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Kysely, type Migration, Migrator, PostgresDialect, type PostgresPool, sql } from "kysely";
import type { PoolClient } from "pg";
import { masterLogin, openPostgres } from "../backing/postgres";
import type { Log } from "../log";
import { runProcess } from "../process";

const TABLE = "migrations";
const FOLDER = join(__dirname, "../../migrations");
/** An hour, in milliseconds: building an index may take long. */
const STATEMENT_MS = 60 * 60 * 1000;

/**
 * `node dist/admin/migrate.js`: brings the database to the schema that this release needs.
 *
 * Runs the new files of `migrations/` in the order of their names, all in one transaction. It is safe to run again, and at the
 * same time: the second one waits, and does nothing. A file that was changed after it ran is refused: add a new file instead.
 *
 * With PG_MASTER_CREDENTIALS_ARN it signs in as the master user, and creates the service's own user, which may read and
 * write rows but not change tables, and signs in with IAM.
 */
void runProcess(async ({ config, log }) => {
  const { PG_MASTER_CREDENTIALS_ARN: master, PGUSER } = config;
  const login = master ? await masterLogin(master) : undefined;
  const postgres = await openPostgres(config, log, { login, statementMs: STATEMENT_MS });
  try {
    await postgres.session(async (client) => {
      await migrate(client, log);
      if (master) await grantAccess(client, PGUSER);
    });
  } finally {
    await postgres.close();
  }
});

async function migrate(client: PoolClient, log: Log): Promise<void> {
  // One connection, which the caller closes.
  const connection = { query: client.query.bind(client), release: () => {} };
  const pool = { connect: async () => connection, end: async () => {} } as unknown as PostgresPool;
  const migrator = new Migrator({
    db: new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }),
    provider: { getMigrations: async () => migrations(await executed(client)) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
    allowUnorderedMigrations: true,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  const failed = results.find(({ status }) => status === "Error");
  if (failed) {
    const { message } = error as Error;
    throw new Error(`${fileOf(failed.migrationName)} failed, and nothing was changed: ${message}`, { cause: error });
  }
  if (error) throw error;
  for (const { migrationName } of results) log.info({ migration: fileOf(migrationName) }, "migrated");
}

/** Names of the migrations that ran: the file and its checksum. */
async function executed(client: PoolClient): Promise<string[]> {
  const { rowCount } = await client.query("select where to_regclass($1) is not null", [TABLE]);
  if (!rowCount) return [];
  return (await client.query<{ name: string }>(`select name from ${TABLE}`)).rows.map(({ name }) => name);
}

const fileOf = (name: string) => name.split(" ")[0]!;

function migrations(executed: readonly string[]): Record<string, Migration> {
  const files = readdirSync(FOLDER);
  const misnamed = files.filter((file) => !/^\d{4}-[a-z0-9-]+\.sql$/.test(file));
  if (misnamed.length > 0) throw new Error(`name migrations like 0001-what-it-does.sql, not ${misnamed.join(", ")}`);

  const own = files.map((file): [string, Migration] => {
    const text = readFileSync(join(FOLDER, file), "utf8");
    const checksum = createHash("sha256").update(text).digest("hex");
    return [`${file} ${checksum}`, { up: async (db) => void (await sql.raw(text).execute(db)) }];
  });
  const names = new Set(own.map(([name]) => name));
  const others = executed.filter((name) => !names.has(name));
  const changed = others.map(fileOf).filter((file) => files.includes(file));
  if (changed.length > 0)
    throw new Error(`${changed.join(", ")} was changed after it ran; undo that and add a new file`);
  // Migrations of a later release: this one is rolled back to.
  return Object.fromEntries([...own, ...others.map((name): [string, Migration] => [name, { up: async () => {} }])]);
}

/** Creates the service's own user, and grants it access to rows, also in the tables of later migrations. */
async function grantAccess(client: PoolClient, name: string): Promise<void> {
  const user = client.escapeIdentifier(name);
  await client.query("begin");
  // Until the end of the transaction: another process may do the same now.
  await client.query("select pg_advisory_xact_lock(hashtext('access'))");
  const { rowCount } = await client.query("select from pg_roles where rolname = $1", [name]);
  if (!rowCount) await client.query(`create role ${user} login`);
  for (const statement of [
    `grant rds_iam to ${user}`,
    `grant usage on schema public to ${user}`,
    `grant select, insert, update, delete on all tables in schema public to ${user}`,
    `grant usage on all sequences in schema public to ${user}`,
    `alter default privileges in schema public grant select, insert, update, delete on tables to ${user}`,
    `alter default privileges in schema public grant usage on sequences to ${user}`,
    `revoke all on ${TABLE}, ${TABLE}_lock from ${user}`,
  ]) {
    await client.query(statement);
  }
  await client.query("commit");
}
