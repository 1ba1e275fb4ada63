import type { IConstruct } from "constructs";
import { Capacity, type Compatibility, resolveCapacity } from "../cluster/capacity";
import { Problems } from "../core/errors";
import { kebab, NAME_PATTERN, NAME_RULE } from "../core/names";
import type { ProviderLine } from "../core/provider-line";
import { isSecretName, isSecretReference, secretIn } from "../core/secrets";
import { Duration } from "../core/units";
import type { ILogStream } from "../logging/log-stream";
import type { ServiceStack } from "../platform/platform";
import type { ServiceAddOn } from "./add-on";
import { type Circumstances, RELEASE_OWNERS, type ReleaseOwner } from "./deployment/ignored-changes";
import { checkDeployment, type Deployment, deploymentCall, rolling } from "./deployment/strategy-props";
import { type Feature, STRATEGY_TABLE, strategyCell } from "./deployment/strategy-support";
import { resolveAlarms, type ServiceAlarms } from "./monitoring/alarms";
import { resolveScaling, type Scaling, type ScalingSettings } from "./scaling/scaling-props";
import { Image } from "./task/image";
import { type Process, web } from "./task/process";
import { SHUTDOWN_SECONDS, type ShutdownBudget, splitShutdown } from "./task/shutdown";
import { ARCHITECTURES, type Architecture, fargateSize, type TaskSize } from "./task/task-size";

export interface CloudNativeServiceProps {
  /**
   * Process to run: `web()`, `worker()` or `job()`.
   *
   * @default web()
   */
  readonly process?: Process;
  /**
   * Container image. Processes of one stack with the same image are released together.
   *
   * @default Image.repository()
   */
  readonly image?: Image;
  /**
   * CPU and memory of the app; add-ons add their own share. A task gets the smallest Fargate size that fits the sum.
   *
   * @default 256 CPU units (a quarter vCPU) and 512 MiB
   */
  readonly size?: TaskSize;
  /**
   * Architecture of the tasks, which the image must support. `arm64` (Graviton) costs 20 % less.
   *
   * @default "arm64"
   */
  readonly architecture?: Architecture;
  /**
   * Capacity providers of the tasks and their shares: Fargate, Fargate Spot, or instances of the platform.
   *
   * @default [Capacity.fargate()]
   */
  readonly capacity?: readonly Capacity[];
  /** @default - see Scaling */
  readonly scaling?: Scaling;
  /**
   * Thresholds of the service's alarms: latency, CPU and memory, unhealthy and crashed tasks, age of messages, failed runs
   * of a job. Each alarm costs 0.10 USD a month for each metric. The alarm on failed requests always exists.
   *
   * @default - in production the defaults of ServiceAlarms; in dev "none"
   */
  readonly alarms?: ServiceAlarms | "none";
  /**
   * Deployment strategy and the conditions of a rollback: `rolling()`; `blueGreen()`, `canary()`, `linear()` with AWS
   * provider 6; `codeDeploy(canary())` and the like also with provider 5. Not for a job.
   *
   * @default rolling()
   */
  readonly deployment?: Deployment;
  /**
   * Environment variables of the app's container, besides those that add-ons set. Not for secrets.
   *
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Environment variables whose values ECS reads when a task starts, as ARNs of secrets (or of one of their keys) or
   * parameters. The values appear in no plan and no state. A customer-managed key may encrypt them if its policy lets IAM
   * policies of the account decide, or allows the execution role to decrypt.
   *
   * @default - none
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * Log group of the containers.
   *
   * @default - a new LogStream
   */
  readonly logs?: ILogStream;
  /**
   * Time between SIGTERM and SIGKILL, 10 to 120 seconds. Drain time, deadline, stop timeout and deregistration delay are
   * derived from it.
   *
   * @default Duration.seconds(30)
   */
  readonly stopTimeout?: Duration;
  /**
   * Owner of releases, which decides the running version.
   *
   * @default "pipeline" with Image.repository() and with codeDeploy(), "terraform" with Image.digest()
   */
  readonly releaseOwner?: ReleaseOwner;
  /**
   * User and group of the containers, never root.
   *
   * @default "1000:1000"
   */
  readonly user?: string;
  /**
   * Runs a Service Connect proxy in each task, which balances and retries calls between services and reports their metrics.
   * It takes 256 CPU units and 64 MiB of each task. Without it, the same names are resolved through DNS.
   *
   * @default - true if the service calls, or is called by, another service of this app
   */
  readonly connect?: boolean;
  /**
   * Enables ECS Exec, to open a shell in a running task. Also requires the platform's cluster to allow it (`cluster: { exec:
   * {} }`) and an IAM permission. Sessions are logged and encrypted. AWS's agent writes to the root file system of the app's
   * container, which is read-only otherwise. Not for a job, whose tasks a schedule starts.
   *
   * `antifragile exec production orders` opens it.
   *
   * @default false
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
   */
  readonly exec?: boolean;
  /**
   * Add-ons to add, as `add` does.
   *
   * @default - none
   */
  readonly addOns?: readonly ServiceAddOn[];
  /**
   * Name of the service in AWS, which others call it by.
   *
   * @default - derived from the id: `OrderLines` becomes `order-lines`
   */
  readonly name?: string;
  /**
   * Previous id of the service. Its resources are kept and moved in the state. Also set `name`, so that names in AWS stay
   * the same.
   *
   * @default - none
   */
  readonly renamedFrom?: string;
}

