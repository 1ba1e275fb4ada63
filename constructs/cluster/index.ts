export { Capacity, type CapacityOptions, type ClusterInstances } from "./capacity";
export {
  type CapacityProviderStrategyItem,
  Cluster,
  type ClusterAttributes,
  type ClusterProps,
  type Exec,
  type ExistingCluster,
  existingCluster,
  type ICluster,
  type InstanceGroup,
} from "./cluster";
