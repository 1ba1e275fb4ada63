import { setTimeout as sleep } from "node:timers/promises";
import {
  type Applied,
  type AppliedService,
  type AppliedTask,
  type Container,
  readApplied,
  type TaskDefinition,
} from "./applied";
import { LocalBalancer } from "./balancer";
import type { AccountClient } from "./client";
import { describeDifferences } from "./differences";
import { freePort } from "./free-port";
import { findImage } from "./image";
import { resolveSecret } from "./secrets";
import { idOf, Task, type TaskEnd, type TaskOptions } from "./task";

/** Variables that containers receive in place of the applied ones: where servers of this machine stand in for AWS's. */
export type Replace = (variables: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>;

export interface RunnerOptions {
  readonly account: AccountClient;
  /** Folder of the images on this machine. */
  readonly images: string;
  readonly replace: Replace;
  /** Prints a line of a task, or about it. */
  readonly print: (task: string, line: string) => void;
}

const POLL_MS = 300;
const LONGEST_PAUSE_MS = 30_000;
/** Running time after which a crash is the first one again. */
const FORGIVEN_AFTER_MS = 60_000;

/**
 * Runs the tasks that ECS would run, on this machine: the agent of an emulated account. It reads AWS's API alone, starts and
 * stops tasks until they are those that the API lists, sends requests to them by the applied listener rules and health checks,
 * and reports their states, so that deployments complete or are rolled back.
 */
export class TaskRunner {
  readonly balancer = new LocalBalancer();
  readonly #options: RunnerOptions;
  readonly #tasks = new Map<string, Task>();
  readonly #starting = new Map<string, Promise<void>>();
  readonly #definitions = new Map<string, TaskDefinition>();
  /** Ends of tasks until ECS has their reports. */
  readonly #ends = new Set<Promise<void>>();
  readonly #crashes = new Map<string, number>();
  /** Of each task definition family those of the latest task, and of services. */
  readonly #differences = new Map<string, readonly string[]>();
  readonly #stopped = new AbortController();
  #seen = -1;
  #loop: Promise<void> | undefined;
  #applied: Applied | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Connects to the account and follows it until {@link stop}. */
  async start(): Promise<void> {
    await this.#options.account.connectAgent();
    await this.#follow();
    this.#loop = this.#poll();
  }

  /** Differences between what runs on this machine and what is applied, each as a sentence. */
  get differences(): readonly string[] {
    return [...this.#differences.values(), this.#applied?.differences ?? []].flat().sort();
  }

  /** Local URLs of the listeners. */
  get urls(): readonly { readonly url: string; readonly listener: string }[] {
    return (this.#applied?.listeners ?? []).flatMap(({ arn, balancer, protocol, port }) => {
      const url = this.balancer.urlOf(arn);
      return url === undefined ? [] : [{ url, listener: `${balancer} ${protocol} ${port}` }];
    });
  }

  /** Applied variables of a container: the first that has one of this name. */
  async variable(name: string): Promise<string | undefined> {
    for (const { taskDefinitionArn } of this.#applied?.tasks ?? []) {
      const { containerDefinitions } = await this.#definition(taskDefinitionArn);
      for (const { environment = [] } of containerDefinitions) {
        const found = environment.find((each) => each.name === name);
        if (found !== undefined) return found.value;
      }
    }
    return undefined;
  }

  /** Drains all tasks and stops them. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await Promise.all(this.#starting.values());
    for (const task of this.#tasks.values()) task.stop();
    await Promise.all(this.#ends);
    await this.balancer.close();
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#follow().catch((error: Error) => {
        if (!signal.aborted) this.#options.print("runner", error.message);
      });
    }
  }

  /** Starts and stops tasks, after a change. */
  async #follow(): Promise<void> {
    const { account } = this.#options;
    const changes = await account.changes();
    if (changes === this.#seen) return;
    const applied = await readApplied(account);
    this.#applied = applied;
    await this.balancer.update(applied.listeners);
    for (const task of this.#tasks.values()) task.update(applied.targetGroups);
    for (const service of applied.services) await this.#raise(service);
    const wanted = new Map(applied.tasks.map((task) => [task.taskArn, task]));
    // New tasks start before old ones stop; ECS lists both until the new ones are healthy.
    for (const task of wanted.values()) {
      if (this.#tasks.has(task.taskArn) || this.#starting.has(task.taskArn)) continue;
      const started = this.#begin(task, applied)
        .catch((error: Error) => this.#failed(task, error))
        .finally(() => this.#starting.delete(task.taskArn));
      this.#starting.set(task.taskArn, started);
    }
    for (const running of this.#tasks.values()) if (!wanted.has(running.applied.taskArn)) running.stop();
    this.#seen = changes;
  }

  /** Starts one task of a service that scales from zero, in place of the policy that would do so once there is work. */
  async #raise({ serviceName, clusterArn, desiredCount, status }: AppliedService): Promise<void> {
    if (desiredCount > 0 || status !== "ACTIVE") return;
    const resource = `service/${clusterArn.split("/").at(-1)}/${serviceName}`;
    const { account } = this.#options;
    const { ScalableTargets } = await account.call<{ ScalableTargets: { MaxCapacity: number }[] }>(
      "application-autoscaling",
      "DescribeScalableTargets",
      { ServiceNamespace: "ecs", ResourceIds: [resource] },
    );
    if (!ScalableTargets.some(({ MaxCapacity }) => MaxCapacity > 0)) return;
    this.#differences.set(resource, [`${serviceName}: one task, although it has none until there is work`]);
    await account.call("ecs", "UpdateService", { cluster: clusterArn, service: serviceName, desiredCount: 1 });
  }

  async #definition(arn: string): Promise<TaskDefinition> {
    const known = this.#definitions.get(arn);
    if (known !== undefined) return known;
    const { taskDefinition } = await this.#options.account.call<{ taskDefinition: TaskDefinition }>(
      "ecs",
      "DescribeTaskDefinition",
      { taskDefinition: arn },
    );
    this.#definitions.set(arn, taskDefinition);
    return taskDefinition;
  }

  async #begin(applied: AppliedTask, { services, targetGroups }: Applied): Promise<void> {
    const { images, print, account } = this.#options;
    const definition = await this.#definition(applied.taskDefinitionArn);
    const here = (image: string) => findImage(images, image);
    const known = definition.containerDefinitions.flatMap((container) => {
      const image = here(container.image);
      return image === undefined ? [] : [{ container, image }];
    });
    // Until a new task is healthy, ECS lists the one of the image before the first release again and again.
    if (known.length > 0 || !this.#differences.has(definition.family))
      this.#differences.set(definition.family, describeDifferences(definition, here));
    if (known.length === 0) {
      // The bootstrap image, before the first release: there is nothing to run.
      if (applied.group.startsWith("family:")) throw new Error("its image is not on this machine");
      return;
    }
    const ports = new Map<number, number>();
    for (const { container } of known) {
      for (const { containerPort } of container.portMappings ?? []) ports.set(containerPort, await freePort());
    }
    // All variables before the first process: a secret that does not exist starts no container.
    const containers: TaskOptions["containers"][number][] = [];
    for (const { container, image } of known) {
      const override = applied.overrides?.containerOverrides?.find((each) => each.name === container.name);
      const environment = await this.#environment(container, override?.environment ?? [], ports);
      containers.push({ container, image, command: override?.command, environment });
    }
    const service = services.find(
      ({ serviceName, clusterArn }) => applied.group === `service:${serviceName}` && applied.clusterArn === clusterArn,
    );
    const name = `${definition.family} ${idOf(applied).slice(0, 6)}`;
    const task = new Task({
      account,
      balancer: this.balancer,
      applied,
      containers,
      registrations: (service?.loadBalancers ?? []).flatMap(({ targetGroupArn = "", containerPort }) => {
        const group = targetGroups.get(targetGroupArn);
        return group === undefined ? [] : [{ group, containerPort, port: ports.get(containerPort) ?? 0 }];
      }),
      graceMs: (service?.healthCheckGracePeriodSeconds ?? 0) * 1000,
      print: (line) => print(name, line),
      onRunning: () => void this.#report(applied, "RUNNING", ""),
    });
    this.#tasks.set(applied.taskArn, task);
    const ended = task.ended.then((end) => this.#ended(task, name, end));
    this.#ends.add(ended);
    void ended.finally(() => this.#ends.delete(ended));
  }

  async #environment(
    { environment = [], secrets = [] }: Container,
    overrides: NonNullable<Container["environment"]>,
    ports: ReadonlyMap<number, number>,
  ): Promise<Record<string, string>> {
    const { account, replace } = this.#options;
    const variables: Record<string, string> = {};
    for (const { name, value } of [...environment, ...overrides]) variables[name] = value;
    for (const { name, valueFrom } of secrets) variables[name] = await resolveSecret(account, valueFrom);
    const { url, region } = account;
    const replaced = await replace(variables);
    // Only where the container is configured to listen: a port that differs from the one of the load balancer stays wrong.
    const port = ports.get(Number(variables.PORT));
    return {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: region,
      ...variables,
      ...replaced,
      ...(variables.PORT === undefined ? {} : { PORT: String(port ?? (await freePort())) }),
    };
  }

  async #report(task: AppliedTask, status: string, reason: string, crashed?: TaskEnd["crashed"]): Promise<void> {
    const { account, print } = this.#options;
    const containers =
      crashed === undefined
        ? undefined
        : [{ containerName: crashed.container.name, exitCode: crashed.ending.exitCode }];
    await account
      .call("ecs", "SubmitTaskStateChange", {
        cluster: task.clusterArn,
        task: task.taskArn,
        status,
        reason,
        containers,
      })
      .catch((error: Error) => print("runner", error.message));
  }

  async #failed(task: AppliedTask, error: Error): Promise<void> {
    this.#options.print(task.group, `a task does not start: ${error.message}`);
    await this.#pauseAfterCrash(task);
    await this.#report(task, "STOPPED", error.message);
  }

  /** Reports the end of a task. Where it ended by itself, ECS then starts another one. */
  async #ended(task: Task, name: string, { reason, crashed }: TaskEnd): Promise<void> {
    const { applied } = task;
    if (crashed !== undefined && applied.group.startsWith("service:")) {
      const { exitCode, reason: why } = crashed.ending;
      this.#options.print(name, `ended with ${exitCode ?? why}; another one starts`);
      if (task.runMs > FORGIVEN_AFTER_MS) this.#crashes.delete(applied.group);
      await this.#pauseAfterCrash(applied);
    }
    if (reason !== undefined) await this.#report(applied, "STOPPED", reason, crashed);
    // Not earlier: until then the account lists this task, which would start again.
    this.#tasks.delete(applied.taskArn);
  }

  /** Waits before the next attempt: longer after each. */
  async #pauseAfterCrash({ group }: AppliedTask): Promise<void> {
    const crashes = this.#crashes.get(group) ?? 0;
    this.#crashes.set(group, crashes + 1);
    const pause = crashes === 0 ? 0 : Math.min(1000 * 2 ** (crashes - 1), LONGEST_PAUSE_MS);
    await sleep(pause, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}
