import type { IConstruct } from "constructs";
import { Problems } from "../core/errors";
import { Duration } from "../core/units";
import type { IVpc } from "../vpc/vpc";
import type { DatabaseBackup } from "./database-backup";
import { DatabaseCapacity } from "./database-capacity";
import type { BackingService } from "./host";

/** A PostgreSQL database, created by this app or managed outside it. */
export interface IDatabase extends IConstruct, BackingService {
  readonly databaseName: string;
}

/** Port of PostgreSQL. */
export const DATABASE_PORT = 5432;
/** Names that PostgreSQL and RDS reserve. */
const RESERVED = /^(postgres|rdsadmin|rds.*|pg_.*|template[01]|admin|user|public|all|default|select|table|dbowner)$/;
const IDENTIFIER = /^[a-z][a-z0-9_]{0,62}$/;

export const POSTGRES_VERSIONS = ["15", "16", "17"] as const;
/** Major version of PostgreSQL. */
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

export interface PostgresDatabaseProps {
  /**
   * Identifier in RDS, for a database that exists and that `adopt` takes over.
   *
   * @default - `<stack>-<environment>-<id>`
   */
  readonly identifier?: string;
  /**
   * Capacity: `DatabaseCapacity.instance("db.m7g.large")` or `DatabaseCapacity.serverless({ max: 8 })`. Switching between
   * the two creates a new, empty database.
   *
   * @default DatabaseCapacity.instance()
   */
  readonly capacity?: DatabaseCapacity;
  /**
   * Major version of PostgreSQL; use the same in development. Minor versions are upgraded automatically. A higher version
   * upgrades the database in place; see the guide to databases for the steps. A lower one is refused by RDS.
   *
   * @default "17"
   */
  readonly version?: PostgresVersion;
  /**
   * Name of the database on the server.
   *
   * @default "app"
   */
  readonly databaseName?: string;
  /**
   * Database user of the app. It owns no objects: see `PostgresDatabase`.
   *
   * @default "app"
   */
  readonly user?: string;
  /**
   * Maximum number of connections of one task, passed as `PG_POOL_MAX`.
   *
   * @default 5
   */
  readonly connectionsPerTask?: number;
  /**
   * Initial storage of an instance in GiB, which grows automatically up to ten times. Aurora manages storage itself.
   *
   * @default 20
   */
  readonly storageGiB?: number;
  /**
   * Retention of backups, 1 to 35 days. The database can be restored to any second within it.
   *
   * @default Duration.days(7)
   */
  readonly backups?: Duration;
  /**
   * Backup with which the database is created, and whose KMS key it keeps. Later changes have no effect: to restore again, create another
   * database beside this one, and let the services use it.
   *
   * @default - an empty database
   */
  readonly restoreFrom?: DatabaseBackup;
  /**
   * Applies changes of the capacity, the version and the storage during the deployment that makes them, with a restart.
   * Otherwise RDS applies them in the maintenance window, once a week, and plans show a changed class until then. Set it to
   * raise the version.
   *
   * @default true in dev, false in production
   */
  readonly applyImmediately?: boolean;
  /**
   * VPC of the database, which uses its private subnets.
   *
   * @default - the VPC of the platform
   */
  readonly vpc?: IVpc;
}

export interface DatabaseSettings {
  readonly capacity: DatabaseCapacity;
  readonly instanceClass: string;
  readonly version: PostgresVersion;
  readonly databaseName: string;
  readonly user: string;
  readonly connectionsPerTask: number;
  readonly storageGiB: number;
  readonly backupDays: number;
  readonly restoreFrom: DatabaseBackup | undefined;
  readonly applyImmediately: boolean;
}

/** Default size of the connection pool of a task. */
export const CONNECTIONS_PER_TASK = 5;

/** Records DATABASE_POOL. */
export function checkPool(problems: Problems, connectionsPerTask: number): void {
  problems.check(Number.isInteger(connectionsPerTask) && connectionsPerTask >= 1 && connectionsPerTask <= 100, {
    code: "DATABASE_POOL",
    prop: "connectionsPerTask",
    problem: `must be a whole number from 1 to 100, got ${connectionsPerTask}`,
    remedy: "Change the pool size, or leave it out.",
  });
}

