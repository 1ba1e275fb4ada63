import type { TaskDefinition } from "@aws-sdk/client-ecs";
import type { LockHolder, ProcessTemplate, ReleaseLock, ReleaseRecord } from "../../../contract/release";
import type { Cloud, LogEvent, LogQuery, Progress, RunningTask, TaskState } from "../../../operations/release/cloud";
import type { ReleaseContext } from "../../../operations/release/context";
import { familyAndRevision } from "../../../operations/release/task";

const ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/";

export const image = (digit: string, source = "orders") =>
  `123456789012.dkr.ecr.eu-central-1.amazonaws.com/${source}@sha256:${digit.repeat(64)}`;

/** Service as published by Terraform, with revision 1 of its task definition. */
export function template(name: string, more: Partial<ProcessTemplate> = {}): ProcessTemplate {
  const kind = more.kind ?? "web";
  return {
    kind,
    owner: "pipeline",
    cluster: "shop-dev",
    ...(kind === "job" ? { schedule: `shop-dev-${name}` } : { service: name }),
    container: name,
    task: `${ARN}shop-dev-${name}:1`,
    source: "orders",
    bootstrap: true,
    strategy: "rolling",
    network: { subnets: "subnet-1,subnet-2", securityGroup: "sg-1", assignPublicIp: false },
    capacity: [{ capacityProvider: "FARGATE", weight: 1, base: 0 }],
    admin: {},
    ...more,
  };
}

type Script = (attempt: number) => Progress;

/** Account in memory. Faults are configured by service. */
export class FakeCloud implements Cloud {
  readonly versions: ReleaseRecord[] = [{}];
  readonly tasks = new Map<string, TaskDefinition>();
  readonly runs = new Map<string, string>();
  /** All that changed something, in order. */
  readonly calls: string[] = [];
  locked: LockHolder | undefined;
  readonly unreadable: string[] = [];
  /** Clock of AWS. */
  now: () => number = () => Date.UTC(2026, 0, 1);
  /** Course of a service's deployment; live at once by default. */
  readonly ways = new Map<string, Script>();
  /** End of a one-off task. */
  ending: Partial<TaskState> & { readonly lines?: readonly string[] } = { exitCode: 0 };
  /** Hook before a call, to fail it or to run another call first. */
  before: (call: string) => void = () => undefined;

  constructor(readonly templates: Record<string, ProcessTemplate>) {
    for (const [name, { task, container }] of Object.entries(templates)) {
      this.define(familyAndRevision(task), container);
      this.runs.set(name, familyAndRevision(task));
    }
  }

  /** A task definition of Terraform's. */
  define(task: string, container: string, environment: Record<string, string> = {}): void {
    const [family, revision] = task.split(":");
    this.tasks.set(task, {
      family,
      revision: Number(revision),
      status: "ACTIVE",
      taskDefinitionArn: ARN + task,
      registeredBy: "terraform",
      cpu: "256",
      containerDefinitions: [
        {
          name: container,
          image: "bootstrap",
          command: ["node", "-e", "bootstrap"],
          dockerLabels: { "antifragile.command": '["node","dist/main.js"]' },
          environment: [
            { name: "BOOTSTRAP_HEALTHY", value: "/livez" },
            ...Object.entries(environment).map(([name, value]) => ({ name, value })),
          ],
        },
      ],
    });
  }

  async processes() {
    return new Map(Object.entries(this.templates));
  }

  async record() {
    return this.versions.at(-1);
  }

  async history() {
    return { records: [...this.versions].reverse(), unreadable: this.unreadable };
  }

  async writeRecord(_: unknown, record: ReleaseRecord) {
    const { live, failed, started } = record;
    const what =
      started !== undefined
        ? `started ${started.number}`
        : failed !== undefined
          ? `failed ${failed.number}`
          : `live ${live?.number}`;
    this.note(`record ${what}`);
    this.versions.push(JSON.parse(JSON.stringify(record)) as ReleaseRecord);
  }

  async lock(_: unknown, lock: ReleaseLock) {
    this.before("lock");
    if (this.locked !== undefined) return this.locked;
    this.locked = { lock, beat: new Date(this.now()), version: 1 };
    return undefined;
  }

  async lockedBy() {
    return this.locked;
  }

