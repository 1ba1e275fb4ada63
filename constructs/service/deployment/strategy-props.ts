import { checkArguments } from "../../core/check-types";
import type { Problems } from "../../core/errors";
import { Duration } from "../../core/units";

/** Conditions under which a deployment rolls back. */
export interface RollbackCriteria {
  /**
   * Percentage of requests in a minute that may fail.
   *
   * @default 5
   */
  readonly errorPercent?: number;
  /**
   * Minimum number of requests in a minute; minutes with fewer are not evaluated.
   *
   * @default 20
   */
  readonly minimumRequests?: number;
}

/** Options of strategies that shift traffic between two versions. */
export interface TrafficShiftOptions extends RollbackCriteria {
  /**
   * Time during which the old tasks keep running after all traffic has shifted. Until it ends, a rollback takes seconds. The
   * service is not scaled in meanwhile.
   *
   * @default Duration.minutes(5)
   */
  readonly bakeTime?: Duration;
}

/** Rolling deployment: see {@link rolling}. */
export interface RollingDeployment extends Required<RollbackCriteria> {
  readonly kind: "rolling";
}

/** Blue/green deployment: see {@link blueGreen}. */
export interface BlueGreenDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "blueGreen";
}

/** Canary deployment: see {@link canary}. */
export interface CanaryDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "canary";
  readonly percent: number;
  readonly wait: Duration;
}

/** Linear deployment: see {@link linear}. */
export interface LinearDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "linear";
  readonly percent: number;
  readonly wait: Duration;
}

/** Strategies that shift traffic from the old version to the new one. */
export type TrafficShift = BlueGreenDeployment | CanaryDeployment | LinearDeployment;

/** Deployment by AWS CodeDeploy: see {@link codeDeploy}. */
export interface CodeDeployDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "codeDeploy";
  readonly shift: TrafficShift;
}

/** Strategy of a deployment: see {@link rolling}, {@link blueGreen}, {@link canary}, {@link linear} and {@link codeDeploy}. */
export type Deployment = RollingDeployment | TrafficShift | CodeDeployDeployment;

/**
 * Rolling deployment: starts new tasks and stops old ones, while as many healthy tasks as before keep running. Rolls back
 * automatically when tasks fail to start or requests from outside fail.
 *
 * @param options.errorPercent percentage of requests in a minute that may fail. Default: 5
 * @param options.minimumRequests minimum number of requests in a minute to evaluate. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
 */
export function rolling(options: RollbackCriteria = {}): RollingDeployment {
  checkArguments("rolling", { options });
  return { ...rollbackCriteria(options), kind: "rolling" };
}

/**
 * Blue/green deployment: starts all new tasks next to the old ones, then shifts all traffic at once. The old tasks keep
 * running for the bake time, so that a rollback takes seconds. The service temporarily costs twice as much.
 *
 * Performed by ECS with AWS provider 6; with provider 5 use `codeDeploy(blueGreen())`.
 *
 * @param options.bakeTime time during which both versions keep running. Default: 5 minutes
 * @param options.errorPercent percentage of requests in a minute that may fail. Default: 5
 * @param options.minimumRequests minimum number of requests in a minute to evaluate. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html
 */
export function blueGreen(options: TrafficShiftOptions = {}): BlueGreenDeployment {
  checkArguments("blueGreen", { options });
  return { ...baked(options), kind: "blueGreen" };
}

/**
 * Canary deployment: starts all new tasks next to the old ones and shifts a part of the traffic to them; if no alarm fires
 * for a while, shifts the rest.
 *
 * Performed by ECS with AWS provider 6; with provider 5 use `codeDeploy(canary())`.
 *
 * @param options.percent percentage of requests to shift first, 1 to 99. Default: 10
 * @param options.wait time until the rest is shifted. Default: 5 minutes
 * @param options.bakeTime time during which both versions keep running after all traffic has shifted. Default: 5 minutes
 * @param options.errorPercent percentage of requests in a minute that may fail. Default: 5
 * @param options.minimumRequests minimum number of requests in a minute to evaluate. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/canary-deployment.html
 */
export function canary(
  options: TrafficShiftOptions & { readonly percent?: number; readonly wait?: Duration } = {},
): CanaryDeployment {
  checkArguments("canary", { options });
  const { percent = 10, wait = Duration.minutes(5) } = options;
  return { ...baked(options), kind: "canary", percent, wait };
}

/**
 * Linear deployment: starts all new tasks next to the old ones and shifts traffic to them in equal steps.
 *
 * Performed by ECS with AWS provider 6; with provider 5 use `codeDeploy(linear())`.
 *
 * @param options.percent percentage of requests to shift in each step, 3 to 50. Default: 10
 * @param options.wait time between steps. Default: 3 minutes
 * @param options.bakeTime time during which both versions keep running after all traffic has shifted. Default: 5 minutes
 * @param options.errorPercent percentage of requests in a minute that may fail. Default: 5
 * @param options.minimumRequests minimum number of requests in a minute to evaluate. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html
 */
export function linear(
  options: TrafficShiftOptions & { readonly percent?: number; readonly wait?: Duration } = {},
): LinearDeployment {
  checkArguments("linear", { options });
  const { percent = 10, wait = Duration.minutes(3) } = options;
  return { ...baked(options), kind: "linear", percent, wait };
}

