import type { EcsTaskDefinition } from "@cdktf/provider-aws/lib/ecs-task-definition";
import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import { Construct } from "constructs";
import { type ProcessTemplate, processesPath, type ReleasePlace, recordParameter } from "../../../contract/release";
import { type ReleasedProcess, releasePermissions } from "../../../contract/release-permissions";
import type { Statement } from "../../core/iam";
import { PublishedContract } from "../../core/parameter-contract";
import { Registry } from "../../core/registry";
import { type AwsStack, addressOf } from "../../core/stack";
import type { ServiceStack } from "../../platform/platform";
import { ignoredChanges, type ReleaseOwner } from "./ignored-changes";

/** Processes of a stack that a release updates. */
const PROCESSES = (): (() => ReleasedProcess)[] => [];

/**
 * What somebody needs to release the services of a stack, run their admin processes and look at their releases: for the
 * role of a pipeline. ARNs are made from names, so that the stack need not be applied before. To be asked for at the end:
 * services may still come.
 *
 * @param from the stack that the role is in
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

/** Where the services of a stack tell of their releases. */
export function releasePlace({ environment, platformName, stackName }: ServiceStack): ReleasePlace {
  return { environment: environment.name, platform: platformName, stack: stackName };
}

/** Tells the release command of a service. Tasks, scaling and schedules know nothing of it. */
export function publishTemplate(
  scope: Construct,
  props: {
    readonly stack: ServiceStack;
    readonly name: string;
    readonly owner: ReleaseOwner;
    readonly task: EcsTaskDefinition;
    /** Asked for last, as the template is. */
    readonly process: () => ReleasedProcess;
    /** Asked for last: admin processes and add-ons come after the service. */
    readonly template: () => ProcessTemplate;
  },
): void {
  const { stack, name, owner, task, template, process } = props;
  Registry.of(stack).get(PROCESSES).push(process);
  new PublishedContract(scope, "ReleaseTemplate", {
    name: `${processesPath(releasePlace(stack))}/${name}`,
    value: template,
  });
  if (owner === "pipeline") ReleaseHistory.of(stack).compare(name, task);
}

/**
 * Where releases of a stack's services are recorded: one SSM parameter, whose value a release writes and whose versions are
 * the history. Terraform makes it, so that it goes with the stack, and looks no more at what it holds.
 *
 * Free. Part of every stack whose services are released by a pipeline.
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
      description: "The release that is live; written by antifragile release.",
      lifecycle: {
        ignoreChanges: ignoredChanges("releaseRecord", { owner: "pipeline", strategy: "", schedules: false }),
      },
    });
  }

  /**
   * Lets every plan and apply say when the config of a service is another than the one that its live release was made from.
   *
   * @see https://developer.hashicorp.com/terraform/language/checks
   */
  compare(name: string, task: EcsTaskDefinition): void {
    const { environment } = this.#stack;
    const released = `jsondecode(${addressOf(this.#record)}.insecure_value).live.processes[${JSON.stringify(name)}].template`;
    this.#stack.addOverride(`check.${name}_config_is_live`, {
      assert: [
        {
          // Without a release there is nothing to compare with.
          condition: `\${try(${released} == ${addressOf(task)}.revision, true)}`,
          error_message: `${name} runs with the config of its last release, not with this one. To make it live: antifragile release ${environment.name}`,
        },
      ],
    });
  }
}
