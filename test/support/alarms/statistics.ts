/** Reads `p99` and `p99.9`; undefined for other statistics. */
export function percentileOf(statistic: string): number | undefined {
  const found = /^p(\d+(?:\.\d+)?)$/.exec(statistic);
  return found === null ? undefined : Number(found[1]);
}

/**
 * Fewest samples from which CloudWatch takes a percentile for significant.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
 */
export function significantSamples(percentile: number): number {
  const fraction = percentile / 100;
  return Math.round(10 / (fraction >= 0.5 ? 1 - fraction : fraction));
}

/**
 * Computes a statistic of CloudWatch over all samples of a period; undefined where there are none. AWS does not document how
 * it interpolates percentiles: this takes the nearest rank.
 *
 * @throws Error for a statistic that is not computed here
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 */
export function statisticOf(statistic: string, samples: readonly number[]): number | undefined {
  if (samples.length === 0) return undefined;
  const sum = () => samples.reduce((total, sample) => total + sample, 0);
  const percentile = percentileOf(statistic);
  if (percentile !== undefined) {
    const sorted = [...samples].sort((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)];
  }
  const most = /^TC\(:(\d+(?:\.\d+)?)\)$/.exec(statistic)?.[1];
  if (most !== undefined) return samples.filter((sample) => sample <= Number(most)).length;
  switch (statistic) {
    case "SampleCount":
      return samples.length;
    case "Sum":
      return sum();
    case "Average":
      return sum() / samples.length;
    case "Minimum":
      return Math.min(...samples);
    case "Maximum":
      return Math.max(...samples);
    default:
      throw new Error(
        `The statistic ${JSON.stringify(statistic)} is not computed here. Use SampleCount, Sum, Average, Minimum, Maximum, pNN or TC(:N).`,
      );
  }
}
