import { checkArguments } from "../core/check-types";
import { literal } from "../core/literal";
import { isReference } from "../core/reference";

const IDENTIFIER = /^[A-Za-z][A-Za-z0-9-]{0,254}$/;
const SNAPSHOT_ARN = /^arn:[\w-]+:rds:[\w-]*:\d{12}:(cluster-)?snapshot:[A-Za-z][A-Za-z0-9:-]*$/;
/** A time in UTC, to the second. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** A backup that a new database starts with: a snapshot, or a moment in the life of another database. */
export class DatabaseBackup {
  /**
   * A snapshot, such as the final one of a deleted database.
   *
   * @param snapshot name of the snapshot, or its ARN if another account shares it
   */
  static snapshot(snapshot: string): DatabaseBackup {
    checkArguments("DatabaseBackup.snapshot", { snapshot });
    const valid = isReference(snapshot) || IDENTIFIER.test(snapshot) || SNAPSHOT_ARN.test(snapshot);
    return new DatabaseBackup(
      { snapshot: literal(snapshot) },
      valid ? undefined : `${JSON.stringify(snapshot)} is neither a name nor an ARN of a snapshot`,
    );
  }

  /**
   * Another database as it was at a time within its retention of backups.
   *
   * @param database identifier of that database: `PostgresDatabase.identifier`
   * @param time time in UTC, such as `2026-01-31T09:30:00Z`. Default: the latest that can be restored, about five minutes ago
   */
  static pointInTime(database: string, time?: string): DatabaseBackup {
    checkArguments("DatabaseBackup.pointInTime", { database, time });
    const isDatabase = isReference(database) || IDENTIFIER.test(database);
    const isTime = time === undefined || isReference(time) || TIME.test(time);
    const problem = isDatabase
      ? `${JSON.stringify(time)} is not a time in UTC such as 2026-01-31T09:30:00Z`
      : `${JSON.stringify(database)} is not an identifier of a database`;
    return new DatabaseBackup(
      { database: literal(database), time: time && literal(time) },
      isDatabase && isTime ? undefined : problem,
    );
  }

  private constructor(
    /** @internal */
    readonly source: { readonly snapshot: string } | { readonly database: string; readonly time?: string },
    /** Problem with the backup; undefined if it is valid. */
    readonly problem: string | undefined,
  ) {}
}
