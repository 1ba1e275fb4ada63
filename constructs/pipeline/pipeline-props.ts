import type { IConstruct } from "constructs";
import { ARCHITECTURES, type Architecture } from "../core/architecture";
import type { Environment } from "../core/environment";
import { type Problem, Problems } from "../core/errors";
import type { Statement } from "../core/iam";
import { AwsStack } from "../core/stack";
import { Duration } from "../core/units";
import { TEST } from "./commands";
import type { IImageRepository } from "./image-repository";
import type { FilePathFilter, ImageSource, Source } from "./source";

export const EXECUTION_MODES = ["superseded", "queued"] as const;
/**
 * Execution mode of concurrent commits: with `superseded` the newest overtakes those that wait
 * before a stage, since it holds all of them; `queued` releases each, one after the other. Two at once would apply to the
 * same state, so that there is no third.
 *
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
 */
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

/** Something that must succeed after an environment is released, before the next one is touched. */
export interface ReleaseGate {
  /** `experiment`. Small letters, digits and hyphens. */
  readonly name: string;
  /** Commands to run, in a checkout of the repository after `npm ci`; the first that fails stops the pipeline. */
  readonly commands: readonly string[];
  /**
   * IAM statements of the commands.
   *
   * @default - nothing
   */
  readonly permissions?: readonly Statement[];
  /**
   * Timeout of the commands.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
  /**
   * Problems of the gate in this app, one sentence each; called at synth, when all stacks exist.
   *
   * @default - nothing
   */
  readonly check?: (app: IConstruct) => readonly Problem[];
}

/** One environment on the way of a commit. */
export interface PipelineRelease {
  /** Its stacks in this app are planned and applied; its state must be in S3. */
  readonly environment: Environment;
  /**
   * Requires a manual approval of plans. Only approved plans are applied: what could not be planned before makes the run fail.
   *
   * @default false
   */
  readonly approval?: boolean;
  /**
   * Time after the release in which no alarm may go off; 0 checks once.
   *
   * @default Duration.minutes(5)
   */
  readonly watch?: Duration;
  /**
   * Gates that must succeed before the next environment starts.
   *
   * @default - nothing
   */
  readonly gates?: readonly ReleaseGate[];
}

/** A variable of every build, which a user can change when starting the pipeline by hand. */
export interface PipelineVariable {
  /** `LOG_LEVEL`. No secrets: everybody who sees the pipeline sees it. */
  readonly name: string;
  /** Value when the pipeline starts by itself. */
  readonly value: string;
  /** @default - none */
  readonly description?: string;
}

export interface PipelineProps {
  /** Source repository: `Source.gitHub("acme/orders")`. */
  readonly source: Source;
  /** The environments, in the order in which a commit goes through them. */
  readonly releases: readonly PipelineRelease[];
  /**
   * Repository for the image that is built from the Dockerfile; or an image that others build: `Source.ecr(...)`.
   *
   * @default - an ImageRepository of the pipeline's own
   */
  readonly images?: IImageRepository | ImageSource;
  /**
   * Commands to run on a commit before anything is built from it, after `npm ci`.
   *
   * @default - npm run lint, npm run typecheck, npm test
   */
  readonly testCommands?: readonly string[];
  /**
   * Processors that images are built on, and so what they run on.
   *
   * @default "arm64"
   */
  readonly architecture?: Architecture;
  /**
   * Execution mode of concurrent commits.
   *
   * @default "superseded"
   */
  readonly executionMode?: ExecutionMode;
  /**
   * Values that can be changed when the pipeline is started by hand.
   *
   * @default - ALLOW_DELETE and ALLOW_REPLACE, which every pipeline has: addresses that plans of this run may delete or replace
   */
  readonly variables?: readonly PipelineVariable[];
  /**
   * E-mail addresses to notify of failures and of waiting approvals. Each must confirm once.
   *
   * @default - none; the topic exists without subscribers
   */
  readonly notify?: readonly string[];
}

export interface ReleaseSettings {
  readonly environment: Environment;
  readonly approval: boolean;
  readonly watch: Duration;
  readonly gates: readonly ReleaseGate[];
}

export interface PipelineSettings {
  readonly releases: readonly ReleaseSettings[];
  readonly testCommands: readonly string[];
  readonly architecture: Architecture;
  readonly executionMode: ExecutionMode;
  readonly variables: readonly PipelineVariable[];
  readonly notify: readonly string[];
}

/** Set for each run by who starts it by hand; `none` otherwise. */
const BUILT_IN: readonly PipelineVariable[] = [
  {
    name: "ALLOW_DELETE",
    value: "none",
    description: "Addresses that plans may delete in this run, with blanks between",
  },
  {
    name: "ALLOW_REPLACE",
    value: "none",
    description: "Addresses that plans may replace in this run, with blanks between",
  },
];

/** Variables that the pipeline itself passes to builds. */
const RESERVED = /^(AWS_|CODEBUILD_|ENVIRONMENT$|IMAGE$|APPROVED$|PLANS_ARTIFACT$|REPOSITORY_|WATCH_MINUTES$|ALLOW_)/;
const SECRET = /PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|API_?KEY|CREDENTIAL/;
const KEBAB = /^(?=.{2,31}$)[a-z](?:-?[a-z0-9])+$/;
const GLOBS = 8;

