import type { ProviderLine } from "../../core/provider-line";

export const STRATEGIES = ["rolling", "blueGreen", "canary", "linear", "codeDeploy"] as const;
/** A way in which a new version goes live. */
export type Strategy = (typeof STRATEGIES)[number];

/** What one has to do with a strategy: asked for by the user, or brought by the service itself where AWS lets it. */
export const FEATURES = {
  serviceConnect: { title: "Service Connect (`connect`, and `calls` by it)", asked: true },
  spot: { title: "Fargate Spot", asked: true },
  instances: { title: "instances of an AutoScalingGroup", asked: true },
  worker: { title: "a worker", asked: true },
  internal: { title: "a web process without an Ingress", asked: true },
  auth: { title: "an Ingress with `auth`", asked: true },
  ownerPipeline: { title: '`releaseOwner: "pipeline"`', asked: true },
  ownerTerraform: { title: '`releaseOwner: "terraform"`', asked: true },
  circuitBreaker: { title: "ECS goes back when tasks do not come up", asked: false },
  alarms: { title: "ECS goes back on alarms", asked: false },
  forceNewDeployment: { title: "changed capacity is deployed (`force_new_deployment`)", asked: false },
  steadyState: { title: "apply waits until it is live", asked: false },
} as const;
export type Feature = keyof typeof FEATURES;

/** Whether a strategy and a feature go together. */
export interface Cell {
  /** `connect`: only with Service Connect, which then moves the requests. */
  readonly verdict: "yes" | "connect" | "no";
  /** Page or thread that says so. */
  readonly source: string;
  /** What one should know, as the end of a sentence; why not, where the verdict is no. */
  readonly note?: string;
}

/** What a strategy is to AWS, and what goes with it. */
export interface StrategyRow extends Readonly<Record<Feature, Cell>> {
  readonly title: string;
  /** Who moves tasks. A change of it replaces the service. */
  readonly controller: "ECS" | "CODE_DEPLOY";
  /** Whether old and new version have a target group each. */
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

/** What ECS does the same whichever of its own strategies it follows. */
const BY_ECS = {
  controller: "ECS",
  spot: yes(`${GUIDE}fargate-capacity-providers.html`),
  instances: yes(`${GUIDE}cluster-auto-scaling.html`),
  ownerPipeline: yes(`${API}API_UpdateService.html`),
  ownerTerraform: yes(LINE_5, "apply itself deploys, and fails when it did not go live"),
  forceNewDeployment: yes(LINE_5),
  steadyState: yes(LINE_5),
} as const;

const SHIFTED_BY_ECS = {
  ...BY_ECS,
  twoGroups: true,
  serviceConnect: yes(`${GUIDE}service-connect-blue-green.html`, "callers are moved too"),
  auth: no(
    `${GUIDE}alb-resources-for-blue-green.html`,
    "AWS has named rules that do more than forward among what fails the deployment, and its pages differ on whether they still do",
  ),
  ownerTerraform: yes(LINE_6, "apply itself deploys, and fails when it did not go live"),
  forceNewDeployment: yes(LINE_6),
  steadyState: yes(LINE_6, "to the end of the bake time"),
} as const;

const needsProvider6 = (source: string): StrategyRow["lines"] => ({
  5: no(source, "AWS provider 5 does not know it"),
  6: yes(`${LINE_6}#deployment_configuration`),
});

/** Requests are moved in parts: there must be something that carries them. */
const moves = (name: string): Pick<StrategyRow, "worker" | "internal" | "circuitBreaker" | "alarms"> => ({
  worker: no(`${GUIDE}${name}-deployment-implementation.html`, "it moves requests, and a worker takes none"),
  internal: {
    verdict: "connect",
    source: `${GUIDE}${name}-deployment-implementation.html`,
    note: "it moves requests, and needs a load balancer or Service Connect to move them by",
  },
  circuitBreaker: no(
    `${GUIDE}deployment-failure-detection.html`,
    "AWS names it for rolling and blue/green alone: what ends a deployment whose tasks do not come up is the time limit of the release or the apply",
  ),
  alarms: yes(`${GUIDE}${name}-deployment-implementation.html`),
});

/**
 * What goes with what: one row a strategy, one cell a feature, each with the page that says so. Refusals, the synthesized
 * service, docs/strategies.md and the tests all come from here.
 */
export const STRATEGY_TABLE: Readonly<Record<Strategy, StrategyRow>> = {
  rolling: {
    ...BY_ECS,
    title: "new tasks come, old ones go",
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
    title: "all new tasks come, then all requests go to them, then the old ones go",
    lines: needsProvider6(`${PROVIDER}issues/43489`),
    worker: yes(`${GUIDE}blue-green-deployment-implementation.html`, "both versions work until the bake time is over"),
    internal: yes(
      `${GUIDE}blue-green-deployment-implementation.html`,
      "Service Connect moves its callers at once; by DNS they find both versions until the bake time is over",
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
    title: "requests go to the new tasks in equal parts",
    lines: needsProvider6(`${PROVIDER}pull/44842`),
  },
  codeDeploy: {
    title: "the same by CodeDeploy: codeDeploy(blueGreen()), codeDeploy(canary()) or codeDeploy(linear())",
    controller: "CODE_DEPLOY",
    twoGroups: true,
    lines: { 5: yes(`${LINE_5}#deployment_controller`), 6: yes(`${LINE_6}#deployment_controller`) },
    serviceConnect: no(
      `${ROADMAP}1993`,
      "CodeDeploy and Service Connect do not work together; callers find it by DNS, and find both versions until the bake time is over",
    ),
    spot: yes(`${ROADMAP}1752`, "a release tells CodeDeploy the capacity each time, or it would be lost"),
    instances: yes(`${ROADMAP}713`, "a release tells CodeDeploy the capacity each time, or it would be lost"),
    auth: no(
      "https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html",
      "nothing says that CodeDeploy leaves the sign-in on a rule that it rewrites",
    ),
    worker: no(`${GUIDE}deployment-type-bluegreen.html`, "CodeDeploy moves requests, and a worker takes none"),
    internal: no(`${GUIDE}deployment-type-bluegreen.html`, "CodeDeploy moves requests at a load balancer"),
    ownerPipeline: yes(`${API}API_UpdateService.html`),
    ownerTerraform: no(
      `${API}API_UpdateService.html`,
      "only CodeDeploy changes what such a service runs, and Terraform has no resource that starts it",
    ),
    circuitBreaker: no(
      `${API}API_DeploymentCircuitBreaker.html`,
      "CodeDeploy goes back by itself when new tasks do not come up",
    ),
    alarms: no(`${GUIDE}deployment-alarm-failure.html`, "CodeDeploy goes back on the same alarms"),
    forceNewDeployment: no(`${API}API_UpdateService.html`, "the next release brings changed capacity"),
    steadyState: no(`${PROVIDER}issues/29252`, "the provider would wait for ever; the release command waits instead"),
  },
};

/** Whether a strategy and a feature go together on a line of the provider. */
export function strategyCell(strategy: Strategy, line: ProviderLine, feature: Feature): Cell {
  const row = STRATEGY_TABLE[strategy];
  return row.lines[line].verdict === "no" ? row.lines[line] : row[feature];
}

/** Whether the service brings something with a strategy. */
export function brings(strategy: Strategy, feature: Feature): boolean {
  return STRATEGY_TABLE[strategy][feature].verdict === "yes";
}