/** Settings of a service after defaults and checks. */
export interface ServiceSettings {
  readonly name: string;
  readonly process: Process;
  readonly image: Image;
  readonly size: TaskSize;
  readonly architecture: Architecture;
  readonly capacity: readonly Capacity[];
  readonly compatibility: Compatibility;
  /** Undefined for a job, of which a schedule starts one task. */
  readonly scaling: ScalingSettings | undefined;
  readonly deployment: Deployment;
  /** Thresholds of the alarms; undefined if the service has none. */
  readonly alarms: Required<ServiceAlarms> | undefined;
  readonly shutdown: ShutdownBudget;
  readonly releaseOwner: ReleaseOwner;
  readonly user: string;
  readonly exec: boolean;
}

/** Placement and settings of a service, which all of its parts need. */
export interface ServiceContext {
  readonly stack: ServiceStack;
  readonly settings: ServiceSettings;
  /** Parts of physical names in AWS: platform, environment, service. */
  readonly fullName: readonly string[];
}

/** Returns the properties that decide which attributes of the service are modified outside Terraform. */
export function circumstancesOf({ releaseOwner, deployment, scaling }: ServiceSettings): Circumstances {
  return { owner: releaseOwner, strategy: deployment.kind, schedules: (scaling?.schedules.length ?? 0) > 0 };
}

/** Environment variables that the service sets, and `environment` therefore cannot. */
const OWN_VARIABLES = ["PORT", "SERVICE_NAME", "DRAIN_SECONDS", "SHUTDOWN_SECONDS", "BOOTSTRAP_HEALTHY"];

/**
 * Applies defaults and checks the props.
 *
 * @throws InvalidPropsError SERVICE_NAME, SERVICE_PORT, SERVICE_PATH, SERVICE_COMMAND, SERVICE_LIVE_COMMAND,
 * QUEUE_OUT_OF_REACH, SERVICE_SIZE, SERVICE_ARCHITECTURE, CAPACITY_*, SCALING_*, DEPLOYMENT_*, STRATEGY_*, JOB_PROPS,
 * STOP_TIMEOUT_BUDGET, RELEASE_OWNER, SERVICE_USER_ROOT, ENVIRONMENT_VARIABLE, ENVIRONMENT_SECRET, ENVIRONMENT_SECRET_VALUE,
 * SECRET_ARN, RENAMED_WITHOUT_NAME
 */
