import type { IConstruct } from "constructs";
import { PATH_FROM_ROOT } from "../../contract/directory";
import { ARCHITECTURES, type Architecture } from "../core/architecture";
import type { Environment } from "../core/environment";
import { type Problem, Problems } from "../core/errors";
import type { Statement } from "../core/iam";
import { isReference } from "../core/reference";
import type { Schedule } from "../core/schedule";
import { Duration } from "../core/units";
import { TEST } from "./commands";
import { resolveDelivered } from "./environment-stacks";
import type { IImageRepository } from "./image-repository";
import type { FilePathFilter, ImageSource, Source } from "./source";

export const EXECUTION_MODES = ["superseded", "queued"] as const;
/**
 * Execution mode for concurrent commits. With `superseded`, the newest commit, which contains the others, replaces those
 * that wait before a stage; with `queued`, each is released in turn. Parallel executions are not supported, because they
 * would apply to the same state.
 *
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
 */
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

/** A check that must succeed after an environment is released, before the next one is changed. */
export interface ReleaseGate {
  /** Name of the gate in lowercase letters, digits and hyphens: `experiment`. */
  readonly name: string;
  /** Commands to run in a checkout of the repository, after `npm ci`. The first that fails stops the pipeline. */
  readonly commands: readonly string[];
  /**
   * Returns IAM statements for the commands, in this app.
   *
   * @default - none
   */
  readonly permissions?: (app: IConstruct) => readonly Statement[];
  /**
   * Timeout of the commands.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
  /**
   * Finds problems of the gate in this app. Called at synth, when all stacks exist.
   *
   * @default - none
   */
  readonly check?: (app: IConstruct) => readonly Problem[];
}

/** An environment that the pipeline releases to. */
export interface PipelineRelease {
  /** Environment whose stacks in this app are planned and applied. Its state must be in S3. */
  readonly environment: Environment;
  /**
   * Requires a manual approval of the plans. Only approved plans are applied: a stack that could not be planned before the
   * approval fails the run.
   *
   * @default false
   */
  readonly approval?: boolean;
  /**
   * Time after the release during which no alarm may fire, and in which alarms from before must clear; 0 checks once.
   *
   * @default Duration.minutes(5)
   */
  readonly watch?: Duration;
  /**
   * Rolls the release back when an alarm fires during this time. The run fails all the same.
   *
   * @default false - the release stays live, and later environments do not get it
   */
  readonly rollbackOnAlarm?: boolean;
  /**
   * Gates that must succeed before the next environment starts.
   *
   * @default - none
   */
  readonly gates?: readonly ReleaseGate[];
}

/** A variable of every build, which a user can set when starting the pipeline manually. */
export interface PipelineVariable {
  /** Name of the variable: `LOG_LEVEL`. Not for secrets, since everyone with access to the pipeline can read it. */
  readonly name: string;
  /** Value when the pipeline starts automatically. */
  readonly value: string;
  /** @default - none */
  readonly description?: string;
}

export interface PipelineProps {
  /** Source repository: `Source.gitHub("acme/orders")`. */
  readonly source: Source;
  /** Environments to release, in order. */
  readonly releases: readonly PipelineRelease[];
  /**
   * Folder of the repository in which all commands run: `services/orders`. GitHub, GitLab and Bitbucket start the pipeline for changes in
   * it, unless `paths` of the source says otherwise.
   *
   * @default - the root of the repository
   */
  readonly directory?: string;
  /**
   * Repository for the image that is built from the Dockerfile, or an image that is built elsewhere: `Source.ecr(...)`.
   *
   * @default - an ImageRepository that the pipeline creates
   */
  readonly images?: IImageRepository | ImageSource;
  /**
   * Commands that test a commit before anything is built from it, after `npm ci`.
   *
   * @default - npm run lint, npm run typecheck, npm test
   */
  readonly testCommands?: readonly string[];
  /**
   * Architecture of the build instances, and so of the images.
   *
   * @default "arm64"
   */
  readonly architecture?: Architecture;
  /**
   * Execution mode for concurrent commits.
   *
   * @default "superseded"
   */
  readonly executionMode?: ExecutionMode;
  /**
   * Variables that a user can set when starting the pipeline manually.
   *
   * @default - ALLOW_DELETE, ALLOW_REPLACE and ALLOW_UPDATE, which every pipeline has: addresses that plans of the run may
   * delete, replace or weaken
   */
  readonly variables?: readonly PipelineVariable[];
  /**
   * Schedule on which `antifragile drift` compares each environment with the newest commit, by its plan role, in a pipeline of
   * its own. It fails, and so notifies, where something was changed outside Terraform or a commit is not applied yet:
   * `cron("0 6 * * MON-FRI")`. Costs about 0.02 USD for each environment and run.
   *
   * @default - never
   */
  readonly drift?: Schedule;
  /**
   * Email addresses to notify of failures, pending approvals and drift. Each must confirm its subscription.
   *
   * @default - none; the topic exists without subscribers
   */
  readonly notify?: readonly string[];
}

