import { DbInstance } from "@cdktf/provider-aws/lib/db-instance";
import { DbParameterGroup } from "@cdktf/provider-aws/lib/db-parameter-group";
import { DbSubnetGroup } from "@cdktf/provider-aws/lib/db-subnet-group";
import { RdsCluster } from "@cdktf/provider-aws/lib/rds-cluster";
import { RdsClusterInstance } from "@cdktf/provider-aws/lib/rds-cluster-instance";
import { RdsClusterParameterGroup } from "@cdktf/provider-aws/lib/rds-cluster-parameter-group";
import { Fn, type ITerraformDependable } from "cdktf";
import { Construct } from "constructs";
import type { IAlarm, MetricDataQuery } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { Connections, type IConnectable } from "../core/connections";
import { Role } from "../core/iam";
import { kebab, namePrefix, pascal } from "../core/names";
import { backingParameter, ImportedContract, PublishedContract } from "../core/parameter-contract";
import { SecurityGroup } from "../core/security-group";
import { AwsStack } from "../core/stack";
import { LogStream } from "../logging/log-stream";
import { ConnectionBudget, connectionsOf } from "./connections";
import type { DatabaseBackup } from "./database-backup";
import type { BackingHost } from "./host";
import { announceMaintenanceWindow } from "./maintenance-window";
import { backingName, comesFirst, dataKeyArnOf, dataStackOf, healthAlarm, vpcOf } from "./place";
import {
  DATABASE_PORT,
  type DatabaseSettings,
  type IDatabase,
  type PostgresDatabaseProps,
  resolveDatabase,
} from "./postgres-database-props";

