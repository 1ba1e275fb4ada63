import {
  App,
  AutoScalingGroup,
  AwsStack,
  Bucket,
  Cache,
  type CacheProps,
  ChaosExperiment,
  CiRoles,
  CloudNativeService,
  canary,
  cloudWatch,
  codeDeploy,
  cron,
  DatabaseCapacity,
  DeliveryStack,
  Duration,
  type Encryption,
  type Environment,
  ExternalService,
  every,
  existingQueue,
  experimentGate,
  Fault,
  gitHubActions,
  httpEndpoint,
  https,
  ImageRepository,
  Ingress,
  job,
  LogArchive,
  LogStream,
  oidcSignIn,
  openSearch,
  Pipeline,
  Platform,
  PlatformDashboard,
  PostgresDatabase,
  type PostgresDatabaseProps,
  type Profile,
  Queue,
  type QueueProps,
  ServiceDashboard,
  ServiceLevel,
  Source,
  sharedArchive,
  Table,
  Telemetry,
  Topic,
  UserPool,
  WebAcl,
  worker,
  xRay,
} from "../../../constructs";

/** Resources that the app refers to and does not create. */
export interface Existing {
  readonly certificateArn: string;
  readonly queueArn: string;
  readonly clientSecretArn: string;
  readonly searchGroupId: string;
}

/** Settings that a later version of the app changes. */
export interface Changed {
  /** A database that a service uses instead of the first one. */
  readonly restored?: PostgresDatabaseProps;
  readonly ledger?: PostgresDatabaseProps;
  readonly database?: PostgresDatabaseProps;
  readonly cache?: CacheProps;
  readonly events?: QueueProps;
  readonly zones?: number;
  /** Adds more to the platform. */
  readonly more?: (platform: Platform) => void;
}

const PLACEHOLDERS: Existing = {
  certificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0f1e2d3c",
  queueArn: "arn:aws:sqs:eu-central-1:123456789012:mails",
  clientSecretArn: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:back-AbCdEf",
  searchGroupId: "sg-0123456789abcdef0",
};

