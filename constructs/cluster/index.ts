export { Capacity, type CapacityOptions } from "./capacity";
export {
  type CapacityProviderStrategyItem,
  Cluster,
  type ClusterAttributes,
  type ClusterProps,
  type Exec,
  type ICluster,
  type InstanceGroup,
} from "./cluster";
