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
import { resolveScaling, type Scaling, type ScalingSettings } from "./scaling/scaling";
import { Image } from "./task/image";
import { type Process, web } from "./task/process";
import { SHUTDOWN_SECONDS, type ShutdownBudget, splitShutdown } from "./task/shutdown";
import { ARCHITECTURES, type Architecture, fargateSize, type TaskSize } from "./task/task-size";

export interface CloudNativeServiceProps {
  /**
   * What kind of process it is: `web()`, `worker()` or `job()`.
   *
   * @default web()
   */
  readonly process?: Process;
  /**
   * What its container is made from. Processes of one stack with the same image are released together.
   *
   * @default Image.repository()
   */
  readonly image?: Image;
  /**
   * What the app needs; add-ons bring their own share. A task gets the smallest size that Fargate has for the sum.
   *
   * @default 256 CPU units (a quarter vCPU) and 512 MiB
   */
  readonly size?: TaskSize;
  /**
   * Processor that tasks run on; the image must be made for it. `arm64` (Graviton) costs a fifth less.
   *
   * @default "arm64"
   */
  readonly architecture?: Architecture;
  /**
   * What tasks run on, and in which shares: Fargate, Fargate Spot, or instances of the platform.
   *
   * @default [Capacity.fargate()]
   */
  readonly capacity?: readonly Capacity[];
  /** @default - see Scaling */
  readonly scaling?: Scaling;
  /**
   * From when on it is not well, and somebody is told: latency, saturation, tasks that are not ready or crash, age of
   * messages, runs of a job that fail. Each alarm costs 0.10 USD a month for each measure. That requests fail is watched always.
   *
   * @default - in production with the defaults of ServiceAlarms; in dev "none"
   */
  readonly alarms?: ServiceAlarms | "none";
  /**
   * How a new version goes live, and what makes it go back: `rolling()`; `blueGreen()`, `canary()`, `linear()` with AWS provider
   * 6; `codeDeploy(canary())` and the like with provider 5 too. Not for a job.
   *
   * @default rolling()
   */
  readonly deployment?: Deployment;
  /**
   * Variables of the app's container, besides those that add-ons set. No secrets.
   *
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Variables whose values ECS reads when a task starts: ARNs of secrets (or of a key of one) or of parameters. The values
   * are in no plan and no state.
   *
   * @default - none
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * Where its lines go.
   *
   * @default - a log stream of its own
   */
  readonly logs?: ILogStream;
  /**
   * From SIGTERM to SIGKILL, 10 to 120 seconds. Drain, deadline, stop timeout and deregistration delay derive from it.
   *
   * @default Duration.seconds(30)
   */
  readonly stopTimeout?: Duration;
  /**
   * Who decides which release runs.
   *
   * @default "pipeline" with Image.repository() and with codeDeploy(), "terraform" with Image.digest()
   */
  readonly releaseOwner?: ReleaseOwner;
  /**
   * User and group that the containers run as, never root.
   *
   * @default "1000:1000"
   */
  readonly user?: string;
  /**
   * Whether a proxy beside each task (Service Connect) balances, repeats and measures calls between services. It takes 256
   * CPU units and 64 MiB of a task. Without it, names are resolved by DNS; they are the same.
   *
   * @default - when it calls, or is called, in the same app
   */
  readonly connect?: boolean;
  /**
   * Lets people open a shell in its tasks, where the platform's cluster lets them (`cluster: { exec: {} }`) and IAM does; what
   * they type and see is logged and encrypted. AWS's agent writes to the root of the app's container, which is read-only
   * otherwise. Not for a job, whose tasks a schedule starts.
   *
   * `aws ecs execute-command --cluster shop-production --task <id> --container orders --interactive --command /bin/sh`
   *
   * @default false
   * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
   */
  readonly exec?: boolean;
  /**
   * Added as by `add`.
   *
   * @default - none
   */
  readonly addOns?: readonly ServiceAddOn[];
  /**
   * Its name in AWS, for others to call.
   *
   * @default - from the id: `OrderLines` is `order-lines`
   */
  readonly name?: string;
  /**
   * Id that it had before: what is there is kept and moved. Give `name` too, so that names in AWS stay.
   *
   * @default - none
   */
  readonly renamedFrom?: string;
}

