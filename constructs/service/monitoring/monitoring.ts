import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import type { Construct } from "constructs";
import { Alarm, type IAlarm, type Signal } from "../../core/alarm";
import { invalid } from "../../core/errors";
import { physicalName } from "../../core/names";
import type { AlarmOptions, Target } from "../add-on";
import { brings } from "../deployment/strategy-support";
import type { ServiceContext } from "../props";
import { watchRequests, watchRuns, watchTasks } from "./alarms";
import { errorAlarm } from "./error-alarm";
import type { FailedRuns } from "./failed-runs";
import { type MonitoredJob, type MonitoredService, signalsOf, signalsOfJob } from "./signals";
import { groupsOf } from "./target-metrics";

interface MonitoringProps {
  /** ECS service; undefined for a job. */
  readonly service: EcsService | undefined;
  /** Failed runs of a job; undefined for a service, and for a job without alarms. */
  readonly failedRuns: FailedRuns | undefined;
  /** Target groups, complete once all add-ons are present. */
  readonly targets: () => readonly Target[];
}

/** Alarms and metrics of a service, including the alarms that roll back a deployment. */
export class Monitoring {
  /** Addresses of alarms that must exist as long as tasks run. */
  readonly dependencies: string[] = [];

  readonly #scope: Construct;
  readonly #context: ServiceContext;
  readonly #props: MonitoringProps;
  readonly #alarms: IAlarm[] = [];
  readonly #rollbackAlarmNames: string[] = [];
  readonly #addedSignals: (() => Signal)[] = [];

  constructor(scope: Construct, context: ServiceContext, props: MonitoringProps) {
    this.#scope = scope;
    this.#context = context;
    this.#props = props;
    this.#configureRollback();
  }

  /** Adds the alarms on tasks, or on the runs of a job. */
  watch(): void {
    const { fullName, settings } = this.#context;
    if (this.#props.service !== undefined && settings.alarms !== undefined) watchTasks(this.#scope, this.#watch);
    const job = this.#job;
    if (job !== undefined) {
      this.add(watchRuns(this.#scope, { name: fullName, most: settings.alarms?.failedRuns ?? 0, measured: job }));
    }
  }

  /** Alarms on the service and on what it uses. */
  get alarms(): readonly IAlarm[] {
    return [...this.#alarms];
  }

  /** Alarms that roll back a deployment, or all alarms if none does. */
  get health(): readonly IAlarm[] {
    const health = this.#alarms.filter(({ alarmName }) => this.#rollbackAlarmNames.includes(alarmName));
    return health.length > 0 ? health : this.alarms;
  }

  /** Names of the alarms that roll back a deployment. */
  get rollbackAlarmNames(): readonly string[] {
    return this.#rollbackAlarmNames;
  }

  /** Metrics of the service and of its add-ons. */
  get signals(): Signal[] {
    const job = this.#job;
    return [
      ...(this.#props.service === undefined ? [] : signalsOf(this.#monitored)),
      ...(job === undefined ? [] : signalsOfJob(job)),
      ...this.#addedSignals.map((signal) => signal()),
    ];
  }

  addSignal(signal: () => Signal): void {
    this.#addedSignals.push(signal);
  }

  /** @throws InvalidPropsError ALARM_ROLLS_BACK_NOTHING */
  add(alarm: IAlarm, { rollsBack = false }: AlarmOptions = {}): void {
    this.#alarms.push(alarm);
    if (!rollsBack) return;
    if (this.#props.service === undefined) {
      throw invalid(this.#scope, {
        code: "ALARM_ROLLS_BACK_NOTHING",
        prop: `alarm ${alarm.alarmName}`,
        problem: "must not roll back a deployment, because a job has none",
        remedy: "Remove rollsBack.",
      });
    }
    this.#rollbackAlarmNames.push(alarm.alarmName);
    this.#configureRollback();
    if (alarm instanceof Alarm) this.dependencies.push(alarm.address);
  }

  /** Adds the alarms on requests: on errors always, on latency and unhealthy targets if the service has alarms. */
  watchRequests(): void {
    const { fullName, settings } = this.#context;
    const alarm = errorAlarm(this.#scope, "Errors", {
      name: [...fullName, "errors"],
      deployment: settings.deployment,
      targets: this.#props.targets,
    });
    this.add(alarm, { rollsBack: true });
    if (settings.alarms !== undefined) watchRequests(this.#scope, this.#watch);
  }

  /**
   * Configures the ECS service with the alarms that roll back. Without any, the block stays, turned off: the provider cannot
   * remove it, nor send one without a name, so the last alarm could never go. No alarm of the name has to exist.
   */
  #configureRollback(): void {
    const { stack, fullName, settings } = this.#context;
    const on = this.#rollbackAlarmNames.length > 0;
    const alarmNames = on ? [...this.#rollbackAlarmNames].sort() : [stack.physicalName("alarm", ...fullName, "errors")];
    if (brings(settings.deployment.kind, "alarms")) {
      this.#props.service?.putAlarms({ alarmNames, enable: on, rollback: on });
    }
  }

  get #monitored(): MonitoredService {
    const { stack, settings } = this.#context;
    const { process, name } = settings;
    return {
      platform: stack.platformName,
      environment: stack.environment.name,
      serviceName: physicalName("ecsService", name),
      clusterName: stack.cluster.clusterName,
      groups: groupsOf(this.#props.targets()),
      queueName: process.kind === "worker" ? process.queue?.queueName : undefined,
    };
  }

  get #job(): MonitoredJob | undefined {
    const { failedRuns } = this.#props;
    if (failedRuns === undefined) return undefined;
    const { stack, settings } = this.#context;
    const { notStartedQueueName } = failedRuns;
    return {
      platform: stack.platformName,
      environment: stack.environment.name,
      name: settings.name,
      notStartedQueueName,
    };
  }

  get #watch() {
    const { fullName, settings } = this.#context;
    return {
      name: fullName,
      alarms: settings.alarms as NonNullable<typeof settings.alarms>,
      measured: () => this.#monitored,
      minimumRequests: settings.deployment.minimumRequests,
      add: (alarm: Alarm, options?: AlarmOptions) => this.add(alarm, options),
    };
  }
}