export function resolveService(
  scope: IConstruct,
  stack: ServiceStack,
  props: CloudNativeServiceProps,
): ServiceSettings {
  const name = props.name ?? kebab(scope.node.id);
  const process = props.process ?? web();
  const image = props.image ?? Image.repository();
  const size = props.size ?? { cpu: 256, memoryMiB: 512 };
  const architecture = props.architecture ?? "arm64";
  const capacity = props.capacity ?? [Capacity.fargate()];
  const deployment = props.deployment ?? rolling();
  const ownedByPipeline =
    image.kind === "repository" || strategyCell(deployment.kind, stack.providerLine, "ownerTerraform").verdict === "no";
  const shutdown = props.stopTimeout ?? Duration.seconds(30);
  const releaseOwner = props.releaseOwner ?? (ownedByPipeline ? "pipeline" : "terraform");
  const user = props.user ?? "1000:1000";

  const problems = new Problems(scope);
  problems.check(NAME_PATTERN.test(name), {
    code: "SERVICE_NAME",
    prop: props.name === undefined ? "id" : "name",
    problem:
      props.name === undefined
        ? `${JSON.stringify(scope.node.id)} leads to the service name ${JSON.stringify(name)}, which is not valid`
        : `${JSON.stringify(name)} is not a valid service name`,
    remedy: `Use ${props.name === undefined ? "an id whose name has " : ""}${NAME_RULE}.`,
  });
  problems.check(props.renamedFrom === undefined || props.name !== undefined, {
    code: "RENAMED_WITHOUT_NAME",
    prop: "renamedFrom",
    problem:
      "must be set together with name: otherwise names in AWS change with the id, and the resources are replaced",
    remedy: "Set name to the previous name of the service.",
  });
  checkProcess(problems, process);
  problems.check(
    image.kind === "digest" ||
      process.kind !== "web" ||
      process.liveCommand === undefined ||
      process.liveCommand === "none",
    {
      code: "SERVICE_LIVE_COMMAND",
      prop: "process.liveCommand",
      problem: "is not available in the bootstrap image, which must pass health checks until the first release",
      remedy: 'Omit the command, set "none", or specify your own image with Image.digest().',
    },
  );
  problems.check(
    process.kind !== "worker" ||
      process.queue === undefined ||
      stack.vpc.egress !== "endpoints" ||
      (stack.endpoints ?? ["sqs"]).includes("sqs"),
    {
      code: "QUEUE_OUT_OF_REACH",
      prop: "process.queue",
      problem: 'cannot be reached from a VPC with egress "endpoints" and no endpoint "sqs"',
      remedy: 'Add "sqs" to the endpoints of the platform\'s vpc.',
    },
  );
  problems.check(size.cpu > 0 && size.memoryMiB > 0 && fargateSize(size) !== undefined, {
    code: "SERVICE_SIZE",
    prop: "size",
    problem: `must fit into a Fargate task, got ${size.cpu} CPU units and ${size.memoryMiB} MiB`,
    remedy: "Use up to 16384 CPU units and 122880 MiB.",
  });
  problems.checkOneOf(architecture, ARCHITECTURES, { code: "SERVICE_ARCHITECTURE", prop: "architecture" });
  checkDeployment(problems, deployment);
  checkStrategy(problems, stack.providerLine, { deployment, process, releaseOwner, connect: props.connect });
  const alarms = props.alarms ?? (stack.production ? {} : "none");
  const watched = alarms === "none" ? undefined : resolveAlarms(problems, alarms);
  const scaling = resolveScaling(problems, process.kind === "job" ? {} : (props.scaling ?? {}), {
    process,
    production: stack.production && process.kind !== "job",
    zones: stack.zones,
  });
  if (process.kind === "job") {
    for (const prop of ["scaling", "deployment", "connect", "exec"] as const) {
      problems.check(props[prop] === undefined, {
        code: "JOB_PROPS",
        prop,
        problem: "is not supported for a job, of which a schedule starts one task",
        remedy: "Remove it.",
      });
    }
  }
  const seconds = shutdown.toSeconds();
  problems.check(Number.isInteger(seconds) && seconds >= SHUTDOWN_SECONDS.min && seconds <= SHUTDOWN_SECONDS.max, {
    code: "STOP_TIMEOUT_BUDGET",
    prop: "stopTimeout",
    problem: `must be from ${SHUTDOWN_SECONDS.min} to ${SHUTDOWN_SECONDS.max} whole seconds, got ${shutdown}`,
    remedy: `Use a duration such as Duration.seconds(30); Fargate sends SIGKILL after ${SHUTDOWN_SECONDS.max} s.`,
  });
  problems.checkOneOf(releaseOwner, RELEASE_OWNERS, { code: "RELEASE_OWNER", prop: "releaseOwner" });
  problems.check(/^[1-9]\d*(:[1-9]\d*)?$/.test(user) && user.split(":").every((id) => Number(id) < 2 ** 31), {
    code: "SERVICE_USER_ROOT",
    prop: "user",
    problem: `must be a numeric, non-root user ID, got ${JSON.stringify(user)}`,
    remedy: 'Use "<uid>" or "<uid>:<gid>", from 1 to 2147483647.',
  });
  checkVariables(problems, props);
  problems.throwIfAny();
  return {
    name,
    process,
    image,
    size,
    architecture,
    capacity,
    compatibility: resolveCapacity(scope, capacity),
    scaling: process.kind === "job" ? undefined : scaling,
    deployment,
    alarms: watched,
    shutdown: splitShutdown(shutdown),
    releaseOwner,
    user,
    exec: props.exec ?? false,
  };
}

