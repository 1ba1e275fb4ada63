export {
  type ExistingNetwork,
  existingNetwork,
  type INetwork,
  Network,
  type NetworkAttributes,
} from "./network";
export { EGRESSES, type Egress, FLOW_LOGS, type FlowLogs, type NetworkProps } from "./settings";
