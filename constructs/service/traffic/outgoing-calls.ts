import type { EcsService } from "@cdktf/provider-aws/lib/ecs-service";
import type { Construct } from "constructs";
import { Problems } from "../../core/errors";
import { Registry } from "../../core/registry";
import { addressOf } from "../../core/stack";
import type { ServiceStack } from "../../platform/platform";
import type { ServiceContext } from "../props";
import type { Process } from "../task/process";
import {
  type CallOptions,
  type CallSettings,
  Calls,
  checkCallee,
  type ICallee,
  resolveCall,
  StartOrder,
} from "./calls";
import type { ServiceConnect } from "./service-connect";

/** Service of this app as either end of a call. */
export interface CallEndpoint extends ICallee {
  readonly construct: Construct;
  readonly process: Process;
  readonly stack: ServiceStack;
  /** ECS service; undefined for a job. */
  readonly service: EcsService | undefined;
  readonly connect: ServiceConnect;
}

/** Start order of the services of a stack. */
const START_ORDER = () => new StartOrder<CallEndpoint>();

/** Calls of one service to others. */
export class OutgoingCalls {
  readonly #context: ServiceContext;
  readonly #caller: CallEndpoint;

  constructor(context: ServiceContext, caller: CallEndpoint) {
    this.#context = context;
    this.#caller = caller;
  }

  /**
   * Returns the settings of a call after defaults and checks.
   *
   * @throws InvalidPropsError CALL_NAME, CALL_SELF, CALL_OTHER_PLATFORM, CALL_NO_PORT, CALL_TIMEOUT, CALL_RETRY_BUDGET,
   * CALL_BREAKER
   */
  resolve(callee: ICallee | CallEndpoint, options: CallOptions): CallSettings {
    const problems = new Problems(this.#caller.construct);
    const { process, shutdown } = this.#context.settings;
    checkCallee(problems, this.#caller, callee);
    const longest = process.kind === "web" ? shutdown.deregistrationDelay : undefined;
    const settings = resolveCall(problems, callee.serviceName, options, longest);
    problems.throwIfAny();
    return settings;
  }

  /** Registers a call within the app: the callee starts first if that creates no cycle, and both join Service Connect. */
  add(callee: CallEndpoint, { timeout }: CallSettings): void {
    const caller = this.#caller;
    caller.stack.addDependency(callee.stack.data);
    const ends = [caller, callee];
    // If one end does not support it, a proxy at the other is useless: they find each other through DNS.
    if (ends.every(({ connect }) => connect.supported)) for (const { connect } of ends) connect.joinForCall();
    Calls.of(caller.construct).add({ from: caller.construct, to: callee.construct, timeout });
    if (callee.stack === caller.stack) startOrderOf(caller.stack).preferAfter(caller, callee);
    else caller.stack.preferAfter(callee.stack);
  }

  /** Addresses of called services of the same stack that start before this one. */
  get dependencies(): string[] {
    const callees = startOrderOf(this.#caller.stack).before(this.#caller);
    return callees.flatMap(({ service }) => (service === undefined ? [] : [addressOf(service)]));
  }
}

function startOrderOf(stack: ServiceStack): StartOrder<CallEndpoint> {
  return Registry.of(stack).get(START_ORDER);
}