/** One of each exported construct, most of them with a good part of what they can have. */
export function everything(
  profile: Profile = "dev",
  { certificateArn, queueArn, clientSecretArn, searchGroupId }: Existing = PLACEHOLDERS,
  { restored, ledger, database, cache, events: eventsQueue, zones, more }: Changed = {},
  encryption?: Encryption,
): App {
  const app = new App();
  const environment: Environment = {
    name: "dev",
    region: "eu-central-1",
    profile,
    encryption,
    ...(profile === "strict" ? { account: "123456789012", state: "s3" as const } : {}),
  };
  const platform = new Platform(app, "shop", {
    environment,
    listener: https({ certificateArn }),
    tags: { CostCenter: "4711" },
    vpc: { flowLogs: "all", ...(zones === undefined ? {} : { zones }) },
    cluster: { exec: {} },
    alarmRecipients: { emails: ["on-call@example.com"] },
  });
  new AutoScalingGroup(platform, "Instances", { scaling: { max: 4 } });
  const waiting = { namespace: "Shop/Jobs", metricName: "Waiting" };
  new AutoScalingGroup(platform, "Batch", {
    cluster: "none",
    scaling: {
      steps: [
        {
          name: "Waiting",
          metric: waiting,
          out: [
            { from: 100, add: 1 },
            { from: 1000, add: 4 },
          ],
          in: [{ upTo: 10, remove: 1 }],
        },
      ],
    },
  });
  const stack = platform.stack("orders");
  const orders = new CloudNativeService(stack, "Orders", { scaling: { max: 4, cpuPercent: 60, requestsPerTask: 100 } });
  new WebAcl(platform, "WebAcl", { loadBalancer: platform.loadBalancer });
  const people = new UserPool(platform, "People");
  orders.add(new Ingress({ hosts: ["orders.example.com"], auth: people.signIn({ publicPaths: ["/status"] }) }));
  new CloudNativeService(stack, "Stepped", {
    process: worker(),
    scaling: {
      memoryPercent: 70,
      metrics: [{ name: "Sessions", metric: { namespace: "Shop/Live", metricName: "SessionsPerTask" }, target: 100 }],
      steps: [
        {
          name: "Backlog",
          metric: waiting,
          out: [
            { from: 50, add: 1 },
            { from: 500, add: 4 },
          ],
        },
      ],
    },
  });
  new CloudNativeService(stack, "Back").add(
    new Ingress({
      hosts: ["back.example.com"],
      auth: oidcSignIn({
        issuer: "https://login.example.com",
        authorizationUrl: "https://login.example.com/authorize",
        tokenUrl: "https://login.example.com/token",
        userInfoUrl: "https://login.example.com/userinfo",
        clientId: "back",
        clientSecretArn,
      }),
    }),
  );
  new ChaosExperiment(stack, "Shaken", {
    target: orders,
    fault: Fault.networkLatency({ count: 1 }),
    environments: ["dev"],
    production: "users may notice",
    schedule: every(Duration.hours(24)),
    report: { bucketName: "game-days" },
    agentImage: `public.ecr.aws/amazon-ssm-agent/amazon-ssm-agent@sha256:${"a".repeat(64)}`,
  });
  orders.add(new Telemetry({ to: [xRay(), cloudWatch()] }));
  orders.add(new ServiceLevel({ fast: { percent: 99, within: Duration.millis(500) } }));
  orders.add(new ServiceDashboard());
  new PlatformDashboard(platform, "Dashboard");
  const storefront = new CloudNativeService(stack, "Storefront", { deployment: codeDeploy(canary()) });
  storefront.add(new Ingress({ paths: ["/storefront/*"] }));
  const queue = existingQueue(stack, "Mails", queueArn);
  const mailer = new CloudNativeService(stack, "Mailer", { process: worker({ queue }), exec: true });
  mailer.call(orders);
  mailer.addAdminProcess("migrate", ["node", "migrate.js"]);
  const events = new Queue(stack.data, "Events", eventsQueue);
  const placed = new Topic(stack.data, "Placed");
  placed.subscribe(events);
  orders.use(events);
  orders.use(new PostgresDatabase(stack.data, "Ledger", { capacity: DatabaseCapacity.serverless(), ...ledger }));
  const first = new PostgresDatabase(stack.data, "Database", database);
  for (const backing of [
    placed,
    restored ? new PostgresDatabase(stack.data, "Restored", restored) : first,
    new Cache(stack.data, "Cache", cache),
    new Bucket(stack.data, "Files"),
    new Table(stack.data, "Sessions", { partitionKey: { name: "id" } }),
    new ExternalService(stack, "Payments", { url: "https://pay.example.com" }),
  ]) {
    mailer.use(backing);
  }
  new CloudNativeService(stack, "Report", {
    process: job({ schedule: every(Duration.hours(1)), command: ["node", "report.js"] }),
    alarms: {},
  });
  more?.(platform);
  const kept = new LogArchive(platform, "Archive");
  new LogStream(stack.data, "Audit", {
    delivery: "audit",
    destinations: [sharedArchive(kept), httpEndpoint({ url: "https://in.example.com/v1/logs" })],
    mask: ["EmailAddress"],
    counts: [{ name: "Refused", pattern: '{ $.msg = "refused" }', alarmAbove: 10 }],
    queries: { Slow: "filter durationMs > 1000" },
  });
  new LogStream(stack, "Access", {
    destinations: [
      openSearch({
        domainArn: "arn:aws:es:eu-central-1:123456789012:domain/logs",
        endpoint: "https://vpc-logs.eu-central-1.es.amazonaws.com",
        vpc: { vpc: stack.vpc, securityGroupId: searchGroupId },
      }),
    ],
  });
  const staging: Environment = { ...environment, name: "staging", account: "123456789012", state: "s3" };
  new LogStream(new AwsStack(app, "shop", { environment: staging, lifetime: "platform" }), "Logs");
  const delivery = new DeliveryStack(app, "orders", {
    region: "eu-central-1",
    account: "123456789012",
    ...(profile === "strict" ? { profile, state: "s3" } : {}),
  });
  new CiRoles(delivery, "GitHub", {
    trust: gitHubActions({
      repository: { owner: "acme", name: "orders", numbers: { owner: 123456, repository: 456789 } },
    }),
    images: ImageRepository.fromRepositoryName(delivery, "SameImages", "orders"),
    environments: [staging],
  });
  new Pipeline(delivery, "Pipeline", {
    source: Source.codeCommit("orders"),
    images: new ImageRepository(delivery, "Images"),
    releases: [
      {
        environment: staging,
        approval: true,
        gates: [
          { name: "smoke", commands: ["npm run smoke"] },
          experimentGate("Shaken", { environment: staging, stack: "elsewhere" }),
        ],
      },
    ],
    drift: cron("0 6 * * MON-FRI"),
    notify: ["orders-team@example.com"],
  });
  new LogStream(new AwsStack(app, "audit", { environment, lifetime: "data" }), "Logs");
  return app;
}
