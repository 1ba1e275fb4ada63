import type { IConstruct } from "constructs";
import { AutoScalingGroup } from "../auto-scaling-group/auto-scaling-group";
import type { IAlarm } from "../core/alarm";
import { Problems } from "../core/errors";
import type { Schedule } from "../core/schedule";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import type { IPlatform } from "../platform/platform";
import { CloudNativeService } from "../service/cloud-native-service";
import { latency, loadPercent } from "./action";
import { type BlastRadius, type Fault, type FaultSpec, lastingOf, needOf, ZONE_LOSS_WORD } from "./fault";

/** Profile of the environment: built like production, so that results hold there, but without users. */
const STAGING = "staging";

/** The word that lets an experiment into an environment where users are served. */
export const PRODUCTION_WORD = "users may notice";

/** Stop conditions of a template; AWS does not raise this quota. @see https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html */
export const STOP_CONDITIONS = 5;

/** Repository of the agent's image at AWS. */
const AGENT_REPOSITORY = "public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent";

/** Prints the digest of its newest version. */
const AGENT_DIGEST = `docker buildx imagetools inspect ${AGENT_REPOSITORY}:latest --format '{{.Manifest.Digest}}'`;

/** An alarm needs about two minutes to go off. */
export const DEFAULT_WATCH = Duration.minutes(5);

/** Targets of a fault: tasks of a service, instances of a group, or a zone of a platform. */
export type FaultTarget = CloudNativeService | AutoScalingGroup | IPlatform;

/**
 * Report of an experiment: its timeline, and graphs of dashboards from 20 minutes before
 * the experiment to 20 minutes after it. AWS charges 5 USD for each report.
 */
export interface ExperimentReport {
  /** Name of a bucket in the same region. */
  readonly bucketName: string;
  /** @default - the experiment's name */
  readonly prefix?: string;
  /**
   * Names of dashboards of this account to include.
   *
   * @default - those of the target: the service's ServiceDashboard, the platform's PlatformDashboard, and none of instances
   */
  readonly dashboards?: readonly string[];
}

export interface ChaosExperimentProps {
  /** Target of the fault. */
  readonly target: FaultTarget;
  /** Fault to inject: `Fault.stopTasks({ percent: 50 })`. */
  readonly fault: Fault;
  /** Names of the environments that it may be in. In any other it is refused. */
  readonly environments: readonly string[];
  /**
   * The hypothesis: none of these goes off while the fault is there. One that does stops the experiment, which has then
   * failed. At least one, at most five.
   *
   * @default - `service.health`: the alarms that roll back a deployment, or all where none does; a group of instances and
   *   a platform have none of their own
   */
  readonly stopOn?: readonly IAlarm[];
  /**
   * Has to be said where users are served: in every environment of a profile other than `dev`, unless it is called `staging`.
   *
   * @default - not in production
   */
  readonly production?: typeof PRODUCTION_WORD;
  /**
   * Time to watch the alarms after the fault, in whole minutes, 1 to 720: they go off late, and a
   * fault such as `stopTasks` is over at once.
   *
   * @default Duration.minutes(5)
   */
  readonly watch?: Duration;
  /**
   * When it starts by itself.
   *
   * @default - never: people start it, or a pipeline
   */
  readonly schedule?: Schedule;
  /** @default - none */
  readonly report?: ExperimentReport;
  /**
   * Image of the agent of Systems Manager, by digest: `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:...`. It
   * runs in a container beside the app, where a fault is inside of tasks, and only there. AWS's guide names it by a tag that
   * moves; this prints its digest: `docker buildx imagetools inspect public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent:latest
   * --format '{{.Manifest.Digest}}'`.
   *
   * @default - none: no fault inside of tasks
   */
  readonly agentImage?: string;
}

/** In the user's words. */
const NAMES: Readonly<Record<FaultSpec["kind"], string>> = {
  "stop-tasks": "stopTasks",
  "stop-instances": "stopInstances",
  cpu: "cpu",
  memory: "memory",
  "network-latency": "networkLatency",
  "network-loss": "networkLoss",
  "blackhole-port": "blackhole",
  "spot-interruption": "spotInterruption",
  "zone-loss": "zoneLoss",
};

const IN_TASKS = ["stop-tasks", "cpu", "network-latency", "network-loss", "blackhole-port"];
const ON_MACHINES = ["stop-instances", "spot-interruption", "cpu", "memory"];

const HOST = /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?:\/(?:[12]?\d|3[0-2]))?$/;

