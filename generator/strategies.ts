/** A way to bring a new version live, as a generated repository can have it. */
export interface StrategyChoice {
  /** What the user is asked. */
  readonly label: string;
  /** What stands behind `deployment:` in its infrastructure. */
  readonly expression: string;
  /** What that imports from the package. */
  readonly imports: readonly string[];
  /** Whether a web process needs an Ingress for it; where one is missing, `rolling` is all there is. */
  readonly needsIngress: boolean;
}

/**
 * All that AWS provider 5 knows, which generated repositories have. Workers are always rolling.
 *
 * Why what goes with what: docs/strategies.md.
 */
export const STRATEGY_CHOICES = {
  rolling: {
    label: "Rolling: new tasks come, old ones go; back on errors",
    expression: "rolling()",
    imports: ["rolling"],
    needsIngress: false,
  },
  "blue-green": {
    label: "Blue/green: all requests go over at once; back in seconds",
    expression: "codeDeploy(blueGreen())",
    imports: ["blueGreen", "codeDeploy"],
    needsIngress: true,
  },
  canary: {
    label: "Canary: a tenth of the requests goes over first",
    expression: "codeDeploy(canary())",
    imports: ["canary", "codeDeploy"],
    needsIngress: true,
  },
  linear: {
    label: "Linear: requests go over a tenth at a time",
    expression: "codeDeploy(linear())",
    imports: ["codeDeploy", "linear"],
    needsIngress: true,
  },
} as const satisfies Readonly<Record<string, StrategyChoice>>;
