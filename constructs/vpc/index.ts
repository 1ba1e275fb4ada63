/**
 * Networks: VPCs with their subnets, gateways and endpoints, created or existing.
 *
 * @module
 */
export {
  type ExistingVpc,
  existingVpc,
  type IVpc,
  Vpc,
  type VpcAttributes,
} from "./vpc";
export { EGRESSES, type Egress, FLOW_LOGS, type FlowLogs, type VpcProps } from "./vpc-props";
