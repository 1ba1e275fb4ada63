import type { Construct } from "constructs";
import type { IAlarm } from "../core/alarm";
import type { Connections } from "../core/connections";
import type { IGrantable } from "../core/iam";

/** Settings of the service's admin processes only, such as permissions to change the schema, which the app lacks. */
export interface AdminHost extends IGrantable {
  /** Sets an environment variable of admin processes only. */
  addEnvironment(name: string, value: string): void;
}

/** Operations that a backing service may perform on the service that uses it. */
export interface BackingHost extends IGrantable {
  /** Scope of the resources that belong to the service. */
  readonly scope: Construct;
  /** Network access of the service. */
  readonly connections: Connections;
  /** Maximum number of tasks that work at the same time, not counting releases. */
  readonly maxTasks: number;
  /** Queue that the service consumes, whose variables are already set. */
  readonly worksOff: unknown;
  /** Admin processes: one-off tasks, such as migrations. */
  readonly admin: AdminHost;
  /** Sets an environment variable of the app's container. Setting it twice is an error. */
  addEnvironment(name: string, value: string): void;
  /**
   * Sets an environment variable of the app's container from a secret or parameter, by ARN. The value appears in no plan and
   * no state.
   */
  addSecret(name: string, valueFrom: string): void;
  /** Adds an alarm to the alarms of the service. */
  addAlarm(alarm: IAlarm): void;
  /** Refuses a VPC that cannot reach an AWS service, given by the name of its interface endpoint. */
  needsEndpoint(name: string): void;
}

/**
 * A backing service: `service.use(database)` sets its variables and secrets, grants permissions and allows network access.
 */
export interface BackingService {
  /** Name, unique within the service and part of addresses. */
  readonly name: string;
  attach(host: BackingHost): void;
}
