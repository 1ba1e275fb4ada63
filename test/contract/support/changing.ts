/** Props of constructs that run, each with two values: a stack of them is changed from the first ones to the second, and back. */
import {
  AutoScalingGroup,
  type AutoScalingGroupProps,
  Bucket,
  type BucketProps,
  Capacity,
  CloudNativeService,
  type CloudNativeServiceProps,
  canary,
  codeDeploy,
  cron,
  Duration,
  httpEndpoint,
  Image,
  Ingress,
  type IngressProps,
  job,
  LogStream,
  type LogStreamProps,
  type Platform,
  Queue,
  type QueueProps,
  ServiceDashboard,
  ServiceLevel,
  type ServiceLevelProps,
  type ServiceStack,
  Table,
  type TableProps,
  Telemetry,
  type TelemetryProps,
  Topic,
  type TopicProps,
  UserData,
  web,
  worker,
  xRay,
} from "../../../constructs";

/** Two values of each prop, or the reason why it has one: a prop without a row does not compile. */
type Values<Props> = { readonly [Name in keyof Required<Props>]: readonly [Props[Name], Props[Name]] | string };

/** Version of the stack: with the first or the second values. */
export type Version = 0 | 1;

function propsIn<Props extends object>(version: Version, values: Values<Props>): Props {
  const chosen = Object.entries<readonly unknown[] | string>(values).flatMap(([name, pair]) =>
    typeof pair === "string" ? [] : [[name, pair[version]]],
  );
  return Object.fromEntries(chosen);
}

const SESSIONS = { namespace: "Shop/Live", metricName: "SessionsPerTask" };
const WAITING = { namespace: "Shop/Jobs", metricName: "Waiting" };
const DIGEST = Image.digest(`public.ecr.aws/acme/owned@sha256:${"1".repeat(64)}`);
const REPLACES = "replaces the resource";

