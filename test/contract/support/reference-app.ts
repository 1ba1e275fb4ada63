import { join } from "node:path";
import { TerraformOutput } from "cdktf";
import {
  App,
  AutoScalingGroup,
  AwsStack,
  anotherAccount,
  bearerToken,
  ChaosExperiment,
  CloudNativeService,
  Cluster,
  DatabaseBackup,
  DeliveryStack,
  Duration,
  type Environment,
  ExternalService,
  existingAlarm,
  existingBucket,
  existingCache,
  existingCluster,
  existingDatabase,
  existingLoadBalancer,
  existingTable,
  existingTopic,
  existingVpc,
  Fault,
  httpEndpoint,
  https,
  ImageRepository,
  Ingress,
  kinesis,
  LoadBalancer,
  LogStream,
  MachineImage,
  oidcSignIn,
  openSearch,
  Pipeline,
  Platform,
  PostgresDatabase,
  type ServiceStack,
  Source,
  UserData,
  UserPool,
  Vpc,
  WebAcl,
  worker,
} from "../../../constructs";
import { services } from "./reference-service";
import { grantOf, metricOf, type References, textOf } from "./references";

const environment: Environment = {
  name: "dev",
  region: "eu-central-1",
  profile: "dev",
  account: "123456789012",
  state: "s3",
};

const AGENT = `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"a".repeat(64)}`;
const CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/0f1e2d3c";

/** Apps that set every prop which takes a reference, of every public call, to one. */
export function referenceApps(references: References): App[] {
  const app = new App();
  const platform = platforms(app, references);
  const stack = platform.stack("orders");
  services(stack, references);
  backing(stack, references);
  logs(stack, references);
  authentication(app, stack, references);
  instances(platform, references);
  chaos(stack, references);
  imports(app, references);
  return [app, ...SOURCES.map((source) => delivery(source, references))];
}

const SOURCES = ["gitHub", "gitLab", "bitbucket"] as const;

function platforms(app: App, references: References): Platform {
  const text = textOf(references, "new Platform");
  const list = (call: string, prop: string) => references.list(call, prop);
  const ofVpc = textOf(references, "existingVpc");
  const ofCluster = textOf(references, "existingCluster");
  const balancer = textOf(references, "existingLoadBalancer");
  new Platform(app, "domain", {
    environment,
    listener: { kind: "https", domain: "example.com", zoneId: text("listener.zoneId") },
    vpc: {
      kind: "existing-vpc",
      vpcId: text("vpc.vpcId"),
      publicSubnetIds: [text("vpc.publicSubnetIds[0]"), "subnet-2"],
      privateSubnetIds: [text("vpc.privateSubnetIds[0]"), "subnet-3"],
    },
    cluster: { exec: { keyArn: text("cluster.exec.keyArn") } },
  });
  new Platform(app, "lists", {
    environment,
    listener: { kind: "https", certificateArn: text("listener.certificateArn") },
    vpc: {
      kind: "existing-vpc",
      vpcId: "vpc-1",
      publicSubnetIds: list("new Platform", "vpc.publicSubnetIds"),
      privateSubnetIds: list("new Platform", "vpc.privateSubnetIds"),
    },
    cluster: {
      kind: "existing-cluster",
      clusterName: text("cluster.clusterName"),
      capacityProviders: { Instances: text("cluster.capacityProviders.key") },
      exec: { keyArn: text("cluster.exec.keyArn"), logGroupArn: text("cluster.exec.logGroupArn") },
    },
  });
  new Platform(app, "zone", {
    environment,
    listener: https({ domain: "example.com", zoneId: references.text("https", "zoneId") }),
    vpc: existingVpc({
      vpcId: ofVpc("vpcId"),
      publicSubnetIds: [ofVpc("publicSubnetIds[0]")],
      privateSubnetIds: [ofVpc("privateSubnetIds[0]")],
    }),
  });
  new Platform(app, "shared", {
    environment,
    listener: existingLoadBalancer({
      loadBalancerArn: balancer("arn.loadBalancerArn"),
      port: references.number("existingLoadBalancer", "arn.port"),
    }),
    vpc: existingVpc({
      vpcId: "vpc-1",
      publicSubnetIds: list("existingVpc", "publicSubnetIds"),
      privateSubnetIds: list("existingVpc", "privateSubnetIds"),
    }),
    cluster: existingCluster({
      clusterName: ofCluster("clusterName"),
      capacityProviders: { Instances: ofCluster("capacityProviders.key") },
      exec: { keyArn: ofCluster("exec.keyArn"), logGroupArn: ofCluster("exec.logGroupArn") },
    }),
  });
  new Platform(app, "other", {
    environment,
    listener: {
      kind: "existing-load-balancer",
      loadBalancerArn: text("listener.loadBalancerArn"),
      port: references.number("new Platform", "listener.port"),
    },
  });
  const existing = Platform.existing(app, "shared", {
    environment,
    tags: { Team: references.text("Platform.existing", "tags.key") },
  });
  new CloudNativeService(existing.stack("guest"), "Guest", { exec: true });
  return new Platform(app, "shop", {
    environment,
    listener: https({ certificateArn: references.text("https", "certificateArn") }),
    alarmRecipients: {
      emails: [text("alarmRecipients.emails[0]")],
      urls: [text("alarmRecipients.urls[0]")],
      slack: [
        {
          workspaceId: text("alarmRecipients.slack[0].workspaceId"),
          channelId: text("alarmRecipients.slack[0].channelId"),
        },
      ],
    },
    tags: { Team: text("tags.key") },
  });
}

