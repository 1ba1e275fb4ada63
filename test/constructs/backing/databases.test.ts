import { AnnotationMetadataEntryType, ref, Token } from "cdktf";
import type { IConstruct } from "constructs";
import { describe, expect, it } from "vitest";
import {
  Cache,
  type CacheAttributes,
  type CacheProps,
  CloudNativeService,
  cron,
  type DatabaseAttributes,
  DatabaseBackup,
  DatabaseCapacity,
  Duration,
  type Environment,
  existingCache,
  existingDatabase,
  job,
  PostgresDatabase,
  type PostgresDatabaseProps,
  Vpc,
} from "../../../constructs";
import { AwsStack } from "../../../constructs/core/stack";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, ordersStack, PRODUCTION, refusals, resources, warnings } from "../../support/synth";

type Stack = ReturnType<typeof ordersStack>;
type Used = Parameters<CloudNativeService["use"]>[0];

/** A service that uses something, with its variables, what it and its admin tasks may do, and its rules. */
function using(
  make: (stack: Stack) => Used,
  environment: Environment = DEV,
  max = 4,
  adminProcesses: readonly string[] = [],
) {
  const stack = ordersStack(environment);
  const used = make(stack);
  const orders = new CloudNativeService(stack, "Orders", { scaling: { max } });
  orders.use(used);
  for (const name of adminProcesses) orders.addAdminProcess(name, ["node", `${name}.js`]);
  const synthesized = synthesize(stack);
  const [container] = only(synthesized, "aws_ecs_task_definition").container_definitions as {
    environment: { name: string; value: string }[];
    secrets?: object[];
  }[];
  const policies = Object.entries(resources(synthesized, "aws_iam_role_policy"));
  const granted = (role: string) =>
    (
      policies.find(([id]) => id.startsWith(`Orders_${role}`))?.[1].policy as
        | { Statement: { Action: string[]; Resource: string[] }[] }
        | undefined
    )?.Statement.flatMap(({ Action, Resource }) => Action.map((action) => `${action} ${Resource.join(" ")}`));
  return {
    stack,
    used,
    orders,
    variables: Object.fromEntries(container!.environment.map(({ name, value }) => [name, value])),
    secrets: container!.secrets,
    granted,
    ways: Object.entries(resources(synthesized, "aws_vpc_security_group_egress_rule")).map(
      ([id, { from_port: port }]) => `${id.replace(/_[0-9A-F]{8}$/, "")} ${port}`,
    ),
  };
}

const CONTRACT = "jsondecode(data.aws_ssm_parameter.Orders_Database_Contract_";

