/**
 * How many of a thing AWS gives every account, in a region or on one balancer. All can be raised on request.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
 */
export const QUOTAS = {
  /** VPCs in a region. */
  vpcs: 5,
  /** Elastic IP addresses in a region; a NAT gateway takes one. */
  elasticIps: 5,
  /** Listener rules of one load balancer, its default ones left out. */
  rulesPerLoadBalancer: 100,
  /** Target groups of one balancer. */
  targetGroupsPerLoadBalancer: 100,
} as const;

export type Quota = keyof typeof QUOTAS;
