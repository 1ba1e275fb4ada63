import type { IConstruct } from "constructs";
import { AutoScalingGroup } from "../auto-scaling-group/auto-scaling-group";
import type { IAlarm } from "../core/alarm";
import { Problems } from "../core/errors";
import { isReference } from "../core/reference";
import type { Schedule } from "../core/schedule";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import type { IPlatform } from "../platform/platform";
import { CloudNativeService } from "../service/cloud-native-service";
import { latency, loadPercent } from "./action";
import { type BlastRadius, type Fault, type FaultSpec, lastingOf, needOf, ZONE_LOSS_WORD } from "./fault";

/** Name of an environment that is built like production but serves no users. */
const STAGING = "staging";

/** Confirmation for experiments in an environment that serves users. */
export const PRODUCTION_WORD = "users may notice";

/**
 * Maximum number of stop conditions of a template; AWS does not raise this quota. @see
 * https://docs.aws.amazon.com/fis/latest/userguide/fis-quotas.html
 */
export const STOP_CONDITIONS = 5;

/** ECR repository of the agent's image. */
const AGENT_REPOSITORY = "public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent";

/** Command that prints the digest of the latest version. */
const AGENT_DIGEST = `docker buildx imagetools inspect ${AGENT_REPOSITORY}:latest --format '{{.Manifest.Digest}}'`;

/** Default time to watch the alarms, which need about two minutes to fire. */
export const DEFAULT_WATCH = Duration.minutes(5);

/** Targets of a fault: tasks of a service, instances of a group, or a zone of a platform. */
export type FaultTarget = CloudNativeService | AutoScalingGroup | IPlatform;

/**
 * Report of an experiment with its timeline and graphs of dashboards, from 20 minutes before the experiment to 20 minutes
 * after it. AWS charges 5 USD for each report.
 */
export interface ExperimentReport {
  /** Name of a bucket in the same region. */
  readonly bucketName: string;
  /** @default - the experiment's name */
  readonly prefix?: string;
  /**
   * Names of dashboards of this account to include.
   *
   * @default - those of the target: the service's ServiceDashboard or the platform's PlatformDashboard; none for an Auto
   * Scaling group
   */
  readonly dashboards?: readonly string[];
}

export interface ChaosExperimentProps {
  /** Target of the fault. */
  readonly target: FaultTarget;
  /** Fault to inject: `Fault.stopTasks({ percent: 50 })`. */
  readonly fault: Fault;
  /** Names of the environments that allow the experiment. It is refused in any other. */
  readonly environments: readonly string[];
  /**
   * Hypothesis: none of these alarms fires during the fault. An alarm that fires stops the experiment, which has then
   * failed. At least one, at most five.
   *
   * @default - `service.health`: the alarms that roll back a deployment, or all alarms if there are none; an Auto Scaling
   * group and a platform have no alarms of their own
   */
  readonly stopOn?: readonly IAlarm[];
  /**
   * Confirmation for environments that serve users: those with a profile other than `dev`, unless they are called `staging`.
   *
   * @default - not in production
   */
  readonly production?: typeof PRODUCTION_WORD;
  /**
   * Time to watch the alarms after the fault, in whole minutes, 1 to 720. Alarms fire with a delay, and a fault such as
   * `stopTasks` ends at once.
   *
   * @default Duration.minutes(5)
   */
  readonly watch?: Duration;
  /**
   * Schedule that starts the experiment.
   *
   * @default - none: a user or a pipeline starts it
   */
  readonly schedule?: Schedule;
  /** @default - none */
  readonly report?: ExperimentReport;
  /**
   * Image of the Systems Manager agent, by digest: `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:...`. Required
   * for faults inside tasks, where the agent runs as a sidecar; otherwise not allowed. AWS's guide uses a mutable tag; this
   * prints its digest: `docker buildx imagetools inspect public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent:latest --format
   * '{{.Manifest.Digest}}'`.
   *
   * @default - none: no fault inside tasks
   */
  readonly agentImage?: string;
}

/** Names of the faults as users write them. */
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
    problem: "must not be empty, because alarms stop the experiment and decide whether it succeeds",
    remedy: "List at least one alarm, or leave stopOn out for the health alarms of the service.",
  });
  problems.check(props.stopOn === undefined || props.stopOn.length <= STOP_CONDITIONS, {
    code: "CHAOS_STOP_CONDITIONS",
    prop: "stopOn",
    problem: `must have at most ${STOP_CONDITIONS} alarms, got ${props.stopOn?.length}`,
    remedy: "List the alarms on problems that users notice.",
  });
  problems.check(
    props.report === undefined ||
      isReference(props.report.bucketName) ||
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(props.report.bucketName),
    {
      code: "CHAOS_REPORT_BUCKET",
      prop: "report.bucketName",
      problem: `${JSON.stringify(props.report?.bucketName)} is not a valid bucket name`,
      remedy: "Use only the name: 3 to 63 lowercase letters, digits, dots and hyphens.",
    },
  );
  for (const name of props.report?.dashboards ?? []) {
    problems.check(isReference(name) || /^[\w-]{1,255}$/.test(name), {
      code: "CHAOS_REPORT_DASHBOARD",
      prop: "report.dashboards",
      problem: `${JSON.stringify(name)} is not a valid dashboard name`,
      remedy: "Use only the name: 1 to 255 letters, digits, hyphens and _.",
    });
  }
  problems.throwIfAny();
}

