import { CloudwatchLogGroup } from "@cdktf/provider-aws/lib/cloudwatch-log-group";
import type { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { Fn, TerraformLocal } from "cdktf";
import { Construct } from "constructs";
import { type ProcessTemplate, processesPath, type ReleasePlace, recordParameter } from "../../../contract/release";
import { type ReleasedProcess, releasePermissions } from "../../../contract/release-permissions";
import type { Statement } from "../../core/iam";
import { literal, markReferences } from "../../core/literal";
import { physicalName } from "../../core/names";
import { PublishedContract } from "../../core/parameter-contract";
import { isReference } from "../../core/reference";
import { Registry } from "../../core/registry";
import { type AwsStack, addressOf } from "../../core/stack";
import type { ILogStream } from "../../logging/log-stream";
import type { ServiceStack } from "../../platform/platform";
import type { Monitoring } from "../monitoring/monitoring";
import type { ServiceContext } from "../props";
import { serviceRoleName } from "../service-role";
import type { Targets } from "../traffic/targets";
import type { AdminProcesses } from "./admin-process";
import type { AdminRole } from "./admin-role";
import { ignoredChanges } from "./ignored-changes";

/** Processes of a stack that a release updates. */
const PROCESSES = (): (() => ReleasedProcess)[] => [];

/**
 * Returns the statements for the role of a pipeline that releases the services of a stack, runs their admin processes and
 * reads their releases. ARNs are derived from names, so the stack need not be applied first. Call it at synth, when all
 * services exist.
 *
 * @param from stack of the role
 */
export function releaseStatements(stack: ServiceStack, from: AwsStack): Statement[] {
  const { environment, platformName } = stack;
  return releasePermissions(
    {
      ...releasePlace(stack),
      partition: from.partition,
      region: environment.region,
      account: environment.account ?? from.accountId,
      cluster: stack.physicalName("cluster", platformName, environment.name),
    },
    Registry.of(stack)
      .get(PROCESSES)
      .map((process) => process()),
  );
}

/** Returns the location where the services of a stack record their releases. */
export function releasePlace({ environment, platformName, stackName }: ServiceStack): ReleasePlace {
  return { environment: environment.name, platform: platformName, stack: stackName };
}

interface ReleaseParts {
  /** ECS service or schedule that a release updates, with its URL within the platform. */
  readonly runner: Pick<ProcessTemplate, "service" | "schedule" | "url">;
  readonly securityGroupId: string;
  readonly logs: ILogStream;
  readonly monitoring: Monitoring;
  readonly targets: Targets;
  readonly adminProcesses: AdminProcesses;
  readonly adminRole: AdminRole;
}

/**
 * Publishes the values that the release command needs to release a service and to run its admin processes. They are
 * evaluated at synth, because add-ons and admin processes are added after the service.
 */
export function publishReleaseTemplate(
  scope: Construct,
  context: ServiceContext,
  task: EcsTaskDefinition,
  parts: () => ReleaseParts,
): void {
  const { stack, settings } = context;
  Registry.of(stack)
    .get(PROCESSES)
    .push(() => releasedProcess(context, parts()));
  // Quotes of an expression would make the JSON that contains it invalid until apply.
  const subnets = new TerraformLocal(scope, "ReleaseSubnets", Fn.join(",", [...stack.vpc.workloadSubnetIds]));
  new PublishedContract(scope, "ReleaseTemplate", {
    name: `${processesPath(releasePlace(stack))}/${settings.name}`,
    value: () => processTemplate(context, task, parts(), markReferences(subnets.asString)),
  });
  if (settings.releaseOwner === "pipeline") ReleaseHistory.of(stack).compare(settings.name, task);
}

/** Returns the ARN of the task definition that a new ECS service or schedule starts with: see {@link ReleaseHistory.startOf}. */
export function firstTask({ stack, settings }: ServiceContext, task: EcsTaskDefinition): string {
  return settings.releaseOwner === "pipeline" ? ReleaseHistory.of(stack).startOf(settings.name, task) : task.arn;
}

function processTemplate(
  { stack, settings }: ServiceContext,
  task: EcsTaskDefinition,
  parts: ReleaseParts,
  subnets: string,
): ProcessTemplate {
  const { name, process, image, capacity, compatibility, deployment, releaseOwner } = settings;
  const { vpc, cluster } = stack;
  const { targets } = parts;
  return {
    kind: process.kind,
    owner: releaseOwner,
    cluster: cluster.clusterName,
    ...parts.runner,
    url: targets.list[0]?.url ?? parts.runner.url,
    container: name,
    task: task.arn,
    source: literal(image.sourceIn(stack.stackName)),
    bootstrap: image.kind === "repository",
    strategy: deployment.kind,
    codeDeploy:
      targets.codeDeploy === undefined || process.kind !== "web"
        ? undefined
        : { ...targets.codeDeploy, port: process.port },
    network: {
      subnets,
      securityGroup: parts.securityGroupId,
      assignPublicIp: compatibility === "FARGATE" && vpc.egress === "public-ip",
    },
    platformVersion: compatibility === "FARGATE" ? "LATEST" : undefined,
    capacity: cluster.strategy(capacity),
    alarms: parts.monitoring.alarms.map(({ alarmName }) => alarmName),
    admin: parts.adminProcesses.commands,
    adminRole: parts.adminRole.roleArn,
    adminEnvironment: parts.adminRole.environment,
  };
}

function releasedProcess(context: ServiceContext, parts: ReleaseParts): ReleasedProcess {
  const { fullName, settings } = context;
  return {
    owner: settings.releaseOwner,
    family: physicalName("taskFamily", ...fullName),
    ...(settings.process.kind === "job"
      ? { schedule: { name: physicalName("schedule", ...fullName), role: serviceRoleName(context, "schedule") } }
      : { service: physicalName("ecsService", settings.name) }),
    codeDeploy: parts.targets.codeDeploy,
    roles: [
      serviceRoleName(context, "task"),
      serviceRoleName(context, "execution"),
      ...(parts.adminRole.roleArn === undefined ? [] : [serviceRoleName(context, "admin")]),
    ],
    admin: Object.keys(parts.adminProcesses.commands).length > 0,
    logGroup: logGroupNameOf(parts.logs),
  };
}

/** Name of a log group, or `*` if it is not known at synth. */
function logGroupNameOf(logs: ILogStream): string {
  const group = logs.node.defaultChild;
  const name = group instanceof CloudwatchLogGroup ? group.nameInput : logs.logGroupName;
  return name === undefined || isReference(name) ? "*" : name;
}

/**
 * History of the releases of a stack: an SSM parameter whose value each release writes and whose versions form the history.
 * Terraform creates and deletes it with the stack, and ignores its value.
 *
 * Free. Part of every stack whose services are released by the release command or a pipeline.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
 */
class ReleaseHistory extends Construct {
  static of(stack: ServiceStack): ReleaseHistory {
    const id = "Releases";
    return (stack.node.tryFindChild(id) as ReleaseHistory | undefined) ?? new ReleaseHistory(stack, id);
  }

  readonly #stack: ServiceStack;
  readonly #record: SsmParameter;

  private constructor(stack: ServiceStack, id: string) {
    super(stack, id);
    this.#stack = stack;
    this.#record = new SsmParameter(this, "Resource", {
      name: recordParameter(releasePlace(stack)),
      type: "String",
      insecureValue: "{}",
      description: "Live release, written by antifragile release.",
      lifecycle: {
        ignoreChanges: ignoredChanges("releaseRecord", { owner: "pipeline", strategy: "", schedules: false }),
      },
    });
  }

  /**
   * Returns the ARN of the task definition that a new ECS service or schedule starts with: that of the live release, where one is
   * recorded, so that one which was replaced or deleted does not come back with the bootstrap image.
   */
  startOf(name: string, task: EcsTaskDefinition): string {
    const released = `${this.#live(name)}.task`;
    return `\${try(replace(${addressOf(task)}.arn, "/[^/]*$/", ${released}), ${addressOf(task)}.arn)}`;
  }

  #live(name: string): string {
    return `jsondecode(${addressOf(this.#record)}.insecure_value).live.processes[${JSON.stringify(name)}]`;
  }

  /**
   * Warns in every plan and apply when the configuration of a service differs from that of its live release.
   *
   * @see https://developer.hashicorp.com/terraform/language/checks
   */
  compare(name: string, task: EcsTaskDefinition): void {
    const { environment } = this.#stack;
    const released = `${this.#live(name)}.template`;
    this.#stack.addOverride(`check.${name}_config_is_live`, {
      assert: [
        {
          // The condition holds if there is no release to compare with.
          condition: `\${try(${released} == ${addressOf(task)}.revision, true)}`,
          error_message: `${name} runs with the configuration of its last release, which differs from this one. To deploy this configuration, run: antifragile release ${environment.name}`,
        },
      ],
    });
  }
}