describe("PostgresDatabase", () => {
  it("is small, private and encrypted, and can be destroyed in dev", () => {
    const { data } = ordersStack();
    new PostgresDatabase(data, "Database");
    expect(only(data, "aws_db_instance")).toMatchObject({
      identifier: "orders-dev-database",
      engine: "postgres",
      engine_version: "17",
      instance_class: "db.t4g.micro",
      db_name: "app",
      username: "dbowner",
      manage_master_user_password: true,
      iam_database_authentication_enabled: true,
      storage_encrypted: true,
      allocated_storage: 20,
      max_allocated_storage: 200,
      publicly_accessible: false,
      multi_az: false,
      allow_major_version_upgrade: true,
      backup_retention_period: 7,
      deletion_protection: false,
      skip_final_snapshot: true,
      auto_minor_version_upgrade: true,
      copy_tags_to_snapshot: true,
      apply_immediately: true,
      enabled_cloudwatch_logs_exports: ["postgresql", "upgrade"],
    });
    expect(only(data, "aws_db_instance")).not.toHaveProperty("password");
    expect(only(data, "aws_db_instance")).not.toHaveProperty("monitoring_interval");
    expect(only(data, "aws_db_parameter_group")).toMatchObject({
      family: "postgres17",
      parameter: [{ name: "rds.force_ssl", value: "1" }],
    });
    const logs = Object.values(resources(data, "aws_cloudwatch_log_group"));
    expect(logs.map(({ name, retention_in_days: days }) => [name, days])).toEqual([
      ["/aws/rds/instance/orders-dev-database/postgresql", 30],
      ["/aws/rds/instance/orders-dev-database/upgrade", 30],
    ]);
  });

  it("tolerates the loss of a zone and is protected in production", () => {
    const { data } = ordersStack(PRODUCTION);
    new PostgresDatabase(data, "Database", { backups: Duration.days(35) });
    expect(only(data, "aws_db_instance")).toMatchObject({
      instance_class: "db.t4g.small",
      multi_az: true,
      deletion_protection: true,
      skip_final_snapshot: false,
      // A name that no earlier database of this name has used; kept for the life of this one.
      final_snapshot_identifier: `orders-production-database-final-\${formatdate("YYYYMMDDhhmmss", timestamp())}`,
      lifecycle: {
        ignore_changes: ["final_snapshot_identifier", "snapshot_identifier", "restore_to_point_in_time"],
      },
      backup_retention_period: 35,
      monitoring_interval: 60,
      performance_insights_enabled: true,
      apply_immediately: false,
    });
    expect(only(data, "aws_iam_role").assume_role_policy).toMatchObject({
      Statement: [
        {
          Principal: { Service: "monitoring.rds.amazonaws.com" },
          Condition: { StringEquals: { "aws:SourceAccount": expect.any(String) } },
        },
      ],
    });
  });

  it("can be Aurora serverless: one writer in dev, one more in production", () => {
    const props = { capacity: DatabaseCapacity.serverless({ min: 0, max: 8 }), version: "16" } as const;
    const dev = ordersStack().data;
    new PostgresDatabase(dev, "Database", props);
    expect(only(dev, "aws_rds_cluster")).toMatchObject({
      engine: "aurora-postgresql",
      engine_version: "16",
      allow_major_version_upgrade: true,
      manage_master_user_password: true,
      iam_database_authentication_enabled: true,
      storage_encrypted: true,
      deletion_protection: false,
      skip_final_snapshot: true,
      serverlessv2_scaling_configuration: { min_capacity: 0, max_capacity: 8 },
    });
    expect(only(dev, "aws_rds_cluster_instance")).toMatchObject({
      instance_class: "db.serverless",
      publicly_accessible: false,
    });
    expect(only(dev, "aws_rds_cluster_parameter_group")).toMatchObject({ family: "aurora-postgresql16" });
    const production = ordersStack(PRODUCTION).data;
    new PostgresDatabase(production, "Database", props);
    expect(only(production, "aws_rds_cluster")).toMatchObject({
      deletion_protection: true,
      skip_final_snapshot: false,
      final_snapshot_identifier: expect.stringContaining("timestamp()"),
      lifecycle: {
        ignore_changes: ["final_snapshot_identifier", "snapshot_identifier", "restore_to_point_in_time"],
      },
    });
    expect(Object.keys(resources(production, "aws_rds_cluster_instance"))).toHaveLength(2);
  });

  it("is restored from a snapshot, which is not looked at again", () => {
    const { data } = ordersStack();
    const arn = "arn:aws:rds:eu-central-1:210987654321:snapshot:orders-before-17";
    new PostgresDatabase(data, "Instance", { restoreFrom: DatabaseBackup.snapshot("orders-final-20260131093000") });
    new PostgresDatabase(data, "Cluster", {
      capacity: DatabaseCapacity.serverless(),
      restoreFrom: DatabaseBackup.snapshot(arn),
    });
    const lifecycle = { ignore_changes: ["snapshot_identifier", "restore_to_point_in_time"] };
    const identifier = "orders-final-20260131093000";
    expect(only(data, "aws_db_instance")).toMatchObject({ snapshot_identifier: identifier, lifecycle });
    expect(only(data, "aws_rds_cluster")).toMatchObject({ snapshot_identifier: arn, lifecycle });
  });

  it("is restored from a point in time of another one beside it", () => {
    const { data } = ordersStack();
    const capacity = DatabaseCapacity.serverless();
    const first = new PostgresDatabase(data, "First");
    const cluster = new PostgresDatabase(data, "Cluster", { capacity });
    const time = "2026-01-31T09:30:00Z";
    new PostgresDatabase(data, "Latest", { restoreFrom: DatabaseBackup.pointInTime(first.identifier) });
    new PostgresDatabase(data, "Earlier", { restoreFrom: DatabaseBackup.pointInTime(first.identifier, time) });
    const restoreFrom = DatabaseBackup.pointInTime(cluster.identifier, time);
    new PostgresDatabase(data, "Restored", { capacity, restoreFrom });
    const restores = (type: string) =>
      Object.values(resources(data, type)).map(({ restore_to_point_in_time: restored }) => restored);
    // By address: Earlier, First, Latest.
    expect(restores("aws_db_instance")).toEqual([
      { source_db_instance_identifier: "orders-dev-first", restore_time: time },
      undefined,
      { source_db_instance_identifier: "orders-dev-first", use_latest_restorable_time: true },
    ]);
    expect(restores("aws_rds_cluster")).toEqual([
      undefined,
      { source_cluster_identifier: "orders-dev-cluster", restore_to_time: time },
    ]);
  });

  it("announces in production that changes wait for the maintenance window, unless they are applied immediately", () => {
    const { data } = ordersStack(PRODUCTION);
    const waiting = new PostgresDatabase(data, "Waiting");
    const immediate = new PostgresDatabase(data, "Immediate", { applyImmediately: true });
    const cache = new Cache(data, "Cache");
    const infos = (scope: IConstruct) =>
      scope.node.metadata.filter(({ type }) => type === AnnotationMetadataEntryType.INFO);
    expect(infos(waiting)).toMatchObject([{ data: expect.stringContaining("wait for the weekly maintenance window") }]);
    expect(infos(cache)).toMatchObject([{ data: expect.stringContaining("changes of the node wait") }]);
    expect(infos(immediate)).toEqual([]);
    const applied = Object.values(resources(data, "aws_db_instance")).map((each) => [
      each.identifier,
      each.apply_immediately,
    ]);
    expect(Object.fromEntries(applied)).toEqual({
      "orders-production-immediate": true,
      "orders-production-waiting": false,
    });
    const dev = ordersStack().data;
    expect(infos(new PostgresDatabase(dev, "Database"))).toEqual([]);
  });

  it("used by a service is found by the parameter of its data stack, with IAM sign-in", () => {
    const { variables, granted, orders, stack, ways } = using(({ data }) => new PostgresDatabase(data, "Database"));
    expect(variables).toMatchObject({
      PGPORT: "5432",
      PGDATABASE: "app",
      PGUSER: "app",
      PGSSLMODE: "require",
      PG_POOL_MAX: "5",
    });
    expect(variables.PGHOST).toContain(CONTRACT);
    expect(variables).not.toHaveProperty("PGPASSWORD");
    expect(variables).not.toHaveProperty("PG_MASTER_CREDENTIALS_ARN");
    expect(granted("TaskRole")).toEqual([`rds-db:connect ${variables.PG_IAM_ARN}`]);
    expect(variables.PG_IAM_ARN).toMatch(/^arn:.*:rds-db:eu-central-1:.*:dbuser:.*resourceId.*\/app$/);
    expect(orders.alarms.map(({ alarmName }) => alarmName)).toEqual(["orders-dev-database-health"]);
    expect(ways).toContain("Orders_Connections_ToUseDatabaseOut 5432");
    const border = Object.values(resources(stack.data, "aws_ssm_parameter")).find(
      ({ name }) => name === "/antifragile/dev/orders/backing/database",
    );
    expect(JSON.stringify(border?.insecure_value)).toContain("master_user_secret[0].secret_arn");
    expect(JSON.stringify(synthesize(stack))).not.toContain("terraform_remote_state");
  });

  it("allow only admin tasks to read the master password", () => {
    const make = ({ data }: Stack) => new PostgresDatabase(data, "Database");
    expect(using(make).granted("AdminRole")).toBeUndefined();
    const { granted, variables } = using(make, DEV, 4, ["migrate"]);
    expect(granted("TaskRole")?.join()).not.toContain("secretsmanager");
    expect(granted("ExecutionRole")?.join()).not.toContain("secretsmanager");
    expect(granted("AdminRole")).toEqual([
      `rds-db:connect ${variables.PG_IAM_ARN}`,
      expect.stringMatching(/^secretsmanager:GetSecretValue .*masterSecretArn/),
    ]);
  });

  it("can be used by several services, including a job, within its connection limit", () => {
    const capacity = DatabaseCapacity.instance("db.t4g.micro");
    const { stack, used } = using(({ data }) => new PostgresDatabase(data, "Database", { capacity }), PRODUCTION, 5);
    // A micro gives 78 connections, of which 15 are kept free; 25 are taken.
    const nightly = new CloudNativeService(stack, "Nightly", {
      process: job({ schedule: cron("0 3 * * *"), command: ["node", "job.js"] }),
    });
    nightly.use(used);
    expect(warnings(used as PostgresDatabase)).toEqual([expect.stringContaining("[DATABASE_CONNECTIONS_RELEASE]")]);
    const big = new CloudNativeService(stack, "Big", { scaling: { max: 6 } });
    expect(refusals(() => big.use(used))).toEqual(["DATABASE_CONNECTIONS capacity"]);
  });

  it.each<[DatabaseCapacity, number, boolean]>([
    [DatabaseCapacity.instance("db.t4g.micro"), 12, true],
    [DatabaseCapacity.instance("db.t4g.micro"), 13, false],
    [DatabaseCapacity.instance("db.r7g.large"), 249, true],
    [DatabaseCapacity.instance("db.m7g.large"), 249, false],
    [DatabaseCapacity.serverless({ max: 4 }), 123, true],
    [DatabaseCapacity.serverless({ max: 1 }), 123, false],
  ])("%o with 5 connections of %i tasks: %s", (capacity, max, fits) => {
    const act = () => using(({ data }) => new PostgresDatabase(data, "Database", { capacity }), DEV, max);
    if (fits) expect(act).not.toThrow();
    else expect(refusals(act)).toEqual(["DATABASE_CONNECTIONS capacity"]);
  });

  it.each<[PostgresDatabaseProps, string]>([
    [{ capacity: DatabaseCapacity.instance("db.x9.huge") }, "DATABASE_CAPACITY capacity"],
    [{ capacity: DatabaseCapacity.serverless({ min: 0.7 }) }, "DATABASE_CAPACITY capacity"],
    [{ capacity: DatabaseCapacity.serverless({ min: 8, max: 4 }) }, "DATABASE_CAPACITY capacity"],
    [{ identifier: "legacy--orders" }, "DATABASE_IDENTIFIER identifier"],
    [{ identifier: "-legacy" }, "DATABASE_IDENTIFIER identifier"],
    [{ identifier: "l".repeat(64) }, "DATABASE_IDENTIFIER identifier"],
    [{ version: "9" as never }, "DATABASE_VERSION version"],
    [{ databaseName: "my-db" }, "DATABASE_NAME databaseName"],
    [{ databaseName: '${file("/etc/passwd")}' }, "DATABASE_NAME databaseName"],
    [{ user: "postgres" }, "DATABASE_USER user"],
    [{ user: "dbowner" }, "DATABASE_USER user"],
    [{ connectionsPerTask: 0 }, "DATABASE_POOL connectionsPerTask"],
    [{ storageGiB: 5 }, "DATABASE_STORAGE storageGiB"],
    [{ backups: Duration.days(0) }, "DATABASE_BACKUPS backups"],
    [{ restoreFrom: DatabaseBackup.snapshot("no name") }, "DATABASE_RESTORE restoreFrom"],
    [{ restoreFrom: DatabaseBackup.pointInTime("orders_old") }, "DATABASE_RESTORE restoreFrom"],
    [{ restoreFrom: DatabaseBackup.pointInTime("orders", "yesterday") }, "DATABASE_RESTORE restoreFrom"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => new PostgresDatabase(ordersStack().data, "Database", props))).toEqual([expected]);
  });

  it("runs in a network: the platform's, or a given one", () => {
    const plain = () => new AwsStack(ordersStack().node.root as never, "plain", { environment: DEV, lifetime: "data" });
    expect(refusals(() => new PostgresDatabase(plain(), "Database"))).toEqual(["BACKING_VPC vpc"]);
    const stack = plain();
    const vpc = Vpc.fromAttributes(stack, "Vpc", {
      vpcId: "vpc-0a1b2c3d4e5f60718",
      publicSubnetIds: ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
      privateSubnetIds: ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
    });
    new PostgresDatabase(stack, "Database", { vpc });
    expect(only(stack, "aws_db_subnet_group")).toMatchObject({
      subnet_ids: ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
    });
  });
});

