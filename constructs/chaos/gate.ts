import { SsmParameter } from "@cdktf/provider-aws/lib/ssm-parameter";
import type { IConstruct } from "constructs";
import { partitionOf } from "../../contract/partition";
import { checkArguments } from "../core/check-types";
import { type Environment, withDefaults } from "../core/environment";
import type { Problem } from "../core/errors";
import type { Statement } from "../core/iam";
import { kebab, prefixed } from "../core/names";
import { experimentParameter } from "../core/parameter-contract";
import { AwsStack } from "../core/stack";
import type { Duration } from "../core/units";
import type { ReleaseGate } from "../pipeline/pipeline-props";

/** Load during an experiment. Without load, no alarm can fire. */
export interface GateRequests {
  /**
   * URL to request, reachable from the builds of the pipeline: `https://staging.example.com/`. Any response except a 5xx
   * counts as success.
   */
  readonly url: string;
  /**
   * Requests per second. The error alarm evaluates only minutes with at least 20 requests.
   *
   * @default 2
   */
  readonly perSecond?: number;
}

/** Options of a gate besides its experiment. */
export interface GateOptions {
  /**
   * Maximum duration of the experiment.
   *
   * @default - one hour, or longer if the experiment is known to take longer
   */
  readonly timeout?: Duration;
  /**
   * Requests to send during the experiment. The gate fails if none succeeds.
   *
   * @default - none: without other traffic, every experiment succeeds
   */
  readonly requests?: GateRequests;
}

/** Reference to an experiment by names, for experiments of other programs. */
export interface ExperimentGateOptions extends GateOptions {
  /** Environment that contains the experiment, released before it runs. */
  readonly environment: Environment;
  /** Name of the stack that contains the experiment: the name passed to `platform.stack(...)`, or the platform's own. */
  readonly stack: string;
}

/**
 * Returns an experiment, referenced by its id, as a gate of a pipeline: it runs after its environment is released, and the
 * pipeline continues only if it succeeds. The experiment may belong to another program; if its stack is in this one, the
 * experiment must be, too.
 *
 * @example
 * ```ts
 * const staging: Environment = { name: "staging", region: "eu-central-1", profile: "dev", account: "123456789012", state: "s3" };
 * const requests = { url: "https://staging.example.com/" };
 * const gates = [experimentGate("LosesTasks", { environment: staging, stack: "orders", requests })];
 * const releases = [{ environment: staging, gates }, { environment: { ...staging, name: "production" } }];
 * ```
 */
export function experimentGate(id: string, options: ExperimentGateOptions): ReleaseGate {
  checkArguments("experimentGate", { options });
  const { environment, stack, timeout, requests } = options;
  const parameter = experimentParameter(environment.name, stack, kebab(id));
  return {
    name: kebab(id),
    commands: commands(environment.region, parameter, requests),
    permissions: (app) => permissions(withDefaults(app, environment), stack, id, parameter),
    check: (app) => [...checkRequests(requests), ...checkThere(app, { environment, stack, id, parameter })],
    timeout,
  };
}

function permissions(environment: Environment, stack: string, id: string, parameter: string): Statement[] {
  // The pipeline has a separate state, so this must not create references.
  const { region, account = "*" } = environment;
  const arn = (service: string, resource: string, at = region) =>
    `arn:${partitionOf(region)}:${service}:${at}:${account}:${resource}`;
  return [
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
  ];
}

/** Name of an experiment's template in AWS. */
export function experimentName({ name, guardrails }: Environment, stack: string, id: string): string {
  return prefixed(guardrails?.namePrefix, stack, name, kebab(id));
}