function checkEnvironment(problems: Problems, stack: AwsStack, props: ChaosExperimentProps): void {
  const { environment } = stack;
  problems.check(props.environments.includes(environment.name), {
    code: "CHAOS_ENVIRONMENT",
    prop: "environments",
    problem: `must include ${JSON.stringify(environment.name)}, the environment of the experiment, got ${props.environments.join(", ") || "none"}`,
    remedy: "Create the experiment only in the environments that allow it, or add this one.",
  });
  problems.check(!stack.production || environment.name === STAGING || props.production === PRODUCTION_WORD, {
    code: "CHAOS_PRODUCTION",
    prop: "production",
    problem: `must be set, because environment ${JSON.stringify(environment.name)} has the profile ${JSON.stringify(environment.profile)}`,
    remedy: `Set production: ${JSON.stringify(PRODUCTION_WORD)} once the experiment has succeeded elsewhere.`,
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
        problem: "is only for instances: AWS FIS cannot fill the memory of a task",
        remedy: "Use cpu, or target the Auto Scaling group that the tasks run on.",
      });
    } else if (kind === "spot-interruption") {
      problems.add({
        code: "CHAOS_SPOT_OF_TASKS",
        prop,
        problem: "is only for instances: AWS FIS cannot interrupt a Fargate Spot task",
        remedy: "Use stopTasks: tasks get the same signal, without the two-minute notice.",
      });
    } else if (!IN_TASKS.includes(kind)) {
      problems.add({
        code: "CHAOS_FAULT_TARGET",
        prop,
        problem: "cannot target a service",
        remedy: `Use one of: ${names(IN_TASKS)}.`,
      });
    }
    problems.check(target.process.kind !== "job", {
      code: "CHAOS_JOB",
      prop: "target",
      problem: `must be a web process or a worker, because a job has no running tasks to select; ${target.serviceName} is a job`,
      remedy: "Choose another target.",
    });
    return;
  }
  if (target instanceof AutoScalingGroup) {
    problems.check(ON_MACHINES.includes(kind), {
      code: "CHAOS_FAULT_TARGET",
      prop,
      problem: "cannot target an Auto Scaling group",
      remedy: `Use one of: ${names(ON_MACHINES)}.`,
    });
    problems.check(kind !== "spot-interruption" || target.hasSpot, {
      code: "CHAOS_NO_SPOT",
      prop,
      problem: "needs Spot Instances, but the group has none",
      remedy: "Set spot of the group, or use stopInstances.",
    });
  } else {
    problems.check(kind === "zone-loss", {
      code: "CHAOS_FAULT_TARGET",
      prop,
      problem: "cannot target a platform",
      remedy: "Use zoneLoss, or target a service or an Auto Scaling group.",
    });
  }
  problems.check(stopOn !== undefined, {
    code: "CHAOS_NO_HYPOTHESIS",
    prop: "stopOn",
    problem: "must be set, because the target has no alarms that could stop the experiment",
    remedy: "List the alarms of the services that must stay healthy: stopOn: orders.health.",
  });
}

function names(kinds: readonly string[]): string {
  return kinds.map((kind) => NAMES[kind as FaultSpec["kind"]]).join(", ");
}

