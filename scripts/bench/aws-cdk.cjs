// @ts-nocheck: its packages are installed when it runs.
/**
 * The peer of the production service in bench.ts, on AWS CDK: VPC over three zones, load balancer with HTTPS, Fargate service with
 * scaling, repository, alarms, dashboard, and a pipeline that deploys blue/green. Runs in the folder where bench.ts installs aws-cdk-lib.
 */
const { App, Stack } = require("aws-cdk-lib");
const ec2 = require("aws-cdk-lib/aws-ec2");
const ecs = require("aws-cdk-lib/aws-ecs");
const ecr = require("aws-cdk-lib/aws-ecr");
const logs = require("aws-cdk-lib/aws-logs");
const patterns = require("aws-cdk-lib/aws-ecs-patterns");
const elb = require("aws-cdk-lib/aws-elasticloadbalancingv2");
const acm = require("aws-cdk-lib/aws-certificatemanager");
const cloudwatch = require("aws-cdk-lib/aws-cloudwatch");
const { SnsAction } = require("aws-cdk-lib/aws-cloudwatch-actions");
const sns = require("aws-cdk-lib/aws-sns");
const codepipeline = require("aws-cdk-lib/aws-codepipeline");
const actions = require("aws-cdk-lib/aws-codepipeline-actions");
const codebuild = require("aws-cdk-lib/aws-codebuild");
const codedeploy = require("aws-cdk-lib/aws-codedeploy");
const { CfnConnection } = require("aws-cdk-lib/aws-codestarconnections");

const zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
const app = new App({
  outdir: process.env.OUT,
  context: { "availability-zones:account=123456789012:region=eu-central-1": zones },
});
const stack = new Stack(app, "production", { env: { account: "123456789012", region: "eu-central-1" } });
const vpc = new ec2.Vpc(stack, "Vpc", { maxAzs: 3, natGateways: 3 });
const cluster = new ecs.Cluster(stack, "Cluster", { vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED });
const logGroup = new logs.LogGroup(stack, "Logs", { retention: logs.RetentionDays.ONE_MONTH });
const repository = new ecr.Repository(stack, "Images", { imageScanOnPush: true });
const arn = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555";
const { service, targetGroup, loadBalancer, listener } = new patterns.ApplicationLoadBalancedFargateService(
  stack,
  "Service",
  {
    cluster,
    cpu: 512,
    memoryLimitMiB: 1024,
    desiredCount: 2,
    certificate: acm.Certificate.fromCertificateArn(stack, "Certificate", arn),
    protocol: elb.ApplicationProtocol.HTTPS,
    redirectHTTP: true,
    enableExecuteCommand: true,
    deploymentController: { type: ecs.DeploymentControllerType.CODE_DEPLOY },
    taskImageOptions: {
      image: ecs.ContainerImage.fromEcrRepository(repository),
      containerPort: 8080,
      logDriver: ecs.LogDrivers.awsLogs({ logGroup, streamPrefix: "web" }),
    },
  },
);
const scaling = service.autoScaleTaskCount({ minCapacity: 2, maxCapacity: 10 });
scaling.scaleOnCpuUtilization("Cpu", { targetUtilizationPercent: 60 });
scaling.scaleOnMemoryUtilization("Memory", { targetUtilizationPercent: 70 });
const topic = new sns.Topic(stack, "Alarms");
const metrics = {
  Cpu: service.metricCpuUtilization(),
  Memory: service.metricMemoryUtilization(),
  Errors: targetGroup.metrics.httpCodeTarget(elb.HttpCodeTarget.TARGET_5XX_COUNT),
  Unhealthy: targetGroup.metrics.unhealthyHostCount(),
  Latency: targetGroup.metrics.targetResponseTime(),
};
for (const [name, metric] of Object.entries(metrics)) {
  const alarm = new cloudwatch.Alarm(stack, `Alarm${name}`, { metric, threshold: 80, evaluationPeriods: 3 });
  alarm.addAlarmAction(new SnsAction(topic));
}
const widgets = Object.entries(metrics).map(([title, metric]) => new cloudwatch.GraphWidget({ title, left: [metric] }));
new cloudwatch.Dashboard(stack, "Dashboard").addWidgets(
  ...widgets,
  new cloudwatch.GraphWidget({ title: "Requests", left: [loadBalancer.metrics.requestCount()] }),
);
const greenTargetGroup = new elb.ApplicationTargetGroup(stack, "Green", {
  vpc,
  port: 8080,
  protocol: elb.ApplicationProtocol.HTTP,
  targetType: elb.TargetType.IP,
});
const connection = new CfnConnection(stack, "Connection", { connectionName: "orders", providerType: "GitHub" });
const deploymentGroup = new codedeploy.EcsDeploymentGroup(stack, "DeploymentGroup", {
  service,
  blueGreenDeploymentConfig: { blueTargetGroup: targetGroup, greenTargetGroup, listener },
});
const project = new codebuild.PipelineProject(stack, "Build", { environment: { privileged: true } });
repository.grantPullPush(project);
const [source, build] = [new codepipeline.Artifact("source"), new codepipeline.Artifact("build")];
const action = {
  Source: new actions.CodeStarConnectionsSourceAction({
    actionName: "Source",
    connectionArn: connection.attrConnectionArn,
    owner: "acme",
    repo: "orders",
    output: source,
  }),
  Build: new actions.CodeBuildAction({ actionName: "Build", project, input: source, outputs: [build] }),
  Deploy: new actions.CodeDeployEcsDeployAction({
    actionName: "Deploy",
    deploymentGroup,
    taskDefinitionTemplateInput: build,
    appSpecTemplateInput: build,
  }),
};
new codepipeline.Pipeline(stack, "Pipeline", {
  pipelineType: codepipeline.PipelineType.V2,
  stages: Object.entries(action).map(([stageName, each]) => ({ stageName, actions: [each] })),
});
const { template } = app.synth().getStackByName("production");
console.log(JSON.stringify({ resources: Object.keys(template.Resources).length }));
