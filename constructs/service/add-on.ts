import type { Construct } from "constructs";
import type { IAlarm, Signal } from "../core/alarm";
import type { Connections } from "../core/connections";
import type { IGrantable } from "../core/iam";
import type { Deployment } from "./deployment/strategy-props";
import type { Process } from "./task/process";
import type { Sidecar } from "./task/sidecar";

/** A target group of a load balancer. */
export interface TargetGroup {
  readonly targetGroupArn: string;
  /** Last part of the ARN, which is the dimension of the target group in the load balancer's metrics. */
  readonly targetGroupArnSuffix: string;
}

/** Resources with which a deployment shifts traffic from one target group to the other. */
export interface TargetShift {
  /** Second target group; each deployment changes which of the two receives the traffic. */
  readonly alternate: TargetGroup;
  /** Names of both target groups. */
  readonly names: readonly [string, string];
  readonly listenerArn: string;
  /** ARN of the listener rule that forwards to them. */
  readonly ruleArn: string;
}

/** A target group that the service's tasks join. */
export interface Target extends TargetGroup {
  readonly loadBalancerArnSuffix: string;
  /** Addresses of resources that must exist before the service: the listener rule of the target group. */
  readonly dependsOn: readonly string[];
  /** URL that reaches the target group, shown by `antifragile show` and `status`. @default - the URL within the platform */
  readonly url?: string;
  /**
   * Required if {@link ServiceHost.deployment} shifts traffic. @default - a single target group, whose tasks are replaced
   */
  readonly shift?: TargetShift;
}

/** Effect of an alarm that an add-on adds to its service. */
export interface AlarmOptions {
  /**
   * Rolls back a deployment in progress when the alarm fires. Only for conditions that a new version can cause.
   *
   * @default false
   */
  readonly rollsBack?: boolean;
}

/**
 * Operations that an add-on may perform on a service.
 *
 * Add-ons depend on this interface rather than on the service, so that they know neither the service nor each other.
 */
export interface ServiceHost extends IGrantable {
  /** Scope for the add-on's constructs. */
  readonly scope: Construct;
  /** Name of the service: `orders`. */
  readonly serviceName: string;
  readonly process: Process;
  /** Network access of the service. */
  readonly connections: Connections;
  /** Maximum duration of a request after its task has received SIGTERM, in whole seconds. */
  readonly deregistrationSeconds: number;
  /** True if ECS Exec is enabled. */
  readonly exec: boolean;
  /** Deployment strategy of the service, which may require a second target group. */
  readonly deployment: Deployment;
  /** Target groups that its tasks are in. Complete once all add-ons are added. */
  targets(): readonly Target[];
  /** Metrics of the service. Complete once all add-ons are added. */
  signals(): readonly Signal[];
  /** Adds a metric to the service's dashboards. Evaluated once all add-ons are added. */
  addSignal(signal: () => Signal): void;
  /** Alarms of the service. Complete once all add-ons are added. */
  alarms(): readonly IAlarm[];
  /** Sets an environment variable of the app's container. Setting it twice is an error. */
  addEnvironment(name: string, value: string): void;
  /**
   * Sets an environment variable of the app's container from a secret or parameter, by ARN. The value appears in no plan and
   * no state.
   */
  addSecret(name: string, valueFrom: string): void;
  addSidecar(sidecar: Sidecar): void;
  addTarget(target: Target): void;
  /** Allows AWS FIS to affect the network of tasks, whose containers then share a process namespace. */
  allowNetworkFaults(): void;
  /** Adds an alarm on the service, or on a resource that it uses, to the service's `alarms`. */
  addAlarm(alarm: IAlarm, options?: AlarmOptions): void;
}

/**
 * An extension that is added to a service with `service.add(...)`: `Ingress` for requests from the load balancer,
 * `Telemetry` for traces and metrics of the app, `ServiceLevel` for a service level objective,
 * `ServiceDashboard` for a dashboard, or your own.
 */
export interface ServiceAddOn {
  /** Name, unique within the service and part of addresses. */
  readonly name: string;
  bind(host: ServiceHost): void;
}
