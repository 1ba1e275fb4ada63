import type { ProviderLine } from "../../core/provider-line";

export const STRATEGIES = ["rolling", "blueGreen", "canary", "linear", "codeDeploy"] as const;
/** Deployment strategies. */
export type Strategy = (typeof STRATEGIES)[number];

/** Features that depend on the strategy: requested by the user, or added by the service where AWS supports them. */
export const FEATURES = {
  serviceConnect: { title: "Service Connect (`connect`, and `calls` through it)", asked: true },
  spot: { title: "Fargate Spot", asked: true },
  instances: { title: "instances of an AutoScalingGroup", asked: true },
  worker: { title: "a worker", asked: true },
  internal: { title: "a web process without an Ingress", asked: true },
  auth: { title: "an Ingress with `auth`", asked: true },
  ownerPipeline: { title: '`releaseOwner: "pipeline"`', asked: true },
  ownerTerraform: { title: '`releaseOwner: "terraform"`', asked: true },
  circuitBreaker: { title: "ECS rolls back when tasks fail to start", asked: false },
  alarms: { title: "ECS rolls back on alarms", asked: false },
  forceNewDeployment: { title: "deploys changes of capacity (`force_new_deployment`)", asked: false },
  steadyState: { title: "apply waits until the deployment is live", asked: false },
} as const;
export type Feature = keyof typeof FEATURES;

/** Support of a feature by a strategy. */
export interface Cell {
  /** `connect`: only with Service Connect, which then shifts the traffic. */
  readonly verdict: "yes" | "connect" | "no";
  /** Page or discussion that documents it. */
  readonly source: string;
  /** Explanation, as the end of a sentence; the reason if the verdict is no. */
  readonly note?: string;
}

/** Properties of a strategy, and its support of each feature. */
export interface StrategyRow extends Readonly<Record<Feature, Cell>> {
  readonly title: string;
  /** Deployment controller. A change replaces the service. */
  readonly controller: "ECS" | "CODE_DEPLOY";
  /** True if the old and the new version each have a target group. */
  readonly twoGroups: boolean;
  readonly lines: Readonly<Record<ProviderLine, Cell>>;
}

const GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/";
const API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/";
const ROADMAP = "https://github.com/aws/containers-roadmap/issues/";
const PROVIDER = "https://github.com/hashicorp/terraform-provider-aws/";
const LINE_5 = "https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/ecs_service";
const LINE_6 = "https://registry.terraform.io/providers/hashicorp/aws/6.25.0/docs/resources/ecs_service";

const yes = (source: string, note?: string): Cell => ({ verdict: "yes", source, note });
const no = (source: string, note: string): Cell => ({ verdict: "no", source, note });

/** Support that all strategies of ECS share. */
const BY_ECS = {
  controller: "ECS",
  spot: yes(`${GUIDE}fargate-capacity-providers.html`),
  instances: yes(`${GUIDE}cluster-auto-scaling.html`),
  ownerPipeline: yes(`${API}API_UpdateService.html`),
  ownerTerraform: yes(LINE_5, "apply itself deploys, and fails if the deployment does not go live"),
  forceNewDeployment: yes(LINE_5),
  steadyState: yes(LINE_5),
} as const;

const SHIFTED_BY_ECS = {
  ...BY_ECS,
  twoGroups: true,
  serviceConnect: yes(`${GUIDE}service-connect-blue-green.html`, "callers are shifted, too"),
  auth: no(
    `${GUIDE}alb-resources-for-blue-green.html`,
    "AWS has listed rules with other actions than forward among the causes of failed deployments, and its pages disagree on whether they still are",
  ),
  ownerTerraform: yes(LINE_6, "apply itself deploys, and fails if the deployment does not go live"),
  forceNewDeployment: yes(LINE_6),
  steadyState: yes(LINE_6, "until the end of the bake time"),
} as const;

const needsProvider6 = (source: string): StrategyRow["lines"] => ({
  5: no(source, "AWS provider 5 does not support it"),
  6: yes(`${LINE_6}#deployment_configuration`),
});

/** Support of strategies that shift traffic in parts, which needs a load balancer or Service Connect. */
const moves = (name: string): Pick<StrategyRow, "worker" | "internal" | "circuitBreaker" | "alarms"> => ({
  worker: no(`${GUIDE}${name}-deployment-implementation.html`, "it shifts requests, and a worker receives none"),
  internal: {
    verdict: "connect",
    source: `${GUIDE}${name}-deployment-implementation.html`,
    note: "it needs a load balancer or Service Connect to shift requests",
  },
  circuitBreaker: no(
    `${GUIDE}deployment-failure-detection.html`,
    "AWS documents it only for rolling and blue/green: if tasks fail to start, the time limit of the release or apply ends the deployment",
  ),
  alarms: yes(`${GUIDE}${name}-deployment-implementation.html`),
});