function backing(stack: ServiceStack, references: References): void {
  const cache = textOf(references, "existingCache");
  const database = textOf(references, "existingDatabase");
  const external = textOf(references, "new ExternalService");
  const user = new CloudNativeService(stack, "Backed", { process: worker() });
  new PostgresDatabase(stack.data, "Restored", {
    restoreFrom: DatabaseBackup.snapshot(references.text("DatabaseBackup.snapshot", "snapshot")),
  });
  const earlier = textOf(references, "DatabaseBackup.pointInTime");
  new PostgresDatabase(stack.data, "Earlier", {
    restoreFrom: DatabaseBackup.pointInTime(earlier("database"), earlier("time")),
  });
  for (const service of [
    existingCache(stack, "Cache", {
      url: `rediss://${cache("url")}:6380`,
      user: cache("user"),
      passwordArn: cache("passwordArn"),
      securityGroupId: cache("securityGroupId"),
    }),
    existingDatabase(stack, "Database", {
      host: database("host"),
      port: references.number("existingDatabase", "port"),
      databaseName: database("databaseName"),
      user: database("user"),
      credentialsArn: database("credentialsArn"),
      securityGroupId: database("securityGroupId"),
    }),
    new ExternalService(stack, "Payments", {
      url: `https://${external("url")}/v1`,
      secrets: { API_KEY: external("secrets.key") },
    }),
    existingBucket(stack, "Bucket", references.text("existingBucket", "bucketName")),
    existingTable(stack, "Table", references.text("existingTable", "tableArn")),
    existingTopic(stack, "Topic", references.text("existingTopic", "topicArn")),
  ]) {
    user.use(service);
  }
}

function logs(stack: ServiceStack, references: References): void {
  const text = textOf(references, "new LogStream");
  const search = textOf(references, "openSearch");
  const http = textOf(references, "httpEndpoint");
  const own = (prop: string) => text(`destinations[0].${prop}`);
  new LogStream(stack, "Named", {
    name: text("name"),
    counts: [{ name: "Refused", pattern: text("counts[0].pattern"), alarmAbove: 1 }],
    queries: { Slow: text("queries.key") },
    destinations: [
      { kind: "account", destinationArn: own("destinationArn") },
      { kind: "kinesis", streamArn: own("streamArn") },
    ],
  });
  new LogStream(stack, "Http", {
    destinations: [
      { kind: "http-endpoint", url: `https://${own("url")}`, secretArn: own("secretArn"), retry: Duration.minutes(5) },
    ],
  });
  new LogStream(stack, "Search", {
    destinations: [
      {
        kind: "opensearch",
        domainArn: own("domainArn"),
        endpoint: own("endpoint"),
        index: own("index"),
        vpc: {
          vpc: { vpcId: own("vpc.vpc.vpcId"), workloadSubnetIds: [own("vpc.vpc.workloadSubnetIds[0]")] },
          securityGroupId: own("vpc.securityGroupId"),
        },
      },
    ],
  });
  new LogStream(stack, "SearchList", {
    destinations: [
      {
        kind: "opensearch",
        domainArn: "arn:aws:es:eu-central-1:123456789012:domain/logs",
        endpoint: "https://logs.example.com",
        vpc: {
          vpc: {
            vpcId: "vpc-1",
            workloadSubnetIds: references.list("new LogStream", "destinations[0].vpc.vpc.workloadSubnetIds"),
          },
          securityGroupId: "sg-1",
        },
      },
    ],
  });
  new LogStream(stack, "Calls", {
    destinations: [
      anotherAccount(references.text("anotherAccount", "destinationArn")),
      kinesis(references.text("kinesis", "streamArn")),
    ],
  });
  new LogStream(stack, "HttpCall", {
    destinations: [httpEndpoint({ url: `https://${http("url")}/logs`, secretArn: http("secretArn") })],
  });
  new LogStream(stack, "SearchCall", {
    destinations: [
      openSearch({
        domainArn: search("domainArn"),
        endpoint: search("endpoint"),
        index: search("index"),
        vpc: {
          vpc: { vpcId: search("vpc.vpc.vpcId"), workloadSubnetIds: [search("vpc.vpc.workloadSubnetIds[0]")] },
          securityGroupId: search("vpc.securityGroupId"),
        },
      }),
    ],
  });
  new LogStream(stack, "SearchCallList", {
    destinations: [
      openSearch({
        domainArn: "arn:aws:es:eu-central-1:123456789012:domain/logs",
        endpoint: "https://logs.example.com",
        vpc: {
          vpc: { vpcId: "vpc-1", workloadSubnetIds: references.list("openSearch", "vpc.vpc.workloadSubnetIds") },
          securityGroupId: "sg-1",
        },
      }),
    ],
  });
  const name = references.text("LogStream.fromLogGroupName", "name");
  const logs = LogStream.fromLogGroupName(stack, "Elsewhere", name);
  new CloudNativeService(stack, "Logging", { logs });
}

