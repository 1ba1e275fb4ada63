import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import type { IConstruct } from "constructs";
import { partitionOf } from "../../border/partition";
import { experimentParameter } from "../core/border";
import type { Environment } from "../core/environment";
import { kebab } from "../core/names";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";
import type { ReleaseGate } from "../pipeline/settings";

/** Where an experiment is, by names: it may be of another program. */
export interface ExperimentGateOptions {
  /** The environment that it is in, and that was released before it runs. */
  readonly environment: Environment;
  /** Name of the stack that it is in: what `platform.stack(...)` was given, or the platform's own. */
  readonly stack: string;
  /**
   * Longest that the experiment may take.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/**
 * An experiment as a gate of a pipeline, by its id: it runs once its environment is released, and what comes after it in
 * the pipeline waits until it has held. It need not be in the same program; where its stack is, it must be there.
 *
 * @example
 * ```ts
 * const staging: Environment = { name: "staging", region: "eu-central-1", profile: "dev", account: "123456789012", state: "s3" };
 * const gates = [experimentGate("LosesTasks", { environment: staging, stack: "orders" })];
 * const releases = [{ environment: staging, gates }, { environment: { ...staging, name: "production" } }];
 * ```
 */
export function experimentGate(id: string, options: ExperimentGateOptions): ReleaseGate {
  const { environment, stack, timeout } = options;
  const parameter = experimentParameter(environment.name, stack, kebab(id));
  // The pipeline is in another state, so that nothing here may be a reference.
  const { region, account = "*" } = environment;
  const arn = (service: string, resource: string, at = region) =>
    `arn:${partitionOf(region)}:${service}:${at}:${account}:${resource}`;
  return {
    name: kebab(id),
    commands: commands(region, parameter),
    permissions: [
      { actions: ["ssm:GetParameter"], resources: [arn("ssm", `parameter${parameter}`)] },
      {
        actions: ["fis:StartExperiment"],
        resources: [arn("fis", "experiment-template/*")],
        conditions: { StringEquals: { "aws:ResourceTag/Name": experimentName(environment, stack, id) } },
      },
      { actions: ["fis:GetExperiment", "fis:StartExperiment"], resources: [arn("fis", "experiment/*")] },
      {
        actions: ["iam:CreateServiceLinkedRole"],
        resources: [arn("iam", "role/aws-service-role/fis.amazonaws.com/AWSServiceRoleForFIS", "")],
        conditions: { StringEquals: { "iam:AWSServiceName": "fis.amazonaws.com" } },
      },
    ],
    check: (app) => checkThere(app, { environment, stack, id, parameter }),
    timeout,
  };
}

/** What an experiment's template is called in AWS. */
export function experimentName({ name, guardrails }: Environment, stack: string, id: string): string {
  const prefix = guardrails?.namePrefix;
  return [...(prefix === undefined ? [] : [prefix]), stack, name, kebab(id)].join("-");
}

/** One that this program would have, and has not, is a slip of the pen; one of another program is found when it runs. */
function checkThere(
  app: IConstruct,
  of: {
    readonly environment: Environment;
    readonly stack: string;
    readonly id: string;
    readonly parameter: string;
  },
): string[] {
  const stacks = app.node.children.filter(
    (child): child is AwsStack =>
      child instanceof AwsStack &&
      child.lifetime !== "delivery" &&
      child.stackName === of.stack &&
      child.environment.name === of.environment.name,
  );
  const told = stacks.flatMap((stack) => stack.node.findAll()).filter((node) => node instanceof SsmParameter);
  if (stacks.length === 0 || told.some(({ nameInput }) => nameInput === of.parameter)) return [];
  return [
    `experiment ${JSON.stringify(of.id)} is not in stack ${of.stack} of environment ${of.environment.name}\n  Make a ChaosExperiment of this id there, or take the gate out.  [CHAOS_GATE_NOT_THERE]`,
  ];
}

/** Starts the experiment, waits for its end, tells how it ended, and fails unless it was completed. */
function commands(region: string, parameter: string): string[] {
  const ask = (query: string) =>
    `aws fis get-experiment --id "$EXPERIMENT" --query experiment.state${query} --output text`;
  return [
    // The pipeline may be in another region.
    `export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`,
    `TOLD="$(aws ssm get-parameter --name ${parameter} --query Parameter.Value --output text)"`,
    `TEMPLATE="$(node -p 'JSON.parse(process.argv[1]).experimentTemplateId' "$TOLD")"`,
    'EXPERIMENT="$(aws fis start-experiment --experiment-template-id "$TEMPLATE" --query experiment.id --output text)"',
    `while STATE="$(${ask(".status")})"; do case "$STATE" in pending|initiating|running|stopping) sleep 10 ;; *) break ;; esac; done`,
    ask(""),
    '[ "$STATE" = completed ]',
  ];
}
