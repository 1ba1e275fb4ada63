/** Statements of the AWS managed policies that constructs attach. @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html */

interface Managed {
  readonly actions: string;
  readonly resources?: readonly string[];
  readonly conditions?: object;
}

const AGENT_CHANNELS = "ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel ssmmessages:OpenControlChannel";

/** By path and name; read on 2026-11-28. Of `CloudWatchReadOnlyAccess`, what concerns alarms, metrics, logs and traces. */
const STATEMENTS: Readonly<Record<string, readonly Managed[]>> = {
  AmazonECSInfrastructureRolePolicyForLoadBalancers: [
    {
      actions:
        "elasticloadbalancing:DescribeListeners elasticloadbalancing:DescribeRules elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeTargetHealth",
    },
    {
      actions: "elasticloadbalancing:RegisterTargets elasticloadbalancing:DeregisterTargets",
      resources: ["arn:aws:elasticloadbalancing:*:*:targetgroup/*/*"],
    },
    {
      actions: "elasticloadbalancing:ModifyListener",
      resources: [
        "arn:aws:elasticloadbalancing:*:*:listener/app/*/*/*",
        "arn:aws:elasticloadbalancing:*:*:listener/net/*/*/*",
      ],
    },
    {
      actions: "elasticloadbalancing:ModifyRule",
      resources: ["arn:aws:elasticloadbalancing:*:*:listener-rule/app/*/*/*/*"],
    },
  ],
  AmazonSSMManagedInstanceCore: [
    {
      actions:
        "ssm:DescribeAssociation ssm:GetDeployablePatchSnapshotForInstance ssm:GetDocument ssm:DescribeDocument ssm:GetManifest ssm:GetParameter ssm:GetParameters ssm:ListAssociations ssm:ListInstanceAssociations ssm:PutInventory ssm:PutComplianceItems ssm:PutConfigurePackageResult ssm:UpdateAssociationStatus ssm:UpdateInstanceAssociationStatus ssm:UpdateInstanceInformation",
    },
    { actions: `${AGENT_CHANNELS} ssmmessages:OpenDataChannel` },
    {
      actions:
        "ec2messages:AcknowledgeMessage ec2messages:DeleteMessage ec2messages:FailMessage ec2messages:GetEndpoint ec2messages:GetMessages ec2messages:SendReply",
    },
  ],
  AWSCodeDeployRoleForECSLimited: [
    {
      actions:
        "ecs:DescribeServices ecs:CreateTaskSet ecs:UpdateServicePrimaryTaskSet ecs:DeleteTaskSet cloudwatch:DescribeAlarms",
    },
    { actions: "sns:Publish", resources: ["arn:aws:sns:*:*:CodeDeployTopic_*"] },
    {
      actions:
        "elasticloadbalancing:DescribeTargetGroups elasticloadbalancing:DescribeListeners elasticloadbalancing:ModifyListener elasticloadbalancing:DescribeRules elasticloadbalancing:ModifyRule",
    },
    { actions: "lambda:InvokeFunction", resources: ["arn:aws:lambda:*:*:function:CodeDeployHook_*"] },
    {
      actions: "s3:GetObject s3:GetObjectVersion",
      conditions: { StringEquals: { "s3:ExistingObjectTag/UseWithCodeDeploy": "true" } },
    },
  ],
  CloudWatchReadOnlyAccess: [
    {
      actions:
        "cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* logs:Get* logs:List* logs:StartQuery logs:StopQuery logs:Describe* logs:FilterLogEvents sns:Get* sns:List* xray:BatchGet* xray:Get* xray:List*",
    },
  ],
  "service-role/AmazonEC2ContainerServiceforEC2Role": [
    {
      actions:
        "ec2:DescribeTags ecs:CreateCluster ecs:DeregisterContainerInstance ecs:DiscoverPollEndpoint ecs:Poll ecs:RegisterContainerInstance ecs:StartTelemetrySession ecs:UpdateContainerInstancesState ecs:Submit* ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage logs:CreateLogStream logs:PutLogEvents",
    },
    {
      actions: "ecs:TagResource",
      conditions: { StringEquals: { "ecs:CreateAction": ["CreateCluster", "RegisterContainerInstance"] } },
    },
  ],
  "service-role/AmazonRDSEnhancedMonitoringRole": [
    {
      actions: "logs:CreateLogGroup logs:PutRetentionPolicy",
      resources: ["arn:aws:logs:*:*:log-group:RDS*"],
    },
    {
      actions: "logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams logs:GetLogEvents",
      resources: ["arn:aws:logs:*:*:log-group:RDS*:log-stream:*"],
    },
  ],
};

/** Document of a policy that AWS manages, by path and name. @throws Error for one that the table does not have */
export function managedPolicy(name: string): object {
  const statements = STATEMENTS[name];
  if (statements === undefined) throw new Error(`no statements of ${name}: add it to the table`);
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ actions, resources = ["*"], conditions }) => ({
      Effect: "Allow",
      Action: actions.split(" "),
      Resource: resources,
      ...(conditions === undefined ? {} : { Condition: conditions }),
    })),
  };
}
