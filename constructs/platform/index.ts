export type { AlarmRecipients, SlackChannel } from "./alarm-topic";
export {
  DataStack,
  type ExistingPlatformProps,
  type IPlatform,
  Platform,
  type PlatformProps,
  ServiceStack,
} from "./platform";
