import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Emulator } from "../../emulator";
import { AwsCaller, field } from "../support/aws-call";
import { describeOnEmulator, tools } from "../support/deployment";

const REGION = "eu-central-1";
const LOCATION = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;

describeOnEmulator("updates on the emulator", () => {
  let emulator: Emulator;
  let aws: AwsCaller;

  beforeAll(async () => {
    const log = join(mkdtempSync(join(tmpdir(), "antifragile-updates-")), "emulator.log");
    emulator = await Emulator.start({ log, tools, catalogue: false });
    aws = new AwsCaller(emulator.url, REGION);
  });

  afterAll(() => emulator?.stop());

  const simulate = (change: string, fields: object) =>
    fetch(`${emulator.url}/antifragile/simulate`, {
      method: "POST",
      body: JSON.stringify({ region: REGION, change, ...fields }),
      headers: { "content-type": "application/json" },
    });
  const ecs = (operation: string, params: object) => aws.call("ecs", operation, { ...params });
  const rds = (operation: string, params: object = {}) => aws.call("rds", operation, { ...params });
  const cache = (operation: string, params: object = {}) => aws.call("elasticache", operation, { ...params });
  const described = async (service: string) =>
    (await ecs("DescribeServices", { cluster: "main", services: [service] })).services[0];

  test("of an ECS service keep the parts of its deployment configuration that they omit", async () => {
    await ecs("CreateCluster", { clusterName: "main" });
    await ecs("RegisterTaskDefinition", {
      family: "web",
      containerDefinitions: [{ name: "app", image: "node", memory: 64 }],
    });
    const breaker = { enable: true, rollback: true };
    await ecs("CreateService", {
      cluster: "main",
      serviceName: "web",
      taskDefinition: "web",
      desiredCount: 1,
      deploymentConfiguration: { maximumPercent: 150, deploymentCircuitBreaker: breaker },
    });
    const alarms = { alarmNames: ["errors"], enable: true, rollback: true };
    await ecs("UpdateService", { cluster: "main", service: "web", deploymentConfiguration: { alarms } });
    const turnedOff = { enabled: false };
    await ecs("UpdateService", { cluster: "main", service: "web", serviceConnectConfiguration: turnedOff });
    expect((await described("web")).deployments[0]).not.toHaveProperty("serviceConnectConfiguration");
    expect((await described("web")).deploymentConfiguration).toEqual({
      maximumPercent: 150,
      minimumHealthyPercent: 100,
      deploymentCircuitBreaker: breaker,
      alarms,
    });
  });

  test("of a cache change its nodes, replicas, version and subnets", async () => {
    const vpc = field(await aws.call("ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" }), "vpcId");
    const subnet = async (zone: string, net: number) => {
      const params = { VpcId: vpc, CidrBlock: `10.0.${net}.0/24`, AvailabilityZone: `${REGION}${zone}` };
      return field(await aws.call("ec2", "CreateSubnet", params), "subnetId") as string;
    };
    const subnets = [await subnet("a", 0), await subnet("b", 1), await subnet("c", 2)];
    const named = (count: number) =>
      Object.fromEntries(subnets.slice(0, count).map((id, index) => [`SubnetIdentifier.${index + 1}`, id]));
    const CacheSubnetGroupName = "orders";
    const CacheSubnetGroupDescription = "orders";
    await cache("CreateCacheSubnetGroup", {
      CacheSubnetGroupName,
      CacheSubnetGroupDescription,
      SubnetIds: named(2),
    });
    const ReplicationGroupId = "orders";
    await cache("CreateReplicationGroup", {
      ReplicationGroupId,
      ReplicationGroupDescription: "orders",
      Engine: "valkey",
      EngineVersion: "8.0",
      CacheNodeType: "cache.t4g.micro",
      NumCacheClusters: 2,
      CacheSubnetGroupName,
    });
    await cache("IncreaseReplicaCount", { ReplicationGroupId, NewReplicaCount: 2, ApplyImmediately: true });
    await cache("ModifyReplicationGroup", {
      ReplicationGroupId,
      CacheNodeType: "cache.t4g.small",
      EngineVersion: "8.1",
      SnapshotRetentionLimit: 7,
      ApplyImmediately: true,
    });
    await cache("ModifyCacheSubnetGroup", { CacheSubnetGroupName, SubnetIds: named(3) });

    const group = await cache("DescribeReplicationGroups", { ReplicationGroupId });
    expect(group.match(/<ClusterId>[^<]*/g)).toHaveLength(3);
    expect(field(group, "CacheNodeType")).toBe("cache.t4g.small");
    expect(field(group, "SnapshotRetentionLimit")).toBe("7");
    const member = await cache("DescribeCacheClusters", { CacheClusterId: "orders-003" });
    expect(field(member, "EngineVersion")).toBe("8.1.0");
    expect((await cache("DescribeCacheClusters")).match(/<CacheClusterId>/g)).toHaveLength(3);
    const subnetGroup = await cache("DescribeCacheSubnetGroups", { CacheSubnetGroupName });
    expect(subnetGroup.match(/<SubnetIdentifier>/g)).toHaveLength(3);

    await cache("DecreaseReplicaCount", { ReplicationGroupId, NewReplicaCount: 1, ApplyImmediately: true });
    expect((await cache("DescribeReplicationGroups")).match(/<ClusterId>[^<]*/g)).toHaveLength(2);
    expect(await (await simulate("raise-minor-version", { cache: "orders" })).json()).toEqual({ version: "8.2.0" });
  });

  test("of a launch template give new instances its new user data, also by a mixed instances policy", async () => {
    const scaling = (operation: string, params: object) => aws.call("autoscaling", operation, { ...params });
    const dataWith = (script: string) => ({
      LaunchTemplateName: "workers",
      LaunchTemplateData: {
        ImageId: "ami-12c6146b",
        InstanceType: "t4g.small",
        UserData: Buffer.from(script).toString("base64"),
      },
    });
    const made = await aws.call("ec2", "CreateLaunchTemplate", dataWith("echo first"));
    const LaunchTemplate = { LaunchTemplateId: field(made, "launchTemplateId"), Version: "$Latest" };
    const group = { AutoScalingGroupName: "workers" };
    const size = { MinSize: 1, MaxSize: 2, AvailabilityZones: [`${REGION}a`] };
    await scaling("CreateAutoScalingGroup", { ...group, ...size, LaunchTemplate });

    await aws.call("ec2", "CreateLaunchTemplateVersion", dataWith("echo second"));
    const Overrides = [{ InstanceType: "t4g.small" }, { InstanceType: "t4g.medium" }];
    const InstancesDistribution = { OnDemandBaseCapacity: 1, OnDemandPercentageAboveBaseCapacity: 100 };
    const mixed = { LaunchTemplate: { LaunchTemplateSpecification: LaunchTemplate, Overrides }, InstancesDistribution };
    await scaling("UpdateAutoScalingGroup", { ...group, MinSize: 2, MixedInstancesPolicy: mixed });
    const shown = await scaling("DescribeAutoScalingGroups", { AutoScalingGroupNames: ["workers"] });
    const ids = [...shown.matchAll(/<InstanceId>([^<]+)/g)].map(([, id]) => id as string);
    const dataOf = async (InstanceId: string) => {
      const answer = await aws.call("ec2", "DescribeInstanceAttribute", { InstanceId, Attribute: "userData" });
      return Buffer.from(field(answer, "value") ?? "", "base64").toString();
    };
    expect((await Promise.all(ids.map(dataOf))).sort()).toEqual(["echo first", "echo second"]);
  });

  test("of an Auto Scaling group turn capacity rebalancing on and off", async () => {
    const group = { AutoScalingGroupName: "workers" };
    const shown = async (CapacityRebalance: boolean) => {
      await aws.call("autoscaling", "UpdateAutoScalingGroup", { ...group, CapacityRebalance });
      return field(await aws.call("autoscaling", "DescribeAutoScalingGroups", {}), "CapacityRebalance");
    };
    expect([await shown(true), await shown(false)]).toEqual(["true", "false"]);
  });

  test("of a scaling policy keep its ARN, and leave none of its former alarms", async () => {
    const scaling = (operation: string, params: object) =>
      aws.call("application-autoscaling", operation, { ...params });
    const target = {
      ServiceNamespace: "ecs",
      ResourceId: "service/main/web",
      ScalableDimension: "ecs:service:DesiredCount",
    };
    await scaling("RegisterScalableTarget", { ...target, MinCapacity: 1, MaxCapacity: 2 });
    const put = (TargetValue: number) =>
      scaling("PutScalingPolicy", {
        ...target,
        PolicyName: "cpu",
        PolicyType: "TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue,
          PredefinedMetricSpecification: { PredefinedMetricType: "ECSServiceAverageCPUUtilization" },
        },
      });
    const alarms = async () => {
      const text = await aws.call("monitoring", "DescribeAlarms", { AlarmNamePrefix: "TargetTracking-" });
      return [...text.matchAll(/<AlarmName>([^<]+)/g)].map(([, name]) => name as string).sort();
    };
    const first = await put(60);
    const second = await put(40);
    expect(second.PolicyARN).toBe(first.PolicyARN);
    expect(await alarms()).toEqual(second.Alarms.map(({ AlarmName }: { AlarmName: string }) => AlarmName).sort());
    await scaling("DeleteScalingPolicy", { ...target, PolicyName: "cpu" });
    expect(await alarms()).toEqual([]);
  });

  test("of a table leave no attribute of a deleted index", async () => {
    const dynamo = (operation: string, params: object) => aws.call("dynamodb", operation, { ...params });
    const TableName = "orders";
    const key = (AttributeName: string) => [{ AttributeName, KeyType: "HASH" }];
    const attributes = (...names: string[]) => names.map((AttributeName) => ({ AttributeName, AttributeType: "S" }));
    const index = { IndexName: "byOwner", KeySchema: key("owner"), Projection: { ProjectionType: "ALL" } };
    await dynamo("CreateTable", {
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: key("id"),
      AttributeDefinitions: attributes("id", "owner"),
      GlobalSecondaryIndexes: [index],
    });
    const shown = async () => (await dynamo("DescribeTable", { TableName })).Table.AttributeDefinitions;
    expect(await shown()).toEqual(attributes("id", "owner"));
    const GlobalSecondaryIndexUpdates = [{ Delete: { IndexName: "byOwner" } }];
    await dynamo("UpdateTable", { TableName, GlobalSecondaryIndexUpdates });
    expect(await shown()).toEqual(attributes("id"));
  });

  test("of a VPC endpoint route by the tables that they add, and the endpoint can be deleted", async () => {
    const VpcId = field(await aws.call("ec2", "CreateVpc", { CidrBlock: "10.1.0.0/16" }), "vpcId");
    const table = async () => field(await aws.call("ec2", "CreateRouteTable", { VpcId }), "routeTableId") as string;
    const [first, second] = [await table(), await table()];
    const service = { VpcId, ServiceName: `com.amazonaws.${REGION}.s3`, VpcEndpointType: "Gateway" };
    const made = await aws.call("ec2", "CreateVpcEndpoint", { ...service, RouteTableId: [first] });
    const VpcEndpointId = field(made, "vpcEndpointId");
    const routes = async (id: string) =>
      (await aws.call("ec2", "DescribeRouteTables", { RouteTableId: [id] })).includes(`${VpcEndpointId}`);
    await aws.call("ec2", "ModifyVpcEndpoint", {
      VpcEndpointId,
      AddRouteTableId: [second],
      RemoveRouteTableId: [first],
    });
    expect([await routes(first), await routes(second)]).toEqual([false, true]);
    await aws.call("ec2", "DeleteVpcEndpoints", { VpcEndpointId: [VpcEndpointId] });
    expect(await routes(second)).toBe(false);
  });

  test("of a database keep monitoring and insights, and a minor version is raised from the one that RDS picked", async () => {
    const DBInstanceIdentifier = "orders";
    await rds("CreateDBInstance", {
      DBInstanceIdentifier,
      DBInstanceClass: "db.t4g.small",
      Engine: "postgres",
      EngineVersion: "16",
      AllocatedStorage: 20,
      MasterUsername: "master",
      ManageMasterUserPassword: true,
      MonitoringInterval: 60,
      MonitoringRoleArn: "arn:aws:iam::123456789012:role/monitoring",
      EnablePerformanceInsights: true,
      PerformanceInsightsRetentionPeriod: 7,
    });
    await rds("ModifyDBInstance", { DBInstanceIdentifier, MonitoringInterval: 30 });
    const before = await rds("DescribeDBInstances");
    const shown = (xml: string, names: readonly string[]) => names.map((name) => field(xml, name));
    expect(
      shown(before, [
        "EngineVersion",
        "MonitoringInterval",
        "MonitoringRoleArn",
        "PerformanceInsightsEnabled",
        "PerformanceInsightsRetentionPeriod",
      ]),
    ).toEqual(["16.4", "30", "arn:aws:iam::123456789012:role/monitoring", "true", "7"]);

    expect(await (await simulate("raise-minor-version", { database: "orders" })).json()).toEqual({ version: "16.5" });
    expect(field(await rds("DescribeDBInstances"), "EngineVersion")).toBe("16.5");

    const SecretId = field(before, "SecretArn");
    const read = () => aws.call("secretsmanager", "GetSecretValue", { SecretId });
    const first = await read();
    await simulate("rotate-secret", { id: SecretId });
    const second = await read();
    expect(second.VersionId).not.toBe(first.VersionId);
    expect(second.VersionStages).toEqual(["AWSCURRENT"]);
  });

  test("of a database and a cache wait for the maintenance window, unless they are applied immediately", async () => {
    const DBInstanceIdentifier = "waiting";
    const DBClusterIdentifier = "waiting-cluster";
    const master = { MasterUsername: "master", ManageMasterUserPassword: true };
    await rds("CreateDBInstance", {
      DBInstanceIdentifier,
      DBInstanceClass: "db.t4g.small",
      Engine: "postgres",
      EngineVersion: "16",
      AllocatedStorage: 20,
      ...master,
    });
    const engine = { Engine: "aurora-postgresql", EngineVersion: "16" };
    await rds("CreateDBCluster", { DBClusterIdentifier, ...engine, ...master });
    const member = { DBInstanceIdentifier: "member", DBClusterIdentifier, DBInstanceClass: "db.serverless" };
    await rds("CreateDBInstance", { ...member, Engine: engine.Engine });
    const raised = await simulate("raise-minor-version", { database: DBClusterIdentifier });
    expect(await raised.json()).toEqual({ version: "16.5" });
    const higher = { EngineVersion: "17", AllowMajorVersionUpgrade: true };
    await rds("ModifyDBInstance", {
      DBInstanceIdentifier,
      ...higher,
      DBInstanceClass: "db.m7g.large",
      BackupRetentionPeriod: 9,
    });
    await rds("ModifyDBCluster", { DBClusterIdentifier, ...higher });
    const instance = () => rds("DescribeDBInstances", { DBInstanceIdentifier });
    const cluster = () => rds("DescribeDBClusters", { DBClusterIdentifier });
    const pending = (xml: string) => /<PendingModifiedValues>(.*?)<\/PendingModifiedValues>/s.exec(xml)?.[1] ?? "";
    const current = (xml: string, name: string) => field(xml.replace(pending(xml), ""), name);

    const waiting = await instance();
    expect(["EngineVersion", "DBInstanceClass", "BackupRetentionPeriod"].map((name) => current(waiting, name))).toEqual(
      ["16.4", "db.t4g.small", "9"],
    );
    expect(["EngineVersion", "DBInstanceClass"].map((name) => field(pending(waiting), name))).toEqual([
      "17.4",
      "db.m7g.large",
    ]);
    expect(current(await cluster(), "EngineVersion")).toBe("16.5");
    const passed = async (fields: object) => (await simulate("pass-maintenance-window", fields)).json();
    expect(await passed({ database: DBInstanceIdentifier })).toEqual({
      EngineVersion: "17.4",
      DBInstanceClass: "db.m7g.large",
    });
    expect(await passed({ database: DBClusterIdentifier })).toEqual({ EngineVersion: "17.4" });
    expect(current(await cluster(), "EngineVersion")).toBe("17.4");
    const { DBInstanceIdentifier: name } = member;
    expect(field(await rds("DescribeDBInstances", { DBInstanceIdentifier: name }), "EngineVersion")).toBe("17.4");
    const after = await instance();
    expect([current(after, "EngineVersion"), pending(after)]).toEqual(["17.4", ""]);
    await rds("ModifyDBInstance", { DBInstanceIdentifier, DBInstanceClass: "db.m7g.xlarge", ApplyImmediately: true });
    expect(field(await instance(), "DBInstanceClass")).toBe("db.m7g.xlarge");

    const ReplicationGroupId = "orders";
    const node = async () => field(await cache("DescribeReplicationGroups", { ReplicationGroupId }), "CacheNodeType");
    await cache("ModifyReplicationGroup", { ReplicationGroupId, CacheNodeType: "cache.m7g.large" });
    expect(await node()).toBe("cache.t4g.small");
    expect(await passed({ cache: ReplicationGroupId })).toEqual({ CacheNodeType: "cache.m7g.large" });
    expect(await node()).toBe("cache.m7g.large");
    expect((await simulate("pass-maintenance-window", { cache: "none" })).status).toBe(400);
  });

  test("of a backup are restored into a database of the backup's version", async () => {
    const master = { MasterUsername: "master", ManageMasterUserPassword: true };
    const source = { DBInstanceClass: "db.t4g.small", Engine: "postgres", EngineVersion: "16", AllocatedStorage: 20 };
    await rds("CreateDBInstance", { DBInstanceIdentifier: "source", ...source, ...master });
    await rds("CreateDBSnapshot", { DBInstanceIdentifier: "source", DBSnapshotIdentifier: "before" });
    const higher = { EngineVersion: "17", AllowMajorVersionUpgrade: true, ApplyImmediately: true };
    await rds("ModifyDBInstance", { DBInstanceIdentifier: "source", ...higher });
    await rds("RestoreDBInstanceFromDBSnapshot", { DBInstanceIdentifier: "old", DBSnapshotIdentifier: "before" });
    await rds("RestoreDBInstanceToPointInTime", {
      SourceDBInstanceIdentifier: "source",
      TargetDBInstanceIdentifier: "latest",
      UseLatestRestorableTime: true,
    });
    const cluster = { Engine: "aurora-postgresql", EngineVersion: "16" };
    await rds("CreateDBCluster", { DBClusterIdentifier: "source-cluster", ...cluster, ...master });
    await rds("CreateDBClusterSnapshot", {
      DBClusterIdentifier: "source-cluster",
      DBClusterSnapshotIdentifier: "before-cluster",
    });
    await rds("RestoreDBClusterFromSnapshot", {
      DBClusterIdentifier: "old-cluster",
      SnapshotIdentifier: "before-cluster",
      Engine: "aurora-postgresql",
    });
    await rds("RestoreDBClusterToPointInTime", {
      SourceDBClusterIdentifier: "source-cluster",
      DBClusterIdentifier: "latest-cluster",
      UseLatestRestorableTime: true,
    });
    const versions = async (kind: "Instance" | "Cluster", names: readonly string[]) =>
      Promise.all(
        names.map(async (name) => {
          const shown = await rds(`DescribeDB${kind}s`, { [`DB${kind}Identifier`]: name });
          return [field(shown, "EngineVersion"), field(shown, "DbiResourceId") ?? field(shown, "DbClusterResourceId")];
        }),
      );
    const found = [
      ...(await versions("Instance", ["source", "old", "latest"])),
      ...(await versions("Cluster", ["source-cluster", "old-cluster", "latest-cluster"])),
    ];
    expect(found.map(([version]) => version)).toEqual(["17.4", "16.4", "17.4", "16.4", "16.4", "16.4"]);
    expect(new Set(found.map(([, id]) => id)).size).toBe(found.length);
    const old = await rds("DescribeDBInstances", { DBInstanceIdentifier: "old" });
    expect(old).not.toContain("<MasterUserSecret>");
    expect(field(old, "CACertificateIdentifier")).toBe("rds-ca-rsa2048-g1");
    expect(await rds("DescribeDBClusters", { DBClusterIdentifier: "old-cluster" })).not.toContain("<MasterUserSecret>");
  });

  test("of a queue keep its policy", async () => {
    const sqs = (operation: string, params: object) => aws.call("sqs", operation, { ...params });
    const Statement = [{ Effect: "Deny", Principal: "*", Action: "sqs:*", Resource: "*" }];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    const { QueueUrl } = await sqs("CreateQueue", { QueueName: "kept", Attributes: { Policy } });
    await sqs("SetQueueAttributes", { QueueUrl, Attributes: { VisibilityTimeout: "90" } });
    const { Attributes } = await sqs("GetQueueAttributes", { QueueUrl, AttributeNames: ["All"] });
    expect(JSON.parse(Attributes.Policy).Statement).toEqual(Statement);
    expect(Attributes.VisibilityTimeout).toBe("90");
  });

  test("of a user pool keep its sign-in names and tags", async () => {
    const cognito = (operation: string, params: object) => aws.call("cognito-idp", operation, { ...params });
    const kept = {
      UsernameAttributes: ["email"],
      UsernameConfiguration: { CaseSensitive: false },
      UserPoolTags: { A: "b" },
    };
    const { UserPool } = await cognito("CreateUserPool", { PoolName: "people", ...kept });
    await cognito("UpdateUserPool", { UserPoolId: UserPool.Id, MfaConfiguration: "OPTIONAL" });
    const changed = (await cognito("DescribeUserPool", { UserPoolId: UserPool.Id })).UserPool;
    expect(changed).toMatchObject({ ...kept, MfaConfiguration: "OPTIONAL" });
    await cognito("UpdateUserPool", { UserPoolId: UserPool.Id, UserPoolTags: { A: "c" } });
    const tagged = (await cognito("DescribeUserPool", { UserPoolId: UserPool.Id })).UserPool;
    expect(tagged).toMatchObject({ ...kept, UserPoolTags: { A: "c" } });
  });

  test("of an Aurora cluster show no scaling of Serverless v1", async () => {
    await rds("CreateDBCluster", {
      DBClusterIdentifier: "lines",
      Engine: "aurora-postgresql",
      EngineVersion: "17",
      MasterUsername: "master",
      ManageMasterUserPassword: true,
      ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 8 },
    });
    const shown = await rds("DescribeDBClusters");
    expect(field(shown, "MaxCapacity")).toBe("8.0");
    expect(shown).not.toContain("<ScalingConfigurationInfo>");
  });

  test("of a bucket in any region have metrics configurations, which end with it", async () => {
    await aws.rest("s3", "PUT", "/files", LOCATION);
    const configuration = "<MetricsConfiguration><Id>EntireBucket</Id></MetricsConfiguration>";
    await aws.rest("s3", "PUT", "/files?metrics&id=EntireBucket", configuration);
    const read = () => aws.rest("s3", "GET", "/files?metrics&id=EntireBucket");
    expect(field(await read(), "Id")).toBe("EntireBucket");
    expect(await aws.rest("s3", "GET", "/files?metrics")).toContain("<Id>EntireBucket</Id>");
    await aws.rest("s3", "DELETE", "/files?metrics&id=EntireBucket");
    await expect(read()).rejects.toMatchObject({ code: "NoSuchConfiguration" });
    await aws.rest("s3", "PUT", "/files?metrics&id=EntireBucket", configuration);
    await aws.rest("s3", "DELETE", "/files");
    await aws.rest("s3", "PUT", "/files", LOCATION);
    await expect(read()).rejects.toMatchObject({ code: "NoSuchConfiguration" });
  });

  test("of a task definition show the defaults that ECS adds to containers", async () => {
    const container = {
      name: "app",
      image: "node",
      memory: 64,
      portMappings: [{ containerPort: 8080 }],
      healthCheck: { command: ["CMD", "true"] },
      linuxParameters: { capabilities: { drop: ["ALL"] } },
    };
    await ecs("RegisterTaskDefinition", {
      family: "filled",
      networkMode: "awsvpc",
      containerDefinitions: [container],
    });
    const { taskDefinition } = await ecs("DescribeTaskDefinition", { taskDefinition: "filled" });
    expect(taskDefinition.containerDefinitions).toEqual([
      {
        ...container,
        cpu: 0,
        essential: true,
        environment: [],
        mountPoints: [],
        systemControls: [],
        volumesFrom: [],
        portMappings: [{ containerPort: 8080, hostPort: 8080, protocol: "tcp" }],
        healthCheck: { command: ["CMD", "true"], interval: 30, timeout: 5, retries: 3 },
        linuxParameters: { capabilities: { add: [], drop: ["ALL"] } },
      },
    ]);
  });

  test("of a log group set and remove its key", async () => {
    const logs = (operation: string, params: object) => aws.call("logs", operation, { ...params });
    const logGroupName = "/shop/orders";
    const keyOf = async () => (await logs("DescribeLogGroups", {})).logGroups[0].kmsKeyId;
    await logs("CreateLogGroup", { logGroupName });
    const kmsKeyId = "arn:aws:kms:eu-central-1:123456789012:key/0f1e2d3c";
    await logs("AssociateKmsKey", { logGroupName, kmsKeyId });
    expect(await keyOf()).toBe(kmsKeyId);
    await logs("DisassociateKmsKey", { logGroupName });
    expect(await keyOf()).toBeUndefined();
    await expect(logs("AssociateKmsKey", { logGroupName: "/none", kmsKeyId })).rejects.toMatchObject({
      code: "ResourceNotFoundException",
    });
  });

  test("by a release are another task definition, which the service runs", async () => {
    const before = (await described("web")).taskDefinition;
    const answer = await simulate("release", { cluster: "main", service: "web", image: "node:next" });
    const { taskDefinition } = (await answer.json()) as { taskDefinition: string };
    expect(taskDefinition).not.toBe(before);
    expect(await described("web")).toMatchObject({ taskDefinition, deployments: [{ rolloutState: "COMPLETED" }] });
    const released = await ecs("DescribeTaskDefinition", { taskDefinition });
    expect(released.taskDefinition.containerDefinitions).toMatchObject([{ image: "node:next" }]);
  });

  test("of Fargate's platform show in deployments, and the service still wants the latest", async () => {
    await ecs("RegisterTaskDefinition", {
      family: "fargate",
      requiresCompatibilities: ["FARGATE"],
      networkMode: "awsvpc",
      cpu: "256",
      memory: "512",
      executionRoleArn: "arn:aws:iam::123456789012:role/execution",
      containerDefinitions: [{ name: "app", image: "node" }],
    });
    const subnet = field(await aws.call("ec2", "DescribeSubnets"), "subnetId");
    await ecs("CreateService", {
      cluster: "main",
      serviceName: "fargate",
      taskDefinition: "fargate",
      desiredCount: 1,
      launchType: "FARGATE",
      platformVersion: "LATEST",
      networkConfiguration: { awsvpcConfiguration: { subnets: [subnet], securityGroups: [] } },
    });
    const shown = async () => {
      const { platformVersion, deployments } = await described("fargate");
      return [platformVersion, deployments[0].platformVersion];
    };
    expect(await shown()).toEqual(["LATEST", "1.4.0"]);
    await simulate("raise-platform-version", { cluster: "main", service: "fargate", version: "1.5.0" });
    expect(await shown()).toEqual(["LATEST", "1.5.0"]);
  });

  test("of a machine image are another id in its parameter", async () => {
    const Name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id";
    const read = async () => (await aws.call("ssm", "GetParameter", { Name })).Parameter.Value;
    const before = await read();
    const { image } = (await (await simulate("publish-image", { parameter: Name })).json()) as { image: string };
    expect(image).not.toBe(before);
    expect(await read()).toBe(image);
    expect((await simulate("publish-image", { parameter: "/none" })).status).toBe(400);
  });

  test("by a renewal give a certificate another serial number under the same ARN", async () => {
    const { CertificateArn } = await aws.call("acm", "RequestCertificate", { DomainName: "shop.example.com" });
    const read = async () => (await aws.call("acm", "DescribeCertificate", { CertificateArn })).Certificate;
    const before = await read();
    await simulate("renew-certificate", { arn: CertificateArn });
    const after = await read();
    expect(after.Serial).not.toBe(before.Serial);
    expect({ ...after, Serial: 0, NotBefore: 0, NotAfter: 0, Status: "" }).toMatchObject({
      CertificateArn,
      DomainName: "shop.example.com",
      SubjectAlternativeNames: before.SubjectAlternativeNames,
    });
  });

  test("that cannot be simulated are refused with the reason", async () => {
    const unknown = await simulate("reboot", {});
    expect(unknown.status).toBe(400);
    expect(await unknown.text()).toMatch(
      /change must be one of raise-minor-version, pass-maintenance-window, renew-certificate/,
    );
    const missing = await simulate("raise-minor-version", { database: "none" });
    expect(await missing.text()).toMatch(/no database none/);
  });
});
