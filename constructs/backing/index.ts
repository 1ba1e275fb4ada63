/**
 * Backing services that a service attaches by `use(...)`: databases, caches, queues, topics, buckets, tables, and
 * services outside of AWS.
 *
 * @module
 */
export { Bucket, BucketGrants, type BucketProps, existingBucket, type IBucket } from "./bucket";
export {
  CACHE_NODES,
  Cache,
  type CacheAttributes,
  type CacheNode,
  type CacheProps,
  existingCache,
  type ICache,
} from "./cache";
export { DatabaseBackup } from "./database-backup";
export { DatabaseCapacity } from "./database-capacity";
export { type DatabaseAttributes, existingDatabase } from "./existing-database";
export { ExternalService, type ExternalServiceProps } from "./external-service";
export type { AdminHost, BackingHost, BackingService } from "./host";
export { PostgresDatabase } from "./postgres-database";
export {
  type IDatabase,
  POSTGRES_VERSIONS,
  type PostgresDatabaseProps,
  type PostgresVersion,
} from "./postgres-database-props";
export { existingQueue, type IQueue, Queue, QueueGrants, type QueueProps } from "./queue";
export {
  existingTable,
  type ITable,
  KEY_TYPES,
  type KeyType,
  Table,
  TableGrants,
  type TableIndex,
  type TableKey,
  type TableProps,
} from "./table";
export { existingTopic, type ITopic, Topic, TopicGrants, type TopicProps } from "./topic";