/**
 * @throws InvalidPropsError PIPELINE_SOURCE, PIPELINE_BRANCH, PIPELINE_CONNECTION, PIPELINE_TRIGGER, PIPELINE_RELEASES,
 *   PIPELINE_STATE, PIPELINE_ACCOUNT, PIPELINE_ENVIRONMENT, PIPELINE_WATCH, PIPELINE_GATE, PIPELINE_TEST, PIPELINE_ARCHITECTURE,
 *   PIPELINE_MODE, PIPELINE_VARIABLE, PIPELINE_NOTIFY, PIPELINE_IMAGE
 */
export function resolvePipeline(scope: IConstruct, props: PipelineProps): PipelineSettings {
  const problems = new Problems(scope);
  checkSource(problems, props.source);
  if (props.images !== undefined && "kind" in props.images) checkImage(problems, props.images);
  const { releases } = props;
  problems.check(releases.length > 0 && releases.length <= 10, {
    code: "PIPELINE_RELEASES",
    prop: "releases",
    problem: `has ${releases.length} environments`,
    remedy: "Name 1 to 10, in the order in which a commit goes through them.",
  });
  releases.forEach((release, index) => {
    checkRelease(problems, scope, release, `releases[${index}]`);
    const first = releases.findIndex(({ environment }) => environment.name === release.environment.name);
    problems.check(first === index, {
      code: "PIPELINE_RELEASES",
      prop: `releases[${index}].environment`,
      problem: `${release.environment.name} is there twice`,
      remedy: "Name each environment once.",
    });
  });
  const testCommands = props.testCommands ?? TEST;
  problems.check(testCommands.length > 0 && testCommands.every((command) => command.trim() !== ""), {
    code: "PIPELINE_TEST",
    prop: "testCommands",
    problem: "has no command, or an empty one",
    remedy: "Name what must hold of a commit before it is released, such as npm test.",
  });
  const architecture = props.architecture ?? "arm64";
  problems.check(ARCHITECTURES.includes(architecture), {
    code: "PIPELINE_ARCHITECTURE",
    prop: "architecture",
    problem: `${JSON.stringify(architecture)} is not known`,
    remedy: `Use one of: ${ARCHITECTURES.join(", ")}.`,
  });
  const executionMode = props.executionMode ?? "superseded";
  problems.check(EXECUTION_MODES.includes(executionMode), {
    code: "PIPELINE_MODE",
    prop: "executionMode",
    problem: `${JSON.stringify(executionMode)} is not possible`,
    remedy: `Use one of: ${EXECUTION_MODES.join(", ")}. Runs side by side would apply to the same state.`,
  });
  const variables = props.variables ?? [];
  checkVariables(problems, variables);
  const notify = props.notify ?? [];
  notify.forEach((email, index) => {
    problems.check(/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email) && notify.indexOf(email) === index, {
      code: "PIPELINE_NOTIFY",
      prop: `notify[${index}]`,
      problem: `${JSON.stringify(email)} is not a valid e-mail address, or is listed twice`,
      remedy: "Use addresses, each once.",
    });
  });
  problems.throwIfAny();
  return {
    releases: releases.map(({ environment, approval = false, watch = Duration.minutes(5), gates = [] }) => ({
      environment,
      approval,
      watch,
      gates,
    })),
    testCommands,
    architecture,
    executionMode,
    variables: [...BUILT_IN, ...variables],
    notify,
  };
}

