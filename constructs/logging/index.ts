/**
 * Log groups with a retention period, and further destinations of their lines: archives, OpenSearch, HTTP endpoints.
 *
 * @module
 */
export { type ILogArchive, LogArchive, type LogArchiveProps } from "./archive";
export {
  type AccountDestination,
  type ArchiveDestination,
  anotherAccount,
  archive,
  type HttpDestination,
  httpEndpoint,
  type KinesisDestination,
  kinesis,
  type LogDestination,
  type OpenSearchDestination,
  type OpenSearchOptions,
  openSearch,
  sharedArchive,
} from "./destinations";
export {
  DELIVERIES,
  type Delivery,
  type ILogStream,
  LogStream,
  LogStreamGrants,
  type LogStreamProps,
  type MetricFilter,
} from "./log-stream";
