import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PoolClient } from "pg";
import { masterLogin, openPostgres } from "../backing/postgres";
import type { Log } from "../log";
import { runProcess } from "../process";

/** Whoever holds this lock migrates. */
const LOCK = "hashtext('migrations')";

/**
 * `node dist/admin/migrate.js`: brings the database to the schema that this release needs.
 *
 * Runs the files of `migrations/` that did not run yet, in the order of their names, each in a transaction. Started twice,
 * also at once, it does nothing the second time. A file that was changed after it ran is refused: add a new one.
 *
 * Where a master is told it runs as that, so that the service's own user can read and write and change no table. It makes
 * that user, who signs in by IAM.
 */
void runProcess(async ({ config, log }) => {
  const { PG_MASTER_CREDENTIALS_ARN: master, PGUSER } = config;
  const postgres = await openPostgres(config, log, master ? await masterLogin(master) : undefined);
  try {
    const folder = join(__dirname, "../../migrations");
    await postgres.session((client) => migrate(client, folder, log, master ? PGUSER : undefined));
  } finally {
    await postgres.close();
  }
});

/** Lets the service's own user in, to rows and not to tables; also to those of migrations to come. */
async function admit(client: PoolClient, name: string): Promise<void> {
  const user = client.escapeIdentifier(name);
  const { rowCount } = await client.query("select from pg_roles where rolname = $1", [name]);
  if (!rowCount) await client.query(`create role ${user} login`);
  for (const statement of [
    `grant rds_iam to ${user}`,
    `grant usage on schema public to ${user}`,
    `grant select, insert, update, delete on all tables in schema public to ${user}`,
    `grant usage on all sequences in schema public to ${user}`,
    `alter default privileges in schema public grant select, insert, update, delete on tables to ${user}`,
    `alter default privileges in schema public grant usage on sequences to ${user}`,
    `revoke all on migrations from ${user}`,
  ]) {
    await client.query(statement);
  }
}

async function migrate(client: PoolClient, folder: string, log: Log, user: string | undefined): Promise<void> {
  // Held by the connection: it goes with this process, however that ends. Waiting for it has no limit of time.
  await client.query("set statement_timeout = 0");
  await client.query(`select pg_advisory_lock(${LOCK})`);
  await client.query(
    "create table if not exists migrations (name text primary key, checksum text not null, run_at timestamptz not null default now())",
  );
  const { rows } = await client.query<{ name: string; checksum: string }>("select name, checksum from migrations");
  const done = new Map(rows.map((row) => [row.name, row.checksum]));
  const files = readdirSync(folder).sort();
  const misnamed = files.filter((name) => !/^\d{4}-[a-z0-9-]+\.sql$/.test(name));
  if (misnamed.length > 0) throw new Error(`name migrations like 0001-what-it-does.sql, not ${misnamed.join(", ")}`);

  for (const name of files) {
    const sql = readFileSync(join(folder, name), "utf8");
    const checksum = createHash("sha256").update(sql).digest("hex");
    const known = done.get(name);
    if (known && known !== checksum) throw new Error(`${name} was changed after it ran; undo that and add a new file`);
    if (known) continue;
    try {
      await client.query("begin");
      await client.query(sql);
      await client.query("insert into migrations (name, checksum) values ($1, $2)", [name, checksum]);
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      throw new Error(`${name} failed and was undone: ${(error as Error).message}`, { cause: error });
    }
    log.info({ migration: name }, "migrated");
  }
  if (user) await admit(client, user);
  await client.query(`select pg_advisory_unlock(${LOCK})`);
}
