import { Duration } from "../core/units";

/** Default duration of a fault. */
export const DEFAULT_DURATION = Duration.minutes(5);

/** From the recommendation to the notice that AWS takes a Spot instance back: the least that there is. */
export const DEFAULT_AFTER = Duration.minutes(2);

/** Blast radius of a fault: a percentage of the targets, rounded down, or a number. AWS selects them at random. */
export type BlastRadius =
  | {
      /** Whole percent, 1 to 100; of what is stopped at most 99. */
      readonly percent: number;
    }
  | { readonly count: number };

/** Options of faults with a duration. */
export interface FaultDuration {
  /**
   * Whole minutes, 1 to 720.
   *
   * @default Duration.minutes(5)
   */
  readonly duration?: Duration;
}

/** Peers of a network fault: traffic between the target and these is affected. */
export interface NetworkFaultScope {
  /**
   * IPv4 addresses, CIDR blocks and host names; what goes to IPv6 addresses is never hit.
   *
   * @default - all
   */
  readonly hosts?: readonly string[];
}

export interface StressOptions extends FaultDuration {
  /**
   * Percentage of CPU, or of memory, to load.
   *
   * @default 80
   */
  readonly loadPercent?: number;
}

export interface LatencyOptions extends FaultDuration, NetworkFaultScope {
  /**
   * Delay of each outgoing packet.
   *
   * @default Duration.millis(200)
   */
  readonly delay?: Duration;
  /**
   * Jitter of the delay.
   *
   * @default Duration.millis(10)
   */
  readonly jitter?: Duration;
}

export interface PacketLossOptions extends FaultDuration, NetworkFaultScope {
  /**
   * Percentage of outgoing packets to drop.
   *
   * @default 7
   */
  readonly lossPercent?: number;
}

export const ZONE_LOSS_WORD = "every service of the platform";

export interface ZoneLossOptions extends FaultDuration {
  /** Index of the platform's zone, from 0. */
  readonly zone: number;
  /** Confirmation: everything that the platform has in the zone is disconnected, whichever team owns it. */
  readonly hits: typeof ZONE_LOSS_WORD;
}

/** Kinds of faults, each with its options. */
export type FaultSpec =
  | { readonly kind: "stop-tasks" | "stop-instances"; readonly radius: BlastRadius }
  | { readonly kind: "cpu" | "memory"; readonly radius: BlastRadius; readonly options: StressOptions }
  | { readonly kind: "network-latency"; readonly radius: BlastRadius; readonly options: LatencyOptions }
  | { readonly kind: "network-loss"; readonly radius: BlastRadius; readonly options: PacketLossOptions }
  | {
      readonly kind: "blackhole-port";
      readonly radius: BlastRadius;
      readonly options: FaultDuration & { readonly port: number };
    }
  | {
      readonly kind: "spot-interruption";
      readonly radius: BlastRadius;
      readonly options: { readonly after?: Duration };
    }
  | { readonly kind: "zone-loss"; readonly options: ZoneLossOptions };

/**
 * A fault that an experiment injects. The faults available depend on the target: see each.
 *
 * @see https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
 */
export class Fault {
  /** Tasks of a service are stopped, as when an instance goes away. They get SIGTERM. Needs nothing in the task. */
  static stopTasks(radius: BlastRadius): Fault {
    return new Fault({ kind: "stop-tasks", radius });
  }

  /** The processors are busy: in tasks of a service, which need an agent, or on instances of a group. */
  static cpu(options: BlastRadius & StressOptions): Fault {
    return new Fault({ kind: "cpu", radius: options, options });
  }

  /** The memory is full: on instances of a group. AWS has no such fault for tasks. */
  static memory(options: BlastRadius & StressOptions): Fault {
    return new Fault({ kind: "memory", radius: options, options });
  }

  /** Delays outgoing packets of a service's tasks. Needs the agent. */
  static networkLatency(options: BlastRadius & LatencyOptions): Fault {
    return new Fault({ kind: "network-latency", radius: options, options });
  }

  /** Some of what tasks of a service send never arrives. They need an agent. */
  static networkLoss(options: BlastRadius & PacketLossOptions): Fault {
    return new Fault({ kind: "network-loss", radius: options, options });
  }

  /** A dependency takes nothing any more: all that tasks of a service send to a port, or to a host, is lost. They need an agent. */
  static blackhole(
    options: BlastRadius & FaultDuration & ({ readonly port: number } | { readonly host: string }),
  ): Fault {
    if ("port" in options) return new Fault({ kind: "blackhole-port", radius: options, options });
    const { duration, host } = options;
    return new Fault({ kind: "network-loss", radius: options, options: { duration, hosts: [host], lossPercent: 100 } });
  }

  /**
   * AWS takes Spot instances of a group back, two minutes after it said so.
   *
   * @param options.after from the recommendation to the notice, 2 to 15 minutes. Default: 2 minutes
   */
  static spotInterruption(options: BlastRadius & { readonly after?: Duration }): Fault {
    return new Fault({ kind: "spot-interruption", radius: options, options });
  }

  /** Instances of a group are stopped; the group replaces them. */
  static stopInstances(radius: BlastRadius): Fault {
    return new Fault({ kind: "stop-instances", radius });
  }

  /** A zone of a platform is cut off: nothing goes in or out of its subnets. */
  static zoneLoss(options: ZoneLossOptions): Fault {
    return new Fault({ kind: "zone-loss", options });
  }

  private constructor(readonly spec: FaultSpec) {}
}

/** Requirements of a task for a fault, beyond its defaults. */
export type Need = "nothing" | "agent" | "agent and network";

const OF_NETWORK: readonly FaultSpec["kind"][] = ["network-latency", "network-loss", "blackhole-port"];

/** Permissions and sidecars that a fault needs in tasks of a service. */
export function needOf({ kind }: FaultSpec): Need {
  if (OF_NETWORK.includes(kind)) return "agent and network";
  return kind === "cpu" ? "agent" : "nothing";
}

/** Duration of a fault; zero where targets are stopped. */
export function lastingOf(spec: FaultSpec): Duration {
  if (!("options" in spec)) return Duration.minutes(0);
  if (spec.kind === "spot-interruption") return spec.options.after ?? DEFAULT_AFTER;
  return spec.options.duration ?? DEFAULT_DURATION;
}
