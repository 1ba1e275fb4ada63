import { Annotations } from "cdktf";
import { Construct, type IConstruct } from "constructs";
import { Connections } from "../../core/connections";
import { invalid, type Problems } from "../../core/errors";
import { NAME_PATTERN, NAME_RULE } from "../../core/names";
import { Wishes } from "../../core/order";
import { ImportedContract } from "../../core/parameter-contract";
import { Registry } from "../../core/registry";
import { Duration } from "../../core/units";
import type { ServiceStack } from "../../platform/platform";
import type { Process } from "../task/process";

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

/** A service that can be called: one of this app, or one of another repo by {@link existingService}. */
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
 * A service that another repo has put on the same platform, by its name: `orders.call(existingService("payments"))`. Its data
 * stack must be applied before what calls it is planned.
 */
export function existingService(name: string): ICallee {
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
  problems.check(Number.isInteger(timeout.toMillis()) && timeout.toMillis() >= 1 && timeout.toSeconds() <= 60, {
    code: "CALL_TIMEOUT",
    prop: `call ${callee}: timeout`,
    problem: `${timeout} is no time to wait`,
    remedy: "Use 1 ms to 60 s.",
  });
  problems.check(longestRequest === undefined || timeout.toMillis() <= longestRequest.toMillis(), {
    code: "CALL_TIMEOUT",
    prop: `call ${callee}: timeout`,
    problem: `${timeout} does not fit: a request may take ${longestRequest} when the caller's task ends`,
    remedy: "Lower the timeout, or raise the caller's stopTimeout.",
  });
  problems.check(Number.isInteger(retryBudgetPercent) && retryBudgetPercent >= 0 && retryBudgetPercent <= 100, {
    code: "CALL_RETRY_BUDGET",
    prop: `call ${callee}: retryBudgetPercent`,
    problem: `${retryBudgetPercent} is no share of the requests`,
    remedy: "Use whole numbers from 0 (never) to 100.",
  });
  problems.check(
    Number.isInteger(breakerFailurePercent) && breakerFailurePercent >= 1 && breakerFailurePercent <= 100,
    {
      code: "CALL_BREAKER",
      prop: `call ${callee}: breakerFailurePercent`,
      problem: `${breakerFailurePercent} is no share of the requests`,
      remedy: "Use whole numbers from 1 to 100.",
    },
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
  problems.check(NAME_PATTERN.test(name), {
    code: "CALL_NAME",
    prop: "call",
    problem: `${JSON.stringify(name)} is no name of a service`,
    remedy: `Use ${NAME_RULE}.`,
  });
  problems.check(name !== caller.serviceName, {
    code: "CALL_SELF",
    prop: `call ${name}`,
    problem: "is the service itself",
    remedy: "Call its own code instead.",
  });
  // Of one in another repo nothing more is known.
  if (!("stack" in callee)) return;
  const [mine, other] = [caller.stack, callee.stack];
  problems.check(mine.platformName === other.platformName && mine.environment.name === other.environment.name, {
    code: "CALL_OTHER_PLATFORM",
    prop: `call ${name}`,
    problem: `is on platform ${other.platformName}-${other.environment.name}, this one on ${mine.platformName}-${mine.environment.name}: their networks do not meet`,
    remedy: "Put both on one platform, or call its public address.",
  });
  problems.check(callee.process.kind === "web", {
    code: "CALL_NO_PORT",
    prop: `call ${name}`,
    problem: `is a ${callee.process.kind} and takes no requests`,
    remedy: "Send it a message by its queue.",
  });
}

/** The called service as its platform tells of it: nothing of it needs the service itself to exist. */
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

/** One service's call of another, and how long it waits. */
interface Call {
  readonly from: IConstruct;
  readonly to: IConstruct;
  readonly timeout: Duration;
}

/** Rules that a security group may have in each direction, less the ones for the load balancer and for AWS's own APIs. */
const CALLS_PER_GROUP = 58;

/** All calls between the services of an app, found by either end. */
export class Calls {
  static of(service: IConstruct): Calls {
    return Registry.of(service.node.root).get(ALL_CALLS);
  }

  readonly #from = new Map<IConstruct, Call[]>();
  readonly #to = new Map<IConstruct, Call[]>();

  /** @throws InvalidPropsError CALL_QUOTA */
  add(call: Call): void {
    const { from, to } = call;
    const [made, taken] = [listOf(this.#from, from), listOf(this.#to, to)];
    for (const [end, { length }] of [
      [from, made],
      [to, taken],
    ] as const) {
      if (length < CALLS_PER_GROUP) continue;
      throw invalid(from, {
        code: "CALL_QUOTA",
        prop: `call ${to.node.id}`,
        problem: `is the ${length + 1}th call of ${end.node.path}: AWS allows a security group 60 rules in each direction`,
        remedy: "Let some of them go through one service.",
      });
    }
    made.push(call);
    taken.push(call);
    for (const before of listOf(this.#to, from)) warnOfImpatience(before, call);
    for (const after of listOf(this.#from, to)) warnOfImpatience(call, after);
  }
}

const ALL_CALLS = () => new Calls();

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** A caller that gives up before the service it calls does throws away work that goes on. */
function warnOfImpatience(outer: Call, inner: Call): void {
  if (outer.timeout.toMillis() >= inner.timeout.toMillis()) return;
  Annotations.of(outer.from).addWarning(
    `waits ${outer.timeout} for ${outer.to.node.id}, which waits ${inner.timeout} for ${inner.to.node.id}: ` +
      "it gives up while the work goes on. Raise the first timeout or lower the second.  [CALL_CHAIN]",
  );
}

/** Services of one stack that start after others of it, as far as none then waits for itself. */
export class StartOrder<T extends IConstruct> {
  readonly #wishes = new Wishes<T>();
  #granted: ReadonlyMap<T, readonly T[]> | undefined;

  preferAfter(service: T, callee: T): void {
    this.#wishes.add(service, callee);
    this.#granted = undefined;
  }

  /** Services that one starts after. Asked for at synth, when all calls are known. */
  before(service: T): readonly T[] {
    this.#granted ??= this.#wishes.granted();
    return this.#granted.get(service) ?? [];
  }
}