const SERVICE: Values<CloudNativeServiceProps> = {
  process: [
    web({ livePath: "/live", readyPath: "/ready" }),
    web({ livePath: "/alive", readyPath: "/fit", liveCommand: "none", command: ["node", "b.js"] }),
  ],
  image: [Image.repository(), Image.repository({ name: "other" })],
  size: [
    { cpu: 256, memoryMiB: 512 },
    { cpu: 512, memoryMiB: 1024 },
  ],
  architecture: ["arm64", "x86_64"],
  capacity: [[Capacity.fargate()], [Capacity.fargate({ base: 1 }), Capacity.fargateSpot({ weight: 3 })]],
  scaling: [
    { min: 2, max: 4, cpuPercent: 60 },
    {
      min: 3,
      max: 8,
      cpuPercent: 40,
      memoryPercent: 70,
      requestsPerTask: 500,
      metrics: [{ name: "Sessions", metric: SESSIONS, target: 100 }],
      steps: [{ name: "Backlog", metric: WAITING, out: [{ from: 50, add: 1 }] }],
      schedules: [{ name: "Morning", schedule: cron("0 7 * * *"), min: 4 }],
    },
  ],
  alarms: [{}, { latency: Duration.seconds(2) }],
  deployment: "has a service of its own",
  environment: [{ LEVEL: "info" }, { LEVEL: "debug", FLAGS: "" }],
  secrets: [{}, { API_KEY: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf" }],
  logs: "deletes the log group, and so its lines",
  stopTimeout: [Duration.seconds(30), Duration.seconds(60)],
  releaseOwner: "has a service of its own",
  user: ["1000:1000", "2000:2000"],
  connect: [false, true],
  exec: [false, true],
  addOns: "have tables of their own",
  name: REPLACES,
  renamedFrom: "changes addresses only",
};

const INGRESS: Values<IngressProps> = {
  hosts: [["a.example.com"], ["a.example.com", "b.example.com"]],
  paths: [["/changed/*"], ["/changed/*", "/again/*"]],
  priority: [undefined, 100],
  zoneId: "is an existing zone",
  certificate: "is requested from a zone",
  auth: "has services of its own",
};

const TELEMETRY: Values<TelemetryProps> = {
  to: "exists in the second version only",
  tracesPercent: [5, 10],
  image: [undefined, `public.ecr.aws/aws-observability/aws-otel-collector@sha256:${"2".repeat(64)}`],
};

const LEVEL: Values<ServiceLevelProps> = {
  availablePercent: [99, 99.9],
  fast: [undefined, { percent: 99, within: Duration.millis(500) }],
};

const QUEUE: Values<QueueProps> = {
  visibility: [Duration.seconds(30), Duration.seconds(90)],
  maxReceives: [3, 5],
  retention: [Duration.days(4), Duration.days(7)],
  fifo: REPLACES,
};

const BUCKET: Values<BucketProps> = { bucketName: REPLACES, keepFormer: [Duration.days(30), Duration.days(60)] };

const TABLE: Values<TableProps> = {
  partitionKey: REPLACES,
  sortKey: REPLACES,
  indexes: [[], [{ name: "byOwner", partitionKey: { name: "owner" } }]],
  expiresAt: "is turned off by a call of AWS before it changes",
};

const topic = (queue: Queue): Values<TopicProps> => ({ queues: [[], [queue]] });

const LOGS: Values<LogStreamProps> = {
  name: REPLACES,
  retention: [Duration.days(30), Duration.days(90)],
  delivery: "belongs to its services",
  destinations: [[], [httpEndpoint({ url: "https://in.example.com/v1/logs" })]],
  mask: [[], ["EmailAddress"]],
  counts: [[], [{ name: "Refused", pattern: '{ $.msg = "refused" }', alarmAbove: 10 }]],
  queries: [{}, { Slow: "filter durationMs > 1000" }],
};

const INSTANCES: Values<AutoScalingGroupProps> = {
  vpc: REPLACES,
  instanceTypes: "decides the processor, and so the image",
  image: "is the latest one",
  scaling: [
    { min: 2, max: 4 },
    {
      min: 3,
      max: 6,
      cpuPercent: 50,
      schedules: [{ name: "Morning", schedule: cron("0 7 * * *"), instances: 3 }],
    },
  ],
  spot: [undefined, { onDemandBase: 1, percent: 50 }],
  cluster: REPLACES,
  registerWith: REPLACES,
  userData: [undefined, UserData.script("echo changed")],
  diskGiB: [30, 40],
  warmup: [Duration.minutes(2), Duration.minutes(3)],
  warmPool: "AWS does not combine it with Spot Instances",
  instanceRefresh: [{ minHealthyPercent: 100 }, { minHealthyPercent: 90, maxHealthyPercent: 110 }],
};

/** Adds the stack to a platform, in one of its two versions. */
export function addChanging(platform: Platform, version: Version): ServiceStack {
  const stack = platform.stack("changing");
  const { data } = stack;
  const changed = version === 1;
  const service = new CloudNativeService(stack, "Changed", propsIn(version, SERVICE));
  service.add(new Ingress(propsIn(version, INGRESS)));
  service.add(new ServiceLevel(propsIn(version, LEVEL)));
  const queue = new Queue(data, "Queue", propsIn(version, QUEUE));
  const bucket = new Bucket(data, "Bucket", propsIn(version, BUCKET));
  const table = new Table(data, "Table", { ...propsIn(version, TABLE), partitionKey: { name: "id" } });
  const fanOut = new Topic(data, "Topic", propsIn(version, topic(queue)));
  new LogStream(data, "Logs", propsIn(version, LOGS));
  new AutoScalingGroup(stack, "Instances", { ...propsIn(version, INSTANCES), cluster: "none", vpc: stack.vpc });
  const reached = new CloudNativeService(stack, "Reached", { alarms: changed ? "none" : {} });
  if (changed) {
    service.add(new Telemetry({ ...propsIn(version, TELEMETRY), to: [xRay()] }));
    service.add(new ServiceDashboard());
    service.call(reached);
    service.addAdminProcess("seed", ["node", "seed.js"]);
    for (const each of [queue, bucket, table, fanOut]) service.use(each);
  } else {
    reached.add(new Ingress({ paths: ["/reached/*"] }));
    reached.use(bucket, { prefix: "FILES" });
  }
  new CloudNativeService(stack, "Kind", { process: changed ? web() : worker({ command: ["node", "worker.js"] }) });
  new CloudNativeService(stack, "Turned", {
    process: changed ? web() : job({ schedule: cron("0 3 * * *"), command: ["node", "job.js"] }),
  });
  new CloudNativeService(stack, "Scheduled", {
    process: job({ schedule: cron(changed ? "0 4 * * *" : "0 3 * * *"), command: ["node", changed ? "b.js" : "a.js"] }),
  });
  new CloudNativeService(stack, "Owned", {
    image: DIGEST,
    releaseOwner: "terraform",
    process: web({ port: changed ? 3001 : 3000 }),
  }).add(new Ingress({ paths: ["/owned/*"] }));
  new CloudNativeService(stack, "Handed", { image: DIGEST, releaseOwner: changed ? "terraform" : "pipeline" });
  new CloudNativeService(stack, "Shifted", changed ? { deployment: codeDeploy(canary()) } : {}).add(
    new Ingress({ paths: ["/shifted/*"] }),
  );
  return stack;
}