export interface ReleaseSettings {
  readonly environment: Environment;
  readonly approval: boolean;
  readonly watch: Duration;
  readonly rollbackOnAlarm: boolean;
  readonly gates: readonly ReleaseGate[];
}

export interface PipelineSettings {
  readonly directory: string | undefined;
  readonly releases: readonly ReleaseSettings[];
  readonly testCommands: readonly string[];
  readonly architecture: Architecture;
  readonly executionMode: ExecutionMode;
  readonly variables: readonly PipelineVariable[];
  readonly notify: readonly string[];
}

/** Set for a single run by the user who starts it manually; otherwise `none`. */
const BUILT_IN: readonly PipelineVariable[] = [
  {
    name: "ALLOW_DELETE",
    value: "none",
    description: "Addresses that plans may delete in this run, separated by spaces",
  },
  {
    name: "ALLOW_REPLACE",
    value: "none",
    description: "Addresses that plans may replace in this run, separated by spaces",
  },
  {
    name: "ALLOW_UPDATE",
    value: "none",
    description: "Addresses that plans may weaken in this run, separated by spaces",
  },
];

/** Variables that the pipeline itself passes to builds. */
const RESERVED =
  /^(AWS_|CODEBUILD_|ENVIRONMENT$|IMAGE$|ROLE_ARN$|APPROVED$|PLANS_ARTIFACT$|REPOSITORY_|WATCH_MINUTES$|ALLOW_)/;
const SECRET = /PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|API_?KEY|CREDENTIAL/;
const KEBAB = /^(?=.{2,31}$)[a-z](?:-?[a-z0-9])+$/;
const GLOBS = 8;

/**
 * @throws InvalidPropsError PIPELINE_SOURCE, PIPELINE_BRANCH, PIPELINE_CONNECTION, PIPELINE_TRIGGER, PIPELINE_RELEASES,
 *   PIPELINE_STATE, PIPELINE_ACCOUNT, PIPELINE_ENVIRONMENT, PIPELINE_WATCH, PIPELINE_GATE, PIPELINE_TEST, PIPELINE_ARCHITECTURE,
 *   PIPELINE_MODE, PIPELINE_DIRECTORY, PIPELINE_VARIABLE, PIPELINE_NOTIFY, PIPELINE_IMAGE
 */
