import type { Construct } from "constructs";
import type { IAlarm, Signal } from "../core/alarm";
import type { Connections } from "../core/connections";
import type { IGrantable } from "../core/iam";
import type { Deployment } from "./deployment/strategy-props";
import type { Process } from "./task/process";
import type { Sidecar } from "./task/sidecar";

/** A load balancer's target group. */
export interface TargetGroup {
  readonly targetGroupArn: string;
  /** Last part of the ARN: a dimension of the load balancer's measures about this group alone. */
  readonly targetGroupArnSuffix: string;
}

/** What a deployment moves requests with, from one target group to the other. */
export interface TargetShift {
  /** The second group: which of the two has the requests changes with each deployment. */
  readonly alternate: TargetGroup;
  /** Names of both groups. */
  readonly names: readonly [string, string];
  readonly listenerArn: string;
  /** The rule that forwards to them. */
  readonly ruleArn: string;
}

/** A load balancer's target group that the service's tasks join. */
export interface Target extends TargetGroup {
  readonly loadBalancerArnSuffix: string;
  /** Addresses of what must exist before the service: the rule that ties the target group to a balancer. */
  readonly dependsOn: readonly string[];
  /** Demanded where {@link ServiceHost.deployment} moves requests. @default - one group, whose tasks are replaced */
  readonly shift?: TargetShift;
}

export interface AlarmOptions {
  /**
   * Whether a deployment that runs goes back when it goes off. Only for what a new version can be to blame for.
   *
   * @default false
   */
  readonly rollsBack?: boolean;
}

/**
 * What an add-on may do to a service; all that it may do.
 *
 * Add-ons see this and not the service, so that they know neither it nor each other.
 */
export interface ServiceHost extends IGrantable {
  /** Where the add-on puts its constructs. */
  readonly scope: Construct;
  /** Name of the service: `orders`. */
  readonly serviceName: string;
  readonly process: Process;
  /** The service's place in the network. */
  readonly connections: Connections;
  /** How long a request may still take when a task was told to end, in whole seconds. */
  readonly deregistrationSeconds: number;
  /** Whether people are let into tasks. */
  readonly exec: boolean;
  /** How a new version of the service goes live: it may ask for a second target group. */
  readonly deployment: Deployment;
  /** Target groups that its tasks are in, once all add-ons are there. */
  targets(): readonly Target[];
  /** All that there is to measure of it, once all add-ons are there. */
  signals(): readonly Signal[];
  /** Tells of one more thing that can be measured of it, for pictures; asked for once all add-ons are there. */
  addSignal(signal: () => Signal): void;
  /** All that watches it, once all add-ons are there. */
  alarms(): readonly IAlarm[];
  /** Sets a variable of the app's container. Setting one twice is an error. */
  addEnvironment(name: string, value: string): void;
  /** Sets a variable of the app's container from a secret or parameter, by ARN; the value is in no plan and no state. */
  addSecret(name: string, valueFrom: string): void;
  addSidecar(sidecar: Sidecar): void;
  addTarget(target: Target): void;
  /** Lets AWS FIS into the network of tasks, whose containers then see each other's processes. */
  allowNetworkFaults(): void;
  /** Tells that something watches the service, or what it uses: it then counts among the service's `alarms`. */
  addAlarm(alarm: IAlarm, options?: AlarmOptions): void;
}

/** Something added to a service by `service.add(...)`. */
export interface ServiceAddOn {
  /** Unique within the service: part of addresses. */
  readonly name: string;
  bind(host: ServiceHost): void;
}
