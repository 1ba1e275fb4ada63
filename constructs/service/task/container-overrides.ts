import type { IConstruct } from "constructs";
import { Problems } from "../../core/errors";
import { isPlain } from "../../core/plain";
import type { ContainerDefinition } from "./container-definitions";

/**
 * Fields of a container definition that no prop covers, as the ECS API spells them.
 *
 * Lists are appended to, `dockerLabels`, `healthCheck` and `linuxParameters` are merged, other fields are replaced, and
 * `null` removes a field.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
 */
export interface ContainerOverrides {
  /** Resource limits, such as `{ name: "nofile", softLimit: 65536, hardLimit: 65536 }`. @default - those of the platform */
  readonly ulimits?: readonly { readonly name: string; readonly softLimit: number; readonly hardLimit: number }[];
  /** Volumes of the task that the container mounts. @default - none */
  readonly mountPoints?: readonly {
    readonly sourceVolume: string;
    readonly containerPath: string;
    readonly readOnly?: boolean;
  }[];
  /** Labels of the container. @default - none */
  readonly dockerLabels?: Readonly<Record<string, string>>;
  /** Additional ports. @default - the port of a web process */
  readonly portMappings?: readonly {
    readonly containerPort: number;
    readonly hostPort?: number;
    readonly protocol?: "tcp" | "udp";
    readonly name?: string;
    readonly appProtocol?: "http" | "http2" | "grpc";
  }[];
  /** Log driver with its options. @default - `awslogs` */
  readonly logConfiguration?: {
    readonly logDriver: string;
    readonly options?: Readonly<Record<string, string>>;
    readonly secretOptions?: readonly { readonly name: string; readonly valueFrom: string }[];
  };
  /** FireLens configuration of a log router. @default - none */
  readonly firelensConfiguration?: {
    readonly type: "fluentd" | "fluentbit";
    readonly options?: Readonly<Record<string, string>>;
  };
  /** Containers that must reach a condition before this one starts. @default - sidecars that start before the app */
  readonly dependsOn?: readonly {
    readonly containerName: string;
    readonly condition: "START" | "COMPLETE" | "SUCCESS" | "HEALTHY";
  }[];
  /** Kernel parameters. @default - none */
  readonly systemControls?: readonly { readonly namespace: string; readonly value: string }[];
  /** Any other field of the container definition. */
  readonly [field: string]: unknown;
}

/** Fields that a release or a prop sets, and the place to set them. */
const OWNED: Readonly<Record<string, string>> = {
  name: "The name is part of releases and alarms: set name on the service or the sidecar.",
  image: "Set image on the service or the sidecar.",
  command: "Set command on the process or the sidecar.",
  environment: "Set environment on the service or the sidecar.",
  secrets: "Set secrets on the service or the sidecar.",
};

const MERGED = ["dockerLabels", "healthCheck", "linuxParameters"];

/** @throws InvalidPropsError CONTAINER_OVERRIDES */
export function checkContainerOverrides(scope: IConstruct, name: string, overrides: ContainerOverrides): void {
  const problems = new Problems(scope);
  const prop = `overrideContainer(${JSON.stringify(name)})`;
  for (const field of Object.keys(overrides)) {
    const remedy = OWNED[field];
    if (remedy === undefined) continue;
    problems.add({
      code: "CONTAINER_OVERRIDES",
      prop: `${prop}.${field}`,
      problem: "must not be overridden: a prop sets it",
      remedy,
    });
  }
  problems.throwIfAny();
}

/** Container definition with overrides applied. */
export function overridden(container: ContainerDefinition, overrides: ContainerOverrides): ContainerDefinition {
  const result: Record<string, unknown> = { ...container };
  for (const [field, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const before = result[field];
    if (value === null) delete result[field];
    else if (Array.isArray(value)) {
      const added = field === "portMappings" ? value.map(withPortDefaults) : value;
      result[field] = [...(Array.isArray(before) ? before : []), ...added];
    } else result[field] = MERGED.includes(field) ? merged(before, value) : value;
  }
  return result as ContainerDefinition;
}

/** Adds the defaults that ECS returns in network mode awsvpc, so that a plan shows no difference. */
function withPortDefaults(mapping: { readonly containerPort: number }): object {
  return { hostPort: mapping.containerPort, protocol: "tcp", ...mapping };
}

function merged(before: unknown, value: unknown): unknown {
  if (!isPlain(before) || !isPlain(value)) return value;
  const keys = new Set([...Object.keys(before), ...Object.keys(value)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, key in value ? merged(before[key], value[key]) : before[key]]),
  );
}
