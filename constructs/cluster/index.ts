export { Capacity, type Share } from "./capacity";
export {
  type CapacityProviderShare,
  Cluster,
  type ClusterAttributes,
  type ClusterMachines,
  type ClusterProps,
  type Exec,
  type ICluster,
} from "./cluster";