/** Checks the strategy against {@link STRATEGY_TABLE}, as far as that is possible before add-ons are added. */
function checkStrategy(
  problems: Problems,
  line: ProviderLine,
  asked: {
    readonly deployment: Deployment;
    readonly process: Process;
    readonly releaseOwner: ReleaseOwner;
    readonly connect: boolean | undefined;
  },
): void {
  const { deployment, process, releaseOwner, connect } = asked;
  if (process.kind === "job") return;
  const strategy = deployment.kind;
  if (STRATEGY_TABLE[strategy].lines[line].verdict === "no") {
    problems.add({
      code: "STRATEGY_NEEDS_PROVIDER_6",
      prop: "deployment",
      problem: `${deploymentCall(deployment)} needs AWS provider 6; this app has ${line}`,
      remedy: `Install @cdktf/provider-aws@21, or use codeDeploy(${deploymentCall(deployment)}), which supports neither Service Connect nor releases by Terraform.`,
    });
    return;
  }
  const refused = (feature: Feature) => strategyCell(strategy, line, feature).verdict === "no";
  const reason = (feature: Feature) =>
    `is not supported by ${deploymentCall(deployment)}: ${strategyCell(strategy, line, feature).note}`;
  problems.check(connect !== true || !refused("serviceConnect"), {
    code: "STRATEGY_SERVICE_CONNECT",
    prop: "connect",
    problem: reason("serviceConnect"),
    remedy: "Remove it, or use another strategy.",
  });
  problems.check(process.kind !== "worker" || !refused("worker"), {
    code: "STRATEGY_OF_WORKER",
    prop: "process worker()",
    problem: reason("worker"),
    remedy: "Use rolling().",
  });
  problems.check(releaseOwner !== "terraform" || !refused("ownerTerraform"), {
    code: "STRATEGY_RELEASE_OWNER",
    prop: "releaseOwner",
    problem: reason("ownerTerraform"),
    remedy: 'Use releaseOwner: "pipeline", or another strategy.',
  });
}

function checkProcess(problems: Problems, process: Process): void {
  const liveCommand = process.kind === "web" && process.liveCommand !== "none" ? process.liveCommand : undefined;
  for (const [prop, command] of [
    ["process.command", process.command],
    ["process.liveCommand", liveCommand],
  ] as const) {
    problems.check(command === undefined || (command.length > 0 && command.every((word) => word !== "")), {
      code: "SERVICE_COMMAND",
      prop,
      problem: `${JSON.stringify(command)} is not a valid command`,
      remedy: 'Use a list of words, such as ["node", "dist/worker.js"], or leave it out for the default.',
    });
  }
  if (process.kind !== "web") return;
  problems.check(Number.isInteger(process.port) && process.port >= 1024 && process.port <= 65535, {
    code: "SERVICE_PORT",
    prop: "process.port",
    problem: `must be a port from 1024 to 65535, which a process without root can listen on, got ${process.port}`,
    remedy: "Use a port such as 8080.",
  });
  for (const prop of ["livePath", "readyPath"] as const) {
    // Both become part of a script and of the load balancer's health check.
    problems.check(/^\/[A-Za-z0-9_\-./~]{0,127}$/.test(process[prop]), {
      code: "SERVICE_PATH",
      prop: `process.${prop}`,
      problem: `${JSON.stringify(process[prop])} is not a valid path of a health check`,
      remedy: "Start the path with / and use up to 128 letters, digits and _-./~.",
    });
  }
}

function checkVariables(problems: Problems, props: CloudNativeServiceProps): void {
  const groups = { environment: Object.keys(props.environment ?? {}), secrets: Object.keys(props.secrets ?? {}) };
  for (const [prop, variables] of Object.entries(groups)) {
    for (const variable of variables) {
      problems.check(/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable) && !OWN_VARIABLES.includes(variable), {
        code: "ENVIRONMENT_VARIABLE",
        prop: `${prop}.${variable}`,
        problem: OWN_VARIABLES.includes(variable)
          ? "is set by the service itself"
          : "is not a valid environment variable name",
        remedy: `Use letters, digits and _, and none of: ${OWN_VARIABLES.join(", ")}.`,
      });
    }
  }
  for (const variable of groups.environment) {
    problems.check(!isSecretName(variable), {
      code: "ENVIRONMENT_SECRET",
      prop: `environment.${variable}`,
      problem: "looks like a secret, but environment variables are visible in the console, in plans and in the state",
      remedy:
        "Store the value in Secrets Manager and set its ARN in secrets. If it is not a secret, rename the variable.",
    });
    const secret = secretIn(props.environment?.[variable] ?? "");
    problems.check(secret === undefined, {
      code: "ENVIRONMENT_SECRET_VALUE",
      prop: `environment.${variable}`,
      problem: `contains ${secret}, but environment variables are visible in the console, in plans and in the state`,
      remedy: "Store the secret in Secrets Manager and set its ARN in secrets.",
    });
  }
  for (const [variable, arn] of Object.entries(props.secrets ?? {})) {
    problems.check(isSecretReference(arn), {
      code: "SECRET_ARN",
      prop: `secrets.${variable}`,
      problem: "is not the ARN of a secret or parameter",
      remedy:
        "Use arn:aws:secretsmanager:...:secret:<name>, with :<key>:: for one of its keys, or arn:aws:ssm:...:parameter/...",
    });
  }
}
