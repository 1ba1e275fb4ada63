import { ACCOUNT, REGION } from "../resolve";
import { arn, CLUSTER, calls, DOCS, type Flow, INSTANCE, passed, roleArn, TASK } from "./flow";

/** Target resolution of faults in tasks of a service, which is by tag and by cluster. */
const resolvesTasks = [
  ...calls("ecs:DescribeTasks", TASK),
  ...calls("ecs:ListTasks", "*", { "ecs:cluster": CLUSTER }),
  ...calls("tag:GetResources", "*"),
];
const MANAGED = arn("ssm", "managed-instance/mi-0123456789abcdef0");
const DOCUMENT = (name: string) => `arn:aws:ssm:${REGION}::document/${name}`;
const FIS = `${DOCS}/fis/latest/userguide/fis-actions-reference.html`;
const inTask = (document: string, service: string) => [
  calls("ssm:SendCommand", MANAGED, { "aws:ResourceTag/ECS_SERVICE": service }),
  calls("ssm:SendCommand", DOCUMENT(document)),
  calls("ssm:ListCommands ssm:CancelCommand", "*"),
];
const ofGroup = { "aws:ResourceTag/aws:autoscaling:groupName": "Instances_282EEC04" };
const ACL = arn("ec2", "network-acl/acl-0123456789abcdef0");
const ofFis = { "ec2:ResourceTag/managedByFIS": "true" };
const taggedByFis = { "aws:RequestTag/managedByFIS": "true" };

