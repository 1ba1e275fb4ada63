/** Actions on roles and instance profiles, limited to the names of the environment. */
export const ROLE_ACTIONS = {
  read: [
    "iam:GetInstanceProfile",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
  ],
  write: [
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:DeleteRole",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:TagRole",
    "iam:UntagInstanceProfile",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
  ],
  /** Actions that grant permissions to roles; require the permissions boundary where the account has one. */
  bounded: [
    "iam:CreateRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
  ],
} as const;

/** AWS managed policies that constructs attach to roles, by path and name. No other policy can be attached. */
export const ATTACHABLE_POLICIES = [
  "AmazonECSInfrastructureRolePolicyForLoadBalancers",
  "AmazonSSMManagedInstanceCore",
  "AWSCodeDeployRoleForECSLimited",
  "CloudWatchReadOnlyAccess",
  "service-role/AmazonEC2ContainerServiceforEC2Role",
  "service-role/AmazonRDSEnhancedMonitoringRole",
] as const;

/** AWS services that assume the roles that constructs create. */
export const PASSED_TO = [
  "chatbot.amazonaws.com",
  "codedeploy.amazonaws.com",
  "ec2.amazonaws.com",
  "ecs-tasks.amazonaws.com",
  "ecs.amazonaws.com",
  "firehose.amazonaws.com",
  "fis.amazonaws.com",
  "lambda.amazonaws.com",
  "logs.amazonaws.com",
  "monitoring.rds.amazonaws.com",
  "scheduler.amazonaws.com",
  "vpc-flow-logs.amazonaws.com",
] as const;

/** AWS services with a service-linked role, created once in an account. */
export const SERVICE_LINKED = [
  "autoscaling.amazonaws.com",
  "ecs.amazonaws.com",
  "ecs.application-autoscaling.amazonaws.com",
  "elasticache.amazonaws.com",
  "elasticloadbalancing.amazonaws.com",
  "fis.amazonaws.com",
  "management.chatbot.amazonaws.com",
  "rds.amazonaws.com",
  "wafv2.amazonaws.com",
] as const;

/** Actions on buckets, excluding their objects. */
export const BUCKET_ACTIONS = {
  read: [
    "s3:GetAccelerateConfiguration",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketRequestPayment",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    // A plan that deletes a bucket is refused while it is not empty.
    "s3:ListBucketVersions",
  ],
  write: [
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketLogging",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
    "s3:PutMetricsConfiguration",
  ],
} as const;

/** Actions that empty a bucket, which deleting it does outside production: `force_destroy`. */
export const EMPTY_BUCKET_ACTIONS = ["s3:DeleteObject", "s3:DeleteObjectVersion"] as const;

/** Actions on the parameters of stack contracts. */
export const PARAMETER_ACTIONS = {
  read: ["ssm:GetParameter"],
  write: ["ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:PutParameter", "ssm:RemoveTagsFromResource"],
} as const;