function checkSource(problems: Problems, { definition }: Source): void {
  const source = (holds: boolean, problem: string, remedy: string) =>
    problems.check(holds, { code: "PIPELINE_SOURCE", prop: "source", problem, remedy });
  if (definition.kind === "s3") {
    source(
      /^(?!xn--|sthree-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(definition.bucket) &&
        /^[\w!.*'()/-]{1,1024}$/.test(definition.key),
      `${JSON.stringify(`s3://${definition.bucket}/${definition.key}`)} is not a valid S3 object`,
      'Use the bucket\'s name and the object\'s key: Source.s3("acme-sources", "orders.zip").',
    );
    return;
  }
  const { repository, branch = "main" } = definition;
  problems.check(/^(?!-)[\w./-]{1,255}$/.test(branch) && !branch.includes(".."), {
    code: "PIPELINE_BRANCH",
    prop: "source.branch",
    problem: `${JSON.stringify(branch)} is not a valid branch name`,
    remedy: "Use one branch's name; wildcards are not possible.",
  });
  if (definition.kind === "codeCommit") {
    source(
      /^[\w.-]{1,100}$/.test(repository),
      `${JSON.stringify(repository)} is not a valid CodeCommit repository`,
      "Use its name.",
    );
    return;
  }
  const groups = definition.provider === "GitLab" ? "{1,20}" : "{1}";
  source(
    new RegExp(`^[\\w.-]+(/[\\w.-]+)${groups}$`).test(repository) && !/(^|\/)\.\.?(\/|$)/.test(repository),
    `${JSON.stringify(repository)} is not a valid repository at ${definition.provider}`,
    "Use its owner and name: acme/orders.",
  );
  const { connectionArn } = definition;
  problems.check(
    connectionArn === undefined ||
      /^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection\/[\w-]+$/.test(
        connectionArn,
      ),
    {
      code: "PIPELINE_CONNECTION",
      prop: "source.connectionArn",
      problem: `${JSON.stringify(connectionArn)} is no ARN of a connection`,
      remedy:
        "Use for example arn:aws:codeconnections:eu-central-1:123456789012:connection/aEXAMPLE, or leave it out to have one made.",
    },
  );
  checkTriggers(problems, definition.paths, definition.tags);
}

function checkTriggers(problems: Problems, paths: FilePathFilter = {}, tags: readonly string[] | undefined): void {
  const lists: [string, readonly string[] | undefined][] = [
    ["source.paths.only", paths.only],
    ["source.paths.except", paths.except],
    ["source.tags", tags],
  ];
  for (const [prop, globs] of lists) {
    problems.check(
      globs === undefined ||
        (globs.length > 0 && globs.length <= GLOBS && globs.every((glob) => /^.{1,255}$/.test(glob))),
      {
        code: "PIPELINE_TRIGGER",
        prop,
        problem: `has ${globs?.length} globs, or an empty one`,
        remedy: `Use 1 to ${GLOBS} globs of up to 255 characters.`,
      },
    );
  }
  problems.check(tags === undefined || (paths.only === undefined && paths.except === undefined), {
    code: "PIPELINE_TRIGGER",
    prop: "source.paths",
    problem: "is set beside source.tags: a tag changes no files",
    remedy: "Start the pipeline by tags or by files.",
  });
}

function checkImage(problems: Problems, { repository, tag }: ImageSource): void {
  problems.check(/^(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*$/.test(repository) && /^[\w][\w.-]{0,127}$/.test(tag), {
    code: "PIPELINE_IMAGE",
    prop: "images",
    problem: `${JSON.stringify(`${repository}:${tag}`)} is not a valid ECR image`,
    remedy: 'Use the repository\'s name and the tag that moves: Source.ecr("orders", { tag: "latest" }).',
  });
}

function checkRelease(problems: Problems, scope: IConstruct, release: PipelineRelease, prop: string): void {
  const { environment, watch, gates = [] } = release;
  const { account, name, state = "local" } = environment;
  problems.check(state !== "local", {
    code: "PIPELINE_STATE",
    prop: `${prop}.environment.state`,
    problem: `of ${name} is local: a build would not find it, and would make everything a second time`,
    remedy: 'Set state: "s3" in the environment; antifragile bootstrap makes the bucket.',
  });
  const own = AwsStack.of(scope).environment.account;
  problems.check(account === own, {
    code: "PIPELINE_ACCOUNT",
    prop: `${prop}.environment.account`,
    problem: `of ${name} is ${account ?? "not set"}, and that of the pipeline ${own ?? "not set"}`,
    remedy:
      "A pipeline releases within its account: make one in a DeliveryStack of each account, or release from there by antifragile release.",
  });
  problems.check(name !== "delivery", {
    code: "PIPELINE_ENVIRONMENT",
    prop: `${prop}.environment.name`,
    problem: "is delivery, which is what the pipeline's own roles are called: it could change them",
    remedy: "Choose another name.",
  });
  const minutes = watch?.toMinutes() ?? 5;
  problems.check(Number.isInteger(minutes) && minutes >= 0 && minutes <= 120, {
    code: "PIPELINE_WATCH",
    prop: `${prop}.watch`,
    problem: `${watch} is not possible`,
    remedy: "Use 0 to 120 whole minutes.",
  });
  gates.forEach((gate, index) => {
    const seconds = (gate.timeout ?? Duration.hours(1)).toSeconds();
    problems.check(
      KEBAB.test(gate.name) &&
        gates.findIndex((other) => other.name === gate.name) === index &&
        gate.commands.length > 0 &&
        seconds >= 300 &&
        seconds <= 8 * 3600 &&
        seconds % 60 === 0,
      {
        code: "PIPELINE_GATE",
        prop: `${prop}.gates[${index}]`,
        problem: `${JSON.stringify(gate.name)} is not a valid gate`,
        remedy: "Use a name of its own in small letters, at least one command, and a timeout of 5 minutes to 8 hours.",
      },
    );
  });
}

function checkVariables(problems: Problems, variables: readonly PipelineVariable[]): void {
  variables.forEach(({ name, value }, index) => {
    problems.check(
      /^[A-Z][A-Z0-9_]{0,127}$/.test(name) &&
        !RESERVED.test(name) &&
        !SECRET.test(name) &&
        value.length > 0 &&
        value.length <= 1000 &&
        variables.findIndex((other) => other.name === name) === index,
      {
        code: "PIPELINE_VARIABLE",
        prop: `variables[${index}]`,
        problem: `${name} cannot be`,
        remedy:
          "Use capital letters, digits and _, no name that AWS or the pipeline uses, none of a secret, each once, and a value of 1 to 1000 characters.",
      },
    );
  });
}
