/** Target group, as DescribeTargetGroups returns it. */
export interface TargetGroup {
  readonly TargetGroupArn: string;
  readonly HealthCheckPath?: string;
  readonly HealthCheckPort?: string;
  readonly HealthCheckIntervalSeconds?: number;
  readonly HealthCheckTimeoutSeconds?: number;
  readonly HealthyThresholdCount?: number;
  readonly UnhealthyThresholdCount?: number;
  readonly Matcher?: { readonly HttpCode?: string };
  /** Its deregistration delay, an attribute. */
  readonly deregistrationSeconds: number;
}

const SOON_SECONDS = 0.25;

/** Task that receives requests from a load balancer. */
export class Target {
  /** Requests without a complete response. */
  open = 0;
  /** Result of the last health check, in words. */
  lastCheck = "not checked yet";
  #group: TargetGroup;
  #state: "initial" | "healthy" | "unhealthy" = "initial";
  #inRow = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /**
   * @param port local port of the container's port
   * @param onChange called when the target has become healthy or unhealthy
   */
  constructor(
    readonly port: number,
    private readonly containerPort: number,
    group: TargetGroup,
    private readonly onChange: () => void,
  ) {
    this.#group = group;
    this.#schedule(0);
  }

  /** Target group that it is registered with. */
  get group(): TargetGroup {
    return this.#group;
  }

  get healthy(): boolean {
    return this.#state === "healthy";
  }

  /** Uses changed settings of the group from the next health check on. */
  update(group: TargetGroup): void {
    this.#group = group;
  }

  /** Ends the health checks. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #schedule(milliseconds: number): void {
    if (!this.#ended) this.#timer = setTimeout(() => void this.#check(), milliseconds);
  }

  async #check(): Promise<void> {
    const {
      HealthCheckPath: path = "/",
      HealthCheckPort: checked = "traffic-port",
      HealthCheckIntervalSeconds: interval = 30,
      HealthCheckTimeoutSeconds: timeout = 5,
      HealthyThresholdCount: healthyAfter = 5,
      UnhealthyThresholdCount: unhealthyAfter = 2,
      Matcher,
    } = this.#group;
    const codes = Matcher?.HttpCode ?? "200";
    const own = ["traffic-port", String(this.containerPort)].includes(checked);
    const place = own ? path : `:${checked}${path}`;
    let passed = false;
    let refused = false;
    try {
      const response = await fetch(`http://127.0.0.1:${own ? this.port : checked}${path}`, {
        signal: AbortSignal.timeout(timeout * 1000),
        redirect: "manual",
        headers: { "user-agent": "ELB-HealthChecker/2.0" },
      });
      await response.body?.cancel();
      passed = accepts(codes, response.status);
      this.lastCheck = `GET ${place} returned ${response.status}${passed ? "" : `, and ${codes} is healthy`}`;
    } catch (error) {
      const { name, cause } = error as Error & { cause?: { code?: string } };
      refused = cause?.code === "ECONNREFUSED";
      const why = name === "TimeoutError" ? `no response in ${timeout} s` : (cause?.code ?? name);
      this.lastCheck = `GET ${place}: ${refused ? "nothing listens on the port of the container" : why}`;
    }
    if (this.#ended) return;
    // A target that has not listened yet is asked again soon, which saves the wait for the first interval.
    const seconds = this.#state === "initial" && refused ? Math.min(SOON_SECONDS, interval) : interval;
    this.#count(passed, seconds / interval, healthyAfter, unhealthyAfter);
    this.#schedule(seconds * 1000);
  }

  /** The first success makes a new target healthy. Later, and for failures, the thresholds count. */
  #count(passed: boolean, weight: number, healthyAfter: number, unhealthyAfter: number): void {
    const before = this.#state;
    const confirms = passed === (before === "healthy") && before !== "initial";
    this.#inRow = confirms ? 0 : this.#inRow + weight;
    if (before === "initial" && passed) this.#state = "healthy";
    else if (passed && before === "unhealthy" && this.#inRow >= healthyAfter) this.#state = "healthy";
    else if (!passed && before !== "unhealthy" && this.#inRow >= unhealthyAfter) this.#state = "unhealthy";
    if (this.#state === before) return;
    this.#inRow = 0;
    this.onChange();
  }
}

/** Returns whether a matcher, `200`, `200,204` or `200-299`, accepts a status. */
export function accepts(codes: string, status: number): boolean {
  return codes.split(",").some((range) => {
    const [from = "", to = from] = range.trim().split("-");
    return status >= Number(from) && status <= Number(to);
  });
}