/** Flows of AWS FIS, for each of its actions. */
export const OF_FAULTS: readonly Flow[] = [
  {
    name: "FIS logs an experiment",
    role: /^.+-chaos$/,
    source: `${DOCS}/fis/latest/userguide/getting-started-iam-service-role.html`,
    calls: () => [
      calls("logs:CreateLogDelivery logs:PutResourcePolicy logs:DescribeResourcePolicies logs:DescribeLogGroups", "*"),
    ],
  },
  {
    name: "FIS writes the report of an experiment",
    role: /^orders-dev-shaken-chaos$/,
    source: `${DOCS}/fis/latest/userguide/experiment-report-configuration.html`,
    calls: () => [
      calls("s3:PutObject s3:GetObject", "arn:aws:s3:::game-days/orders-dev-shaken/x.pdf"),
      calls("cloudwatch:GetDashboard", `arn:aws:cloudwatch::${ACCOUNT}:dashboard/shop-dev-orders`),
      calls("cloudwatch:GetMetricWidgetImage", "*"),
    ],
  },
  {
    name: "aws:ecs:stop-task",
    role: /^goods-live-stop-chaos$/,
    source: FIS,
    calls: () => [resolvesTasks, calls("ecs:StopTask", TASK, { "aws:ResourceTag/aws:ecs:serviceName": "web" })],
  },
  ...(
    [
      ["goods-live-cpu", "depot-live-web", "AWSFIS-Run-CPU-Stress"],
      ["goods-live-loss", "depot-live-web", "AWSFIS-Run-Network-Packet-Loss-ECS"],
      ["goods-live-hole", "depot-live-web", "AWSFIS-Run-Network-Blackhole-Port-ECS"],
      ["orders-dev-shaken", "shop-dev-orders", "AWSFIS-Run-Network-Latency-ECS"],
    ] as const
  ).map(
    ([experiment, service, document]): Flow => ({
      name: `aws:ecs:task actions with ${document}`,
      role: new RegExp(`^${experiment}-chaos$`),
      source: `${DOCS}/fis/latest/userguide/ecs-task-actions.html`,
      calls: () => [resolvesTasks, ...inTask(document, service)],
    }),
  ),
  {
    name: "aws:ecs:task-network actions on tasks whose network FIS changes by the endpoints of ECS",
    role: /^(?:goods-live-(?:loss|hole)|orders-dev-shaken)-chaos$/,
    source: `${DOCS}/fis/latest/userguide/ecs-task-actions.html`,
    calls: () => [
      calls("ecs:DescribeContainerInstances", arn("ecs", "container-instance/shop-dev/0123456789abcdef")),
      calls("ec2:DescribeInstances ec2:DescribeSubnets", "*"),
    ],
  },
  {
    name: "aws:ec2:send-spot-instance-interruptions",
    role: /^depot-live-spot-chaos$/,
    source: FIS,
    calls: () => [calls("ec2:DescribeInstances", "*"), calls("ec2:SendSpotInstanceInterruptions", INSTANCE, ofGroup)],
  },
  {
    name: "aws:ec2:stop-instances",
    role: /^depot-live-halt-chaos$/,
    source: FIS,
    calls: () => [calls("ec2:DescribeInstances", "*"), calls("ec2:StopInstances", INSTANCE, ofGroup)],
  },
  ...(
    [
      ["load", "CPU"],
      ["fill", "Memory"],
    ] as const
  ).map(
    ([experiment, load]): Flow => ({
      name: `aws:ssm:send-command with AWSFIS-Run-${load}-Stress`,
      role: new RegExp(`^depot-live-${experiment}-chaos$`),
      source: FIS,
      calls: () => [
        calls("ec2:DescribeInstances ssm:ListCommands ssm:CancelCommand", "*"),
        calls("ssm:SendCommand", INSTANCE, ofGroup),
        calls("ssm:SendCommand", DOCUMENT(`AWSFIS-Run-${load}-Stress`)),
      ],
    }),
  ),
  {
    name: "aws:network:disrupt-connectivity",
    role: /^goods-live-zone-chaos$/,
    source: `${DOCS}/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorNetworkAccess.html`,
    calls: () => [
      calls("ec2:CreateTags", ACL, { "ec2:CreateAction": "CreateNetworkAcl", ...taggedByFis }),
      calls("ec2:CreateNetworkAcl", ACL, taggedByFis),
      calls("ec2:CreateNetworkAcl", arn("ec2", "vpc/vpc-0123456789abcdef0")),
      calls("ec2:CreateNetworkAclEntry ec2:DeleteNetworkAcl", ACL, ofFis),
      calls("ec2:ReplaceNetworkAclAssociation", arn("ec2", "subnet/subnet-0123456789abcdef0")),
      calls("ec2:ReplaceNetworkAclAssociation", ACL),
      calls("ec2:DescribeManagedPrefixLists ec2:DescribeNetworkAcls ec2:DescribeSubnets ec2:DescribeVpcs", "*"),
    ],
  },
  {
    name: "The agent container registers the task as a managed instance",
    role: /^(shop-dev-orders|depot-live-web)-(?:task|admin)$/,
    source: `${DOCS}/fis/latest/userguide/ecs-task-actions.html`,
    calls: (service = "") => {
      const tags = { "aws:RequestTag/ECS_SERVICE": service, "aws:TagKeys": ["ECS_TASK_ARN", "ECS_SERVICE"] };
      return [
        calls("ssm:CreateActivation ssm:AddTagsToResource", "*", tags),
        calls("iam:PassRole", roleArn(`${service}-fault-agent`), passed("ssm")),
      ];
    },
  },
  {
    name: "The agent container removes the managed instance",
    role: /^(shop-dev-orders|depot-live-web)-fault-agent$/,
    source: `${DOCS}/fis/latest/userguide/ecs-task-actions.html`,
    calls: (service = "") => [
      calls("ssm:DeleteActivation", "*"),
      calls("ssm:DeregisterManagedInstance", MANAGED, { "aws:ResourceTag/ECS_SERVICE": service }),
    ],
  },
  {
    name: "A schedule starts an experiment, the first one of the account",
    role: /^orders-dev-shaken-start$/,
    source: `${DOCS}/fis/latest/userguide/security_iam_id-based-policy-examples.html`,
    calls: () => [
      calls("fis:StartExperiment", arn("fis", "experiment-template/EXT0123456789abcde")),
      calls("fis:StartExperiment", arn("fis", "experiment/EXP0123456789abcde")),
      calls("iam:CreateServiceLinkedRole", roleArn("aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS"), {
        "iam:AWSServiceName": "fis.amazonaws.com",
      }),
    ],
  },
];
