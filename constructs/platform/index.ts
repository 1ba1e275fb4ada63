/**
 * The base that services share in one environment: VPC, cluster, load balancer, and stacks for services and their
 * data.
 *
 * @module
 */
export type { AlarmRecipients, SlackChannel } from "./alarm-topic";
export {
  DataStack,
  type ExistingPlatformProps,
  type IPlatform,
  Platform,
  type PlatformProps,
  ServiceStack,
} from "./platform";
