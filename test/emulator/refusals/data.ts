import { aws, type Case, network } from "./account";

const rds = (operation: string, params: object = {}) => aws.call("rds", operation, { ...params });
const cache = (operation: string, params: object = {}) => aws.call("elasticache", operation, { ...params });
const dynamodb = (operation: string, params: object = {}) => aws.call("dynamodb", operation, { ...params });

const INSTANCE = {
  DBInstanceIdentifier: "orders",
  DBInstanceClass: "db.t4g.small",
  Engine: "postgres",
  EngineVersion: "16",
  AllocatedStorage: 20,
  MasterUsername: "master",
  MasterUserPassword: "correct-horse",
};
const CLUSTER = {
  DBClusterIdentifier: "orders",
  Engine: "aurora-postgresql",
  EngineVersion: "16.4",
  MasterUsername: "master",
  MasterUserPassword: "correct-horse",
};
const { DBInstanceIdentifier } = INSTANCE;
const { DBClusterIdentifier } = CLUSTER;
const instance = (change: object = {}) => rds("CreateDBInstance", { ...INSTANCE, ...change });
const cluster = (change: object = {}) => rds("CreateDBCluster", { ...CLUSTER, ...change });
const modifyInstance = (change: object) => rds("ModifyDBInstance", { DBInstanceIdentifier, ...change });
const modifyCluster = (change: object) => rds("ModifyDBCluster", { DBClusterIdentifier, ...change });
const deleteInstance = (change: object = {}) => rds("DeleteDBInstance", { DBInstanceIdentifier, ...change });
const deleteCluster = (change: object = {}) => rds("DeleteDBCluster", { DBClusterIdentifier, ...change });
const SKIP = { SkipFinalSnapshot: true };
const FINAL = { FinalDBSnapshotIdentifier: "orders-final" };
const parameterGroup = (DBParameterGroupName: string, DBParameterGroupFamily = "postgres16") =>
  rds("CreateDBParameterGroup", { DBParameterGroupName, DBParameterGroupFamily, Description: "orders" });
const clusterParameterGroup = (DBClusterParameterGroupName: string, DBParameterGroupFamily: string) =>
  rds("CreateDBClusterParameterGroup", { DBClusterParameterGroupName, DBParameterGroupFamily, Description: "orders" });
/** A list whose items have a name of their own in the query. */
const named = (name: string, values: readonly string[]) =>
  Object.fromEntries(values.map((value, index) => [`${name}.${index + 1}`, value]));
const subnetGroup = (subnets: readonly string[], DBSubnetGroupName = "orders") =>
  rds("CreateDBSubnetGroup", {
    DBSubnetGroupName,
    DBSubnetGroupDescription: "orders",
    SubnetIds: named("SubnetIdentifier", subnets),
  });

const GROUP = {
  ReplicationGroupId: "orders",
  ReplicationGroupDescription: "orders",
  Engine: "valkey",
  EngineVersion: "8.1",
  CacheNodeType: "cache.t4g.micro",
  NumCacheClusters: 2,
};
const { ReplicationGroupId } = GROUP;
const cacheGroup = (change: object = {}) => cache("CreateReplicationGroup", { ...GROUP, ...change });
const modifyCache = (change: object) => cache("ModifyReplicationGroup", { ReplicationGroupId, ...change });
const deleteCache = (change: object = {}) => cache("DeleteReplicationGroup", { ReplicationGroupId, ...change });
const cacheParameters = (CacheParameterGroupName: string, CacheParameterGroupFamily = "valkey8") =>
  cache("CreateCacheParameterGroup", { CacheParameterGroupName, CacheParameterGroupFamily, Description: "orders" });
const cacheUsers = (UserGroupId: string) => cache("CreateUserGroup", { UserGroupId, Engine: "valkey" });

const table = (TableName: string, change: object = {}) =>
  dynamodb("CreateTable", {
    TableName,
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
    ...change,
  });
const queue = (QueueName: string, VisibilityTimeout: string) =>
  aws.call("sqs", "CreateQueue", { QueueName, Attributes: { VisibilityTimeout } });

const CONSTRAINT =
  "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>";

