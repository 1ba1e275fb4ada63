import { DataAwsSecretsmanagerSecretVersion } from "@cdktf/provider-aws/lib/data-aws-secretsmanager-secret-version";
import {
  AutoScalingGroup,
  ChaosExperiment,
  CiRoles,
  CloudNativeService,
  canary,
  cloudWatch,
  codeDeploy,
  DeliveryStack,
  Duration,
  type Environment,
  every,
  Fault,
  gitHubActions,
  httpEndpoint,
  ImageRepository,
  Ingress,
  insecureHttp,
  job,
  LogStream,
  Pipeline,
  Platform,
  PostgresDatabase,
  Source,
  Telemetry,
  worker,
} from "../../../constructs";
import { ACCOUNT, type Program, programsOf, REGION } from "../../iam/resolve";
import { everything } from "./everything";

const AGENT = `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"a".repeat(64)}`;
const CONNECTION = `arn:aws:codeconnections:${REGION}:${ACCOUNT}:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0`;
const OLD_CONNECTION = CONNECTION.replace("codeconnections", "codestar-connections");

/**
 * Programs with each kind of role that the constructs create: one of everything, and the kinds of source, fault, secret, deployment and
 * release that one app has no room for.
 */
export function everyRole(): { readonly where: string; readonly program: Program }[] {
  const app = everything("production", undefined, undefined, "customer-managed");
  const environment: Environment = {
    name: "live",
    region: REGION,
    account: ACCOUNT,
    profile: "production",
    state: "s3",
  };
  const platform = new Platform(app, "depot", { environment, listener: insecureHttp(), providerLine: 6 });
  const stack = platform.stack("goods");

  const web = new CloudNativeService(stack, "Web", {
    releaseOwner: "pipeline",
    secrets: {
      TOKEN: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:token-AbCdEf`,
      SALT: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/salt`,
    },
  });
  web.add(new Ingress());
  web.add(new Telemetry({ to: [cloudWatch()] }));
  web.use(new PostgresDatabase(stack.data, "Database"));
  web.addAdminProcess("migrate", ["node", "migrate.js"]);
  new CloudNativeService(stack, "Shifted", { releaseOwner: "pipeline", deployment: canary() }).add(
    new Ingress({ paths: ["/shifted/*"] }),
  );
  new CloudNativeService(stack, "Swapped", { releaseOwner: "pipeline", deployment: codeDeploy(canary()) }).add(
    new Ingress({ paths: ["/swapped/*"] }),
  );
  new CloudNativeService(stack, "Nightly", {
    releaseOwner: "pipeline",
    process: job({ schedule: every(Duration.hours(24)), command: ["node", "nightly.js"] }),
    alarms: {},
  });
  const quiet = new CloudNativeService(stack, "Quiet", { process: worker(), releaseOwner: "pipeline" });
  quiet.addAdminProcess("repair", ["node", "repair.js"]);
  new LogStream(stack.data, "Trail", {
    destinations: [
      httpEndpoint({
        url: "https://in.example.com/v1/logs",
        secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:collector-AbCdEf`,
      }),
    ],
  });

  // What signing in with OpenID Connect reads: it would need a domain.
  new DataAwsSecretsmanagerSecretVersion(stack, "ClientSecret", {
    secretId: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:client-AbCdEf`,
  });

  const group = new AutoScalingGroup(platform, "Instances", { scaling: { max: 4 }, spot: {} });
  const one = { count: 1 };
  const confirmed = { environments: [environment.name], production: "users may notice", stopOn: web.health } as const;
  for (const [id, target, fault] of [
    ["Stop", web, Fault.stopTasks(one)],
    ["Cpu", web, Fault.cpu(one)],
    ["Loss", web, Fault.networkLoss(one)],
    ["Hole", web, Fault.blackhole({ ...one, port: 5432 })],
    ["Spot", group, Fault.spotInterruption(one)],
    ["Halt", group, Fault.stopInstances(one)],
    ["Load", group, Fault.cpu(one)],
    ["Fill", group, Fault.memory(one)],
    [
      "Zone",
      platform,
      Fault.zoneLoss({ zone: 0, hits: "every service of the platform", duration: Duration.minutes(10) }),
    ],
  ] as const) {
    const inTask = target === web && id !== "Stop" ? { agentImage: AGENT } : {};
    new ChaosExperiment(target === group ? platform : stack, id, { target, fault, ...confirmed, ...inTask });
  }

  const delivery = (name: string) => new DeliveryStack(app, name, { region: REGION, account: ACCOUNT, state: "s3" });
  const releases = [{ environment }];
  const connected = delivery("goods");
  new Pipeline(connected, "Pipeline", {
    source: Source.gitHub("acme/goods", { connectionArn: CONNECTION }),
    images: new ImageRepository(connected, "Images"),
    releases,
  });
  const old = delivery("old");
  new Pipeline(old, "Pipeline", {
    source: Source.gitLab("acme/old", { connectionArn: OLD_CONNECTION }),
    images: new ImageRepository(old, "Images"),
    releases,
  });
  const uploaded = delivery("uploaded");
  new Pipeline(uploaded, "Pipeline", {
    source: Source.s3("sources", "uploaded.zip"),
    images: Source.ecr("prebuilt", { tag: "stable" }),
    releases,
    drift: every(Duration.days(1)),
  });
  const ci = delivery("wares");
  new CiRoles(ci, "GitHub", {
    trust: gitHubActions({ repository: { owner: "acme", name: "goods", numbers: { owner: 1, repository: 2 } } }),
    images: new ImageRepository(ci, "Images"),
    environments: [environment],
  });

  return programsOf(app).map(({ id, program }) => ({ where: `every role ${id}`, program }));
}