/**
 * A private PostgreSQL database on Amazon RDS or Aurora, encrypted at rest and in transit, with backups. In production it
 * runs in two zones, has deletion protection and takes a final snapshot when it is destroyed, named after the time when the
 * database was created. Belongs in the data stack.
 *
 * The app has no password: it authenticates with IAM as a user that owns no objects (`PG_IAM_ARN`). AWS creates, stores and
 * rotates the master password. Only admin processes may read it (`PG_MASTER_CREDENTIALS_ARN`), create the app's user and
 * change the schema.
 *
 * `service.use(database)` sets `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGSSLMODE`, `PG_IAM_ARN` and `PG_POOL_MAX`.
 *
 * Costs about 15 USD a month in dev and 60 in production: instance, 20 GB, and the secret (0.40).
 *
 * @example
 * ```ts
 * const database = new PostgresDatabase(stack.data, "Database");
 * const orders = new CloudNativeService(stack, "Orders");
 * orders.use(database);
 * ```
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class PostgresDatabase extends Construct implements IDatabase, IConnectable {
  /** Identifier of the instance or the cluster in RDS. */
  readonly identifier: string;
  readonly databaseName: string;
  readonly databaseUser: string;
  readonly connections: Connections;
  readonly #stack: AwsStack;
  readonly #settings: DatabaseSettings;
  readonly #parameter: string;
  readonly #budget: ConnectionBudget;
  readonly #alarm: IAlarm;

  /**
   * @throws InvalidPropsError DATABASE_IDENTIFIER, DATABASE_CAPACITY, DATABASE_VERSION, DATABASE_NAME, DATABASE_USER, DATABASE_POOL,
   *   DATABASE_STORAGE, DATABASE_BACKUPS, DATABASE_RESTORE, BACKING_LIFETIME, BACKING_VPC
   */
  constructor(scope: Construct, id: string, props: PostgresDatabaseProps = {}) {
    super(scope, id);
    checkArguments("new PostgresDatabase", { props }, this);
    const stack = dataStackOf(this);
    const settings = resolveDatabase(this, stack.production, props);
    const vpc = vpcOf(this, props.vpc);
    const identifier = props.identifier ?? backingName(this, "database");
    this.identifier = identifier;
    this.#stack = stack;
    this.#settings = settings;
    this.databaseName = settings.databaseName;
    this.databaseUser = settings.user;
    const memoryGiB = settings.capacity.memoryGiB(settings.instanceClass);
    this.#budget = new ConnectionBudget(this, connectionsOf(memoryGiB));

    const group = new SecurityGroup(this, "SecurityGroup", { vpcId: vpc.vpcId, name: identifier, port: DATABASE_PORT });
    this.connections = group.connections;
    const subnets = new DbSubnetGroup(this, "Subnets", {
      name: identifier,
      description: "Private subnets.",
      subnetIds: [...vpc.privateSubnetIds],
    });
    const place = { identifier, subnetGroupName: subnets.name, securityGroupId: group.connections.securityGroupId };
    const contract = settings.capacity.kind === "serverless" ? this.#cluster(place) : this.#instance(place);
    if (!settings.applyImmediately) announceMaintenanceWindow(this, "capacity, version and storage");
    this.#alarm = this.#watch(identifier);
    this.#parameter = backingParameter(stack.environment.name, stack.stackName, kebab(id));
    new PublishedContract(this, "Contract", {
      name: this.#parameter,
      value: { ...contract, securityGroupId: group.connections.securityGroupId },
    });
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    const { databaseName, user, connectionsPerTask } = this.#settings;
    comesFirst(this, host);
    this.#budget.claim(host.scope.node.scope?.node.path ?? "", host.maxTasks, connectionsPerTask);
    const contract = new ImportedContract(host.scope, "Contract", { name: this.#parameter });
    const there = new Connections(host.scope, "Connections", {
      securityGroupId: contract.text("securityGroupId"),
      defaultPort: DATABASE_PORT,
    });
    host.connections.allowTo(`Use${pascal(this.name)}`, there);
    const { region, account } = this.#stack.environment;
    const stack = AwsStack.of(host.scope);
    const userArn = `arn:${stack.partition}:rds-db:${region}:${account ?? stack.accountId}:dbuser:${contract.text("resourceId")}/${user}`;
    for (const [name, value] of Object.entries({
      PGHOST: contract.text("host"),
      PGPORT: String(DATABASE_PORT),
      PGDATABASE: databaseName,
      PGUSER: user,
      PGSSLMODE: "require",
      PG_IAM_ARN: userArn,
      PG_POOL_MAX: String(connectionsPerTask),
    })) {
      host.addEnvironment(name, value);
    }
    host.grant({ actions: ["rds-db:connect"], resources: [userArn] });
    const masterSecretArn = contract.text("masterSecretArn");
    host.admin.addEnvironment("PG_MASTER_CREDENTIALS_ARN", masterSecretArn);
    host.admin.grant({ actions: ["secretsmanager:GetSecretValue"], resources: [masterSecretArn] });
    host.addAlarm(this.#alarm);
  }

  #instance(place: Place) {
    const { instanceClass, version, storageGiB, restoreFrom } = this.#settings;
    const { production } = this.#stack;
    const parameters = new DbParameterGroup(this, "Parameters", {
      namePrefix: namePrefix("parameterGroup", place.identifier),
      description: "TLS is required.",
      family: `postgres${version}`,
      parameter: [{ name: "rds.force_ssl", value: "1" }],
      lifecycle: { createBeforeDestroy: true },
    });
    const database = new DbInstance(this, "Resource", {
      ...this.#common(place),
      ...restored(restoreFrom, (database, time) => ({
        sourceDbInstanceIdentifier: database,
        ...(time === undefined ? { useLatestRestorableTime: true } : { restoreTime: time }),
      })),
      identifier: place.identifier,
      engine: "postgres",
      engineVersion: version,
      instanceClass,
      dbName: this.databaseName,
      username: "dbowner",
      parameterGroupName: parameters.name,
      allocatedStorage: storageGiB,
      maxAllocatedStorage: storageGiB * 10,
      storageType: "gp3",
      multiAz: production,
      publiclyAccessible: false,
      autoMinorVersionUpgrade: true,
      backupRetentionPeriod: this.#settings.backupDays,
      enabledCloudwatchLogsExports: ["postgresql", "upgrade"],
      caCertIdentifier: "rds-ca-rsa2048-g1",
      ...this.#monitored(),
      dependsOn: this.#logs(`/aws/rds/instance/${place.identifier}`, ["postgresql", "upgrade"]),
    });
    return {
      host: database.address,
      resourceId: database.resourceId,
      masterSecretArn: database.masterUserSecret.get(0).secretArn,
    };
  }

  #cluster(place: Place) {
    const { capacity, version, restoreFrom } = this.#settings;
    const { production } = this.#stack;
    const parameters = new RdsClusterParameterGroup(this, "Parameters", {
      namePrefix: namePrefix("parameterGroup", place.identifier),
      description: "TLS is required.",
      family: `aurora-postgresql${version}`,
      parameter: [{ name: "rds.force_ssl", value: "1" }],
      lifecycle: { createBeforeDestroy: true },
    });
    const cluster = new RdsCluster(this, "Resource", {
      ...this.#common(place),
      ...restored(restoreFrom, (database, time) => ({
        sourceClusterIdentifier: database,
        ...(time === undefined ? { useLatestRestorableTime: true } : { restoreToTime: time }),
      })),
      clusterIdentifier: place.identifier,
      engine: "aurora-postgresql",
      engineVersion: version,
      databaseName: this.databaseName,
      masterUsername: "dbowner",
      dbClusterParameterGroupName: parameters.name,
      backupRetentionPeriod: this.#settings.backupDays,
      enabledCloudwatchLogsExports: ["postgresql"],
      serverlessv2ScalingConfiguration: { minCapacity: capacity.minUnits, maxCapacity: capacity.maxUnits },
      dependsOn: this.#logs(`/aws/rds/cluster/${place.identifier}`, ["postgresql"]),
    });
    // The second instance takes over when the first fails.
    for (const id of production ? ["First", "Second"] : ["First"]) {
      new RdsClusterInstance(this, id, {
        identifier: `${place.identifier}-${kebab(id)}`,
        clusterIdentifier: cluster.id,
        engine: "aurora-postgresql",
        instanceClass: "db.serverless",
        publiclyAccessible: false,
        autoMinorVersionUpgrade: true,
        caCertIdentifier: "rds-ca-rsa2048-g1",
        ...this.#monitored(),
      });
    }
    return {
      host: cluster.endpoint,
      resourceId: cluster.clusterResourceId,
      masterSecretArn: cluster.masterUserSecret.get(0).secretArn,
    };
  }

  #common(place: Place) {
    const { production } = this.#stack;
    return {
      dbSubnetGroupName: place.subnetGroupName,
      vpcSecurityGroupIds: [place.securityGroupId],
      port: DATABASE_PORT,
      manageMasterUserPassword: true,
      iamDatabaseAuthenticationEnabled: true,
      storageEncrypted: true,
      // A restored database keeps the key of its backup.
      kmsKeyId: this.#settings.restoreFrom === undefined ? dataKeyArnOf(this.#stack) : undefined,
      copyTagsToSnapshot: true,
      deletionProtection: production,
      skipFinalSnapshot: !production,
      finalSnapshotIdentifier: production
        ? `${place.identifier}-final-${Fn.formatdate("YYYYMMDDhhmmss", Fn.timestamp())}`
        : undefined,
      lifecycle: {
        ignoreChanges: [
          // Each database keeps the name that it got at its creation, so a second one can be deleted too.
          ...(production ? ["final_snapshot_identifier"] : []),
          // A database is restored when it is created: another backup, or none, must not replace it.
          "snapshot_identifier",
          "restore_to_point_in_time",
        ],
      },
      // Allows a higher `version`, which RDS otherwise refuses; upgrades nothing by itself.
      allowMajorVersionUpgrade: true,
      // Minor versions and certificates are updated in the maintenance window.
      applyImmediately: this.#settings.applyImmediately,
    };
  }

  /** Enhanced Monitoring and Performance Insights, only in production because they cost money. */
  #monitored() {
    // Not left out, because the provider then keeps what a cluster instance has.
    if (!this.#stack.production) return { performanceInsightsEnabled: false };
    const id = "MonitoringRole";
    let role = this.node.tryFindChild(id) as Role | undefined;
    if (role === undefined) {
      role = new Role(this, id, {
        name: `${backingName(this, "database")}-monitoring`,
        service: "monitoring.rds.amazonaws.com",
      });
      role.addManagedPolicy("service-role/AmazonRDSEnhancedMonitoringRole");
    }
    return {
      monitoringInterval: 60,
      monitoringRoleArn: role.roleArn,
      performanceInsightsEnabled: true,
      performanceInsightsKmsKeyId: dataKeyArnOf(this.#stack),
      performanceInsightsRetentionPeriod: 7,
    };
  }

  /** Creates the log groups before RDS does: its own would have no retention and outlive the database. */
  #logs(prefix: string, kinds: readonly string[]): ITerraformDependable[] {
    return kinds.map((kind) => {
      const logs = new LogStream(this, `${pascal(kind)}Logs`, { name: `${prefix}/${kind}` });
      return logs.node.defaultChild as unknown as ITerraformDependable;
    });
  }

  #watch(identifier: string): IAlarm {
    const { capacity, storageGiB, instanceClass } = this.#settings;
    const isInstance = capacity.kind === "instance";
    const dimensions: Readonly<Record<string, string>> = isInstance
      ? { DBInstanceIdentifier: identifier }
      : { DBClusterIdentifier: identifier };
    const row = (id: string, metricName: string): MetricDataQuery => ({
      id,
      metric: { namespace: "AWS/RDS", metricName, dimensions, statistic: "Maximum" },
    });
    const limit = connectionsOf(capacity.memoryGiB(instanceClass));
    return healthAlarm(this, {
      description: `${identifier} has used 90 % of its CPU or connections, or has less than 5 % of its disk left: its metrics show which.`,
      threshold: 0.9,
      datapoints: 5,
      queries: () => [
        row("cpu", "CPUUtilization"),
        row("connections", "DatabaseConnections"),
        ...(isInstance ? [row("free", "FreeStorageSpace")] : []),
        {
          id: "used",
          // Storage grows when 10 % is free; below 5 %, it cannot grow any more.
          expression: isInstance
            ? `MAX([cpu / 100, connections / ${limit}, IF(free < ${Math.floor((storageGiB * 1024 ** 3) / 20)}, 1, 0)])`
            : `MAX([cpu / 100, connections / ${limit}])`,
          returned: true,
        },
      ],
    });
  }
}

/** Attributes that restore a new database from a backup. */
function restored<T>(
  backup: DatabaseBackup | undefined,
  pointInTime: (database: string, time: string | undefined) => T,
) {
  if (backup === undefined) return {};
  const { source } = backup;
  return "snapshot" in source
    ? { snapshotIdentifier: source.snapshot }
    : { restoreToPointInTime: pointInTime(source.database, source.time) };
}

interface Place {
  readonly identifier: string;
  readonly subnetGroupName: string;
  readonly securityGroupId: string;
}
