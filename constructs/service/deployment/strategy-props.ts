import type { Problems } from "../../core/errors";
import { Duration } from "../../core/units";

/** What makes a deployment go back. */
export interface RollbackCriteria {
  /**
   * How many of a hundred requests of a minute may fail.
   *
   * @default 5
   */
  readonly errorPercent?: number;
  /**
   * Fewer requests in a minute prove nothing.
   *
   * @default 20
   */
  readonly minimumRequests?: number;
}

/** How long both versions stay when all requests go to the new one. */
export interface TrafficShiftOptions extends RollbackCriteria {
  /**
   * Until it is over, going back takes seconds: the old tasks still run. Nothing is scaled in meanwhile.
   *
   * @default Duration.minutes(5)
   */
  readonly bakeTime?: Duration;
}

/** How a new version goes live: see {@link rolling}. */
export interface RollingDeployment extends Required<RollbackCriteria> {
  readonly kind: "rolling";
}

/** How a new version goes live: see {@link blueGreen}. */
export interface BlueGreenDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "blueGreen";
}

/** How a new version goes live: see {@link canary}. */
export interface CanaryDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "canary";
  readonly percent: number;
  readonly wait: Duration;
}

/** How a new version goes live: see {@link linear}. */
export interface LinearDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "linear";
  readonly percent: number;
  readonly wait: Duration;
}

/** How requests move from the old version to the new one. */
export type TrafficShift = BlueGreenDeployment | CanaryDeployment | LinearDeployment;

/** How a new version goes live: see {@link codeDeploy}. */
export interface CodeDeployDeployment extends Required<TrafficShiftOptions> {
  readonly kind: "codeDeploy";
  readonly shift: TrafficShift;
}

export type Deployment = RollingDeployment | TrafficShift | CodeDeployDeployment;

/**
 * New tasks come, old ones go, all of the old ones' number staying healthy. What fails goes back by itself: when tasks do
 * not come up, or when requests from outside fail.
 *
 * @param options.errorPercent how many of a hundred requests of a minute may fail. Default: 5
 * @param options.minimumRequests fewer requests in a minute prove nothing. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html
 */
export function rolling(options: RollbackCriteria = {}): RollingDeployment {
  return { ...rollbackCriteria(options), kind: "rolling" };
}

/**
 * All new tasks come beside the old ones, then all requests go to them at once; the old ones stay for the bake time, so that
 * going back takes seconds. For a while the service costs twice.
 *
 * By ECS itself, with AWS provider 6; with provider 5 use `codeDeploy(blueGreen())`.
 *
 * @param options.bake how long both stay. Default: 5 minutes
 * @param options.errorPercent how many of a hundred requests of a minute may fail. Default: 5
 * @param options.minimumRequests fewer requests in a minute prove nothing. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html
 */
export function blueGreen(options: TrafficShiftOptions = {}): BlueGreenDeployment {
  return { ...baked(options), kind: "blueGreen" };
}

/**
 * All new tasks come beside the old ones, and a part of the requests goes to them; when it went well for a while, all do.
 *
 * By ECS itself, with AWS provider 6; with provider 5 use `codeDeploy(canary())`.
 *
 * @param options.percent how many of a hundred requests go to the new tasks at first, 1 to 99. Default: 10
 * @param options.wait how long it stays so. Default: 5 minutes
 * @param options.bake how long both stay when all requests went over. Default: 5 minutes
 * @param options.errorPercent how many of a hundred requests of a minute may fail. Default: 5
 * @param options.minimumRequests fewer requests in a minute prove nothing. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/canary-deployment.html
 */
export function canary(
  options: TrafficShiftOptions & { readonly percent?: number; readonly wait?: Duration } = {},
): CanaryDeployment {
  const { percent = 10, wait = Duration.minutes(5) } = options;
  return { ...baked(options), kind: "canary", percent, wait };
}

/**
 * All new tasks come beside the old ones, and requests go to them in equal parts, one after the other.
 *
 * By ECS itself, with AWS provider 6; with provider 5 use `codeDeploy(linear())`.
 *
 * @param options.percent how many of a hundred requests go over in each step, 3 to 50. Default: 10
 * @param options.wait time from step to step. Default: 3 minutes
 * @param options.bake how long both stay when all requests went over. Default: 5 minutes
 * @param options.errorPercent how many of a hundred requests of a minute may fail. Default: 5
 * @param options.minimumRequests fewer requests in a minute prove nothing. Default: 20
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html
 */
