/** First part of ARNs in a region, where AWS cannot be asked: `aws`, `aws-cn`, `aws-us-gov`. */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/**
 * Domain name of a service in a region, also the value of `kms:ViaService`: `sqs.eu-central-1.amazonaws.com`.
 *
 * @param partition a region of the same partition, for a region that is known only at apply
 */
export function endpointOf(service: string, region: string, partition = region): string {
  return `${service}.${region}.amazonaws.com${partition.startsWith("cn-") ? ".cn" : ""}`;
}