export const cases: Record<string, Case> = {
  // RDS
  "rds-major-version": {
    given: instance,
    refused: () => modifyInstance({ EngineVersion: "17" }),
    accepted: () => modifyInstance({ EngineVersion: "17", AllowMajorVersionUpgrade: true }),
  },
  "rds-downgrade": {
    given: cluster,
    refused: () => modifyCluster({ EngineVersion: "16.3", AllowMajorVersionUpgrade: true }),
    accepted: () => modifyCluster({ EngineVersion: "16.6" }),
  },
  "rds-parameter-group-family": {
    given: async () => {
      await parameterGroup("on-16");
      await parameterGroup("on-17", "postgres17");
      await instance({ DBParameterGroupName: "on-16" });
      await clusterParameterGroup("cluster-16", "aurora-postgresql16");
    },
    refused: () => modifyInstance({ EngineVersion: "17", AllowMajorVersionUpgrade: true }),
    accepted: async () => {
      await modifyInstance({ EngineVersion: "17", AllowMajorVersionUpgrade: true, DBParameterGroupName: "on-17" });
      return cluster({ DBClusterParameterGroupName: "cluster-16" });
    },
  },
  "rds-custom-instance-group": {
    given: async () => {
      await parameterGroup("on-16", "aurora-postgresql16");
      await cluster();
      await rds("CreateDBInstance", {
        DBInstanceIdentifier: "first",
        DBInstanceClass: "db.serverless",
        Engine: "aurora-postgresql",
        DBClusterIdentifier,
        DBParameterGroupName: "on-16",
      });
    },
    refused: () => modifyCluster({ EngineVersion: "17.4", AllowMajorVersionUpgrade: true }),
    accepted: () =>
      modifyCluster({
        EngineVersion: "17.4",
        AllowMajorVersionUpgrade: true,
        DBInstanceParameterGroupName: "default.aurora-postgresql17",
      }),
  },
  "rds-storage-shrink": {
    given: () => instance({ AllocatedStorage: 100 }),
    refused: () => modifyInstance({ AllocatedStorage: 50 }),
    accepted: () => modifyInstance({ AllocatedStorage: 200 }),
  },
  "rds-final-snapshot": {
    given: instance,
    refused: () => deleteInstance(),
    accepted: () => deleteInstance(FINAL),
  },
  "rds-parameter-group-in-use": {
    given: async () => {
      await parameterGroup("used");
      await parameterGroup("unused");
      await instance({ DBParameterGroupName: "used" });
    },
    refused: () => rds("DeleteDBParameterGroup", { DBParameterGroupName: "used" }),
    accepted: () => rds("DeleteDBParameterGroup", { DBParameterGroupName: "unused" }),
  },
  "rds-subnet-group-in-use": {
    given: async () => {
      await subnetGroup((await network()).subnets);
      await instance({ DBSubnetGroupName: "orders" });
    },
    refused: () => rds("DeleteDBSubnetGroup", { DBSubnetGroupName: "orders" }),
    accepted: async () => {
      await deleteInstance(SKIP);
      return rds("DeleteDBSubnetGroup", { DBSubnetGroupName: "orders" });
    },
  },
  "rds-cluster-exists": {
    given: cluster,
    refused: () => cluster(),
    accepted: () => cluster({ DBClusterIdentifier: "other" }),
  },
  "rds-subnet-group-exists": {
    given: async () => {
      const { subnets } = await network();
      await subnetGroup(subnets);
      return subnets;
    },
    refused: (subnets) => subnetGroup(subnets),
    accepted: (subnets) => subnetGroup(subnets, "other"),
  },
  "rds-instance-exists": {
    given: instance,
    refused: () => instance(),
    accepted: () => instance({ DBInstanceIdentifier: "other" }),
  },
  "rds-parameter-group-exists": {
    given: () => parameterGroup("same"),
    refused: () => parameterGroup("same"),
    accepted: () => parameterGroup("other"),
  },
  "rds-snapshot-exists": {
    // A database that is created again after it was deleted with a final snapshot.
    given: async () => {
      await instance();
      await deleteInstance(FINAL);
      await instance();
    },
    refused: () => deleteInstance(FINAL),
    accepted: () => deleteInstance({ FinalDBSnapshotIdentifier: "orders-final-2" }),
  },
  "rds-cluster-snapshot-exists": {
    given: async () => {
      await cluster();
      await deleteCluster(FINAL);
      await cluster();
    },
    refused: () => deleteCluster(FINAL),
    accepted: () => deleteCluster({ FinalDBSnapshotIdentifier: "orders-final-2" }),
  },
  "rds-instance-protected": {
    given: () => instance({ DeletionProtection: true }),
    refused: () => deleteInstance(SKIP),
    accepted: async () => {
      await modifyInstance({ DeletionProtection: false });
      return deleteInstance(SKIP);
    },
  },
  "rds-cluster-protected": {
    given: () => cluster({ DeletionProtection: true }),
    refused: () => deleteCluster(SKIP),
    accepted: async () => {
      await modifyCluster({ DeletionProtection: false });
      return deleteCluster(SKIP);
    },
  },

  // ElastiCache
  "cache-downgrade": {
    given: cacheGroup,
    refused: () => modifyCache({ EngineVersion: "8.0" }),
    accepted: () => modifyCache({ EngineVersion: "8.2" }),
  },
  "cache-parameter-group-family": {
    given: async () => {
      await cacheParameters("on-7", "valkey7");
      await cacheParameters("on-8");
    },
    refused: () => cacheGroup({ CacheParameterGroupName: "on-7" }),
    accepted: () => cacheGroup({ CacheParameterGroupName: "on-8" }),
  },
  "cache-snapshot-exists": {
    given: async () => {
      await cacheGroup();
      await deleteCache({ FinalSnapshotIdentifier: "orders-final" });
      await cacheGroup();
    },
    refused: () => deleteCache({ FinalSnapshotIdentifier: "orders-final" }),
    accepted: () => deleteCache({ FinalSnapshotIdentifier: "orders-final-2" }),
  },
  "cache-subnet-group-in-use": {
    given: async () => {
      const SubnetIds = named("SubnetIdentifier", (await network()).subnets);
      const group = { CacheSubnetGroupName: "orders", CacheSubnetGroupDescription: "orders", SubnetIds };
      await cache("CreateCacheSubnetGroup", group);
      await cacheGroup({ CacheSubnetGroupName: "orders" });
    },
    refused: () => cache("DeleteCacheSubnetGroup", { CacheSubnetGroupName: "orders" }),
    accepted: async () => {
      await deleteCache();
      return cache("DeleteCacheSubnetGroup", { CacheSubnetGroupName: "orders" });
    },
  },
  "cache-parameter-group-in-use": {
    given: async () => {
      await cacheParameters("used");
      await cacheGroup({ CacheParameterGroupName: "used" });
    },
    refused: () => cache("DeleteCacheParameterGroup", { CacheParameterGroupName: "used" }),
    accepted: async () => {
      await deleteCache();
      return cache("DeleteCacheParameterGroup", { CacheParameterGroupName: "used" });
    },
  },
  "cache-user-group-in-use": {
    given: async () => {
      await cacheUsers("orders");
      await cacheGroup({ UserGroupIds: ["orders"] });
    },
    refused: () => cache("DeleteUserGroup", { UserGroupId: "orders" }),
    accepted: async () => {
      await deleteCache();
      return cache("DeleteUserGroup", { UserGroupId: "orders" });
    },
  },
  "cache-parameter-group-exists": {
    given: () => cacheParameters("same"),
    refused: () => cacheParameters("same"),
    accepted: () => cacheParameters("other"),
  },
  "cache-user-group-exists": {
    given: () => cacheUsers("same"),
    refused: () => cacheUsers("same"),
    accepted: () => cacheUsers("other"),
  },
  "cache-group-exists": {
    given: cacheGroup,
    refused: () => cacheGroup(),
    accepted: () => cacheGroup({ ReplicationGroupId: "other" }),
  },

  // DynamoDB, SQS, S3
  "table-exists": {
    given: () => table("orders"),
    refused: () => table("orders"),
    accepted: () => table("other"),
  },
  "table-protected": {
    given: () => table("orders", { DeletionProtectionEnabled: true }),
    refused: () => dynamodb("DeleteTable", { TableName: "orders" }),
    accepted: async () => {
      await dynamodb("UpdateTable", { TableName: "orders", DeletionProtectionEnabled: false });
      return dynamodb("DeleteTable", { TableName: "orders" });
    },
  },
  "table-expires-by-another-attribute": {
    given: async () => {
      await table("orders");
      const expires = (AttributeName: string, Enabled: boolean) =>
        dynamodb("UpdateTimeToLive", {
          TableName: "orders",
          TimeToLiveSpecification: { AttributeName, Enabled },
        });
      await expires("until", true);
      return expires;
    },
    refused: (expires) => expires("expires", true),
    accepted: async (expires) => {
      await expires("until", false);
      return expires("expires", true);
    },
  },
  "queue-exists": {
    given: () => queue("orders", "30"),
    refused: () => queue("orders", "60"),
    accepted: () => queue("orders", "30"),
  },
  "bucket-exists": {
    given: () => aws.rest("s3", "PUT", "/orders", CONSTRAINT),
    refused: () => aws.rest("s3", "PUT", "/orders", CONSTRAINT),
    accepted: () => aws.rest("s3", "PUT", "/other", CONSTRAINT),
  },
  "s3-not-empty": {
    given: async () => {
      await aws.rest("s3", "PUT", "/logs", CONSTRAINT);
      await aws.rest("s3", "PUT", "/logs/one", "x");
    },
    refused: () => aws.rest("s3", "DELETE", "/logs"),
    accepted: async () => {
      await aws.rest("s3", "DELETE", "/logs/one");
      return aws.rest("s3", "DELETE", "/logs");
    },
  },
};
