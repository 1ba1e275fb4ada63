import { BOOTSTRAP_VARIABLE, COMMAND_LABEL } from "../../../contract/release";
import { jsonText, literal } from "../../core/literal";
import type { ILogStream } from "../../logging/log-stream";
import type { Image } from "./image";
import type { Process } from "./process";
import type { ShutdownBudget } from "./shutdown";
import type { Sidecar } from "./sidecar";

/** Environment variable whose value ECS reads when a task starts. */
export interface Secret {
  readonly name: string;
  /** ARN of a secret, of a key of a secret, or of a parameter. */
  readonly valueFrom: string;
}

interface Input {
  readonly name: string;
  readonly process: Process;
  readonly image: Image;
  /** URI that the image is pulled from. */
  readonly imageUri: string;
  readonly user: string;
  /** Allows ECS Exec, whose agent writes to the root file system. */
  readonly exec: boolean;
  readonly shutdown: ShutdownBudget;
  readonly environment: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly sidecars: readonly Sidecar[];
  readonly logs: ILogStream;
  readonly region: string;
}

/** Container definition as the ECS API spells it. */
export interface ContainerDefinition {
  readonly name: string;
  readonly [field: string]: unknown;
}

/**
 * Container definitions of a task in the form that the ECS API returns: sorted, without nulls and with the defaults that the
 * API adds, so that a plan shows only real differences.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
 */
export function containerDefinitions(input: Input): ContainerDefinition[] {
  const common = (name: string) => ({
    essential: true,
    readonlyRootFilesystem: true,
    user: input.user,
    mountPoints: [],
    systemControls: [],
    volumesFrom: [],
    stopTimeout: input.shutdown.stopTimeout.toSeconds(),
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": input.logs.logGroupName,
        "awslogs-region": input.region,
        "awslogs-stream-prefix": name,
        // Always set, because AWS has changed the default without notice.
        ...(input.logs.delivery === "audit"
          ? { mode: "blocking" }
          : { "max-buffer-size": "25m", mode: "non-blocking" }),
      },
    },
  });
  const { process, image } = input;
  const environment = new Map(input.environment);
  const command = image.commandFor(process);
  if (image.kind === "repository" && process.kind === "web") {
    environment.set(BOOTSTRAP_VARIABLE, `${process.livePath},${process.readyPath}`);
  }
  const app = {
    ...common(input.name),
    readonlyRootFilesystem: !input.exec,
    name: input.name,
    image: input.imageUri,
    cpu: 0,
    ...(command === undefined ? {} : { command: command.map(literal) }),
    ...(image.kind === "repository" && process.command !== undefined
      ? { dockerLabels: { [COMMAND_LABEL]: jsonText(process.command, literal) } }
      : {}),
    environment: pairs(environment),
    ...(input.secrets.size === 0
      ? {}
      : { secrets: [...input.secrets.values()].sort((a, b) => compare(a.name, b.name)) }),
    ...listening(input.name, process),
    linuxParameters: {
      capabilities: { add: [], drop: ["ALL"] },
      // Forwards signals and reaps zombie processes.
      initProcessEnabled: true,
      tmpfs: [{ containerPath: "/tmp", size: 64, mountOptions: ["rw", "noexec", "nosuid", "nodev", "mode=1777"] }],
    },
    ...dependsOn(input.sidecars.filter((sidecar) => sidecar.startBeforeApp).map((sidecar) => sidecar.name)),
  };
  const sidecars = input.sidecars.map((sidecar) => ({
    ...common(sidecar.name),
    name: sidecar.name,
    image: sidecar.image,
    cpu: sidecar.cpu,
    // A hard limit keeps a memory leak in a sidecar from affecting the app.
    memory: sidecar.memoryMiB,
    essential: false,
    readonlyRootFilesystem: sidecar.writableRoot !== true,
    ...(sidecar.user === undefined ? {} : { user: sidecar.user }),
    ...(sidecar.command === undefined ? {} : { command: sidecar.command }),
    environment: pairs(new Map(Object.entries(sidecar.environment ?? {}))),
    ...(sidecar.secrets === undefined
      ? {}
      : {
          secrets: Object.entries(sidecar.secrets)
            .map(([name, valueFrom]) => ({ name, valueFrom }))
            .sort((a, b) => compare(a.name, b.name)),
        }),
    portMappings: [],
  }));
  return [app, ...sidecars.sort((a, b) => compare(a.name, b.name))];
}

/** Port mapping and health check of a web process. */
function listening(name: string, process: Process): object {
  if (process.kind !== "web") return { portMappings: [] };
  const probe = `fetch('http://127.0.0.1:${process.port}${process.livePath}').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))`;
  const own = process.liveCommand;
  const command = own === undefined || own === "none" ? ["node", "-e", probe] : own.map(literal);
  return {
    portMappings: [{ appProtocol: "http", containerPort: process.port, hostPort: process.port, name, protocol: "tcp" }],
    ...(own === "none"
      ? {}
      : { healthCheck: { command: ["CMD", ...command], interval: 10, retries: 3, startPeriod: 30, timeout: 5 } }),
  };
}

function dependsOn(names: readonly string[]): object {
  if (names.length === 0) return {};
  return { dependsOn: [...names].sort().map((containerName) => ({ condition: "START", containerName })) };
}

function pairs(variables: ReadonlyMap<string, string>): { name: string; value: string }[] {
  return [...variables].map(([name, value]) => ({ name, value })).sort((a, b) => compare(a.name, b.name));
}

/** Sorts the keys of all objects in a value. */
export function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compare(a, b))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
