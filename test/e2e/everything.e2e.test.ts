import { join } from "node:path";
import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { TerraformStack } from "../../emulator";
import { itWithIam } from "../iam/packages";
import { judgeDeployment } from "../iam/recorded/judge";
import { AwsCaller, field } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { ROOT } from "../support/examples";

const IMAGE = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id";
const APP = join(ROOT, "test/e2e/apps/everything.ts");

describeOnEmulator("a production app with one of everything, outside us-east-1", () => {
  let app: Deployment;
  let aws: AwsCaller;
  let certificateArn: string;

  /** Host of the database that a task of a service gets from its latest task definition. */
  async function databaseHostOf(service: string): Promise<string | undefined> {
    const { taskDefinition } = await app.clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: `shop-dev-${service}` }),
    );
    const variables = taskDefinition?.containerDefinitions?.flatMap(({ environment = [] }) => environment) ?? [];
    return variables.find(({ name }) => name === "PGHOST")?.value;
  }
  /** Ids that AWS gave to databases, and that another database of the same name does not have. */
  async function identities(): Promise<string[]> {
    const shown = [await databases(), await aws.call("rds", "DescribeDBClusters")].join();
    return [...shown.matchAll(/<Db(?:i|Cluster)ResourceId>([^<]+)</g)].map(([, id]) => id as string);
  }
  /** Names of the Auto Scaling groups of the platform, which are new if one is replaced. */
  async function groups(): Promise<string[]> {
    const shown: string = await aws.call("autoscaling", "DescribeAutoScalingGroups");
    const names = [...shown.matchAll(/<AutoScalingGroupName>(shop-dev-[^<]+)</g)].map(([, name]) => name as string);
    return [...new Set(names)].sort();
  }
  const databases = () => aws.call("rds", "DescribeDBInstances") as Promise<string>;

  beforeAll(async () => {
    app = await deploy(APP, {
      name: "everything",
      beside: [
        "audit-dev-data",
        "orders-delivery",
        "shop-staging-platform",
        "changing-dev-data",
        "changing-dev-service",
      ],
      region: "eu-central-1",
      prepare: async ({ url }) => {
        aws = new AwsCaller(url);
        const certificate = await aws.call("acm", "RequestCertificate", { DomainName: "shop.example.com" });
        certificateArn = certificate.CertificateArn;
        const secret = { Name: "back", SecretString: JSON.stringify({ client_secret: "x" }) };
        const { ARN } = await aws.call("secretsmanager", "CreateSecret", secret);
        await aws.call("sqs", "CreateQueue", { QueueName: "mails" });
        const existing = {
          certificateArn,
          queueArn: "arn:aws:sqs:eu-central-1:123456789012:mails",
          clientSecretArn: ARN,
          searchGroupId: field(await aws.call("ec2", "DescribeSecurityGroups"), "groupId"),
        };
        return { EXISTING: JSON.stringify(existing) };
      },
    });
    await app.apply();
  });
  afterAll(() => app?.end());

  it("has an empty plan once it is applied, even after AWS and a release changed their part of it", async () => {
    const database = await app.simulate("raise-minor-version", { database: "orders-dev-database" });
    const cache = await app.simulate("raise-minor-version", { cache: "orders-dev-cache" });
    expect([database, cache]).toEqual([{ version: "16.5" }, { version: "8.1.0" }]);
    await app.simulate("renew-certificate", { arn: certificateArn });
    await app.simulate("rotate-secret", { id: field(await databases(), "SecretArn") });
    const released = await app.simulate("release", { cluster: "shop-dev", service: "orders" });
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
    const described = new DescribeServicesCommand({ cluster: "shop-dev", services: ["orders"] });
    expect((await app.clients.ecs.send(described)).services).toMatchObject([released]);
  });

  it("has one key of its own for its data since it was created", async () => {
    const { Table } = await aws.call("dynamodb", "DescribeTable", { TableName: "orders-dev-sessions" });
    const key: string = Table.SSEDescription.KMSMasterKeyArn;
    const { KeyMetadata } = await aws.call("kms", "DescribeKey", { KeyId: key });
    expect(KeyMetadata).toMatchObject({ Description: "Databases, caches and tables of orders", KeyState: "Enabled" });
    const instances = (await databases()).split("<DBInstance>").slice(1);
    expect(instances).toHaveLength(3);
    for (const instance of instances) {
      expect(instance).toContain(`<KmsKeyId>${key}</KmsKeyId>`);
      expect(instance).toContain(`<PerformanceInsightsKMSKeyId>${key}</PerformanceInsightsKMSKeyId>`);
    }
    expect(await aws.call("elasticache", "DescribeReplicationGroups")).toContain(`<KmsKeyId>${key}</KmsKeyId>`);
  });

  it("has alarms that fire on their metrics, without a state that is set", async () => {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const cloudWatch = new CloudWatchClient({ endpoint: app.emulator.url, region: app.region, credentials });
    const read = async () => {
      const command = new DescribeAlarmsCommand({ AlarmNames: ["shop-dev-storefront-errors"] });
      const { MetricAlarms: [alarm] = [] } = await cloudWatch.send(command);
      return alarm;
    };
    const alarm = await read();
    expect(alarm).toMatchObject({ StateValue: "OK" });
    const values: Readonly<Record<string, number>> = { RequestCount: 100, HTTPCode_Target_5XX_Count: 50 };
    for (const { Namespace, MetricName = "", Dimensions } of alarm?.Metrics?.flatMap(
      ({ MetricStat }) => MetricStat?.Metric ?? [],
    ) ?? []) {
      const MetricData = [1, 2, 3, 4, 5].map((minutes) => ({
        MetricName,
        Dimensions,
        Value: values[MetricName] ?? 0,
        Timestamp: new Date(Date.now() - minutes * 60_000),
      }));
      await cloudWatch.send(new PutMetricDataCommand({ Namespace, MetricData }));
    }
    expect(await read()).toMatchObject({ StateValue: "ALARM" });
    cloudWatch.destroy();
  });

  it("becomes strict, is upgraded in place and restored beside, and has its props changed there and back, each with an empty plan", async () => {
    const snapshot = { DBInstanceIdentifier: "orders-dev-database", DBSnapshotIdentifier: "orders-before-17" };
    await aws.call("rds", "CreateDBSnapshot", snapshot);
    const { image } = (await app.simulate("publish-image", { parameter: IMAGE })) as { image: string };
    const versionOf = await app.inVersion("2", { VERSION: "2", PROFILE: "strict", CHANGING: "1" });
    const stacks = app.stacks.map(({ name }) => versionOf(name));
    const groupsBefore = await groups();
    expect(groupsBefore.length).toBeGreaterThan(0);
    const before = await identities();
    expect(before).toHaveLength(4);
    const former = await app.inVersion("3", { VERSION: "2", PROFILE: "strict" });
    const isChanging = ({ name }: TerraformStack) => name.startsWith("changing-");
    const changing = stacks.filter(isChanging);
    // In the lane of these stacks, while the others are upgraded.
    const change = async (stack: TerraformStack) => {
      await stack.apply();
      if (stack !== changing.at(-1)) return;
      await app.expectNoDrift(changing);
      const back = changing.map(({ name }) => former(name));
      // What the tasks no longer use is deleted last.
      for (const each of [...back].reverse()) await each.apply();
      await app.expectNoDrift(back);
    };
    await app.each(change, stacks);
    await expect(app.expectNoDrift(stacks.filter((stack) => !isChanging(stack)))).resolves.toBeUndefined();

    const templates = await aws.call("ec2", "DescribeLaunchTemplateVersions", { LaunchTemplateVersion: ["$Latest"] });
    expect(templates).toContain(`<imageId>${image}</imageId>`);
    // A new image changes the template, never the groups.
    expect(await groups()).toEqual(groupsBefore);
    const shown = (await databases()).split("<DBInstance>").slice(1);
    const versions = shown.map((each) => [field(each, "DBInstanceIdentifier"), field(each, "EngineVersion")]);
    expect(Object.fromEntries(versions)).toEqual({
      "orders-dev-database": "17.4",
      "orders-dev-ledger-first": "17.4",
      "orders-dev-ledger-second": "17.4",
      "orders-dev-restored": "16.5",
    });
    expect(await identities()).toEqual(expect.arrayContaining(before));
    expect(await databaseHostOf("mailer")).toContain("orders-dev-restored");
  });

  it("is destroyed once its protection is off, and leaves only its final snapshots", async () => {
    for (const DBInstanceIdentifier of ["orders-dev-database", "orders-dev-restored"]) {
      await aws.call("rds", "ModifyDBInstance", { DBInstanceIdentifier, DeletionProtection: false });
    }
    const ledger = { DBClusterIdentifier: "orders-dev-ledger", DeletionProtection: false };
    await aws.call("rds", "ModifyDBCluster", ledger);
    for (const TableName of ["orders-dev-sessions", "changing-dev-table"]) {
      await aws.call("dynamodb", "UpdateTable", { TableName, DeletionProtectionEnabled: false });
    }
    const { UserPools } = await aws.call("cognito-idp", "ListUserPools", { MaxResults: 10 });
    for (const { Id } of UserPools) {
      await aws.call("cognito-idp", "UpdateUserPool", { UserPoolId: Id, DeletionProtection: "INACTIVE" });
    }
    const LoadBalancerArn = field(await aws.call("elasticloadbalancing", "DescribeLoadBalancers"), "LoadBalancerArn");
    const Attributes = [{ Key: "deletion_protection.enabled", Value: "false" }];
    await aws.call("elasticloadbalancing", "ModifyLoadBalancerAttributes", { LoadBalancerArn, Attributes });
    await app.destroy();

    await aws.call("secretsmanager", "DeleteSecret", { SecretId: "back", ForceDeleteWithoutRecovery: true });
    await aws.call("sqs", "DeleteQueue", { QueueUrl: `${app.emulator.url}/123456789012/mails` });
    await aws.call("acm", "DeleteCertificate", { CertificateArn: certificateArn });
    const snapshots = await Promise.all(
      ["DescribeDBSnapshots", "DescribeDBClusterSnapshots"].map((operation) => aws.call("rds", operation)),
    );
    const names = [...snapshots.join().matchAll(/<DB(?:Cluster)?SnapshotIdentifier>([^<]*)-\d{14}</g)];
    expect(names.map(([, name]) => name).sort()).toEqual([
      "orders-dev-database-final",
      "orders-dev-ledger-final",
      "orders-dev-restored-final",
    ]);
    for (const [, kind = "", name = ""] of snapshots.join().matchAll(/<DB(Cluster|)SnapshotIdentifier>([^<]*)</g)) {
      await aws.call("rds", `DeleteDB${kind}Snapshot`, { [`DB${kind}SnapshotIdentifier`]: name });
    }
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });

  itWithIam("was created, changed and destroyed by calls that the roles may make which deploy it on AWS", async () => {
    const { problems, simulated } = await judgeDeployment(app);
    expect(problems).toEqual([]);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(2000);
    expect(simulated["deployed-delivery-gh-dev-plan"]).toBeGreaterThan(600);
    expect(simulated["deployed-delivery-gh-staging-apply"]).toBeGreaterThan(10);
  });
});