/**
 * @throws InvalidPropsError CHAOS_ENVIRONMENT, CHAOS_PRODUCTION, CHAOS_FAULT_TARGET, CHAOS_MEMORY_OF_TASKS, CHAOS_SPOT_OF_TASKS,
 *   CHAOS_NO_SPOT, CHAOS_JOB, CHAOS_RADIUS, CHAOS_NOTHING_LEFT, CHAOS_NOBODY_HIT, CHAOS_DURATION, CHAOS_PERCENT, CHAOS_DELAY, CHAOS_HOST, CHAOS_PORT,
 *   CHAOS_ZONE, CHAOS_ZONE_WORD, CHAOS_AGENT_IMAGE, CHAOS_AGENT_UNUSED, CHAOS_OTHER_STACK, CHAOS_NO_HYPOTHESIS, CHAOS_STOP_CONDITIONS,
 *   CHAOS_REPORT_BUCKET, CHAOS_REPORT_DASHBOARD
 */
export function resolveExperiment(scope: IConstruct, props: ChaosExperimentProps): void {
  const problems = new Problems(scope);
  checkEnvironment(problems, AwsStack.of(scope), props);
  checkTarget(problems, props);
  checkFault(problems, props);
  checkMinutes(problems, "watch", props.watch ?? DEFAULT_WATCH);
  checkAgent(problems, props);
  problems.check(props.stopOn === undefined || props.stopOn.length > 0, {
    code: "CHAOS_NO_HYPOTHESIS",
    prop: "stopOn",
    problem: "is empty: nothing would stop the experiment, and nothing tell whether it held",
    remedy: "Name at least one alarm, or leave it out for those that say whether the service is well.",
  });
  problems.check(props.stopOn === undefined || props.stopOn.length <= STOP_CONDITIONS, {
    code: "CHAOS_STOP_CONDITIONS",
    prop: "stopOn",
    problem: `has ${props.stopOn?.length} alarms, and an experiment takes ${STOP_CONDITIONS}`,
    remedy: "Name those that users feel.",
  });
  problems.check(props.report === undefined || /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(props.report.bucketName), {
    code: "CHAOS_REPORT_BUCKET",
    prop: "report.bucketName",
    problem: `${JSON.stringify(props.report?.bucketName)} is not a valid bucket name`,
    remedy: "Use the name alone: 3 to 63 small letters, digits, dots and hyphens.",
  });
  for (const name of props.report?.dashboards ?? []) {
    problems.check(/^[\w-]{1,255}$/.test(name), {
      code: "CHAOS_REPORT_DASHBOARD",
      prop: "report.dashboards",
      problem: `${JSON.stringify(name)} is not a valid dashboard name`,
      remedy: "Use the name alone: 1 to 255 letters, digits, hyphens and _.",
    });
  }
  problems.throwIfAny();
}

function checkEnvironment(problems: Problems, stack: AwsStack, props: ChaosExperimentProps): void {
  const { environment } = stack;
  problems.check(props.environments.includes(environment.name), {
    code: "CHAOS_ENVIRONMENT",
    prop: "environments",
    problem: `does not name ${JSON.stringify(environment.name)}, where the experiment is (${props.environments.join(", ") || "none"})`,
    remedy: "Make it only where it is allowed, or allow it here.",
  });
  problems.check(!stack.production || environment.name === STAGING || props.production === PRODUCTION_WORD, {
    code: "CHAOS_PRODUCTION",
    prop: "production",
    problem: `is not said, and ${JSON.stringify(environment.name)} has the profile ${JSON.stringify(environment.profile)}`,
    remedy: `Say production: ${JSON.stringify(PRODUCTION_WORD)}, once it held elsewhere.`,
  });
}