function authentication(app: App, stack: ServiceStack, references: References): void {
  const oidc = textOf(references, "oidcSignIn");
  const token = textOf(references, "bearerToken");
  const pool = textOf(references, "UserPool.fromAttributes");
  new CloudNativeService(stack, "Back").add(
    new Ingress({
      hosts: ["back.example.com"],
      zoneId: references.text("new Ingress", "zoneId"),
      auth: oidcSignIn({
        issuer: oidc("issuer"),
        authorizationUrl: oidc("authorizationUrl"),
        tokenUrl: oidc("tokenUrl"),
        userInfoUrl: oidc("userInfoUrl"),
        clientId: oidc("clientId"),
        clientSecretArn: `${oidc("clientSecretArn")}:key::`,
        scopes: [oidc("scopes[0]")],
      }),
    }),
  );
  const people = UserPool.fromAttributes(stack, "People", {
    userPoolArn: pool("userPoolArn"),
    userPoolId: pool("userPoolId"),
    userPoolDomain: pool("userPoolDomain"),
  });
  new CloudNativeService(stack, "Shop").add(new Ingress({ hosts: ["shop.example.com"], auth: people.signIn() }));
  const newer = new Platform(app, "newer", {
    environment,
    listener: https({ certificateArn: CERTIFICATE }),
    providerLine: 6,
  });
  new CloudNativeService(newer.stack("tokens"), "Api").add(
    new Ingress({
      paths: ["/v1/*"],
      auth: bearerToken({
        issuer: token("issuer"),
        jwksUrl: token("jwksUrl"),
        audience: token("audience"),
        scopes: [token("scopes[0]")],
      }),
    }),
  );
}

function instances(platform: Platform, references: References): void {
  const metric = metricOf(references, "new AutoScalingGroup");
  const group = new AutoScalingGroup(platform, "Instances", {
    image: MachineImage.fromParameter(references.text("MachineImage.fromParameter", "name")),
    userData: UserData.script("#!/bin/bash\necho done\n", {
      variables: { MOTD: references.text("UserData.script", "variables.key") },
    }),
  });
  group.grant(grantOf(references, "AutoScalingGroup.grant"));
  group.addLifecycleHook("Drain", {
    on: "terminate",
    metadata: references.text("AutoScalingGroup.addLifecycleHook", "metadata"),
  });
  new AutoScalingGroup(platform, "Batch", {
    cluster: "none",
    image: MachineImage.id(references.text("MachineImage.id", "imageId")),
    userData: UserData.file(join(__dirname, "user-data.sh"), {
      variables: { MOTD: references.text("UserData.file", "variables.key") },
    }),
    scaling: {
      metrics: [{ name: "Sessions", metric: metric("metrics"), target: 100 }],
      steps: [{ name: "Backlog", metric: metric("steps"), out: [{ from: 50, add: 1 }], in: [{ upTo: 10, remove: 1 }] }],
    },
  });
}

