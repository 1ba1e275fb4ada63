import { DbInstance } from "@cdktf/provider-aws/lib/db-instance";
import { DbParameterGroup } from "@cdktf/provider-aws/lib/db-parameter-group";
import { DbSubnetGroup } from "@cdktf/provider-aws/lib/db-subnet-group";
import { RdsCluster } from "@cdktf/provider-aws/lib/rds-cluster";
import { RdsClusterInstance } from "@cdktf/provider-aws/lib/rds-cluster-instance";
import { RdsClusterParameterGroup } from "@cdktf/provider-aws/lib/rds-cluster-parameter-group";
import { Fn, type ITerraformDependable, Token } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import type { IAlarm, MetricDataQuery } from "../core/alarm";
import { checkArguments } from "../core/check-types";
import { Connections, type IConnectable } from "../core/connections";
import { Problems } from "../core/errors";
import { Role } from "../core/iam";
import { literal } from "../core/literal";
import { kebab, namePrefix, pascal } from "../core/names";
import { backingParameter, ImportedContract, PublishedContract } from "../core/parameter-contract";
import { isSecretReference, readsSecrets } from "../core/secrets";
import { SecurityGroup } from "../core/security-group";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import type { IVpc } from "../vpc/vpc";
import { ConnectionBudget, connectionsOf } from "./connections";
import { DatabaseCapacity } from "./database-capacity";
import type { BackingHost, BackingService } from "./host";
import { backingName, comesFirst, dataStackOf, healthAlarm, vpcOf } from "./place";

/** A PostgreSQL database, created by this app or managed outside it. */
export interface IDatabase extends IConstruct, BackingService {
  readonly databaseName: string;
}

const PORT = 5432;
/** Names that PostgreSQL and RDS reserve. */
const RESERVED = /^(postgres|rdsadmin|rds.*|pg_.*|template[01]|admin|user|public|all|default|select|table|dbowner)$/;
const IDENTIFIER = /^[a-z][a-z0-9_]{0,62}$/;

export const POSTGRES_VERSIONS = ["15", "16", "17"] as const;
/** Major version of PostgreSQL. */
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

export interface PostgresDatabaseProps {
  /**
   * Capacity: `DatabaseCapacity.instance("db.m7g.large")` or `DatabaseCapacity.serverless({ max: 8 })`. Switching between
   * the two creates a new, empty database.
   *
   * @default DatabaseCapacity.instance()
   */
  readonly capacity?: DatabaseCapacity;
  /**
   * Major version of PostgreSQL; use the same in development. Minor versions are upgraded automatically.
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
   * Database user of the app. It owns no objects: see {@link PostgresDatabase}.
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
   * VPC of the database, which uses its private subnets.
   *
   * @default - the VPC of the platform
   */
  readonly vpc?: IVpc;
}

interface DatabaseSettings {
  readonly capacity: DatabaseCapacity;
  readonly instanceClass: string;
  readonly version: PostgresVersion;
  readonly databaseName: string;
  readonly user: string;
  readonly connectionsPerTask: number;
  readonly storageGiB: number;
  readonly backupDays: number;
}

/** Default size of the connection pool of a task. */
const CONNECTIONS_PER_TASK = 5;

/** Records DATABASE_POOL. */
function checkPool(problems: Problems, connectionsPerTask: number): void {
  problems.check(Number.isInteger(connectionsPerTask) && connectionsPerTask >= 1 && connectionsPerTask <= 100, {
    code: "DATABASE_POOL",
    prop: "connectionsPerTask",
    problem: `must be a whole number from 1 to 100, got ${connectionsPerTask}`,
    remedy: "Change the pool size, or leave it out.",
  });
}

/**
 * Records DATABASE_CAPACITY, DATABASE_VERSION, DATABASE_NAME, DATABASE_USER, DATABASE_POOL, DATABASE_STORAGE,
 * DATABASE_BACKUPS.
 */
