/**
 * Every strategy on provider 6 with every feature that the table lets it have, a service each; and with the options that its
 * functions take. `LINE` is set where the installed bindings are those of another line.
 */
import {
  App,
  AutoScalingGroup,
  blueGreen,
  Capacity,
  CloudNativeService,
  type CloudNativeServiceProps,
  canary,
  codeDeploy,
  type Deployment,
  Duration,
  type Environment,
  Image,
  Ingress,
  insecureHttp,
  linear,
  Platform,
  rolling,
  worker,
} from "../../../constructs";
import {
  FEATURES,
  type Feature,
  STRATEGIES,
  type Strategy,
  strategyCell,
} from "../../../constructs/service/deployment/strategy-support";

const minutes = { wait: Duration.minutes(10), bakeTime: Duration.minutes(30) };
const DEPLOYMENTS: Readonly<Record<Strategy, readonly Deployment[]>> = {
  rolling: [rolling({ errorPercent: 1 })],
  blueGreen: [blueGreen(), blueGreen({ bakeTime: Duration.minutes(0) })],
  canary: [canary(), canary({ percent: 1, ...minutes })],
  linear: [linear(), linear({ percent: 30, ...minutes })],
  codeDeploy: [codeDeploy(blueGreen()), codeDeploy(canary({ percent: 1, ...minutes })), codeDeploy(linear(minutes))],
};

const image = Image.digest(`registry.example.com/shop@sha256:${"1".repeat(64)}`);
const PROPS: Readonly<Partial<Record<Feature, CloudNativeServiceProps>>> = {
  serviceConnect: { connect: true },
  spot: { capacity: [Capacity.fargateSpot()] },
  instances: { capacity: [Capacity.instances("Instances")] },
  worker: { process: worker() },
  internal: { connect: true },
  ownerPipeline: { releaseOwner: "pipeline" },
  ownerTerraform: { releaseOwner: "terraform", image },
};

const environment: Environment = {
  name: "dev",
  region: "eu-central-1",
  profile: "dev",
  quotas: { rulesPerLoadBalancer: 200, targetGroupsPerLoadBalancer: 400 },
};
const app = new App();
const platform = new Platform(app, "shop", {
  environment,
  listener: insecureHttp(),
  providerLine: process.env.LINE === "6" ? 6 : undefined,
});
new AutoScalingGroup(platform, "Instances", { scaling: { max: 4 } });

for (const strategy of STRATEGIES) {
  const stack = platform.stack(strategy.toLowerCase());
  const add = (id: string, props: CloudNativeServiceProps, reached = true) =>
    new CloudNativeService(stack, `${strategy}${id}`, {
      scaling: { max: 2 },
      ...props,
      addOns: reached ? [new Ingress({ paths: [`/${strategy}-${id}/*`] })] : [],
    });
  DEPLOYMENTS[strategy].forEach((deployment, index) => {
    add(`Way${index}`, { deployment });
  });
  for (const feature of Object.keys(FEATURES) as Feature[]) {
    const props = PROPS[feature];
    const allowed = strategyCell(strategy, 6, feature).verdict !== "no";
    const reached = feature !== "worker" && feature !== "internal";
    if (allowed && props !== undefined) add(feature, { deployment: DEPLOYMENTS[strategy][0], ...props }, reached);
  }
}

app.synth();
