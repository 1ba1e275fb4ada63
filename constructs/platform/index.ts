export {
  DataStack,
  type ExistingPlatformProps,
  type IPlatform,
  Platform,
  type PlatformProps,
  ServiceStack,
} from "./platform";