describe("existingDatabase", () => {
  const CREDENTIALS = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf";
  const orders: DatabaseAttributes = {
    host: "orders.example.com",
    databaseName: "orders",
    user: "orders",
    credentialsArn: CREDENTIALS,
  };

  it("replaces an own one: same variables, the password is read for every connection", () => {
    const { variables, granted, ways } = using((stack) =>
      existingDatabase(stack, "Database", { ...orders, port: 6432 }),
    );
    const own = using(({ data }) => new PostgresDatabase(data, "Database")).variables;
    const names = (of: object) => Object.keys(of).filter((name) => name.startsWith("PG"));
    expect(names(variables)).toEqual(
      names(own)
        .map((name) => (name === "PG_IAM_ARN" ? "PG_CREDENTIALS_ARN" : name))
        .sort(),
    );
    expect(variables).toMatchObject({ PGHOST: "orders.example.com", PGPORT: "6432", PGUSER: "orders" });
    expect(granted("TaskRole")).toEqual([
      expect.stringMatching(/^kms:Decrypt .*:key\/\*$/),
      `secretsmanager:GetSecretValue ${CREDENTIALS}`,
    ]);
    expect(granted("AdminRole")).toBeUndefined();
    expect(ways).toContain("Orders_Connections_ToInternet6432 6432");
  });

  it("allows the service if its security group is set", () => {
    const { stack, ways } = using((stack) =>
      existingDatabase(stack, "Database", { ...orders, securityGroupId: "sg-0a1b2c3d4e5f60718" }),
    );
    expect(ways).toContain("Orders_Connections_ToUseDatabaseOut 5432");
    expect(only(stack, "aws_vpc_security_group_ingress_rule")).toMatchObject({
      security_group_id: "sg-0a1b2c3d4e5f60718",
      from_port: 5432,
    });
  });

  it.each<[Partial<DatabaseAttributes>, string]>([
    // Rules for the internet are named after the port.
    [{ port: Token.asNumber(ref("var.port")) }, "DATABASE_PORT port"],
    [{ host: "postgres://me@orders" }, "DATABASE_HOST host"],
    [{ port: 0 }, "DATABASE_PORT port"],
    [{ credentialsArn: "hunter2" }, "DATABASE_CREDENTIALS credentialsArn"],
    [{ credentialsArn: `${CREDENTIALS}:password::` }, "DATABASE_CREDENTIALS credentialsArn"],
    [{ connectionsPerTask: 1.5 }, "DATABASE_POOL connectionsPerTask"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => existingDatabase(ordersStack(), "Database", { ...orders, ...props }))).toEqual([expected]);
  });
});

