import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { afterAll, onTestFinished } from "vitest";
import { developerEnvironment } from "../../scripts/environment";
import { needs } from "./reachable";
import { start } from "./service";

/** PostgreSQL server of the tests: PG... in the environment, or the one that compose.yaml starts. */
const { PGHOST = "", PGPORT = "5432", PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE } = developerEnvironment();
const server = { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE };

export const needsPostgres = () => needs(PGHOST, Number(PGPORT), "docker compose up -d postgres");

/** Connects as the test user. */
export async function connect(database: string | undefined): Promise<Client> {
  const client = new Client({ host: PGHOST, port: Number(PGPORT), user: PGUSER, password: PGPASSWORD, database });
  await client.connect();
  return client;
}

/** Runs statements on a separate connection. */
export async function sql(database: string | undefined, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = await connect(database);
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

async function create(template = "template1") {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await sql(PGDATABASE, `create database ${name} template ${template}`);
  return { ...server, PGDATABASE: name };
}

const drop = async (name: string) => void (await sql(PGDATABASE, `drop database ${name} with (force)`));

/** Creates a database, deleted after the test: an empty one, or a copy of a template. */
export async function emptyDatabase(template?: string) {
  const env = await create(template);
  onTestFinished(() => drop(env.PGDATABASE));
  return env;
}

async function migrate(): Promise<string> {
  const env = await create();
  const code = await start("admin/migrate.ts", env).exit;
  if (code !== 0) throw new Error(`migrate ended with ${code}`);
  return env.PGDATABASE;
}

/** Migrated once for the tests of a file, which get copies of it. */
let migrated: Promise<string> | undefined;
afterAll(async () => migrated && drop(await migrated));

/** Creates a database with the schema of this release. */
export async function database() {
  migrated ??= migrate();
  return emptyDatabase(await migrated);
}