function checkTarget(problems: Problems, { target, fault, stopOn }: ChaosExperimentProps): void {
  const { kind } = fault.spec;
  const prop = `fault ${NAMES[kind]}`;
  if (target instanceof CloudNativeService) {
    if (kind === "memory") {
      problems.add({
        code: "CHAOS_MEMORY_OF_TASKS",
        prop,
        problem: "is for instances: AWS FIS cannot fill the memory of a task",
        remedy: "Use cpu, or hit the group of instances that the tasks run on.",
      });
    } else if (kind === "spot-interruption") {
      problems.add({
        code: "CHAOS_SPOT_OF_TASKS",
        prop,
        problem: "is for instances: AWS FIS cannot take back a task of Fargate Spot",
        remedy: "Use stopTasks: the task gets the same signal, without the notice two minutes before.",
      });
    } else if (!IN_TASKS.includes(kind)) {
      problems.add({
        code: "CHAOS_FAULT_TARGET",
        prop,
        problem: "cannot hit a service",
        remedy: `Use one of: ${names(IN_TASKS)}.`,
      });
    }
    problems.check(target.process.kind !== "job", {
      code: "CHAOS_JOB",
      prop: "target",
      problem: `${target.serviceName} is a job: none of its tasks is there when an experiment looks for them`,
      remedy: "Use a web process or a worker.",
    });
    return;
  }
  if (target instanceof AutoScalingGroup) {
    problems.check(ON_MACHINES.includes(kind), {
      code: "CHAOS_FAULT_TARGET",
      prop,
      problem: "cannot hit a group of instances",
      remedy: `Use one of: ${names(ON_MACHINES)}.`,
    });
    problems.check(kind !== "spot-interruption" || target.hasSpot, {
      code: "CHAOS_NO_SPOT",
      prop,
      problem: "finds nothing: the group has no Spot instances",
      remedy: "Set spot there, or use stopInstances.",
    });
  } else {
    problems.check(kind === "zone-loss", {
      code: "CHAOS_FAULT_TARGET",
      prop,
      problem: "cannot hit a platform",
      remedy: "Use zoneLoss, or name the service or the Auto Scaling group.",
    });
  }
  problems.check(stopOn !== undefined, {
    code: "CHAOS_NO_HYPOTHESIS",
    prop: "stopOn",
    problem: "is not set, and the target has no alarms of its own: nothing would stop the experiment",
    remedy: "Name the alarms of the services that it must not hurt: stopOn: orders.health.",
  });
}

function names(kinds: readonly string[]): string {
  return kinds.map((kind) => NAMES[kind as FaultSpec["kind"]]).join(", ");
}

function checkFault(problems: Problems, { fault: { spec }, target }: ChaosExperimentProps): void {
  const prop = `fault ${NAMES[spec.kind]}`;
  // How many of the instances of a group are Spot is AWS's to say.
  const runs = "scaling" in target && spec.kind !== "spot-interruption" ? target.scaling : undefined;
  if ("radius" in spec) checkRadius(problems, spec, prop, runs);
  if ("options" in spec && spec.kind !== "spot-interruption") {
    checkMinutes(problems, `${prop}.duration`, lastingOf(spec));
  }
  if (spec.kind === "cpu" || spec.kind === "memory") {
    checkPercent(problems, `${prop}.loadPercent`, loadPercent(spec.options));
  }
  if (spec.kind === "network-loss") checkPercent(problems, `${prop}.lossPercent`, spec.options.lossPercent ?? 7);
  if (spec.kind === "network-latency") {
    const { delay, jitter } = latency(spec.options);
    problems.check(
      [delay, jitter].every((time) => Number.isInteger(time.toMillis()) && time.toMillis() <= 60_000) &&
        delay.toMillis() > 0 &&
        jitter.toMillis() <= delay.toMillis(),
      {
        code: "CHAOS_DELAY",
        prop: `${prop}.delay`,
        problem: `${delay} with a jitter of ${jitter} cannot be`,
        remedy: "Use whole milliseconds up to a minute, and a jitter that is not longer than the delay.",
      },
    );
  }
  if (spec.kind === "network-latency" || spec.kind === "network-loss") {
    const { hosts } = spec.options;
    problems.check(hosts === undefined || (hosts.length > 0 && hosts.every((host) => HOST.test(host))), {
      code: "CHAOS_HOST",
      prop: `${prop}.hosts`,
      problem: `${JSON.stringify(hosts)} are no hosts`,
      remedy: 'Use host names, IPv4 addresses and CIDR blocks: ["api.example.com", "10.0.0.0/16"].',
    });
  }
  if (spec.kind === "blackhole-port") {
    const { port } = spec.options;
    problems.check(Number.isInteger(port) && port >= 1 && port <= 65_535, {
      code: "CHAOS_PORT",
      prop: `${prop}.port`,
      problem: `${port} is not a valid port`,
      remedy: "Use 1 to 65535.",
    });
  }
  if (spec.kind === "spot-interruption") {
    const minutes = lastingOf(spec).toMinutes();
    problems.check(Number.isInteger(minutes) && minutes >= 2 && minutes <= 15, {
      code: "CHAOS_DURATION",
      prop: `${prop}.after`,
      problem: `${spec.options.after} is not when AWS FIS takes one back`,
      remedy: "Use whole minutes, 2 to 15.",
    });
  }
  if (spec.kind === "zone-loss") {
    problems.check(spec.options.hits === ZONE_LOSS_WORD, {
      code: "CHAOS_ZONE_WORD",
      prop: `${prop}.hits`,
      problem: `${JSON.stringify(spec.options.hits)} is not the word for it`,
      remedy: `Say hits: ${JSON.stringify(ZONE_LOSS_WORD)}: all that the platform has in the zone is cut off.`,
    });
  }
}

