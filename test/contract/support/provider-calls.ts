/**
 * IAM actions of the calls that AWS provider 5.100.0 makes for each resource type that constructs create, in any of create, read, update
 * and delete: read off the calls of its functions. Left out are calls that need an argument that no construct sets, such as
 * `s3_import` of a database. Actions that AWS itself requires for a call stand with its resource type.
 */
export const PROVIDER_CALLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  acm_certificate: {
    acm: "AddTagsToCertificate DeleteCertificate DescribeCertificate ListTagsForCertificate RemoveTagsFromCertificate RequestCertificate",
  },
  acm_certificate_validation: {
    acm: "AddTagsToCertificate DescribeCertificate ListTagsForCertificate RemoveTagsFromCertificate",
  },
  appautoscaling_policy: {
    "application-autoscaling":
      "DeleteScalingPolicy DescribeScalingPolicies ListTagsForResource PutScalingPolicy TagResource UntagResource",
  },
  appautoscaling_scheduled_action: {
    "application-autoscaling":
      "DeleteScheduledAction DescribeScheduledActions ListTagsForResource PutScheduledAction TagResource UntagResource",
  },
  appautoscaling_target: {
    "application-autoscaling":
      "DeregisterScalableTarget DescribeScalableTargets ListTagsForResource RegisterScalableTarget TagResource UntagResource",
  },
  autoscaling_group: {
    autoscaling:
      "AttachLoadBalancerTargetGroups CancelInstanceRefresh CreateAutoScalingGroup CreateOrUpdateTags DeleteAutoScalingGroup DeleteTags DeleteWarmPool DescribeAutoScalingGroups DescribeInstanceRefreshes DescribeLoadBalancerTargetGroups DescribeScalingActivities DescribeWarmPool DetachLoadBalancerTargetGroups DisableMetricsCollection EnableMetricsCollection PutLifecycleHook PutWarmPool ResumeProcesses SetInstanceProtection StartInstanceRefresh SuspendProcesses UpdateAutoScalingGroup",
    elasticloadbalancing: "DescribeTargetHealth",
  },
  autoscaling_lifecycle_hook: {
    autoscaling: "CreateOrUpdateTags DeleteLifecycleHook DeleteTags DescribeLifecycleHooks PutLifecycleHook",
  },
  autoscaling_policy: { autoscaling: "CreateOrUpdateTags DeletePolicy DeleteTags DescribePolicies PutScalingPolicy" },
  autoscaling_schedule: {
    autoscaling:
      "CreateOrUpdateTags DeleteScheduledAction DeleteTags DescribeScheduledActions PutScheduledUpdateGroupAction",
  },
  chatbot_slack_channel_configuration: {
    chatbot:
      "CreateSlackChannelConfiguration DeleteSlackChannelConfiguration DescribeSlackChannelConfigurations ListTagsForResource TagResource UntagResource UpdateSlackChannelConfiguration",
  },
  cloudwatch_composite_alarm: {
    cloudwatch: "DeleteAlarms DescribeAlarms ListTagsForResource PutCompositeAlarm TagResource UntagResource",
  },
  cloudwatch_dashboard: {
    cloudwatch: "DeleteDashboards GetDashboard ListTagsForResource PutDashboard TagResource UntagResource",
  },
  cloudwatch_event_rule: { events: "DeleteRule DescribeRule ListTagsForResource PutRule TagResource UntagResource" },
  cloudwatch_event_target: {
    events: "ListTagsForResource ListTargetsByRule PutTargets RemoveTargets TagResource UntagResource",
  },
  cloudwatch_log_data_protection_policy: {
    logs: "DeleteDataProtectionPolicy GetDataProtectionPolicy ListTagsForResource PutDataProtectionPolicy TagResource UntagResource",
  },
  cloudwatch_log_group: {
    logs: "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogGroups DisassociateKmsKey ListTagsForResource PutRetentionPolicy TagResource UntagResource",
  },
  cloudwatch_log_metric_filter: {
    logs: "DeleteMetricFilter DescribeMetricFilters ListTagsForResource PutMetricFilter TagResource UntagResource",
  },
  cloudwatch_log_resource_policy: {
    logs: "DeleteResourcePolicy DescribeResourcePolicies ListTagsForResource PutResourcePolicy TagResource UntagResource",
  },
  cloudwatch_log_stream: {
    logs: "CreateLogStream DeleteLogStream DescribeLogStreams ListTagsForResource TagResource UntagResource",
  },
  cloudwatch_log_subscription_filter: {
    logs: "DeleteSubscriptionFilter DescribeSubscriptionFilters ListTagsForResource PutSubscriptionFilter TagResource UntagResource",
  },
  cloudwatch_metric_alarm: {
    cloudwatch: "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
  },
  cloudwatch_query_definition: {
    logs: "DeleteQueryDefinition DescribeQueryDefinitions ListTagsForResource PutQueryDefinition TagResource UntagResource",
  },
  codedeploy_app: {
    codedeploy:
      "CreateApplication DeleteApplication GetApplication ListTagsForResource TagResource UntagResource UpdateApplication",
  },
  codedeploy_deployment_config: {
    codedeploy:
      "CreateDeploymentConfig DeleteDeploymentConfig GetDeploymentConfig ListTagsForResource TagResource UntagResource",
  },
  codedeploy_deployment_group: {
    codedeploy:
      "CreateDeploymentGroup DeleteDeploymentGroup GetDeploymentGroup ListTagsForResource TagResource UntagResource UpdateDeploymentGroup",
  },
  cognito_user_pool: {
    "cognito-idp":
      "CreateUserPool DeleteUserPool DescribeUserPool GetUserPoolMfaConfig ListTagsForResource SetUserPoolMfaConfig TagResource UntagResource UpdateUserPool",
  },
  cognito_user_pool_client: {
    "cognito-idp":
      "CreateUserPoolClient DeleteUserPoolClient DescribeUserPoolClient ListTagsForResource TagResource UntagResource UpdateUserPoolClient",
  },
  cognito_user_pool_domain: {
    "cognito-idp":
      "CreateUserPoolDomain DeleteUserPoolDomain DescribeUserPoolDomain ListTagsForResource TagResource UntagResource UpdateUserPoolDomain",
  },
  db_instance: {
    rds: "AddTagsToResource CreateDBInstance DeleteDBInstance DescribeDBInstances ListTagsForResource ModifyDBInstance RebootDBInstance RemoveTagsFromResource RestoreDBInstanceFromDBSnapshot RestoreDBInstanceToPointInTime",
  },
  db_parameter_group: {
    rds: "AddTagsToResource CreateDBParameterGroup DeleteDBParameterGroup DescribeDBParameterGroups DescribeDBParameters ListTagsForResource ModifyDBParameterGroup RemoveTagsFromResource ResetDBParameterGroup",
  },
  db_subnet_group: {
    rds: "AddTagsToResource CreateDBSubnetGroup DeleteDBSubnetGroup DescribeDBSubnetGroups ListTagsForResource ModifyDBSubnetGroup RemoveTagsFromResource",
  },
  default_security_group: {
    ec2: "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateTags DeleteTags DescribeSecurityGroupRules DescribeSecurityGroups DescribeTags RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
  },
  dynamodb_table: {
    dynamodb:
      "CreateTable DeleteTable DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource TagResource UntagResource UpdateContinuousBackups UpdateTable UpdateTimeToLive",
  },
  ecs_capacity_provider: {
    ecs: "CreateCapacityProvider DeleteCapacityProvider DescribeCapacityProviders ListTagsForResource TagResource UntagResource UpdateCapacityProvider",
  },
  ecs_cluster: {
    ecs: "CreateCluster DeleteCluster DescribeClusters ListTagsForResource TagResource UntagResource UpdateCluster",
  },
  ecs_cluster_capacity_providers: {
    ecs: "DescribeClusters ListTagsForResource PutClusterCapacityProviders TagResource UntagResource",
  },
  ecs_service: {
    // With wait_for_steady_state also those of its deployments.
    ecs: "CreateService DeleteService DescribeServiceDeployments DescribeServices ListServiceDeployments ListTagsForResource TagResource UntagResource UpdateService",
  },
  ecs_task_definition: {
    ecs: "DeregisterTaskDefinition DescribeTaskDefinition ListTagsForResource RegisterTaskDefinition TagResource UntagResource",
  },
  egress_only_internet_gateway: {
    ec2: "CreateEgressOnlyInternetGateway CreateTags DeleteEgressOnlyInternetGateway DeleteTags DescribeEgressOnlyInternetGateways DescribeTags",
  },
  eip: {
    ec2: "AllocateAddress CreateTags DeleteTags DescribeAddresses DescribeAddressesAttribute DescribeTags DisassociateAddress ReleaseAddress",
  },
  elasticache_replication_group: {
    elasticache:
      "AddTagsToResource CreateReplicationGroup DecreaseReplicaCount DeleteCacheParameterGroup DeleteReplicationGroup DescribeCacheClusters DescribeReplicationGroups IncreaseReplicaCount ListTagsForResource ModifyReplicationGroup RemoveTagsFromResource",
  },
  elasticache_subnet_group: {
    elasticache:
      "AddTagsToResource CreateCacheSubnetGroup DeleteCacheSubnetGroup DescribeCacheSubnetGroups ListTagsForResource ModifyCacheSubnetGroup RemoveTagsFromResource",
  },
  elasticache_user: {
    elasticache:
      "AddTagsToResource CreateUser DeleteUser DescribeUsers ListTagsForResource ModifyUser RemoveTagsFromResource",
  },
  elasticache_user_group: {
    elasticache:
      "AddTagsToResource CreateUserGroup DeleteUserGroup DescribeUserGroups ListTagsForResource ModifyUserGroup RemoveTagsFromResource",
  },
  fis_experiment_template: {
    fis: "CreateExperimentTemplate DeleteExperimentTemplate GetExperimentTemplate ListTagsForResource TagResource UntagResource UpdateExperimentTemplate",
  },
  flow_log: { ec2: "CreateFlowLogs CreateTags DeleteFlowLogs DeleteTags DescribeFlowLogs DescribeTags" },
  iam_instance_profile: {
    iam: "AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile GetRole RemoveRoleFromInstanceProfile TagInstanceProfile TagRole UntagInstanceProfile UntagRole",
  },
  iam_role: {
    iam: "AttachRolePolicy CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies PutRolePermissionsBoundary PutRolePolicy RemoveRoleFromInstanceProfile TagInstanceProfile TagRole UntagInstanceProfile UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
  },
  iam_role_policy: {
    iam: "DeleteRolePolicy GetRolePolicy PutRolePolicy TagInstanceProfile TagRole UntagInstanceProfile UntagRole",
  },
  iam_role_policy_attachment: {
    iam: "AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies TagInstanceProfile TagRole UntagInstanceProfile UntagRole",
  },
  internet_gateway: {
    ec2: "AttachInternetGateway CreateInternetGateway CreateTags DeleteInternetGateway DeleteTags DescribeInternetGateways DescribeTags DetachInternetGateway",
  },
  kinesis_firehose_delivery_stream: {
    firehose:
      "CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListTagsForDeliveryStream StartDeliveryStreamEncryption StopDeliveryStreamEncryption TagDeliveryStream UntagDeliveryStream UpdateDestination",
  },
  kms_key: {
    kms: "CreateKey DescribeKey DisableKey EnableKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
  },
  lambda_function: {
    lambda:
      "CreateFunction DeleteFunction GetFunction GetFunctionCodeSigningConfig GetFunctionConfiguration ListTags ListVersionsByFunction TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
  },
  lambda_function_event_invoke_config: {
    lambda:
      "DeleteFunctionEventInvokeConfig GetFunctionEventInvokeConfig ListTags PutFunctionEventInvokeConfig TagResource UntagResource",
  },
  lambda_permission: {
    lambda: "AddPermission GetFunction GetPolicy ListTags RemovePermission TagResource UntagResource",
  },
  launch_template: {
    ec2: "CreateLaunchTemplate CreateLaunchTemplateVersion CreateTags DeleteLaunchTemplate DeleteTags DescribeInstanceTypes DescribeLaunchTemplateVersions DescribeLaunchTemplates DescribeTags ModifyLaunchTemplate",
  },
  lb: {
    elasticloadbalancing:
      "AddTags CreateLoadBalancer DeleteLoadBalancer DescribeCapacityReservation DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeTags ModifyLoadBalancerAttributes RemoveTags SetIpAddressType SetSecurityGroups SetSubnets",
  },
  lb_listener: {
    elasticloadbalancing:
      "AddTags CreateListener DeleteListener DescribeListenerAttributes DescribeListeners DescribeTags ModifyListener ModifyListenerAttributes RemoveTags",
  },
  lb_listener_certificate: {
    elasticloadbalancing:
      "AddListenerCertificates AddTags DescribeListenerCertificates DescribeTags RemoveListenerCertificates RemoveTags",
  },
  lb_listener_rule: {
    elasticloadbalancing:
      "AddTags CreateRule DeleteRule DescribeRules DescribeTags ModifyRule RemoveTags SetRulePriorities",
  },
  lb_target_group: {
    elasticloadbalancing:
      "AddTags CreateTargetGroup DeleteTargetGroup DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups ModifyTargetGroup ModifyTargetGroupAttributes RemoveTags",
  },
  nat_gateway: { ec2: "CreateNatGateway CreateTags DeleteNatGateway DeleteTags DescribeNatGateways DescribeTags" },
  rds_cluster: {
    rds: "AddRoleToDBCluster AddTagsToResource CreateDBCluster DeleteDBCluster DescribeDBClusters DescribeGlobalClusters ListTagsForResource ModifyDBCluster RemoveTagsFromResource RestoreDBClusterFromSnapshot RestoreDBClusterToPointInTime",
  },
  rds_cluster_instance: {
    rds: "AddTagsToResource CreateDBInstance DeleteDBInstance DescribeDBClusters DescribeDBInstances ListTagsForResource ModifyDBInstance RebootDBInstance RemoveTagsFromResource",
  },
  rds_cluster_parameter_group: {
    rds: "AddTagsToResource CreateDBClusterParameterGroup DeleteDBClusterParameterGroup DescribeDBClusterParameterGroups DescribeDBClusterParameters ListTagsForResource ModifyDBClusterParameterGroup RemoveTagsFromResource ResetDBClusterParameterGroup",
  },
  route: { ec2: "CreateRoute CreateTags DeleteRoute DeleteTags DescribeRouteTables DescribeTags ReplaceRoute" },
  route53_record: {
    route53: "ChangeResourceRecordSets GetChange GetHostedZone ListResourceRecordSets",
  },
  route_table: {
    ec2: "CreateRoute CreateRouteTable CreateTags DeleteRoute DeleteRouteTable DeleteTags DescribeNetworkInterfaces DescribeRouteTables DescribeTags DisassociateRouteTable ReplaceRoute",
  },
  route_table_association: {
    ec2: "AssociateRouteTable CreateTags DeleteTags DescribeRouteTables DescribeTags DisassociateRouteTable",
  },
  s3_bucket: {
    s3: "CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectVersion GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketObjectLockConfiguration GetBucketPolicy GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration ListBucket ListBucketVersions PutBucketLogging PutBucketPolicy PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
  },
  s3_bucket_lifecycle_configuration: {
    s3: "GetBucketTagging GetLifecycleConfiguration PutBucketTagging PutLifecycleConfiguration",
  },
  s3_bucket_logging: { s3: "GetBucketLogging GetBucketTagging PutBucketLogging PutBucketTagging" },
  s3_bucket_metric: { s3: "GetBucketTagging GetMetricsConfiguration PutBucketTagging PutMetricsConfiguration" },
  s3_bucket_ownership_controls: {
    s3: "GetBucketOwnershipControls GetBucketTagging PutBucketOwnershipControls PutBucketTagging",
  },
  s3_bucket_policy: { s3: "DeleteBucketPolicy GetBucketPolicy GetBucketTagging PutBucketPolicy PutBucketTagging" },
  s3_bucket_public_access_block: {
    s3: "GetBucketPublicAccessBlock GetBucketTagging PutBucketPublicAccessBlock PutBucketTagging",
  },
  s3_bucket_server_side_encryption_configuration: {
    s3: "GetBucketTagging GetEncryptionConfiguration PutBucketTagging PutEncryptionConfiguration",
  },
  s3_bucket_versioning: { s3: "GetBucketTagging GetBucketVersioning PutBucketTagging PutBucketVersioning" },
  scheduler_schedule: {
    // They have no tags.
    scheduler: "CreateSchedule DeleteSchedule GetSchedule UpdateSchedule",
  },
  security_group: {
    ec2: "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateSecurityGroup CreateTags DeleteNetworkInterface DeleteSecurityGroup DeleteTags DescribeNetworkInterfaces DescribeSecurityGroupRules DescribeSecurityGroups DescribeTags DetachNetworkInterface RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
  },
  service_discovery_private_dns_namespace: {
    ec2: "DescribeRegions DescribeVpcs",
    servicediscovery:
      "CreatePrivateDnsNamespace DeleteNamespace GetNamespace GetOperation ListTagsForResource TagResource UntagResource UpdatePrivateDnsNamespace",
  },
  service_discovery_service: {
    servicediscovery:
      "CreateService DeleteService DeregisterInstance GetOperation GetService ListInstances ListTagsForResource TagResource UntagResource UpdateService",
  },
  sns_topic: {
    sns: "CreateTopic DeleteTopic GetTopicAttributes ListTagsForResource SetTopicAttributes TagResource UntagResource",
  },
  sns_topic_policy: { sns: "GetTopicAttributes ListTagsForResource SetTopicAttributes TagResource UntagResource" },
  sns_topic_subscription: {
    sns: "GetSubscriptionAttributes ListSubscriptionsByTopic ListTagsForResource SetSubscriptionAttributes Subscribe TagResource Unsubscribe UntagResource",
  },
  sqs_queue: { sqs: "CreateQueue DeleteQueue GetQueueAttributes ListQueueTags SetQueueAttributes TagQueue UntagQueue" },
  ssm_parameter: {
    ssm: "AddTagsToResource DeleteParameter DescribeParameters GetParameter ListTagsForResource PutParameter RemoveTagsFromResource",
  },
  subnet: {
    ec2: "AssociateSubnetCidrBlock CreateSubnet CreateTags DeleteNetworkInterface DeleteSubnet DeleteTags DescribeNetworkInterfaces DescribeSubnets DescribeTags DetachNetworkInterface DisassociateSubnetCidrBlock ModifySubnetAttribute",
  },
  vpc: {
    ec2: "AssociateVpcCidrBlock CreateTags CreateVpc DeleteTags DeleteVpc DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups DescribeTags DescribeVpcAttribute DescribeVpcs DisassociateVpcCidrBlock ModifyVpcAttribute",
  },
  vpc_endpoint: {
    ec2: "CreateTags CreateVpcEndpoint DeleteTags DeleteVpcEndpoints DescribeNetworkInterfaces DescribePrefixLists DescribeTags DescribeVpcEndpoints ModifyVpcEndpoint",
  },
  vpc_security_group_egress_rule: {
    ec2: "AuthorizeSecurityGroupEgress CreateTags DeleteTags DescribeSecurityGroupRules DescribeTags ModifySecurityGroupRules RevokeSecurityGroupEgress",
  },
  vpc_security_group_ingress_rule: {
    ec2: "AuthorizeSecurityGroupIngress CreateTags DeleteTags DescribeSecurityGroupRules DescribeTags ModifySecurityGroupRules RevokeSecurityGroupIngress",
  },
  wafv2_web_acl: {
    wafv2: "CreateWebACL DeleteWebACL GetWebACL ListTagsForResource TagResource UntagResource UpdateWebACL",
  },
  wafv2_web_acl_association: {
    wafv2: "AssociateWebACL DisassociateWebACL GetWebACLForResource ListTagsForResource TagResource UntagResource",
  },
  wafv2_web_acl_logging_configuration: {
    wafv2:
      "DeleteLoggingConfiguration GetLoggingConfiguration ListTagsForResource PutLoggingConfiguration TagResource UntagResource",
  },
};