export function resolvePipeline(scope: IConstruct, props: PipelineProps): PipelineSettings {
  const problems = new Problems(scope);
  checkSource(problems, props.source);
  if (props.images !== undefined && "kind" in props.images) checkImage(problems, props.images);
  const releases = props.releases.map((release, index) =>
    resolveRelease(problems, scope, release, `releases[${index}]`),
  );
  problems.check(releases.length > 0 && releases.length <= 10, {
    code: "PIPELINE_RELEASES",
    prop: "releases",
    problem: `has ${releases.length} environments`,
    remedy: "List 1 to 10 releases, in the order of delivery.",
  });
  releases.forEach((release, index) => {
    const first = releases.findIndex(({ environment }) => environment.name === release.environment.name);
    problems.check(first === index, {
      code: "PIPELINE_RELEASES",
      prop: `releases[${index}].environment`,
      problem: `${release.environment.name} is listed twice`,
      remedy: "List each environment once.",
    });
  });
  const { directory } = props;
  problems.check(directory === undefined || PATH_FROM_ROOT.test(directory), {
    code: "PIPELINE_DIRECTORY",
    prop: "directory",
    problem: `${JSON.stringify(directory)} is not a path in the repository`,
    remedy: "Use letters, digits, dots, hyphens and underscores, from the root: services/orders.",
  });
  const testCommands = props.testCommands ?? TEST;
  problems.check(testCommands.length > 0 && testCommands.every((command) => command.trim() !== ""), {
    code: "PIPELINE_TEST",
    prop: "testCommands",
    problem: "must have at least one command, and no empty one",
    remedy: "List the commands that test a commit, such as npm test.",
  });
  const architecture = props.architecture ?? "arm64";
  problems.checkOneOf(architecture, ARCHITECTURES, { code: "PIPELINE_ARCHITECTURE", prop: "architecture" });
  const executionMode = props.executionMode ?? "superseded";
  problems.check(EXECUTION_MODES.includes(executionMode), {
    code: "PIPELINE_MODE",
    prop: "executionMode",
    problem: `${JSON.stringify(executionMode)} is not a supported value`,
    remedy: `Use one of: ${EXECUTION_MODES.join(", ")}. Parallel executions would apply to the same state.`,
  });
  const variables = props.variables ?? [];
  checkVariables(problems, variables);
  const notify = props.notify ?? [];
  notify.forEach((email, index) => {
    problems.check(
      (isReference(email) || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) && notify.indexOf(email) === index,
      {
        code: "PIPELINE_NOTIFY",
        prop: `notify[${index}]`,
        problem: `${JSON.stringify(email)} is not a valid email address, or is listed twice`,
        remedy: "List each address once.",
      },
    );
  });
  problems.throwIfAny();
  return {
    directory,
    releases,
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
      'Use the name of the bucket and the key of the object: Source.s3("acme-sources", "orders.zip").',
    );
    return;
  }
  const { repository, branch = "main" } = definition;
  problems.check(/^(?!-)[\w./-]{1,255}$/.test(branch) && !branch.includes(".."), {
    code: "PIPELINE_BRANCH",
    prop: "source.branch",
    problem: `${JSON.stringify(branch)} is not a valid branch name`,
    remedy: "Use the name of one branch, without wildcards.",
  });
  if (definition.kind === "codeCommit") {
    source(
      /^[\w.-]{1,100}$/.test(repository),
      `${JSON.stringify(repository)} is not a valid CodeCommit repository`,
      "Use the name of the repository.",
    );
    return;
  }
  const groups = definition.provider === "GitLab" ? "{1,20}" : "{1}";
  source(
    new RegExp(`^[\\w.-]+(/[\\w.-]+)${groups}$`).test(repository) && !/(^|\/)\.\.?(\/|$)/.test(repository),
    `${JSON.stringify(repository)} is not a valid repository at ${definition.provider}`,
    "Use owner and name, such as acme/orders.",
  );
  const { connectionArn } = definition;
  problems.check(
    connectionArn === undefined ||
      isReference(connectionArn) ||
      /^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection\/[\w-]+$/.test(
        connectionArn,
      ),
    {
      code: "PIPELINE_CONNECTION",
      prop: "source.connectionArn",
      problem: `${JSON.stringify(connectionArn)} is not the ARN of a connection`,
      remedy:
        "Use an ARN such as arn:aws:codeconnections:eu-central-1:123456789012:connection/aEXAMPLE, or leave it out to create a connection.",
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
        problem: `must have 1 to ${GLOBS} globs, and no empty one, got ${globs?.length}`,
        remedy: `Use globs of up to 255 characters, such as src/**.`,
      },
    );
  }
  problems.check(tags === undefined || (paths.only === undefined && paths.except === undefined), {
    code: "PIPELINE_TRIGGER",
    prop: "source.paths",
    problem: "cannot be combined with source.tags, because pushing a tag changes no files",
    remedy: "Set either tags or paths.",
  });
}

function checkImage(problems: Problems, { repository, tag }: ImageSource): void {
  problems.check(/^(?=.{2,256}$)[a-z0-9]+([._/-][a-z0-9]+)*$/.test(repository) && /^[\w][\w.-]{0,127}$/.test(tag), {
    code: "PIPELINE_IMAGE",
    prop: "images",
    problem: `${JSON.stringify(`${repository}:${tag}`)} is not a valid ECR image`,
    remedy: 'Use the name of the repository and a mutable tag: Source.ecr("orders", { tag: "latest" }).',
  });
}

function resolveRelease(
  problems: Problems,
  scope: IConstruct,
  release: PipelineRelease,
  prop: string,
): ReleaseSettings {
  const { approval = false, watch = Duration.minutes(5), rollbackOnAlarm = false, gates = [] } = release;
  const environment = resolveDelivered(problems, scope, release.environment, {
    prop: `${prop}.environment`,
    codes: { state: "PIPELINE_STATE", account: "PIPELINE_ACCOUNT" },
  });
  problems.check(environment.name !== "delivery", {
    code: "PIPELINE_ENVIRONMENT",
    prop: `${prop}.environment.name`,
    problem: "must not be delivery, the prefix of the pipeline's own roles, which it could then change",
    remedy: "Rename the environment.",
  });
  const minutes = watch.toMinutes();
  problems.check(Number.isInteger(minutes) && minutes >= 0 && minutes <= 120, {
    code: "PIPELINE_WATCH",
    prop: `${prop}.watch`,
    problem: `must be 0 to 120 whole minutes, got ${watch}`,
    remedy: "Use a duration such as Duration.minutes(5).",
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
        remedy: "Use a unique name in lowercase letters, at least one command, and a timeout of 5 minutes to 8 hours.",
      },
    );
  });
  return { environment, approval, watch, rollbackOnAlarm, gates };
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
        problem: `${name} is not a valid variable`,
        remedy:
          "Use unique names in uppercase letters, digits and _, except those that AWS and the pipeline use and those of secrets; and values of 1 to 1000 characters.",
      },
    );
  });
}