  async writeLock(_: unknown, lock: ReleaseLock) {
    const version = (this.locked?.version ?? 0) + 1;
    this.locked = { lock, beat: new Date(this.now()), version };
    return version;
  }

  async unlock() {
    this.locked = undefined;
  }

  async task(name: string) {
    const definition = this.tasks.get(familyAndRevision(name));
    return definition === undefined ? undefined : { definition, tags: [] };
  }

  async register(task: Parameters<Cloud["register"]>[0]) {
    const revisions = [...this.tasks.values()].filter(({ family }) => family === task.family);
    const name = `${task.family}:${Math.max(...revisions.map(({ revision = 0 }) => revision)) + 1}`;
    this.note(`register ${name}`);
    const revision = Number(name.split(":")[1]);
    this.tasks.set(name, { ...task, revision, status: "ACTIVE", taskDefinitionArn: ARN + name } as TaskDefinition);
    return ARN + name;
  }

  async running({ container }: ProcessTemplate) {
    return this.runs.get(container) as string;
  }

  async move({ container }: ProcessTemplate, task: string) {
    if (this.runs.get(container) !== task) this.note(`move ${container} ${task}`);
    const before = this.runs.get(container) as string;
    this.runs.set(container, task);
    let attempt = 0;
    return async (): Promise<Progress> => {
      const progress = this.ways.get(`${container} ${task}`)?.(attempt++) ?? { state: "live" };
      // What ECS gives up it brings back itself.
      if (progress.state === "failed") this.runs.set(container, before);
      return progress;
    };
  }

  async stoppedTaskLogs() {
    return ['{"level":"error","msg":"relation \\"order_lines\\" does not exist"}'];
  }

  async runTask({ container }: ProcessTemplate, task: string, command: readonly string[]) {
    this.note(`run ${container} ${task} ${command.join(" ")}`);
    return `${ARN}task`;
  }

  async taskState(): Promise<TaskState> {
    return { stopped: true, exitCode: undefined, reason: undefined, ...this.ending };
  }

  async stopTask() {
    this.note("stop task");
  }

  async lines(_: unknown, __: unknown, next: string | undefined) {
    return next === undefined ? { lines: this.ending.lines ?? [], next: "1" } : { lines: [], next };
  }

  /** Events in the logs, by container. */
  readonly logged: Record<string, LogEvent[]> = {};
  readonly queries: LogQuery[] = [];

  async logEvents({ container }: ProcessTemplate, query: LogQuery) {
    this.before("logs");
    this.queries.push(query);
    return (this.logged[container] ?? []).filter(
      ({ at, task }) => at >= query.since && task.startsWith(query.task ?? ""),
    );
  }

  /** Tasks that run, by container. */
  readonly tasksOf: Record<string, RunningTask[]> = {};

  async runningTasks({ container }: ProcessTemplate) {
    return this.tasksOf[container] ?? [];
  }

  async openSession({ cluster }: ProcessTemplate, { id, runtimeId }: RunningTask, command: string) {
    this.note(`exec ${id} ${command}`);
    return {
      start: { sessionId: "s-1", streamUrl: "wss://x", tokenValue: "t" },
      target: `ecs:${cluster}_${id}_${runtimeId}`,
    };
  }

  /** States of the alarms that exist. */
  readonly alarms: Record<string, string> = {};

  async alarmStates(names: readonly string[]) {
    return new Map(Object.entries(this.alarms).filter(([name]) => names.includes(name)));
  }

  note(call: string): void {
    this.before(call);
    this.calls.push(call);
  }
}

/** A world without AWS, in which waiting takes no time. */
export function fakeWorld(
  cloud: FakeCloud,
): ReleaseContext & { readonly printed: () => string; readonly interrupt: () => void } {
  const texts: string[] = [];
  const controller = new AbortController();
  let clock = Date.UTC(2026, 0, 1);
  return {
    cloud,
    place: { environment: "dev", platform: "shop", stack: "orders" },
    print: (text) => texts.push(text),
    now: () => clock,
    sleep: async (milliseconds) => {
      clock += milliseconds;
    },
    interrupted: controller.signal,
    by: "max",
    printed: () => texts.join(""),
    interrupt: () => controller.abort(),
  };
}
