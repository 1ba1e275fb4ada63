import type { RegisterTaskDefinitionCommandInput } from "@aws-sdk/client-ecs";
import type { LockHolder, ProcessTemplate, ReleaseLock, ReleasePlace, ReleaseRecord } from "../../contract/release";
import type { DescribedTask } from "./task";

/** Versions of a record. */
export interface History {
  readonly records: readonly ReleaseRecord[];
  /** Versions that cannot be read, each with the reason. */
  readonly unreadable: readonly string[];
}

/** Progress of a process towards another task definition. */
export type Progress =
  | { readonly state: "moving" }
  | { readonly state: "live" }
  /** Failed, according to ECS or CodeDeploy. */
  | { readonly state: "failed"; readonly reason: string };

/** State of a one-off task. */
export interface TaskState {
  readonly stopped: boolean;
  /** Exit code of the app's container; undefined if it did not start. */
  readonly exitCode: number | undefined;
  readonly reason: string | undefined;
}

/** Next lines in the log of a one-off task. */
export interface Lines {
  readonly lines: readonly string[];
  /** Token for the next lines. */
  readonly next: string | undefined;
}

/** Event in the log of a service. */
export interface LogEvent {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Id of the task. */
  readonly task: string;
  readonly message: string;
}

/** Events to read from the log of a service. */
export interface LogQuery {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Id of a task, or its beginning. @default - all tasks */
  readonly task?: string;
  /** Filter pattern of CloudWatch Logs. @default - all events */
  readonly filter?: string;
}

/** Task of a service that runs. */
export interface RunningTask {
  readonly id: string;
  /** True if it was started with ECS Exec. */
  readonly exec: boolean;
  /** Id of the app's container. */
  readonly runtimeId: string;
}

/** Session in a container that waits for a connection. */
export interface OpenSession {
  /** Id, URL and token, as AWS's plugin expects them. */
  readonly start: object;
  readonly target: string;
}

/** AWS as releases and admin processes use it. Tasks are named by family and revision: `shop-dev-orders:12`. */
export interface Cloud {
  /** Templates of a stack's services, by name. */
  processes(place: ReleasePlace): Promise<ReadonlyMap<string, ProcessTemplate>>;
  /** Newest version of the record that can be read; undefined where the parameter does not exist. */
  record(place: ReleasePlace): Promise<ReleaseRecord | undefined>;
  /** Versions of the record that are kept, the newest first, and a sentence about each that cannot be read. */
  history(place: ReleasePlace): Promise<History>;
  writeRecord(place: ReleasePlace, record: ReleaseRecord): Promise<void>;
  /** Creates the lock; returns the one that exists otherwise. */
  lock(place: ReleasePlace, lock: ReleaseLock): Promise<LockHolder | undefined>;
  lockedBy(place: ReleasePlace): Promise<LockHolder | undefined>;
  /** Overwrites the lock, and returns the version that it then has. */
  writeLock(place: ReleasePlace, lock: ReleaseLock): Promise<number>;
  unlock(place: ReleasePlace): Promise<void>;
  /** By ARN, or by family and revision; undefined where it does not exist any more. */
  task(name: string): Promise<DescribedTask | undefined>;
  register(task: RegisterTaskDefinitionCommandInput): Promise<string>;
  /** Task definition that a process runs. */
  running(process: ProcessTemplate): Promise<string>;
  /** Moves a process to a task definition, and returns a function that reads the progress. */
  move(process: ProcessTemplate, task: string): Promise<() => Promise<Progress>>;
  /** Reasons why tasks of a task definition stopped, and their last log lines. */
  stoppedTaskLogs(process: ProcessTemplate, task: string): Promise<readonly string[]>;
  /** Starts one task and returns its ARN. Without a command it runs that of its task definition. */
  runTask(process: ProcessTemplate, task: string, command: readonly string[]): Promise<string>;
  taskState(process: ProcessTemplate, taskArn: string): Promise<TaskState>;
  stopTask(process: ProcessTemplate, taskArn: string, reason: string): Promise<void>;
  /** Log lines of a one-off task since `next`. */
  lines(process: ProcessTemplate, taskArn: string, next: string | undefined): Promise<Lines>;
  /** Running tasks of a service, the newest first. */
  runningTasks(process: ProcessTemplate): Promise<readonly RunningTask[]>;
  /** Starts a command in the app's container of a task. */
  openSession(process: ProcessTemplate, task: RunningTask, command: string): Promise<OpenSession>;
  /** State of each alarm that exists, by name. */
  alarmStates(names: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Events that the tasks of a service have logged. */
  logEvents(process: ProcessTemplate, query: LogQuery): Promise<readonly LogEvent[]>;
}
