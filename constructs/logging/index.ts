export {
  DELIVERIES,
  type Delivery,
  type ILogStream,
  LogStream,
  LogStreamGrants,
  type LogStreamProps,
} from "./log-stream";