/**
 * Support table: one row for each strategy and one cell for each feature, with the page that documents it. Refusals, the
 * synthesized service, docs/strategies.md and the tests are derived from it.
 */
export const STRATEGY_TABLE: Readonly<Record<Strategy, StrategyRow>> = {
  rolling: {
    ...BY_ECS,
    title: "new tasks start, old ones stop",
    twoGroups: false,
    lines: { 5: yes(LINE_5), 6: yes(LINE_6) },
    auth: yes("https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html"),
    serviceConnect: yes(`${GUIDE}service-connect-concepts-deploy.html`),
    worker: yes(`${GUIDE}deployment-type-ecs.html`),
    internal: yes(`${GUIDE}deployment-type-ecs.html`),
    circuitBreaker: yes(`${GUIDE}deployment-circuit-breaker.html`),
    alarms: yes(`${GUIDE}deployment-alarm-failure.html`),
  },
  blueGreen: {
    ...SHIFTED_BY_ECS,
    title: "all new tasks start, then all requests go to them, then the old ones stop",
    lines: needsProvider6(`${PROVIDER}issues/43489`),
    worker: yes(
      `${GUIDE}blue-green-deployment-implementation.html`,
      "both versions consume messages until the bake time ends",
    ),
    internal: yes(
      `${GUIDE}blue-green-deployment-implementation.html`,
      "Service Connect shifts its callers at once; through DNS, callers reach both versions until the bake time ends",
    ),
    circuitBreaker: yes(`${GUIDE}deployment-failure-detection.html`),
    alarms: yes(`${GUIDE}deployment-failure-detection.html`),
  },
  canary: {
    ...SHIFTED_BY_ECS,
    ...moves("canary"),
    title: "a part of the requests goes to the new tasks, then all",
    lines: needsProvider6(`${PROVIDER}pull/44842`),
  },
  linear: {
    ...SHIFTED_BY_ECS,
    ...moves("linear"),
    title: "requests go to the new tasks in equal steps",
    lines: needsProvider6(`${PROVIDER}pull/44842`),
  },
  codeDeploy: {
    title: "the same by CodeDeploy: codeDeploy(blueGreen()), codeDeploy(canary()) or codeDeploy(linear())",
    controller: "CODE_DEPLOY",
    twoGroups: true,
    lines: { 5: yes(`${LINE_5}#deployment_controller`), 6: yes(`${LINE_6}#deployment_controller`) },
    serviceConnect: no(
      `${ROADMAP}1993`,
      "CodeDeploy does not support Service Connect; through DNS, callers reach both versions until the bake time ends",
    ),
    spot: yes(`${ROADMAP}1752`, "each release passes the capacity to CodeDeploy, which would otherwise drop it"),
    instances: yes(`${ROADMAP}713`, "each release passes the capacity to CodeDeploy, which would otherwise drop it"),
    auth: no(
      "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html",
      "no documentation states that CodeDeploy keeps the authentication on a rule that it rewrites",
    ),
    worker: no(`${GUIDE}deployment-type-bluegreen.html`, "CodeDeploy shifts requests, and a worker receives none"),
    internal: no(`${GUIDE}deployment-type-bluegreen.html`, "CodeDeploy shifts requests at a load balancer"),
    ownerPipeline: yes(`${API}API_UpdateService.html`),
    ownerTerraform: no(
      `${API}API_UpdateService.html`,
      "only CodeDeploy can change the running version, and Terraform has no resource that starts a deployment",
    ),
    circuitBreaker: no(
      `${API}API_DeploymentCircuitBreaker.html`,
      "CodeDeploy itself rolls back when new tasks fail to start",
    ),
    alarms: no(`${GUIDE}deployment-alarm-failure.html`, "CodeDeploy rolls back on the same alarms"),
    forceNewDeployment: no(`${API}API_UpdateService.html`, "the next release deploys changes of capacity"),
    steadyState: no(`${PROVIDER}issues/29252`, "the provider would wait forever; the release command waits instead"),
  },
};

/** Returns the support of a feature by a strategy with a provider version. */
export function strategyCell(strategy: Strategy, line: ProviderLine, feature: Feature): Cell {
  const row = STRATEGY_TABLE[strategy];
  return row.lines[line].verdict === "no" ? row.lines[line] : row[feature];
}

/** Returns true if the service adds a feature with a strategy. */
export function brings(strategy: Strategy, feature: Feature): boolean {
  return STRATEGY_TABLE[strategy][feature].verdict === "yes";
}
