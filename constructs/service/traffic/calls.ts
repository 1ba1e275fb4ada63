import { Construct, type IConstruct } from "constructs";
import { checkArguments } from "../../core/check-types";
import { Connections } from "../../core/connections";
import { invalid, type Problems, warn } from "../../core/errors";
import { NAME_PATTERN, NAME_RULE } from "../../core/names";
import { Wishes } from "../../core/order";
import { ImportedContract } from "../../core/parameter-contract";
import { Registry } from "../../core/registry";
import { Duration } from "../../core/units";
import type { ServiceStack } from "../../platform/platform";
import type { Process } from "../task/process";

/** Settings of the client that one service uses to call another. */
export interface CallOptions {
  /**
   * Maximum time until a response, including retries.
   *
   * @default Duration.seconds(2)
   */
  readonly timeout?: Duration;
  /**
   * Percentage of requests that may be retried, so that retries do not multiply the load of a service in trouble.
   *
   * @default 10
   */
  readonly retryBudgetPercent?: number;
  /**
   * Percentage of failed requests at which the circuit breaker opens: the client stops calling the service for a while.
   *
   * @default 50
   */
  readonly breakerFailurePercent?: number;
}

/** Service that can be called: a service of this app, or one of another repository by {@link existingService}. */
export interface ICallee {
  readonly serviceName: string;
}

/** Settings of {@link CallOptions} after defaults and checks. */
export interface CallSettings {
  readonly timeout: Duration;
  readonly retryBudgetPercent: number;
  readonly breakerFailurePercent: number;
}

/**
 * References a service that another repository has deployed to the same platform:
 * `orders.call(existingService("payments"))`. Apply its data stack before planning the caller.
 */
export function existingService(name: string): ICallee {
  checkArguments("existingService", { name });
  return { serviceName: name };
}

/** Applies defaults; records CALL_TIMEOUT, CALL_RETRY_BUDGET, CALL_BREAKER. */
export function resolveCall(
  problems: Problems,
  callee: string,
  options: CallOptions,
  longestRequest: Duration | undefined,
): CallSettings {
  const timeout = options.timeout ?? Duration.seconds(2);
  const { retryBudgetPercent = 10, breakerFailurePercent = 50 } = options;
  problems.check(Number.isInteger(timeout.toMillis()) && timeout.toMillis() >= 1 && timeout.toSeconds() <= 60, {
    code: "CALL_TIMEOUT",
    prop: `call ${callee}: timeout`,
    problem: `must be whole milliseconds from 1 ms to 60 s, got ${timeout}`,
    remedy: "Use a duration such as Duration.seconds(2).",
  });
  problems.check(longestRequest === undefined || timeout.toMillis() <= longestRequest.toMillis(), {
    code: "CALL_TIMEOUT",
    prop: `call ${callee}: timeout`,
    problem: `must be at most ${longestRequest}, the time that a stopping task has for a request, got ${timeout}`,
    remedy: "Lower the timeout, or raise the caller's stopTimeout.",
  });
  problems.check(Number.isInteger(retryBudgetPercent) && retryBudgetPercent >= 0 && retryBudgetPercent <= 100, {
    code: "CALL_RETRY_BUDGET",
    prop: `call ${callee}: retryBudgetPercent`,
    problem: `must be a whole number from 0 to 100, got ${retryBudgetPercent}`,
    remedy: "Use a percentage of requests; 0 turns retries off.",
  });
  problems.check(
    Number.isInteger(breakerFailurePercent) && breakerFailurePercent >= 1 && breakerFailurePercent <= 100,
    {
      code: "CALL_BREAKER",
      prop: `call ${callee}: breakerFailurePercent`,
      problem: `must be a whole number from 1 to 100, got ${breakerFailurePercent}`,
      remedy: "Use a percentage of requests, such as 50.",
    },
  );
  return { timeout, retryBudgetPercent, breakerFailurePercent };
}

/** Service of this app at either end of a call. */
export interface CallParty extends ICallee {
  readonly process: Process;
  readonly stack: ServiceStack;
}