/**
 * Records DATABASE_IDENTIFIER, DATABASE_CAPACITY, DATABASE_VERSION, DATABASE_NAME, DATABASE_USER, DATABASE_POOL, DATABASE_STORAGE,
 * DATABASE_BACKUPS, DATABASE_RESTORE.
 */
export function resolveDatabase(
  scope: IConstruct,
  production: boolean,
  props: PostgresDatabaseProps,
): DatabaseSettings {
  const capacity = props.capacity ?? DatabaseCapacity.instance();
  const version = props.version ?? "17";
  const { databaseName = "app", user = "app", connectionsPerTask = CONNECTIONS_PER_TASK, storageGiB = 20 } = props;
  const backups = props.backups ?? Duration.days(7);
  const { identifier } = props;
  const problems = new Problems(scope);
  problems.check(identifier === undefined || /^(?!.*--)[a-z][a-z0-9-]{0,62}(?<!-)$/.test(identifier), {
    code: "DATABASE_IDENTIFIER",
    prop: "identifier",
    problem: `${JSON.stringify(identifier)} is not a valid identifier`,
    remedy: "Use up to 63 lowercase letters, digits and single hyphens, starting with a letter.",
  });
  problems.check(capacity.problem === undefined, {
    code: "DATABASE_CAPACITY",
    prop: "capacity",
    problem: capacity.problem ?? "",
    remedy:
      "Use a class such as db.t4g.micro, db.m7g.large or db.r7g.large; or ACUs in steps of 0.5, min from 0 and max from 1 to 256.",
  });
  problems.checkOneOf(version, POSTGRES_VERSIONS, { code: "DATABASE_VERSION", prop: "version" });
  const isName = (name: string) => IDENTIFIER.test(name) && !RESERVED.test(name);
  const remedy = "Use up to 63 lowercase letters, digits and _, starting with a letter.";
  problems.check(isName(databaseName), {
    code: "DATABASE_NAME",
    prop: "databaseName",
    problem: `${JSON.stringify(databaseName)} is not a valid name, or is reserved`,
    remedy,
  });
  problems.check(isName(user), {
    code: "DATABASE_USER",
    prop: "user",
    problem: `${JSON.stringify(user)} is not a valid name, or is reserved`,
    remedy,
  });
  checkPool(problems, connectionsPerTask);
  problems.check(Number.isInteger(storageGiB) && storageGiB >= 20 && storageGiB <= 6553, {
    code: "DATABASE_STORAGE",
    prop: "storageGiB",
    problem: `must be a whole number from 20 to 6553, so that the storage can grow tenfold; got ${storageGiB}`,
    remedy: "Change storageGiB, or leave it out.",
  });
  problems.check(Number.isInteger(backups.toDays()) && backups.toDays() >= 1 && backups.toDays() <= 35, {
    code: "DATABASE_BACKUPS",
    prop: "backups",
    problem: `must be 1 to 35 whole days, got ${backups}`,
    remedy: "Use a duration such as Duration.days(7).",
  });
  problems.check(props.restoreFrom?.problem === undefined, {
    code: "DATABASE_RESTORE",
    prop: "restoreFrom",
    problem: props.restoreFrom?.problem ?? "",
    remedy:
      'Use DatabaseBackup.snapshot("orders-prod-database-final-20260131093000") or DatabaseBackup.pointInTime("orders-prod-database", "2026-01-31T09:30:00Z").',
  });
  problems.throwIfAny();
  return {
    capacity,
    instanceClass: capacity.instanceClass ?? (production ? "db.t4g.small" : "db.t4g.micro"),
    version,
    databaseName,
    user,
    connectionsPerTask,
    storageGiB,
    backupDays: backups.toDays(),
    restoreFrom: props.restoreFrom,
    applyImmediately: props.applyImmediately ?? !production,
  };
}