function chaos(stack: ServiceStack, references: References): void {
  const text = textOf(references, "new ChaosExperiment");
  const target = new CloudNativeService(stack, "Shaken", { process: worker() });
  const experiment = (id: string, fault: Fault, more: object = {}) =>
    new ChaosExperiment(stack, id, {
      target,
      fault,
      environments: ["dev"],
      agentImage: AGENT,
      stopOn: [existingAlarm(stack, references.text("existingAlarm", "alarmArn"))],
      ...more,
    });
  experiment(
    "Latency",
    Fault.networkLatency({ count: 1, hosts: [references.text("Fault.networkLatency", "hosts[0]")] }),
  );
  experiment("Loss", Fault.networkLoss({ count: 1, hosts: [references.text("Fault.networkLoss", "hosts[0]")] }), {
    stopOn: [{ alarmName: text("stopOn[0].alarmName"), alarmArn: text("stopOn[0].alarmArn") }],
    report: {
      bucketName: text("report.bucketName"),
      prefix: text("report.prefix"),
      dashboards: [text("report.dashboards[0]")],
    },
  });
  experiment("Blackhole", Fault.blackhole({ count: 1, host: references.text("Fault.blackhole", "host") }));
}

function delivery(source: (typeof SOURCES)[number], references: References): App {
  const app = new App();
  const text = textOf(references, "new Pipeline");
  const staging: Environment = { ...environment, name: "staging" };
  new LogStream(new AwsStack(app, "audit", { environment: staging, lifetime: "platform" }), "Logs");
  const stack = new DeliveryStack(app, source.toLowerCase(), {
    region: "eu-central-1",
    account: "123456789012",
    state: "s3",
    tags: { Team: references.text("new DeliveryStack", "tags.key") },
  });
  new Pipeline(stack, "Pipeline", {
    source: Source[source]("acme/orders", { connectionArn: references.text(`Source.${source}`, "connectionArn") }),
    images: new ImageRepository(stack, "Images"),
    releases: [{ environment: staging }],
    variables: [{ name: "COLOR", value: text("variables[0].value"), description: text("variables[0].description") }],
    notify: [text("notify[0]")],
  });
  return app;
}

function imports(app: App, references: References): void {
  const stack = new AwsStack(app, "network", {
    environment,
    lifetime: "platform",
    tags: { Team: references.text("new AwsStack", "tags.key") },
  });
  const ofVpc = textOf(references, "Vpc.fromAttributes");
  const vpc = Vpc.fromAttributes(stack, "Vpc", {
    vpcId: ofVpc("vpcId"),
    publicSubnetIds: [ofVpc("publicSubnetIds[0]")],
    privateSubnetIds: [ofVpc("privateSubnetIds[0]")],
  });
  const lists = Vpc.fromAttributes(stack, "Lists", {
    vpcId: "vpc-1",
    publicSubnetIds: references.list("Vpc.fromAttributes", "publicSubnetIds"),
    privateSubnetIds: references.list("Vpc.fromAttributes", "privateSubnetIds"),
  });
  const listener = textOf(references, "new LoadBalancer");
  new LoadBalancer(stack, "Certified", {
    vpc,
    listener: { kind: "https", certificateArn: listener("listener.certificateArn") },
  });
  new LoadBalancer(new AwsStack(app, "edge", { environment, lifetime: "platform" }), "Domain", {
    vpc: lists,
    listener: { kind: "https", domain: "example.com", zoneId: listener("listener.zoneId") },
  });
  const attributes = textOf(references, "LoadBalancer.fromAttributes");
  const front = LoadBalancer.fromAttributes(stack, "Front", {
    loadBalancerArn: attributes("loadBalancerArn"),
    loadBalancerArnSuffix: attributes("loadBalancerArnSuffix"),
    listenerArn: attributes("listenerArn"),
    dnsName: attributes("dnsName"),
    dnsZoneId: attributes("dnsZoneId"),
    scheme: attributes("scheme") as "https",
    securityGroupId: attributes("securityGroupId"),
  });
  const byArn = LoadBalancer.fromArn(stack, "ByArn", {
    loadBalancerArn: references.text("LoadBalancer.fromArn", "loadBalancerArn"),
    port: references.number("LoadBalancer.fromArn", "port"),
  });
  new WebAcl(stack, "WebAcl", { loadBalancer: front });
  for (const name of ["loadBalancerArnSuffix", "dnsName", "dnsZoneId", "scheme"] as const) {
    new TerraformOutput(stack, name, { value: front[name] });
  }
  for (const [id, loadBalancer] of Object.entries({ Registered: front, Other: byArn })) {
    new AutoScalingGroup(stack, id, {
      vpc: id === "Other" ? lists : vpc,
      cluster: "none",
      registerWith: { loadBalancer, port: 8080, paths: [`/${id.toLowerCase()}/*`] },
    });
  }
  new Cluster(stack, "Cluster", { exec: { keyArn: references.text("new Cluster", "exec.keyArn") } });
}
