/**
 * ECS clusters and their capacity: Fargate, Fargate Spot, or EC2 instances.
 *
 * @module
 */
export { Capacity, type CapacityOptions, type ClusterInstances } from "./capacity";
export {
  type CapacityProviderStrategyItem,
  Cluster,
  type ClusterProps,
  type Exec,
  type ICluster,
  type InstanceGroup,
} from "./cluster";
export { type ClusterAttributes, type ExistingCluster, existingCluster } from "./imported-cluster";
