import { Annotations } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { Subscribed } from "../core/border";
import { Connections } from "../core/connections";
import { invalid, type Problems } from "../core/errors";
import { NAME_PATTERN, NAME_RULE } from "../core/names";
import { Duration } from "../core/units";
import type { ServiceStack } from "../platform/platform";
import type { Process } from "./process";

/** How one service calls another: what its client must keep to. */
export interface CallOptions {
  /**
   * Longest wait for an answer, repeated requests included.
   *
   * @default Duration.seconds(2)
   */
  readonly timeout?: Duration;
  /**
   * How many of a hundred requests may be repeated, so that a service in trouble does not get a multiple of its load.
   *
   * @default 10
   */
  readonly retryBudgetPercent?: number;
  /**
   * From how many failures of a hundred on the called service is left alone for a while.
   *
   * @default 50
   */
  readonly breakerFailurePercent?: number;
}

/** A service that can be called: one of this app, or one of another repo by {@link serviceNamed}. */
export interface ICallee {
  readonly serviceName: string;
}

/** {@link CallOptions} after defaults and checks. */
export interface CallSettings {
  readonly timeout: Duration;
  readonly retryBudgetPercent: number;
  readonly breakerFailurePercent: number;
}

/**
 * A service that another repo has put on the same platform, by its name: `orders.calls(serviceNamed("payments"))`. Its data
 * stack must be applied before what calls it is planned.
 */
export function serviceNamed(name: string): ICallee {
  return { serviceName: name };
}

/** Notes CALL_TIMEOUT, CALL_RETRY_BUDGET, CALL_BREAKER. */
export function resolveCall(
  problems: Problems,
  callee: string,
  options: CallOptions,
  longestRequest: Duration | undefined,
): CallSettings {
  const timeout = options.timeout ?? Duration.seconds(2);
  const { retryBudgetPercent = 10, breakerFailurePercent = 50 } = options;
  problems.check(
    Number.isInteger(timeout.toMillis()) && timeout.toMillis() >= 1 && timeout.toSeconds() <= 60,
    "CALL_TIMEOUT",
    `calls ${callee}: timeout`,
    `${timeout} is no time to wait`,
    "Use 1 ms to 60 s.",
  );
  problems.check(
    longestRequest === undefined || timeout.toMillis() <= longestRequest.toMillis(),
    "CALL_TIMEOUT",
    `calls ${callee}: timeout`,
    `${timeout} does not fit: a request may take ${longestRequest} when the caller's task ends`,
    "Lower the timeout, or raise the caller's shutdown.",
  );
  problems.check(
    Number.isInteger(retryBudgetPercent) && retryBudgetPercent >= 0 && retryBudgetPercent <= 100,
    "CALL_RETRY_BUDGET",
    `calls ${callee}: retryBudgetPercent`,
    `${retryBudgetPercent} is no share of the requests`,
    "Use whole numbers from 0 (never) to 100.",
  );
  problems.check(
    Number.isInteger(breakerFailurePercent) && breakerFailurePercent >= 1 && breakerFailurePercent <= 100,
    "CALL_BREAKER",
    `calls ${callee}: breakerFailurePercent`,
    `${breakerFailurePercent} is no share of the requests`,
    "Use whole numbers from 1 to 100.",
  );
  return { timeout, retryBudgetPercent, breakerFailurePercent };
}

/** A service of this app that calls, or is called. */
export interface Caller extends Pick<ICallee, "serviceName"> {
  readonly process: Process;
  readonly stack: ServiceStack;
}

/** Whether one can call the other. Notes CALL_NAME, CALL_SELF, CALL_OTHER_PLATFORM, CALL_NO_PORT. */
export function checkCallee(problems: Problems, caller: Caller, callee: Caller | Pick<ICallee, "serviceName">): void {
  const name = callee.serviceName;
  problems.check(
    NAME_PATTERN.test(name),
    "CALL_NAME",
    "calls",
    `${JSON.stringify(name)} is no name of a service`,
    `Use ${NAME_RULE}.`,
  );
  problems.check(
    name !== caller.serviceName,
    "CALL_SELF",
    `calls ${name}`,
    "is the service itself",
    "Call its own code instead.",
  );
  // Of one in another repo nothing more is known.
  if (!("stack" in callee)) return;
  const [mine, other] = [caller.stack, callee.stack];
  problems.check(
    mine.platformName === other.platformName && mine.environment.name === other.environment.name,
    "CALL_OTHER_PLATFORM",
    `calls ${name}`,
    `is on platform ${other.platformName}-${other.environment.name}, this one on ${mine.platformName}-${mine.environment.name}: their networks do not meet`,
    "Put both on one platform, or call its public address.",
  );
  problems.check(
    callee.process.kind === "web",
    "CALL_NO_PORT",
    `calls ${name}`,
    `is a ${callee.process.kind} and takes no requests`,
    "Send it a message by its queue.",
  );
}

