import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PoolClient } from "pg";
import { openPostgres } from "../backing/postgres";
import type { Log } from "../log";
import { runProcess } from "../process";

/** Whoever holds this lock migrates. */
const LOCK = "hashtext('migrations')";

/**
 * `node dist/admin/migrate.js`: brings the database to the schema that this release needs.
 *
 * Runs the files of `migrations/` that did not run yet, in the order of their names, each in a transaction. Started twice,
 * also at once, it does nothing the second time. A file that was changed after it ran is refused: add a new one.
 */
void runProcess(async ({ config, log }) => {
  const postgres = await openPostgres(config, log);
  try {
    await postgres.session((client) => migrate(client, join(__dirname, "../../migrations"), log));
  } finally {
    await postgres.close();
  }
});

async function migrate(client: PoolClient, folder: string, log: Log): Promise<void> {
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
  await client.query(`select pg_advisory_unlock(${LOCK})`);
}
