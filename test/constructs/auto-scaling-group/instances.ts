import { AutoScalingGroup, type AutoScalingGroupProps } from "../../../constructs";
import { DEV, resources, shop } from "../../support/synth";

/** Properties that a test sets. */
export type Props = Partial<AutoScalingGroupProps>;

/** A platform with instances on it. */
export function withInstances(props: Props = {}, environment = DEV, platform = shop(environment)) {
  const group = new AutoScalingGroup(platform, "Instances", { cluster: "none", ...props });
  return { platform, group };
}
export const instances = (props: Props = {}, environment = DEV) => withInstances(props, environment).platform;
/** A platform with instances in its cluster. */
export const inCluster = (props: Props = {}, environment = DEV) => {
  const platform = shop(environment);
  return withInstances({ cluster: platform.cluster, ...props }, environment, platform);
};
/** A platform, and properties that register instances with its load balancer. */
export const registerWith = (props: Partial<NonNullable<Props["registerWith"]>> = {}) => {
  const platform = shop();
  return { platform, props: { registerWith: { port: 8080, ...props } } };
};
export const policies = (platform: ReturnType<typeof shop>) =>
  Object.keys(resources(platform, "aws_autoscaling_policy"));
