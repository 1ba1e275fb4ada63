import type { Construct } from "constructs";
import type { IAlarm } from "../core/alarm";
import type { Connections } from "../core/connections";
import type { IGrantable } from "../core/iam";

/** Settings that only the one-off tasks of a service get: permissions to change the schema, which the app does not have. */
export interface AdminHost extends IGrantable {
  /** Sets a variable of admin tasks alone. */
  addEnvironment(name: string, value: string): void;
}

/** Operations that a backing service may perform on the service that uses it. */
export interface BackingHost extends IGrantable {
  /** Scope of the resources that belong to the service. */
  readonly scope: Construct;
  /** The service's place in the network. */
  readonly connections: Connections;
  /** Most processes of the service that work at a time, releases left out. */
  readonly maxTasks: number;
  /** Queue that the service consumes, whose variables it has already. */
  readonly worksOff: unknown;
  /** One-off tasks, such as migrations. */
  readonly admin: AdminHost;
  /** Sets a variable of the app's container. Setting one twice is an error. */
  addEnvironment(name: string, value: string): void;
  /** Sets a variable of the app's container from a secret or parameter, by ARN; the value is in no plan and no state. */
  addSecret(name: string, valueFrom: string): void;
  /** Makes an alarm one of the service's own. */
  addAlarm(alarm: IAlarm): void;
  /** Refuses where the network has no way to a service of AWS: the name of its interface endpoint. */
  needsEndpoint(name: string): void;
}

/**
 * Something that a service uses: `service.use(database)` sets its variables and secrets, grants what is needed and opens
 * the way to it.
 */
export interface BackingService {
  /** Unique within the service: part of addresses. */
  readonly name: string;
  attach(host: BackingHost): void;
}
