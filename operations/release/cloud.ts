import type { RegisterTaskDefinitionCommandInput } from "@aws-sdk/client-ecs";
import type { ProcessTemplate, ReleaseLock, ReleasePlace, ReleaseRecord } from "../../contract/release";
import type { DescribedTask } from "./task";

/** How a process stands that was sent to another task definition. */
export type Progress =
  | { readonly state: "moving" }
  | { readonly state: "live" }
  /** ECS or CodeDeploy gave it up. */
  | { readonly state: "failed"; readonly reason: string };

/** How a one-off task stands. */
export interface TaskState {
  readonly stopped: boolean;
  /** Of the app's container; undefined where it did not start. */
  readonly exitCode: number | undefined;
  readonly reason: string | undefined;
}

/** What comes next in the log of a one-off task. */
export interface Lines {
  readonly lines: readonly string[];
  /** Where to read on. */
  readonly next: string | undefined;
}

/** AWS, as far as releases and admin processes need it. Tasks are named by family and revision: `shop-dev-orders:12`. */
export interface Cloud {
  /** What the services of a stack tell of themselves, by name. */
  processes(place: ReleasePlace): Promise<ReadonlyMap<string, ProcessTemplate>>;
  /** The record; undefined where Terraform has made none. */
  record(place: ReleasePlace): Promise<ReleaseRecord | undefined>;
  /** All versions of the record that are kept, the newest first. */
  history(place: ReleasePlace): Promise<readonly ReleaseRecord[]>;
  writeRecord(place: ReleasePlace, record: ReleaseRecord): Promise<void>;
  /** Takes the lock, or tells who has it. */
  lock(place: ReleasePlace, lock: ReleaseLock): Promise<ReleaseLock | undefined>;
  /** Who has the lock. */
  lockedBy(place: ReleasePlace): Promise<ReleaseLock | undefined>;
  unlock(place: ReleasePlace): Promise<void>;
  /** By ARN, or by family and revision; undefined where it is not there any more. */
  task(name: string): Promise<DescribedTask | undefined>;
  register(task: RegisterTaskDefinitionCommandInput): Promise<string>;
  /** The task definition that a process runs. */
  running(process: ProcessTemplate): Promise<string>;
  /** Sends a process to a task definition, and returns what asks how that goes. */
  move(process: ProcessTemplate, task: string): Promise<() => Promise<Progress>>;
  /** Why tasks of a task definition stopped, and their last lines. */
  lastWords(process: ProcessTemplate, task: string): Promise<readonly string[]>;
  /** Starts one task and returns its ARN. */
  runTask(process: ProcessTemplate, task: string, command: readonly string[]): Promise<string>;
  taskState(process: ProcessTemplate, taskArn: string): Promise<TaskState>;
  stopTask(process: ProcessTemplate, taskArn: string, reason: string): Promise<void>;
  /** What a one-off task has written since `next`. */
  lines(process: ProcessTemplate, taskArn: string, next: string | undefined): Promise<Lines>;
}