function checkMinutes(problems: Problems, prop: string, duration: Duration): void {
  problems.check(Number.isInteger(duration.toMinutes()) && duration.toMinutes() >= 1 && duration.toMinutes() <= 720, {
    code: "CHAOS_DURATION",
    prop,
    problem: `${duration} is not how long AWS FIS lets one last`,
    remedy: "Use whole minutes, 1 to 720.",
  });
}

/** @param runs how many there are of what is hit */
function checkRadius(
  problems: Problems,
  { kind, radius }: FaultSpec & { radius: BlastRadius },
  prop: string,
  runs: { readonly min: number; readonly max: number } | undefined,
): void {
  const percent = "percent" in radius ? radius.percent : undefined;
  const count = "count" in radius ? radius.count : undefined;
  const isPart =
    (percent === undefined) !== (count === undefined) &&
    (percent === undefined || (Number.isInteger(percent) && percent >= 1 && percent <= 100)) &&
    (count === undefined || (Number.isInteger(count) && count >= 1));
  problems.check(isPart, {
    code: "CHAOS_RADIUS",
    prop,
    problem: `${JSON.stringify({ percent, count })} is not a valid blast radius`,
    remedy: "Use percent, a whole number from 1 to 100, or count, at least 1.",
  });
  if (!isPart) return;
  const takesAway = /^(stop|spot)-/.test(kind);
  problems.check(percent !== 100 || !takesAway, {
    code: "CHAOS_NOTHING_LEFT",
    prop: `${prop}.percent`,
    problem: "is 100: nothing is left to take over, which needs no experiment",
    remedy: "Use less.",
  });
  if (runs === undefined) return;
  problems.check(count === undefined || count < runs.max || !takesAway, {
    code: "CHAOS_NOTHING_LEFT",
    prop: `${prop}.count`,
    problem: `is ${count}, and no more than ${runs.max} run: nothing is left to take over, which needs no experiment`,
    remedy: "Use less, or raise the target's scaling.max.",
  });
  problems.check(
    // What may be at rest is tried while it works.
    percent === undefined || runs.min === 0 || Math.floor((runs.min * percent) / 100) > 0,
    {
      code: "CHAOS_NOBODY_HIT",
      prop: `${prop}.percent`,
      problem: `is ${percent}, and of ${runs.min}, the fewest that run, that is none: AWS FIS rounds down, and the experiment fails`,
      remedy: `Use more, count: 1, or a scaling.min of at least ${Math.ceil(100 / (percent ?? 100))} for the target.`,
    },
  );
}

function checkPercent(problems: Problems, prop: string, percent: number): void {
  problems.check(Number.isInteger(percent) && percent >= 1 && percent <= 100, {
    code: "CHAOS_PERCENT",
    prop,
    problem: `${percent} is not a valid percentage`,
    remedy: "Use whole numbers from 1 to 100.",
  });
}

function checkAgent(problems: Problems, { target, fault, agentImage }: ChaosExperimentProps): void {
  const needed = target instanceof CloudNativeService && needOf(fault.spec) !== "nothing";
  problems.check(needed || agentImage === undefined, {
    code: "CHAOS_AGENT_UNUSED",
    prop: "agentImage",
    problem: "is set, and the fault is not inside of tasks",
    remedy: "Leave it out.",
  });
  problems.check(
    !needed || (agentImage !== undefined && /^[a-z0-9][a-z0-9.\-_/:]*@sha256:[0-9a-f]{64}$/.test(agentImage)),
    {
      code: "CHAOS_AGENT_IMAGE",
      prop: "agentImage",
      problem:
        agentImage === undefined
          ? "is not set, and the fault is inside of tasks, where an agent must do it"
          : `${JSON.stringify(agentImage)} is not an image by digest`,
      remedy: `Use ${AGENT_REPOSITORY}@sha256:<64 hex digits>, which this prints: ${AGENT_DIGEST}`,
    },
  );
}
