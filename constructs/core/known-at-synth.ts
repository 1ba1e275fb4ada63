/** Form in which a prop takes a value; a choice is a boolean, or one of a set of words. */
export type Form = "string" | "number" | "list" | "map" | "choice";

/** Reasons why a value must be known at synth, with the props whose strings have it. `[]` stands for the elements of a list. */
export const STRINGS_KNOWN_AT_SYNTH: Readonly<Record<string, readonly string[]>> = {
  "it is part of names, and of addresses in Terraform": [
    "new AwsStack.name",
    "new DeliveryStack.name",
    "new Platform.name",
    "Platform.existing.name",
    "Platform.stack.name",
    "existingService.name",
    "ICallee.serviceName",
    "CloudNativeServiceProps.name",
    "BucketProps.bucketName",
    "PostgresDatabaseProps.identifier",
    "CloudNativeServiceProps.renamedFrom",
    "CloudNativeService.addAdminProcess.name",
    "CloudNativeService.overrideContainer.name",
    "CloudNativeService.use.prefix",
    "ImageRepository.shareWith.releaseRoleArn",
    "Connections.allowTo.as",
    "Connections.allowFrom.as",
    "LogArchive.fromStackName.stackName",
    "ExperimentGateOptions.stack",
    "ReleaseGate.name",
    "MetricTarget.name",
    "InstanceScalingSteps.name",
    "ScalingSteps.name",
    "ScheduledBounds.name",
    "ScheduledInstances.name",
    "MetricFilter.name",
    "PipelineVariable.name",
    "UserPoolProps.domainPrefix",
  ],
  "it refers to something that this app defines": ["Capacity.instances.group", "editDocument.attribute"],
  "environments exist before Terraform runs, and commands read them": [
    "Environment.name",
    "Environment.region",
    "Environment.account",
    "Environment.imageAccount",
    "Environment.registryMirror",
    "EnvironmentDefaults.account",
    "EnvironmentDefaults.imageAccount",
    "EnvironmentDefaults.registryMirror",
    "ChaosExperimentProps.environments[]",
    "DeliveryStackProps.region",
    "DeliveryStackProps.account",
    "Guardrails.permissionsBoundary",
    "Guardrails.rolePath",
    "Guardrails.namePrefix",
    "Guardrails.requiredTags[]",
    "AppProps.outdir",
    "placeholder.what",
  ],
  "Terraform reads its state before it knows any value": [
    "adopt.ids.*",
    "StateBucket.bucket",
    "StateBucket.region",
    "StateBucket.kmsKeyArn",
    "stateBucketName.account",
    "stateBucketName.region",
  ],
  "rules of the load balancer are compared and ordered by it": [
    "IngressProps.hosts[]",
    "IngressProps.paths[]",
    "TargetRegistration.hosts[]",
    "TargetRegistration.paths[]",
    "TargetRegistration.healthPath",
    "BearerTokenOptions.publicPaths[]",
    "OidcSignInOptions.publicPaths[]",
    "LoadBalancerProps.listener.domain",
    "https.domain",
    "PlatformProps.listener.domain",
    "web.livePath",
    "web.readyPath",
    "WebProcess.livePath",
    "WebProcess.readyPath",
  ],
  "it is a schedule, which is checked and converted": [
    "cron.expression",
    "cron.timezone",
    "Schedule.expression",
    "Schedule.recurrence",
    "Schedule.timezone",
  ],
  "other settings depend on it": [
    "InstanceTypes.ofType.types[]",
    "DatabaseCapacity.instance.instanceClass",
    "CacheProps.node",
    "VpcProps.cidr",
    "VpcProps.zoneNames[]",
    "VpcProps.endpoints[]",
    "CloudNativeServiceProps.user",
    "WebAclProps.managedRules[]",
    "LogStreamProps.mask[]",
  ],
  "Terraform cannot change it later without replacing what it is part of": [
    "PostgresDatabaseProps.databaseName",
    "PostgresDatabaseProps.user",
    "TableKey.name",
    "TableIndex.name",
    "TableProps.expiresAt",
  ],
  "it is text of a program: pass the value in a variable, as environment, or variables of user data": [
    "UserData.file.path",
    "UserData.script.script",
    "ReleaseGate.commands[]",
    "PipelineProps.directory",
    "PipelineProps.testCommands[]",
    "GateRequests.url",
  ],
  "commands and workflows outside Terraform use it, too": [
    "Image.repository.name",
    "ImageRepositoryProps.name",
    "ImageRepository.fromRepositoryName.name",
    "ImageSource.repository",
    "ImageSource.tag",
    "Source.ecr.repository",
    "Source.ecr.tag",
    "Source.gitHub.repository",
    "Source.gitLab.repository",
    "Source.bitbucket.repository",
    "Source.codeCommit.repository",
    "Source.codeCommit.branch",
    "Source.s3.bucket",
    "Source.s3.key",
    "ConnectedSourceOptions.branch",
    "ConnectedSourceOptions.tags[]",
    "FilePathFilter.only[]",
    "FilePathFilter.except[]",
    "GitHubRepository.owner",
    "GitHubRepository.name",
    "GitHubRepository.numbers.owner",
    "GitHubRepository.numbers.repository",
    "GitHubActionsOptions.branch",
    "GitLabCiOptions.project",
    "GitLabCiOptions.host",
    "GitLabCiOptions.branch",
    "IamPrincipalOptions.arn",
    "CiRolesProps.trust.branch",
    "CiRolesProps.trust.project",
    "CiRolesProps.trust.host",
    "CiRolesProps.trust.arn",
  ],
  "an image must be fixed by its digest": ["Image.digest.uri", "ChaosExperimentProps.agentImage"],
  "permissions are merged and counted by it": ["Statement.actions[]"],
  "its region and id are parts of other values": ["managedPrometheus.workspaceArn", "PrometheusExporter.workspaceArn"],
};

/** Numbers that may be known only at apply, because they are passed on as they are. */
export const NUMBERS_KNOWN_AT_APPLY: readonly string[] = [
  "ConnectionOptions.port",
  "DatabaseAttributes.port",
  "ExistingLoadBalancer.port",
  "LoadBalancerArn.port",
];

/** Lists that may be known only at apply as a whole, because neither their length nor one of their elements matters. */
export const LISTS_KNOWN_AT_APPLY: readonly string[] = [
  "ExistingVpc.privateSubnetIds",
  "ExistingVpc.publicSubnetIds",
  "VpcAttributes.privateSubnetIds",
  "VpcAttributes.publicSubnetIds",
  "OpenSearchOptions.vpc.vpc.workloadSubnetIds",
  "OpenSearchDestination.vpc.vpc.workloadSubnetIds",
];

const REASONS = new Map(
  Object.entries(STRINGS_KNOWN_AT_SYNTH).flatMap(([reason, props]) => props.map((prop) => [prop, reason] as const)),
);

/**
 * Returns the reason why a prop takes no reference: a value that is known only at apply. Undefined if it takes one.
 *
 * @param prop where it is declared: a type or call, and the path from there
 */
export function reasonToKnow(prop: string, form: Form): string | undefined {
  switch (form) {
    case "choice":
      return "it decides what is created";
    case "map":
      return "its keys are names; set single values";
    case "number":
      return NUMBERS_KNOWN_AT_APPLY.includes(prop)
        ? undefined
        : "limits are checked, and other numbers derived from it";
    case "list":
      return LISTS_KNOWN_AT_APPLY.includes(prop)
        ? undefined
        : "its length decides what is created; set single elements";
    default:
      return REASONS.get(prop);
  }
}