function resolveDatabase(scope: IConstruct, production: boolean, props: PostgresDatabaseProps): DatabaseSettings {
  const capacity = props.capacity ?? DatabaseCapacity.instance();
  const version = props.version ?? "17";
  const { databaseName = "app", user = "app", connectionsPerTask = CONNECTIONS_PER_TASK, storageGiB = 20 } = props;
  const backups = props.backups ?? Duration.days(7);
  const problems = new Problems(scope);
  problems.check(capacity.problem === undefined, {
    code: "DATABASE_CAPACITY",
    prop: "capacity",
    problem: capacity.problem ?? "",
    remedy:
      "Use a class such as db.t4g.micro, db.m7g.large or db.r7g.large; or ACUs in steps of 0.5, min from 0 and max from 1 to 256.",
  });
  problems.checkOneOf(version, POSTGRES_VERSIONS, { code: "DATABASE_VERSION", prop: "version" });
  for (const [code, prop, name] of [
    ["DATABASE_NAME", "databaseName", databaseName],
    ["DATABASE_USER", "user", user],
  ] as const) {
    problems.check(IDENTIFIER.test(name) && !RESERVED.test(name), {
      code,
      prop,
      problem: `${JSON.stringify(name)} is not a valid name, or is reserved`,
      remedy: "Use up to 63 lowercase letters, digits and _, starting with a letter.",
    });
  }
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
  };
}

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
  readonly databaseName: string;
  readonly databaseUser: string;
  readonly connections: Connections;
  readonly #stack: AwsStack;
  readonly #settings: DatabaseSettings;
  readonly #parameter: string;
  readonly #budget: ConnectionBudget;
  readonly #alarm: IAlarm;

  /**
   * @throws InvalidPropsError DATABASE_CAPACITY, DATABASE_VERSION, DATABASE_NAME, DATABASE_USER, DATABASE_POOL,
   *   DATABASE_STORAGE, DATABASE_BACKUPS, BACKING_LIFETIME, BACKING_VPC
   */
  constructor(scope: Construct, id: string, props: PostgresDatabaseProps = {}) {
    super(scope, id);
    checkArguments("new PostgresDatabase", { props }, this);
    const stack = dataStackOf(this);
    const settings = resolveDatabase(this, stack.production, props);
    const vpc = vpcOf(this, props.vpc);
    const identifier = backingName(this, "database");
    this.#stack = stack;
    this.#settings = settings;
    this.databaseName = settings.databaseName;
    this.databaseUser = settings.user;
    const memoryGiB = settings.capacity.memoryGiB(settings.instanceClass);
    this.#budget = new ConnectionBudget(this, connectionsOf(memoryGiB));

    const group = new SecurityGroup(this, "SecurityGroup", { vpcId: vpc.vpcId, name: identifier, port: PORT });
    this.connections = group.connections;
    const subnets = new DbSubnetGroup(this, "Subnets", {
      name: identifier,
      description: "Private subnets.",
      subnetIds: [...vpc.privateSubnetIds],
    });
    const place = { identifier, subnetGroupName: subnets.name, securityGroupId: group.connections.securityGroupId };
    const contract = settings.capacity.kind === "serverless" ? this.#cluster(place) : this.#instance(place);
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
      defaultPort: PORT,
    });
    host.connections.allowTo(`Use${pascal(this.name)}`, there);
    const { region, account } = this.#stack.environment;
    const stack = AwsStack.of(host.scope);
    const userArn = `arn:${stack.partition}:rds-db:${region}:${account ?? stack.accountId}:dbuser:${contract.text("resourceId")}/${user}`;
    for (const [name, value] of Object.entries({
      PGHOST: contract.text("host"),
      PGPORT: String(PORT),
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
    const { instanceClass, version, storageGiB } = this.#settings;
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
    const { capacity, version } = this.#settings;
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
      port: PORT,
      manageMasterUserPassword: true,
      iamDatabaseAuthenticationEnabled: true,
      storageEncrypted: true,
      copyTagsToSnapshot: true,
      deletionProtection: production,
      skipFinalSnapshot: !production,
      finalSnapshotIdentifier: production
        ? `${place.identifier}-final-${Fn.formatdate("YYYYMMDDhhmmss", Fn.timestamp())}`
        : undefined,
      // Each database keeps the name that it got at its creation, so a second one can be deleted too.
      lifecycle: production ? { ignoreChanges: ["final_snapshot_identifier"] } : undefined,
      // Allows a higher `version`, which RDS otherwise refuses; upgrades nothing by itself.
      allowMajorVersionUpgrade: true,
      // Minor versions and certificates are updated in the maintenance window.
      applyImmediately: !production,
    };
  }

  /** Enhanced Monitoring and Performance Insights, only in production because they cost money. */
  #monitored() {
    if (!this.#stack.production) return {};
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

interface Place {
  readonly identifier: string;
  readonly subnetGroupName: string;
  readonly securityGroupId: string;
}

export interface DatabaseAttributes {
  /** DNS name of the server. */
  readonly host: string;
  /** @default 5432 */
  readonly port?: number;
  readonly databaseName: string;
  /** Database user of the app, not the master user. */
  readonly user: string;
  /**
   * ARN of the secret in Secrets Manager that holds the user's password, as JSON with the key `password`. Read for each new
   * connection, so the secret may rotate.
   */
  readonly credentialsArn: string;
  /**
   * Security group of the database. A rule is added to it that allows connections from the service.
   *
   * @default - none: the owner of the database must allow the service, whose outbound rule allows all addresses on the port
   */
  readonly securityGroupId?: string;
  /** @default 5 */
  readonly connectionsPerTask?: number;
}

/**
 * References a PostgreSQL database that is managed outside this app, on any host. `service.use(database)` sets the same
 * variables as for a {@link PostgresDatabase}, with `PG_CREDENTIALS_ARN` in place of `PG_IAM_ARN`.
 *
 * @example
 * ```ts
 * const database = existingDatabase(stack, "Database", {
 *   host: "orders.example.com",
 *   databaseName: "orders",
 *   user: "orders",
 *   credentialsArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf",
 * });
 * ```
 * @throws InvalidPropsError DATABASE_HOST, DATABASE_PORT, DATABASE_CREDENTIALS, DATABASE_POOL
 */
export function existingDatabase(scope: Construct, id: string, attributes: DatabaseAttributes): IDatabase {
  checkArguments("existingDatabase", { attributes });
  return new ExistingDatabase(scope, id, attributes);
}

class ExistingDatabase extends Construct implements IDatabase {
  readonly databaseName: string;
  readonly #attributes: DatabaseAttributes;

  constructor(scope: Construct, id: string, attributes: DatabaseAttributes) {
    super(scope, id);
    const { host, port = PORT, credentialsArn, connectionsPerTask = CONNECTIONS_PER_TASK } = attributes;
    const problems = new Problems(this);
    problems.check(Token.isUnresolved(host) || /^[A-Za-z0-9.:-]{1,253}$/.test(host), {
      code: "DATABASE_HOST",
      prop: "host",
      problem: `${JSON.stringify(host)} is not a valid DNS name`,
      remedy: "Use only the host name, such as orders.example.com.",
    });
    problems.check(Number.isInteger(port) && port >= 1 && port <= 65535, {
      code: "DATABASE_PORT",
      prop: "port",
      problem: `must be a TCP port from 1 to 65535, got ${port}`,
      remedy: "Change port, or leave it out for 5432.",
    });
    problems.check(isSecretReference(credentialsArn) && !credentialsArn.includes(":ssm:"), {
      code: "DATABASE_CREDENTIALS",
      prop: "credentialsArn",
      problem: "is not the ARN of a secret",
      remedy: "Use arn:aws:secretsmanager:<region>:<account>:secret:<name>.",
    });
    checkPool(problems, connectionsPerTask);
    problems.throwIfAny();
    this.#attributes = attributes;
    this.databaseName = literal(attributes.databaseName);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    const {
      host: address,
      port = PORT,
      user,
      credentialsArn,
      securityGroupId,
      connectionsPerTask = CONNECTIONS_PER_TASK,
    } = this.#attributes;
    if (securityGroupId === undefined) host.connections.allowToInternet(port);
    else {
      const there = new Connections(host.scope, "Connections", { securityGroupId, defaultPort: port });
      host.connections.allowTo(`Use${pascal(this.name)}`, there);
    }
    for (const [name, value] of Object.entries({
      PGHOST: literal(address),
      PGPORT: String(port),
      PGDATABASE: this.databaseName,
      PGUSER: literal(user),
      PGSSLMODE: "require",
      PG_CREDENTIALS_ARN: literal(credentialsArn),
      PG_POOL_MAX: String(connectionsPerTask),
    })) {
      host.addEnvironment(name, value);
    }
    const { partition, environment } = AwsStack.of(host.scope);
    const place = { partition, region: environment.region };
    for (const statement of readsSecrets("secretsmanager", place, [literal(credentialsArn)])) host.grant(statement);
  }
}
