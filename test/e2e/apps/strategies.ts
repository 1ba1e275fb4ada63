/** Every strategy that AWS provider 5 knows, with all that goes with it. `VERSION` says which state of the code base it is. */
import {
  App,
  AutoScalingGroup,
  blueGreen,
  Capacity,
  CloudNativeService,
  canary,
  codeDeploy,
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
import { ignoredChanges } from "../../../constructs/service/deployment/ignored-changes";
import { writeDeployingRoles } from "../../iam/recorded/deploying";

const version = Number(process.env.VERSION ?? "1");
const environment: Environment = { name: "dev", region: "eu-central-1", profile: "dev", account: "123456789012" };
const image = Image.digest(`registry.example.com/shop@sha256:${"1".repeat(64)}`);
const instances = [Capacity.instances("Instances")];
const spot = [Capacity.fargateSpot()];

const app = new App();
const platform = new Platform(app, "shop", { environment, listener: insecureHttp() });
new AutoScalingGroup(platform, "Instances", { scaling: { max: 4 } });
const stack = platform.stack("shop");

const storefront = new CloudNativeService(stack, "Storefront", {
  image,
  capacity: spot,
  connect: true,
  // The third state of the code base changes who moves tasks, the fourth only forgets what there was to move.
  deployment: version === 3 ? codeDeploy(canary()) : rolling(),
  ...(version === 3 ? { connect: false } : {}),
  addOns: [new Ingress({ paths: ["/shop", "/shop/*"] })],
});
new CloudNativeService(stack, "Internal", { capacity: instances, releaseOwner: "pipeline" });
new CloudNativeService(stack, "Mailer", { image, process: worker() });

const halves = new CloudNativeService(stack, "Halves", {
  deployment: codeDeploy(blueGreen()),
  scaling: { max: 4, requestsPerTask: 100 },
  addOns: [new Ingress({ paths: ["/halves/*"] })],
});
new CloudNativeService(stack, "Canary", {
  deployment: codeDeploy(canary({ percent: version === 1 ? 10 : 20 })),
  capacity: spot,
  addOns: [new Ingress({ paths: ["/canary/*"] })],
});
new CloudNativeService(stack, "Linear", {
  deployment: codeDeploy(linear({ percent: 25, wait: Duration.minutes(1) })),
  capacity: instances,
  addOns: [new Ingress({ paths: ["/linear/*"] })],
});

// ECS's own strategies change a listener rule in the same way on provider 5, which can be applied here.
if (version === 2) {
  interface Written {
    readonly arn: string;
    putAction(actions: readonly []): void;
    addOverride(path: string, value: unknown): void;
  }
  const ofIngress = (service: CloudNativeService, id: string) =>
    service.node.findChild("Ingress").node.findChild(id) as unknown as Written;
  const rule = ofIngress(storefront, "Rule");
  const [old, next] = [ofIngress(storefront, "Resource"), ofIngress(halves, "Alternate")];
  // An override is put behind what is there.
  rule.putAction([]);
  rule.addOverride("action", [
    {
      type: "forward",
      forward: {
        target_group: [
          { arn: old.arn, weight: 100 },
          { arn: next.arn, weight: 0 },
        ],
      },
    },
  ]);
  rule.addOverride(
    "lifecycle.ignore_changes",
    ignoredChanges("listenerRule", { owner: "pipeline", strategy: "canary", schedules: false }),
  );
}

app.synth();
writeDeployingRoles(app, { dev: "dev" });