/** The same of each data source that constructs read. */
export const DATA_CALLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  arn: {},
  availability_zones: { ec2: "DescribeAvailabilityZones" },
  // STS answers every caller.
  caller_identity: {},
  ecs_cluster: { ecs: "DescribeClusters" },
  lb: {
    elasticloadbalancing:
      "DescribeCapacityReservation DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeTags",
  },
  lb_listener: { elasticloadbalancing: "DescribeListenerAttributes DescribeListeners DescribeTags" },
  partition: {},
  secretsmanager_secret_version: { secretsmanager: "GetSecretValue" },
  ssm_parameter: { ssm: "GetParameter" },
};

/** Actions that AWS or our commands require of the role although the provider does not call them, by service. */
export const AWS_CALLS: Readonly<Record<string, string>> = {
  // Auto Scaling checks that the caller who names a launch template may start its instances:
  // https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
  ec2: "RunInstances",
  // WAF associates its ACL with a load balancer: https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html
  elasticloadbalancing: "SetWebAcl",
  // WAF and VPC set up the delivery of their logs:
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
  logs: "CreateLogDelivery DeleteLogDelivery",
  // Final snapshots: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
  rds: "CreateDBClusterSnapshot CreateDBSnapshot",
  // Hosted zones of private namespaces: https://docs.aws.amazon.com/cloud-map/latest/dg/cloud-map-api-permissions-ref.html
  route53: "AssociateVPCWithHostedZone CreateHostedZone DeleteHostedZone GetHostedZone ListHostedZonesByName",
  // Passwords that RDS manages: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
  secretsmanager: "CreateSecret RotateSecret TagResource",
};

/** Calls of `antifragile apply` itself: it reads why tasks stopped. */
export const APPLY_CALLS: Readonly<Record<string, string>> = { ecs: "DescribeTasks ListTasks" };