function checkFault(problems: Problems, { fault: { spec }, target }: ChaosExperimentProps): void {
  const prop = `fault ${NAMES[spec.kind]}`;
  // AWS decides how many instances of a group are Spot.
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
        problem: `must be whole milliseconds up to a minute, with a jitter that is not longer; got ${delay} with a jitter of ${jitter}`,
        remedy: "Use durations such as Duration.millis(200) and Duration.millis(10).",
      },
    );
  }
  if (spec.kind === "network-latency" || spec.kind === "network-loss") {
    const { hosts } = spec.options;
    problems.check(
      hosts === undefined || (hosts.length > 0 && hosts.every((host) => isReference(host) || HOST.test(host))),
      {
        code: "CHAOS_HOST",
        prop: `${prop}.hosts`,
        problem: `must be host names, IPv4 addresses or CIDR blocks, got ${JSON.stringify(hosts)}`,
        remedy: 'Use a list such as ["api.example.com", "10.0.0.0/16"].',
      },
    );
  }
  if (spec.kind === "blackhole-port") {
    const { port } = spec.options;
    problems.check(Number.isInteger(port) && port >= 1 && port <= 65_535, {
      code: "CHAOS_PORT",
      prop: `${prop}.port`,
      problem: `must be a port from 1 to 65535, got ${port}`,
      remedy: "Use the port of the dependency.",
    });
  }
  if (spec.kind === "spot-interruption") {
    const minutes = lastingOf(spec).toMinutes();
    problems.check(Number.isInteger(minutes) && minutes >= 2 && minutes <= 15, {
      code: "CHAOS_DURATION",
      prop: `${prop}.after`,
      problem: `must be whole minutes, 2 to 15, got ${spec.options.after}`,
      remedy: "Use a duration such as Duration.minutes(2).",
    });
  }
  if (spec.kind === "zone-loss") {
    problems.check(spec.options.hits === ZONE_LOSS_WORD, {
      code: "CHAOS_ZONE_WORD",
      prop: `${prop}.hits`,
      problem: `must be ${JSON.stringify(ZONE_LOSS_WORD)}, got ${JSON.stringify(spec.options.hits)}`,
      remedy: "Set it to confirm that everything the platform runs in the zone is disconnected.",
    });
  }
}

function checkMinutes(problems: Problems, prop: string, duration: Duration): void {
  problems.check(Number.isInteger(duration.toMinutes()) && duration.toMinutes() >= 1 && duration.toMinutes() <= 720, {
    code: "CHAOS_DURATION",
    prop,
    problem: `must be whole minutes, 1 to 720, got ${duration}`,
    remedy: "Use a duration such as Duration.minutes(5).",
  });
}

/** @param runs number of targets that run */
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
    problem: `must be a valid blast radius, got ${JSON.stringify({ percent, count })}`,
    remedy: "Set either percent, a whole number from 1 to 100, or count, at least 1.",
  });
  if (!isPart) return;
  const takesAway = /^(stop|spot)-/.test(kind);
  problems.check(percent !== 100 || !takesAway, {
    code: "CHAOS_NOTHING_LEFT",
    prop: `${prop}.percent`,
    problem: "must be below 100, because something must be left to take over",
    remedy: "Use less.",
  });
  if (runs === undefined) return;
  problems.check(count === undefined || count < runs.max || !takesAway, {
    code: "CHAOS_NOTHING_LEFT",
    prop: `${prop}.count`,
    problem: `must be below ${runs.max}, the maximum that runs, because something must be left to take over; got ${count}`,
    remedy: "Lower it, or raise the target's scaling.max.",
  });
  problems.check(
    // A percentage is checked against the minimum, since the target may be scaled in when the experiment runs.
    percent === undefined || runs.min === 0 || Math.floor((runs.min * percent) / 100) > 0,
    {
      code: "CHAOS_NOBODY_HIT",
      prop: `${prop}.percent`,
      problem: `must select at least one of the minimum of ${runs.min}: AWS FIS rounds down, and ${percent} % of ${runs.min} is none`,
      remedy: `Use a higher percent, count: 1, or a scaling.min of at least ${Math.ceil(100 / (percent ?? 100))} for the target.`,
    },
  );
}

function checkPercent(problems: Problems, prop: string, percent: number): void {
  problems.check(Number.isInteger(percent) && percent >= 1 && percent <= 100, {
    code: "CHAOS_PERCENT",
    prop,
    problem: `must be a whole number from 1 to 100, got ${percent}`,
    remedy: "Change the percentage, or leave it out.",
  });
}

function checkAgent(problems: Problems, { target, fault, agentImage }: ChaosExperimentProps): void {
  const needed = target instanceof CloudNativeService && needOf(fault.spec) !== "nothing";
  problems.check(needed || agentImage === undefined, {
    code: "CHAOS_AGENT_UNUSED",
    prop: "agentImage",
    problem: "is allowed only for faults inside tasks",
    remedy: "Remove agentImage.",
  });
  problems.check(
    !needed || (agentImage !== undefined && /^[a-z0-9][a-z0-9.\-_/:]*@sha256:[0-9a-f]{64}$/.test(agentImage)),
    {
      code: "CHAOS_AGENT_IMAGE",
      prop: "agentImage",
      problem:
        agentImage === undefined
          ? "must be set, because an agent injects faults inside tasks"
          : `must be an image by digest, got ${JSON.stringify(agentImage)}`,
      remedy: `Use ${AGENT_REPOSITORY}@sha256:<64 hex digits>; get the digest with: ${AGENT_DIGEST}`,
    },
  );
}