/** Checks that an experiment of this program exists; those of other programs are looked up when the gate runs. */
function checkThere(
  app: IConstruct,
  of: {
    readonly environment: Environment;
    readonly stack: string;
    readonly id: string;
    readonly parameter: string;
  },
): Problem[] {
  const stacks = app.node.children.filter(
    (child): child is AwsStack =>
      child instanceof AwsStack &&
      child.lifetime !== "delivery" &&
      child.stackName === of.stack &&
      child.environment.name === of.environment.name,
  );
  const contract = stacks.flatMap((stack) => stack.node.findAll()).filter((node) => node instanceof SsmParameter);
  if (stacks.length === 0 || contract.some(({ nameInput }) => nameInput === of.parameter)) return [];
  return [
    {
      code: "CHAOS_GATE_NOT_THERE",
      prop: "experiment",
      problem: `must be in stack ${of.stack} of environment ${of.environment.name}, which has no ${JSON.stringify(of.id)}`,
      remedy: "Create a ChaosExperiment with this id there, or remove the gate.",
    },
  ];
}

/** Checks values that become part of a shell command. */
function checkRequests(requests: GateRequests | undefined): Problem[] {
  if (requests === undefined) return [];
  const { url, perSecond = 2 } = requests;
  const problems: Problem[] = [];
  if (!/^https?:\/\/[A-Za-z0-9.:-]+(\/[\w./~%?&=+-]*)?$/.test(url)) {
    problems.push({
      code: "CHAOS_GATE_URL",
      prop: "requests.url",
      problem: `must be a URL with http or https, got ${JSON.stringify(url)}`,
      remedy: "Use http:// or https://, a host and a path.",
    });
  }
  if (!(perSecond >= 0.5 && perSecond <= 50)) {
    problems.push({
      code: "CHAOS_GATE_RATE",
      prop: "requests.perSecond",
      problem: `must be from 0.5 to 50, got ${perSecond}`,
      remedy: "Use enough requests for the alarms and no more than a small build instance can send.",
    });
  }
  return problems;
}

/**
 * Sends requests at a steady rate until stopped, without waiting for responses; fails if none succeeded. Contains no single
 * quote, since the shell quotes it.
 */
const REQUESTS = `
const [url, rate] = process.argv.slice(1);
let answered = 0, failed = 0;
const ask = async () => {
  try {
    const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(10000) });
    answered += 1;
    if (answer.status >= 500) failed += 1;
    await answer.arrayBuffer();
  } catch {
    failed += 1;
  }
};
setInterval(ask, 1000 / rate);
process.on("SIGTERM", () => {
  console.log(answered + " requests answered, " + failed + " failed" + (answered ? "" : ": the experiment is inconclusive"));
  process.exit(answered ? 0 : 1);
});`
  .trim()
  .replaceAll("\n", " ");

/** Starts the experiment, waits for its end, reports its outcome, and fails unless it completed. */
function commands(region: string, parameter: string, requests: GateRequests | undefined): string[] {
  const ask = (query: string) =>
    `aws fis get-experiment --id "$EXPERIMENT" --query experiment.state${query} --output text`;
  const start =
    'EXPERIMENT="$(aws fis start-experiment --experiment-template-id "$TEMPLATE" --query experiment.id --output text)"';
  const end = `while STATE="$(${ask(".status")})"; do case "$STATE" in pending|initiating|running|stopping) sleep 10 ;; *) break ;; esac; done`;
  return [
    // The pipeline may run in another region.
    `export AWS_REGION=${region} AWS_DEFAULT_REGION=${region}`,
    `TOLD="$(aws ssm get-parameter --name ${parameter} --query Parameter.Value --output text)"`,
    `TEMPLATE="$(node -p 'JSON.parse(process.argv[1]).experimentTemplateId' "$TOLD")"`,
    ...(requests === undefined
      ? [start, end]
      : [
          // In one command, so that the background process is a child of the shell that waits for it.
          [
            `node -e '${REQUESTS}' "${requests.url}" ${requests.perSecond ?? 2} & REQUESTS=$!`,
            `${start} && ${end}`,
            "RAN=$?",
            'kill "$REQUESTS"',
            '[ "$RAN" = 0 ] && wait "$REQUESTS"',
          ].join("; "),
        ]),
    ask(""),
    '[ "$STATE" = completed ]',
  ];
}
