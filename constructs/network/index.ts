export { EGRESSES, type Egress, type INetwork, Network, type NetworkProps } from "./network";
