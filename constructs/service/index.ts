export { CloudNativeService, type CloudNativeServiceProps, type Scaling } from "./cloud-native-service";
export type { BackingService, ServiceAddOn, ServiceHost, Sidecar, Target } from "./host";
export { Image } from "./image";
export { Ingress, type IngressProps } from "./ingress";
export { RELEASE_OWNERS, type ReleaseOwner } from "./lifecycle";
export { type Process, type WebProcess, web } from "./process";
export type { ShutdownBudget } from "./shutdown";
export type { TaskSize } from "./task-size";