/** Records CALL_NAME, CALL_SELF, CALL_OTHER_PLATFORM, CALL_NO_PORT. */
export function checkCallee(problems: Problems, caller: CallParty, callee: CallParty | ICallee): void {
  const name = callee.serviceName;
  problems.check(NAME_PATTERN.test(name), {
    code: "CALL_NAME",
    prop: "call",
    problem: `must be given the name of a service, got ${JSON.stringify(name)}`,
    remedy: `Use ${NAME_RULE}.`,
  });
  problems.check(name !== caller.serviceName, {
    code: "CALL_SELF",
    prop: `call ${name}`,
    problem: "must name another service, got the caller itself",
    remedy: "Call the code of the service directly.",
  });
  // A service of another repository cannot be checked any further at synth.
  if (!("stack" in callee)) return;
  const [mine, other] = [caller.stack, callee.stack];
  problems.check(mine.platformName === other.platformName && mine.environment.name === other.environment.name, {
    code: "CALL_OTHER_PLATFORM",
    prop: `call ${name}`,
    problem: `must be on the same platform as its caller, ${mine.platformName}-${mine.environment.name}, because the VPCs of different platforms are not connected; it is on ${other.platformName}-${other.environment.name}`,
    remedy: "Create both services on one platform, or call the service at its public address.",
  });
  problems.check(callee.process.kind === "web", {
    code: "CALL_NO_PORT",
    prop: `call ${name}`,
    problem: `must be a web process to receive requests, got ${callee.process.kind}()`,
    remedy: "Send a message to its queue instead.",
  });
}

/** Published identity of a called service, which does not depend on the service itself. */
export class CalledService extends Construct {
  readonly url: string;
  readonly connections: Connections;

  constructor(scope: Construct, id: string, props: { readonly parameter: string }) {
    super(scope, id);
    const identity = new ImportedContract(this, "Identity", { name: props.parameter });
    this.url = identity.text("url");
    this.connections = new Connections(this, "Connections", {
      securityGroupId: identity.text("securityGroupId"),
      defaultPort: identity.number("port"),
    });
  }
}

/** Environment variables through which the client reads its settings. */
export function callVariables(callee: string, url: string, settings: CallSettings): [name: string, value: string][] {
  const prefix = callee.toUpperCase().replaceAll("-", "_");
  return [
    [`${prefix}_URL`, url],
    [`${prefix}_TIMEOUT_MS`, String(settings.timeout.toMillis())],
    [`${prefix}_RETRY_BUDGET_PERCENT`, String(settings.retryBudgetPercent)],
    [`${prefix}_BREAKER_FAILURE_PERCENT`, String(settings.breakerFailurePercent)],
  ];
}

/** Call of one service by another, with its timeout. */
interface Call {
  readonly from: IConstruct;
  readonly to: IConstruct;
  readonly timeout: Duration;
}

/** Rules that a security group may have in each direction, less those for the load balancer and for AWS APIs. */
const CALLS_PER_GROUP = 58;

/** Registry of the calls between the services of an app, by either end. */
export class Calls {
  static of(service: IConstruct): Calls {
    return Registry.of(service.node.root).get(ALL_CALLS);
  }

  readonly #from = new Map<IConstruct, Call[]>();
  readonly #to = new Map<IConstruct, Call[]>();

  /** @throws InvalidPropsError CALL_QUOTA */
  add(call: Call): void {
    const { from, to } = call;
    const [outgoing, incoming] = [listOf(this.#from, from), listOf(this.#to, to)];
    for (const [end, { length }] of [
      [from, outgoing],
      [to, incoming],
    ] as const) {
      if (length < CALLS_PER_GROUP) continue;
      throw invalid(from, {
        code: "CALL_QUOTA",
        prop: `call ${to.node.id}`,
        problem: `is call ${length + 1} of ${end.node.path}, more than the 60 rules per direction of a security group allow`,
        remedy: "Route some of the calls through one service.",
      });
    }
    outgoing.push(call);
    incoming.push(call);
    for (const before of listOf(this.#to, from)) warnOfShorterTimeout(before, call);
    for (const after of listOf(this.#from, to)) warnOfShorterTimeout(call, after);
  }
}

const ALL_CALLS = () => new Calls();

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/**
 * Warns if a caller has a shorter timeout than the service that it calls: the work continues, but its result is not used.
 */
function warnOfShorterTimeout(outer: Call, inner: Call): void {
  if (outer.timeout.toMillis() >= inner.timeout.toMillis()) return;
  warn(outer.from, {
    code: "CALL_CHAIN",
    prop: `call(${outer.to.node.id})`,
    problem: `waits ${outer.timeout}, and ${outer.to.node.id} waits ${inner.timeout} for ${inner.to.node.id}: the caller times out while the work continues`,
    remedy: "Raise the first timeout or lower the second.",
  });
}

/** Order in which the services of one stack start: callees first, except where that would make a cycle. */
export class StartOrder<T> {
  readonly #preferences = new Wishes<T>();
  #granted: ReadonlyMap<T, readonly T[]> | undefined;

  preferAfter(service: T, callee: T): void {
    this.#preferences.add(service, callee);
    this.#granted = undefined;
  }

  /** Services that start before the given one. Call it at synth, when all calls are known. */
  before(service: T): readonly T[] {
    this.#granted ??= this.#preferences.granted();
    return this.#granted.get(service) ?? [];
  }
}