/**
 * Shifts traffic through AWS CodeDeploy, for AWS provider 5, which does not support ECS's own strategies. Requires an
 * Ingress, and releases by the release command or a pipeline. Does not support Service Connect: callers find the service
 * through DNS.
 *
 * Switching to or from CodeDeploy replaces the service: choose before the first apply.
 *
 * @example
 * ```ts
 * const orders = new CloudNativeService(stack, "Orders", { deployment: codeDeploy(canary({ percent: 10 })) });
 * orders.add(new Ingress());
 * ```
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
 */
export function codeDeploy(shift: TrafficShift): CodeDeployDeployment {
  checkArguments("codeDeploy", { shift });
  const { errorPercent, minimumRequests, bakeTime } = shift;
  return { kind: "codeDeploy", shift, errorPercent, minimumRequests, bakeTime };
}

function rollbackCriteria({ errorPercent = 5, minimumRequests = 20 }: RollbackCriteria): Required<RollbackCriteria> {
  return { errorPercent, minimumRequests };
}

function baked({ bakeTime = Duration.minutes(5), ...options }: TrafficShiftOptions): Required<TrafficShiftOptions> {
  return { ...rollbackCriteria(options), bakeTime };
}

/** Formats a deployment as the user wrote it: `codeDeploy(canary(...))`. */
export function deploymentCall(deployment: Deployment): string {
  return deployment.kind === "codeDeploy" ? `codeDeploy(${deployment.shift.kind}(...))` : `${deployment.kind}()`;
}

/** Duration of a successful deployment in minutes, not counting the start of its tasks. */
export function deploymentMinutes(deployment: Deployment): number {
  const shift = deployment.kind === "codeDeploy" ? deployment.shift : deployment;
  if (shift.kind === "rolling") return 0;
  const steps = shift.kind === "linear" ? Math.ceil(100 / shift.percent) - 1 : shift.kind === "canary" ? 1 : 0;
  return shift.bakeTime.toMinutes() + (shift.kind === "blueGreen" ? 0 : steps * shift.wait.toMinutes());
}

/** Two one-minute datapoints, plus the delay until CloudWatch has them. */
const ALARM_MINUTES = 3;

/** Returns the times of a deployment that end before its alarm can fire, as the user wrote them: `bakeTime 1 min`. */
export function timesTooShort(deployment: Deployment): string[] {
  const shift = deployment.kind === "codeDeploy" ? deployment.shift : deployment;
  if (shift.kind === "rolling") return [];
  const times = { bakeTime: shift.bakeTime, ...(shift.kind === "blueGreen" ? {} : { wait: shift.wait }) };
  return Object.entries(times)
    .filter(([, duration]) => duration.toMinutes() < ALARM_MINUTES)
    .map(([name, duration]) => `${name} ${duration}`);
}

/** Maximum that ECS accepts. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html */
const MAX_MINUTES = 1440;

/** Percentage of requests that may be shifted first, or in each step. */
const PERCENT = { canary: { min: 1, max: 99 }, linear: { min: 3, max: 50 } } as const;

/** Records DEPLOYMENT_ERRORS, DEPLOYMENT_REQUESTS, DEPLOYMENT_PERCENT, DEPLOYMENT_TIME. */
export function checkDeployment(problems: Problems, deployment: Deployment): void {
  const { errorPercent, minimumRequests } = deployment;
  problems.check(errorPercent > 0 && errorPercent < 100, {
    code: "DEPLOYMENT_ERRORS",
    prop: "deployment.errorPercent",
    problem: `must be above 0 and below 100, got ${errorPercent}`,
    remedy: "Use a percentage such as 5.",
  });
  problems.check(Number.isInteger(minimumRequests) && minimumRequests >= 1, {
    code: "DEPLOYMENT_REQUESTS",
    prop: "deployment.minimumRequests",
    problem: `must be a whole number, at least 1, got ${minimumRequests}`,
    remedy: "Use a number of requests such as 20.",
  });
  const shift = deployment.kind === "codeDeploy" ? deployment.shift : deployment;
  if (shift.kind === "rolling") return;
  checkMinutes(problems, "deployment.bakeTime", shift.bakeTime, 0);
  if (shift.kind === "blueGreen") return;
  checkMinutes(problems, "deployment.wait", shift.wait, 1);
  const { min, max } = PERCENT[shift.kind];
  problems.check(Number.isInteger(shift.percent) && shift.percent >= min && shift.percent <= max, {
    code: "DEPLOYMENT_PERCENT",
    prop: "deployment.percent",
    problem: `must be a whole number from ${min} to ${max} for ${shift.kind}(), got ${shift.percent}`,
    remedy: "Use a percentage such as 10.",
  });
}

function checkMinutes(problems: Problems, prop: string, duration: Duration, least: number): void {
  const minutes = duration.toMinutes();
  problems.check(Number.isInteger(minutes) && minutes >= least && minutes <= MAX_MINUTES, {
    code: "DEPLOYMENT_TIME",
    prop,
    problem: `must be whole minutes, ${least} to ${MAX_MINUTES}, got ${duration}`,
    remedy: "Use a duration such as Duration.minutes(5).",
  });
}