export function linear(
  options: TrafficShiftOptions & { readonly percent?: number; readonly wait?: Duration } = {},
): LinearDeployment {
  const { percent = 10, wait = Duration.minutes(3) } = options;
  return { ...baked(options), kind: "linear", percent, wait };
}

/**
 * Requests move as told, by AWS CodeDeploy: with AWS provider 5, which does not know ECS's own way. Only the release command
 * or a pipeline releases, an Ingress must be there, and there is no Service Connect: callers find the service by DNS.
 *
 * Going over to it, or back, replaces the service: choose before the first apply.
 *
 * @example
 * ```ts
 * const orders = new CloudNativeService(stack, "Orders", { deployment: codeDeploy(canary({ percent: 10 })) });
 * orders.add(new Ingress());
 * ```
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
 */
export function codeDeploy(shift: TrafficShift): CodeDeployDeployment {
  const { errorPercent, minimumRequests, bakeTime } = shift;
  return { kind: "codeDeploy", shift, errorPercent, minimumRequests, bakeTime };
}

function rollbackCriteria({ errorPercent = 5, minimumRequests = 20 }: RollbackCriteria): Required<RollbackCriteria> {
  return { errorPercent, minimumRequests };
}

function baked({ bakeTime = Duration.minutes(5), ...options }: TrafficShiftOptions): Required<TrafficShiftOptions> {
  return { ...rollbackCriteria(options), bakeTime };
}

/** As the user wrote it: `codeDeploy(canary(...))`. */
export function deploymentCall(deployment: Deployment): string {
  return deployment.kind === "codeDeploy" ? `codeDeploy(${deployment.shift.kind}(...))` : `${deployment.kind}()`;
}

/** How long a deployment takes when all goes well, besides the start of its tasks. */
export function deploymentMinutes(deployment: Deployment): number {
  const shift = deployment.kind === "codeDeploy" ? deployment.shift : deployment;
  if (shift.kind === "rolling") return 0;
  const steps = shift.kind === "linear" ? Math.ceil(100 / shift.percent) - 1 : shift.kind === "canary" ? 1 : 0;
  return shift.bakeTime.toMinutes() + (shift.kind === "blueGreen" ? 0 : steps * shift.wait.toMinutes());
}

/** Two datapoints of a minute, and the time until CloudWatch has them. */
const ALARM_MINUTES = 3;

/** Times of a deployment that are over before its alarm can go off, as the user wrote them: `bakeTime 1 min`. */
export function timesTooShort(deployment: Deployment): string[] {
  const shift = deployment.kind === "codeDeploy" ? deployment.shift : deployment;
  if (shift.kind === "rolling") return [];
  const times = { bakeTime: shift.bakeTime, ...(shift.kind === "blueGreen" ? {} : { wait: shift.wait }) };
  return Object.entries(times)
    .filter(([, duration]) => duration.toMinutes() < ALARM_MINUTES)
    .map(([name, duration]) => `${name} ${duration}`);
}

/** Most that ECS takes. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html */
const MAX_MINUTES = 1440;

/** How many of a hundred requests may go over at first, or at once. */
const PERCENT = { canary: { min: 1, max: 99 }, linear: { min: 3, max: 50 } } as const;

/** Notes DEPLOYMENT_ERRORS, DEPLOYMENT_REQUESTS, DEPLOYMENT_PERCENT, DEPLOYMENT_TIME. */
export function checkDeployment(problems: Problems, deployment: Deployment): void {
  const { errorPercent, minimumRequests } = deployment;
  problems.check(errorPercent > 0 && errorPercent < 100, {
    code: "DEPLOYMENT_ERRORS",
    prop: "deployment.errorPercent",
    problem: `${errorPercent} never or always goes back`,
    remedy: "Use a number above 0 and below 100.",
  });
  problems.check(Number.isInteger(minimumRequests) && minimumRequests >= 1, {
    code: "DEPLOYMENT_REQUESTS",
    prop: "deployment.minimumRequests",
    problem: `${minimumRequests} is no count of requests`,
    remedy: "Use a whole number, at least 1.",
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
    problem: `${shift.percent} is no part of the requests that ${shift.kind}() can move`,
    remedy: `Use a whole number from ${min} to ${max}.`,
  });
}

function checkMinutes(problems: Problems, prop: string, duration: Duration, least: number): void {
  const minutes = duration.toMinutes();
  problems.check(Number.isInteger(minutes) && minutes >= least && minutes <= MAX_MINUTES, {
    code: "DEPLOYMENT_TIME",
    prop,
    problem: `${duration} is not what AWS can wait for`,
    remedy: `Use whole minutes, ${least} to ${MAX_MINUTES}.`,
  });
}