/** What {@link CloudNativeServiceProps} come to. */
export interface ServiceSettings {
  readonly name: string;
  readonly process: Process;
  readonly image: Image;
  readonly size: TaskSize;
  readonly architecture: Architecture;
  readonly capacity: readonly Capacity[];
  readonly compatibility: Compatibility;
  /** Undefined for a job: a schedule starts one task. */
  readonly scaling: ScalingSettings | undefined;
  readonly deployment: Deployment;
  /** From when on it is not well; undefined where nothing watches. */
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
  /** Parts that names in AWS begin with: platform, environment, service. */
  readonly fullName: readonly string[];
}

/** What decides which of the service's attributes are written by others. */
export function circumstancesOf({ releaseOwner, deployment, scaling }: ServiceSettings): Circumstances {
  return { owner: releaseOwner, strategy: deployment.kind, schedules: (scaling?.schedules.length ?? 0) > 0 };
}

/** Variables that the service sets itself, so that `environment` cannot. */
const OWN_VARIABLES = ["PORT", "SERVICE_NAME", "DRAIN_SECONDS", "SHUTDOWN_SECONDS", "BOOTSTRAP_HEALTHY"];

/**
 * Defaults and checks.
 *
 * @throws InvalidPropsError SERVICE_NAME, SERVICE_PORT, SERVICE_PATH, SERVICE_COMMAND, SERVICE_LIVE_COMMAND, QUEUE_OUT_OF_REACH, SERVICE_SIZE, SERVICE_ARCHITECTURE,
 *   CAPACITY_*, SCALING_*, DEPLOYMENT_*, STRATEGY_*, JOB_PROPS, STOP_TIMEOUT_BUDGET, RELEASE_OWNER,
 *   SERVICE_USER_ROOT, ENVIRONMENT_VARIABLE, ENVIRONMENT_SECRET, ENVIRONMENT_SECRET_VALUE, SECRET_ARN, RENAMED_WITHOUT_NAME
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
        ? `${JSON.stringify(scope.node.id)} gives the service's name ${JSON.stringify(name)}`
        : `${JSON.stringify(name)} is no name for a service`,
    remedy: `Use ${props.name === undefined ? "an id that gives " : ""}${NAME_RULE}.`,
  });
  problems.check(props.renamedFrom === undefined || props.name !== undefined, {
    code: "RENAMED_WITHOUT_NAME",
    prop: "renamedFrom",
    problem: "is set without name: names in AWS would change with the id, and what has them would be replaced",
    remedy: "Set name to what the service was called before.",
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
      problem: "is not in the bootstrap image, which runs until the first release and must be well",
      remedy: 'Leave it out, say "none", or use Image.digest().',
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
      problem: 'cannot be reached: the network has egress "endpoints", and none for "sqs"',
      remedy: 'Add "sqs" to the platform\'s network.endpoints.',
    },
  );
  problems.check(size.cpu > 0 && size.memoryMiB > 0 && fargateSize(size) !== undefined, {
    code: "SERVICE_SIZE",
    prop: "size",
    problem: `${size.cpu} CPU units and ${size.memoryMiB} MiB fit into no task of Fargate`,
    remedy: "Use up to 16384 CPU units and 122880 MiB.",
  });
  problems.check(ARCHITECTURES.includes(architecture), {
    code: "SERVICE_ARCHITECTURE",
    prop: "architecture",
    problem: `${JSON.stringify(architecture)} is not known`,
    remedy: `Use one of: ${ARCHITECTURES.join(", ")}.`,
  });
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
        problem: "is set, and a job is one task that a schedule starts",
        remedy: "Leave it out.",
      });
    }
  }
  const seconds = shutdown.toSeconds();
  problems.check(Number.isInteger(seconds) && seconds >= SHUTDOWN_SECONDS.min && seconds <= SHUTDOWN_SECONDS.max, {
    code: "STOP_TIMEOUT_BUDGET",
    prop: "stopTimeout",
    problem: `${shutdown} is no budget that drain, deadline and stop timeout fit into`,
    remedy: `Use ${SHUTDOWN_SECONDS.min} to ${SHUTDOWN_SECONDS.max} whole seconds; Fargate kills after ${SHUTDOWN_SECONDS.max}.`,
  });
  problems.check(RELEASE_OWNERS.includes(releaseOwner), {
    code: "RELEASE_OWNER",
    prop: "releaseOwner",
    problem: `${JSON.stringify(releaseOwner)} is not known`,
    remedy: `Use one of: ${RELEASE_OWNERS.join(", ")}.`,
  });
  problems.check(/^[1-9]\d*(:[1-9]\d*)?$/.test(user), {
    code: "SERVICE_USER_ROOT",
    prop: "user",
    problem: `${JSON.stringify(user)} is root, or is not told by number`,
    remedy: 'Use "<uid>" or "<uid>:<gid>", both above 0.',
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

/** What {@link STRATEGY_TABLE} says no to, as far as it can be known before add-ons are there. */
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
      remedy: `Install @cdktf/provider-aws@21, or use codeDeploy(${deploymentCall(deployment)}): then without Service Connect, and only a pipeline can release.`,
    });
    return;
  }
  const refuse = (wanted: boolean, feature: Feature, code: string, prop: string, remedy: string) => {
    const { verdict, note } = strategyCell(strategy, line, feature);
    if (wanted && verdict === "no")
      problems.add({ code, prop, problem: `does not go with ${deploymentCall(deployment)}: ${note}`, remedy });
  };
  refuse(
    connect === true,
    "serviceConnect",
    "STRATEGY_SERVICE_CONNECT",
    "connect",
    "Leave it out, or use another strategy.",
  );
  refuse(process.kind === "worker", "worker", "STRATEGY_OF_WORKER", "process worker()", "Use rolling().");
  refuse(
    releaseOwner === "terraform",
    "ownerTerraform",
    "STRATEGY_RELEASE_OWNER",
    "releaseOwner",
    'Use releaseOwner: "pipeline", or another strategy.',
  );
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
      problem: `${JSON.stringify(command)} is no command`,
      remedy: 'Use its words: ["node", "dist/worker.js"]; leave it out for the default.',
    });
  }
  if (process.kind !== "web") return;
  problems.check(Number.isInteger(process.port) && process.port >= 1024 && process.port <= 65535, {
    code: "SERVICE_PORT",
    prop: "process.port",
    problem: `${process.port} is no port that a process without root may listen on`,
    remedy: "Use 1024 to 65535.",
  });
  for (const prop of ["livePath", "readyPath"] as const) {
    // Both become part of a program text, and of the load balancer's own check.
    problems.check(/^\/[A-Za-z0-9_\-./~]{0,127}$/.test(process[prop]), {
      code: "SERVICE_PATH",
      prop: `process.${prop}`,
      problem: `${JSON.stringify(process[prop])} is no path to ask for health`,
      remedy: "Begin with / and use up to 128 letters, digits and _-./~.",
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
        problem: OWN_VARIABLES.includes(variable) ? "is set by the service itself" : "is no name for a variable",
        remedy: `Use letters, digits and _, and none of: ${OWN_VARIABLES.join(", ")}.`,
      });
    }
  }
  for (const variable of groups.environment) {
    problems.check(!isSecretName(variable), {
      code: "ENVIRONMENT_SECRET",
      prop: `environment.${variable}`,
      problem: "looks like a secret, and variables can be read in the console, in plans and in the state",
      remedy:
        "Put the value into Secrets Manager and its ARN into secrets. Where it is none, give it a name that says what it is.",
    });
    const secret = secretIn(props.environment?.[variable] ?? "");
    problems.check(secret === undefined, {
      code: "ENVIRONMENT_SECRET_VALUE",
      prop: `environment.${variable}`,
      problem: `holds ${secret}, and variables can be read in the console, in plans and in the state`,
      remedy: "Put the secret into Secrets Manager and its ARN into secrets.",
    });
  }
  for (const [variable, arn] of Object.entries(props.secrets ?? {})) {
    problems.check(isSecretReference(arn), {
      code: "SECRET_ARN",
      prop: `secrets.${variable}`,
      problem: "is no ARN of a secret or parameter",
      remedy: "Use arn:aws:secretsmanager:...:secret:... or arn:aws:ssm:...:parameter/...",
    });
  }
}
