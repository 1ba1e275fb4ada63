import { type Attributes, deletionsIn, type TerraformPlan } from "./terraform-plan";

/** Something that remains in the account after its stacks are destroyed. */
export interface Kept {
  readonly what: string;
  readonly cost: string;
}

const BACKUP = "about 0.10 USD per GB and month";
const FREE = "free";

const isSize = (value: unknown): value is number => typeof value === "number" && value > 0;

/** Final snapshot of a database, and its automated backups. */
function backupsOf(id: unknown, before: Attributes): Kept[] {
  const { skip_final_snapshot: skipped, final_snapshot_identifier: name, allocated_storage: size } = before;
  const most = isSize(size) ? `; at most ${Math.ceil(size / 10)} USD a month for ${size} GB` : "";
  return [
    ...(skipped === true
      ? []
      : [{ what: `final snapshot ${name} of database ${id}`, cost: `${BACKUP}${most}, until you delete it` }]),
    ...(before.delete_automated_backups === false
      ? [{ what: `automated backups of database ${id}, for ${before.backup_retention_period} days`, cost: BACKUP }]
      : []),
  ];
}

/** Remains of a deleted resource, by type. */
const REMAINS: Readonly<Record<string, (before: Attributes) => readonly Kept[]>> = {
  aws_db_instance: (before) => backupsOf(before.identifier, before),
  aws_rds_cluster: (before) => backupsOf(before.cluster_identifier, before),
  aws_docdb_cluster: (before) => backupsOf(before.cluster_identifier, before),
  aws_dynamodb_table: ({ name, point_in_time_recovery: recovery }) =>
    (recovery as readonly Attributes[] | undefined)?.[0]?.enabled === true
      ? [{ what: `system backup of table ${name}, for 35 days`, cost: FREE }]
      : [],
  aws_kms_key: ({ key_id: id, deletion_window_in_days: days }) => [
    {
      what: `key ${id}, for ${days || 30} days: aws kms cancel-key-deletion restores it`,
      cost: `${FREE} while its deletion is pending`,
    },
  ],
  aws_secretsmanager_secret: ({ name, recovery_window_in_days: days }) =>
    days === 0
      ? []
      : [
          {
            what: `secret ${name}, for ${days ?? 30} days: aws secretsmanager restore-secret restores it`,
            cost: `${FREE} while its deletion is pending`,
          },
        ],
  aws_cloudwatch_log_group: ({ name, skip_destroy: skipped }) =>
    skipped === true ? [{ what: `log group ${name}`, cost: "about 0.03 USD per GB and month" }] : [],
};

/** Lists what remains in the account after a plan that deletes is applied. */
export function keptAfter(plan: TerraformPlan): readonly Kept[] {
  const deletions = deletionsIn(plan);
  const tasks = deletions.filter(({ type, before }) => type === "aws_ecs_task_definition" && before.skip_destroy);
  return [
    ...deletions.flatMap(({ type, before }) => (Object.hasOwn(REMAINS, type) ? (REMAINS[type]?.(before) ?? []) : [])),
    ...(tasks.length === 0 ? [] : [{ what: "task definitions: what a release can roll back to", cost: FREE }]),
  ];
}
