import { setTimeout as sleep } from "node:timers/promises";
import type { AppliedTask, Container } from "./applied";
import type { LocalBalancer } from "./balancer";
import type { AccountClient } from "./client";
import { ContainerProcess, type ContainerProcessOptions, type Ending } from "./container-process";
import { LogWriter } from "./log-writer";
import { Target, type TargetGroup } from "./target-group";

export interface TaskOptions {
  readonly account: AccountClient;
  readonly balancer: LocalBalancer;
  readonly applied: AppliedTask;
  readonly containers: readonly Omit<ContainerProcessOptions, "onLine">[];
  /** Target groups that it is registered with, with the local ports of its containers. */
  readonly registrations: readonly {
    readonly group: TargetGroup;
    readonly containerPort: number;
    readonly port: number;
  }[];
  /** Time after the start for which failed health checks do not count. */
  readonly graceMs: number;
  readonly print: (line: string) => void;
  /** Called when the task runs, and its health checks pass. */
  readonly onRunning: () => void;
}

/** End of a task. */
export interface TaskEnd {
  /** Reason that ECS receives; undefined if ECS stopped the task itself. */
  readonly reason: string | undefined;
  /** Essential container that ended by itself, and so ended the task. */
  readonly crashed?: { readonly container: Container; readonly ending: Ending };
}

/** Time for which a task without a load balancer must run to count as started. */
const STEADY_MS = 2000;

/** Task on this machine, from the start of its containers to the end of the last one. */
export class Task {
  readonly applied: AppliedTask;
  /** Resolves once all containers have ended and their lines are written. */
  readonly ended: Promise<TaskEnd>;
  readonly #options: TaskOptions;
  readonly #began = performance.now();
  readonly #log: LogWriter;
  readonly #processes: readonly ContainerProcess[];
  readonly #targets: readonly Target[];
  #resolveEnded: (end: TaskEnd) => void = () => undefined;
  /** True once it is about to end. */
  #ending = false;
  #running = false;

  constructor(options: TaskOptions) {
    const { account, balancer, applied, containers, registrations, print } = options;
    this.#options = options;
    this.applied = applied;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#log = new LogWriter(account, idOf(applied));
    this.#processes = containers.map((each) => {
      const { container } = each;
      const process = new ContainerProcess({
        ...each,
        onLine: (line) => {
          this.#log.add(container, line);
          print(line);
        },
      });
      void process.ended.then((ending) => this.#containerEnded(container, ending));
      return process;
    });
    this.#targets = registrations.map(({ group, port, containerPort }) => {
      const target: Target = new Target(port, containerPort, group, () => this.#healthChanged(target));
      balancer.register(target);
      return target;
    });
    if (this.#targets.length > 0) return;
    const isOfService = applied.group.startsWith("service:");
    setTimeout(() => this.#reportRunning(), isOfService ? STEADY_MS : 0).unref();
  }

  /** Time since its start. */
  get runMs(): number {
    return performance.now() - this.#began;
  }

  /** Uses changed settings of its target groups. */
  update(groups: ReadonlyMap<string, TargetGroup>): void {
    for (const target of this.#targets) target.update(groups.get(target.group.TargetGroupArn) ?? target.group);
  }

  /**
   * Stops it as ECS does: no new requests, the end of those in progress, SIGTERM, and SIGKILL after the stop timeout.
   *
   * @param reason reason that ECS receives. Default: none, because ECS stops it itself
   */
  stop(reason?: string): void {
    if (this.#ending) return;
    this.#ending = true;
    void (async () => {
      this.#deregister();
      const drainMs = Math.max(0, ...this.#targets.map(({ group }) => group.deregistrationSeconds)) * 1000;
      const deadline = performance.now() + drainMs;
      while (this.#targets.some(({ open }) => open > 0) && performance.now() < deadline) await sleep(20);
      const endings = await this.#stopContainers();
      const codes = endings.map(({ exitCode }) => exitCode ?? "no exit code").join(", ");
      this.#options.print(`stopped, exit code ${codes}`);
      this.#resolveEnded({ reason });
    })();
  }

  /** The end of an essential container: the task ends with it. */
  async #containerEnded(container: Container, ending: Ending): Promise<void> {
    if (this.#ending || container.essential === false) return;
    this.#ending = true;
    this.#deregister();
    await this.#stopContainers();
    this.#resolveEnded({ reason: ending.reason, crashed: { container, ending } });
  }

  #deregister(): void {
    for (const target of this.#targets) this.#options.balancer.deregister(target);
  }

  async #stopContainers(): Promise<Ending[]> {
    const endings = await Promise.all(this.#processes.map((process) => process.stop()));
    await this.#log.flush();
    return endings;
  }

  #healthChanged(target: Target): void {
    if (this.#ending) return;
    this.#options.print(`${target.healthy ? "healthy" : "unhealthy"}: ${target.lastCheck}`);
    if (target.healthy) {
      this.#reportRunning();
      return;
    }
    const left = this.#options.graceMs - this.runMs;
    setTimeout(() => this.#replaceUnhealthy(target), Math.max(0, left)).unref();
  }

  #replaceUnhealthy(target: Target): void {
    if (target.healthy || this.#ending) return;
    const reason = `Task failed ELB health checks: ${target.lastCheck}`;
    this.#options.print(`${reason}; it is replaced`);
    this.stop(reason);
  }

  #reportRunning(): void {
    if (this.#ending || this.#running || !this.#targets.every(({ healthy }) => healthy)) return;
    this.#running = true;
    this.#options.onRunning();
  }
}

/** Id of a task: the end of its ARN. */
export function idOf({ taskArn }: AppliedTask): string {
  return taskArn.split("/").at(-1) ?? "";
}
