export { Cluster, type ClusterProps, type ICluster } from "./cluster";
