/**
 * Default quotas of an AWS account, for a region or a load balancer. All can be raised on request.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
 */
export const QUOTAS = {
  /** VPCs in a region. */
  vpcs: 5,
  /** Elastic IP addresses in a region; each NAT gateway uses one. */
  elasticIps: 5,
  /** Listener rules of one load balancer, not counting default rules. */
  rulesPerLoadBalancer: 100,
  /** Target groups of one load balancer. */
  targetGroupsPerLoadBalancer: 100,
  /** Certificates of one load balancer, not counting default certificates. */
  certificatesPerLoadBalancer: 25,
  /** Rules of one security group, in each direction. */
  rulesPerSecurityGroup: 60,
  /** Managed policies attached to one IAM role. */
  managedPoliciesPerRole: 10,
} as const;

/** AWS quota that the constructs check. */
export type Quota = keyof typeof QUOTAS;