describe("Cache", () => {
  it("is one small encrypted node in dev, without a password anywhere", () => {
    const { data } = ordersStack();
    new Cache(data, "Cache");
    expect(only(data, "aws_elasticache_replication_group")).toMatchObject({
      replication_group_id: "orders-dev-cache",
      engine: "valkey",
      engine_version: "8.0",
      lifecycle: { ignore_changes: ["engine_version"] },
      node_type: "cache.t4g.micro",
      num_cache_clusters: 1,
      automatic_failover_enabled: false,
      at_rest_encryption_enabled: "true",
      transit_encryption_enabled: true,
      transit_encryption_mode: "required",
    });
    expect(only(data, "aws_elasticache_replication_group")).not.toHaveProperty("auth_token");
    expect(only(data, "aws_elasticache_user")).toMatchObject({
      user_id: "orders-dev-cache",
      user_name: "orders-dev-cache",
      authentication_mode: { type: "iam" },
      access_string: "on ~* +@all -@dangerous +info",
    });
  });

  it("has a replica in another zone in production", () => {
    const { data } = ordersStack(PRODUCTION);
    new Cache(data, "Cache");
    expect(only(data, "aws_elasticache_replication_group")).toMatchObject({
      num_cache_clusters: 2,
      automatic_failover_enabled: true,
      multi_az_enabled: true,
      snapshot_retention_limit: 7,
    });
  });

  it("used by a service has variables, IAM sign-in, network access and an alarm", () => {
    const { variables, granted, orders, ways } = using(({ data }) => new Cache(data, "Cache"));
    expect(variables.REDIS_URL).toMatch(/^rediss:\/\/\$\{.*host.*\}:6379$/);
    expect(variables.REDIS_USERNAME).toBe("orders-dev-cache");
    expect(variables.REDIS_IAM_ARN).toMatch(/:elasticache:eu-central-1:.*:replicationgroup:orders-dev-cache$/);
    expect(granted("TaskRole")).toEqual([
      `elasticache:Connect ${variables.REDIS_IAM_ARN} ${variables.REDIS_IAM_ARN?.replace("replicationgroup", "user")}`,
    ]);
    expect(ways).toContain("Orders_Connections_ToUseCacheOut 6379");
    expect(orders.alarms.map(({ alarmName }) => alarmName)).toEqual(["orders-dev-cache-health"]);
  });

  it.each<[CacheProps, string]>([
    [{ node: "cache.m1.small" as never }, "CACHE_NODE node"],
    [{ replicas: 6 }, "CACHE_REPLICAS replicas"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => new Cache(ordersStack().data, "Cache", props))).toEqual([expected]);
  });

  it("can be owned by another app, with its password by reference", () => {
    const passwordArn = "arn:aws:ssm:eu-central-1:123456789012:parameter/cache";
    const { variables, secrets, ways } = using((stack) =>
      existingCache(stack, "Cache", { url: "rediss://cache.example.com", user: "orders", passwordArn }),
    );
    expect(variables).toMatchObject({ REDIS_URL: "rediss://cache.example.com", REDIS_USERNAME: "orders" });
    expect(secrets).toEqual([{ name: "REDIS_PASSWORD", valueFrom: passwordArn }]);
    expect(ways).toContain("Orders_Connections_ToInternet6379 6379");
    const known = using((stack) =>
      existingCache(stack, "Cache", { url: "redis://cache:7000", securityGroupId: "sg-0a1b2c3d4e5f60718" }),
    );
    expect(known.ways).toContain("Orders_Connections_ToUseCacheOut 7000");
  });

  it.each<[CacheAttributes, string]>([
    [{ url: "rediss://:canary@cache" }, "CACHE_URL url"],
    [{ url: "https://cache" }, "CACHE_URL url"],
    [{ url: "rediss://cache", passwordArn: "canary" }, "CACHE_PASSWORD passwordArn"],
  ])("refuses %j, and does not print it", (props, expected) => {
    const make = () => existingCache(ordersStack(), "Cache", props);
    expect(refusals(make)).toEqual([expected]);
    expect(make).toThrow(expect.objectContaining({ message: expect.not.stringContaining("canary") }));
  });
});