/** The called service as its platform tells of it: nothing of it needs the service itself to exist. */
export class CalledService extends Construct {
  readonly url: string;
  readonly connections: Connections;

  constructor(scope: Construct, id: string, props: { readonly parameter: string }) {
    super(scope, id);
    const identity = new Subscribed(this, "Identity", { name: props.parameter });
    this.url = identity.text("url");
    this.connections = new Connections(this, "Connections", {
      securityGroupId: identity.text("securityGroupId"),
      defaultPort: identity.number("port"),
    });
  }
}

/** The client's settings, as the generated service reads them. */
export function callVariables(callee: string, url: string, settings: CallSettings): [name: string, value: string][] {
  const prefix = callee.toUpperCase().replaceAll("-", "_");
  return [
    [`${prefix}_URL`, url],
    [`${prefix}_TIMEOUT_MS`, String(settings.timeout.toMillis())],
    [`${prefix}_RETRY_BUDGET_PERCENT`, String(settings.retryBudgetPercent)],
    [`${prefix}_BREAKER_FAILURE_PERCENT`, String(settings.breakerFailurePercent)],
  ];
}

/** Who calls whom in an app, and how long each waits. */
interface Edge {
  readonly from: IConstruct;
  readonly to: IConstruct;
  readonly timeout: Duration;
}

const EDGES = new WeakMap<IConstruct, Edge[]>();

/** Rules that a security group may have in each direction, less the ones for the balancer and for AWS's own APIs. */
const EDGES_PER_GROUP = 58;

/**
 * Notes an edge between two services of one app.
 *
 * @throws InvalidPropsError CALL_QUOTA
 * @returns whether `from` may wait for `to`: not when `to` already waits for `from`, by whatever way
 */
export function noteCall(edge: Edge): boolean {
  const root = edge.from.node.root;
  const edges = EDGES.get(root) ?? [];
  for (const [end, count] of [
    [edge.from, edges.filter(({ from }) => from === edge.from).length],
    [edge.to, edges.filter(({ to }) => to === edge.to).length],
  ] as const) {
    if (count < EDGES_PER_GROUP) continue;
    throw invalid(
      edge.from,
      "CALL_QUOTA",
      `calls ${edge.to.node.id}`,
      `is the ${count + 1}th call of ${end.node.path}: AWS allows a security group 60 rules in each direction`,
      "Let some of them go through one service.",
    );
  }
  const isBack = reaches(edges, edge.to, edge.from);
  edges.push(edge);
  EDGES.set(root, edges);
  warnOfImpatience(edges, edge);
  return !isBack;
}

function reaches(edges: readonly Edge[], from: IConstruct, to: IConstruct, seen = new Set<IConstruct>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return edges.some((edge) => edge.from === from && reaches(edges, edge.to, to, seen));
}

/** Somebody who waits less long than the one it asks waits for others throws away work that goes on. */
function warnOfImpatience(edges: readonly Edge[], added: Edge): void {
  const pairs = edges.flatMap((edge): [Edge, Edge][] => [
    ...(edge.to === added.from ? [[edge, added] as [Edge, Edge]] : []),
    ...(added.to === edge.from && edge !== added ? [[added, edge] as [Edge, Edge]] : []),
  ]);
  for (const [outer, inner] of pairs) {
    if (outer.timeout.toMillis() >= inner.timeout.toMillis()) continue;
    Annotations.of(outer.from).addWarning(
      `waits ${outer.timeout} for ${outer.to.node.id}, which waits ${inner.timeout} for ${inner.to.node.id}: ` +
        "it gives up while the work goes on. Raise the first timeout or lower the second.  [CALL_CHAIN]",
    );
  }
}
