import { checkArguments } from "../core/check-types";
import { Duration } from "../core/units";

/** Default duration of a fault. */
export const DEFAULT_DURATION = Duration.minutes(5);

/** Time from the rebalance recommendation to the Spot interruption notice: the minimum that AWS FIS allows. */
export const DEFAULT_AFTER = Duration.minutes(2);

/** Blast radius of a fault: a percentage of the targets, rounded down, or a number. AWS selects them at random. */
export type BlastRadius =
  | {
      /** Whole percentage, 1 to 100; for faults that stop targets at most 99. */
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
   * IPv4 addresses, CIDR blocks and host names. Traffic to IPv6 addresses is never affected.
   *
   * @default - all
   */
  readonly hosts?: readonly string[];
}

/** Load of a CPU or memory fault. */
export interface StressOptions extends FaultDuration {
  /**
   * Percentage of CPU, or of memory, to load.
   *
   * @default 80
   */
  readonly loadPercent?: number;
}

/** Delay of a latency fault, and the traffic that it affects. */
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

/** Packets that a loss fault drops, and the traffic that it affects. */
export interface PacketLossOptions extends FaultDuration, NetworkFaultScope {
  /**
   * Percentage of outgoing packets to drop.
   *
   * @default 7
   */
  readonly lossPercent?: number;
}

export const ZONE_LOSS_WORD = "every service of the platform";

/** Zone that a fault cuts off, and the confirmation that every service of the platform loses it. */
export interface ZoneLossOptions extends FaultDuration {
  /** Index of the platform's zone, from 0. */
  readonly zone: number;
  /** Confirmation: everything that the platform runs in the zone is disconnected, whichever team owns it. */
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
 * A fault that an experiment injects. Each fault supports certain targets.
 *
 * @see https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
 */
export class Fault {
  /** Stops tasks of a service with SIGTERM, as when an instance fails. Needs no agent. */
  static stopTasks(radius: BlastRadius): Fault {
    checkArguments("Fault.stopTasks", { radius });
    return new Fault({ kind: "stop-tasks", radius });
  }

  /** Loads the CPU: in tasks of a service, which needs the agent, or on instances of an Auto Scaling group. */
  static cpu(options: BlastRadius & StressOptions): Fault {
    checkArguments("Fault.cpu", { options });
    return new Fault({ kind: "cpu", radius: options, options });
  }

  /** Fills the memory of instances of an Auto Scaling group. AWS FIS has no such fault for tasks. */
  static memory(options: BlastRadius & StressOptions): Fault {
    checkArguments("Fault.memory", { options });
    return new Fault({ kind: "memory", radius: options, options });
  }

  /** Delays outgoing packets of a service's tasks. Needs the agent. */
  static networkLatency(options: BlastRadius & LatencyOptions): Fault {
    checkArguments("Fault.networkLatency", { options });
    return new Fault({ kind: "network-latency", radius: options, options });
  }

  /** Drops outgoing packets of a service's tasks. Needs the agent. */
  static networkLoss(options: BlastRadius & PacketLossOptions): Fault {
    checkArguments("Fault.networkLoss", { options });
    return new Fault({ kind: "network-loss", radius: options, options });
  }

  /** Makes a dependency unreachable: drops everything that a service's tasks send to a port or a host. Needs the agent. */
  static blackhole(
    options: BlastRadius & FaultDuration & ({ readonly port: number } | { readonly host: string }),
  ): Fault {
    checkArguments("Fault.blackhole", { options });
    if ("port" in options) return new Fault({ kind: "blackhole-port", radius: options, options });
    const { duration, host } = options;
    return new Fault({ kind: "network-loss", radius: options, options: { duration, hosts: [host], lossPercent: 100 } });
  }

  /**
   * Interrupts Spot Instances of an Auto Scaling group, with the two-minute notice of AWS.
   *
   * @param options.after time from the rebalance recommendation to the interruption notice, 2 to 15 minutes. Default: 2
   * minutes
   */
  static spotInterruption(options: BlastRadius & { readonly after?: Duration }): Fault {
    checkArguments("Fault.spotInterruption", { options });
    return new Fault({ kind: "spot-interruption", radius: options, options });
  }

  /** Stops instances of an Auto Scaling group, which replaces them. */
  static stopInstances(radius: BlastRadius): Fault {
    checkArguments("Fault.stopInstances", { radius });
    return new Fault({ kind: "stop-instances", radius });
  }

  /** Disconnects a zone of a platform: all traffic to and from its subnets is dropped. */
  static zoneLoss(options: ZoneLossOptions): Fault {
    checkArguments("Fault.zoneLoss", { options });
    return new Fault({ kind: "zone-loss", options });
  }

  private constructor(readonly spec: FaultSpec) {}
}

/** Requirements of a task for a fault, beyond its defaults. */
export type Need = "nothing" | "agent" | "agent and network";

const OF_NETWORK: readonly FaultSpec["kind"][] = ["network-latency", "network-loss", "blackhole-port"];

/** Returns what a fault needs in the tasks of a service: permissions and sidecars. */
export function needOf({ kind }: FaultSpec): Need {
  if (OF_NETWORK.includes(kind)) return "agent and network";
  return kind === "cpu" ? "agent" : "nothing";
}

/** Returns the duration of a fault; zero for faults that stop targets. */
export function lastingOf(spec: FaultSpec): Duration {
  if (!("options" in spec)) return Duration.minutes(0);
  if (spec.kind === "spot-interruption") return spec.options.after ?? DEFAULT_AFTER;
  return spec.options.duration ?? DEFAULT_DURATION;
}
