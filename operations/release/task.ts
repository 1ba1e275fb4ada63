import { createHash } from "node:crypto";
import type { RegisterTaskDefinitionCommandInput, Tag, TaskDefinition } from "@aws-sdk/client-ecs";
import { BOOTSTRAP_VARIABLE, COMMAND_LABEL, type ProcessTemplate } from "../../contract/release";

/** Task definition as described by ECS. */
export interface DescribedTask {
  readonly definition: TaskDefinition;
  readonly tags: readonly Tag[];
}

/** Members that ECS adds to a registered task definition and does not accept as input. */
const ADDED = [
  "compatibilities",
  "deregisteredAt",
  "registeredAt",
  "registeredBy",
  "requiresAttributes",
  "revision",
  "status",
  "taskDefinitionArn",
] as const;

/**
 * Task definition that Terraform wrote, with an image in the app's container. The command and the variable of the bootstrap
 * image are removed with that image. Nothing is copied from the running tasks, so manual changes are not kept.
 */
export function renderTask(
  { definition, tags }: DescribedTask,
  { container, bootstrap }: Pick<ProcessTemplate, "container" | "bootstrap">,
  image: string,
): RegisterTaskDefinitionCommandInput {
  const own = without(definition, ADDED) as RegisterTaskDefinitionCommandInput;
  const containers = definition.containerDefinitions ?? [];
  if (!containers.some(({ name }) => name === container)) {
    throw new Error(`task definition ${definition.family}:${definition.revision} has no container ${container}`);
  }
  return {
    ...own,
    containerDefinitions: containers.map((each) => {
      if (each.name !== container) return each;
      if (!bootstrap) return { ...each, image };
      const { [COMMAND_LABEL]: command, ...labels } = each.dockerLabels ?? {};
      const bare = without(each, ["command", "dockerLabels"]);
      return {
        ...bare,
        image,
        ...(command === undefined ? {} : { command: JSON.parse(command) as string[] }),
        ...(Object.keys(labels).length === 0 ? {} : { dockerLabels: labels }),
        environment: each.environment?.filter(({ name }) => name !== BOOTSTRAP_VARIABLE),
      };
    }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
  };
}

/** Hash of a task definition without the released image: two with equal hashes differ in the image only. */
export function configHash(rendered: RegisterTaskDefinitionCommandInput, container: string): string {
  const config = {
    ...rendered,
    containerDefinitions: rendered.containerDefinitions?.map((each) =>
      each.name === container ? { ...each, image: undefined } : each,
    ),
  };
  return createHash("sha256").update(canonical(config)).digest("hex").slice(0, 12);
}

/** Serializes values so that equal ones give equal text: keys and variables sorted, empty members omitted. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (Array.isArray(inner)) {
      if (inner.length === 0) return undefined;
      if (!["environment", "secrets", "tags"].includes(key)) return inner;
      return [...(inner as object[])].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function without<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key as K))) as Omit<T, K>;
}

/** `shop-dev-orders:12` of an ARN or of itself. */
export function familyAndRevision(task: string): string {
  return task.slice(task.lastIndexOf("/") + 1);
}

export function revisionOf(task: string): number {
  return Number(task.slice(task.lastIndexOf(":") + 1));
}

const IMAGE = /^(?<source>[a-z0-9][a-z0-9.\-_/:]*)@(?<digest>sha256:[0-9a-f]{64})$/;

/** Splits an image into its name and digest; undefined if it has no digest. */
export function readImage(image: string): { readonly source: string; readonly digest: string } | undefined {
  const { source, digest } = IMAGE.exec(image)?.groups ?? {};
  return source === undefined || digest === undefined ? undefined : { source, digest };
}

/** Returns whether an image belongs to a source: `.../orders` to `orders`, and `registry/name` to itself. */
export function isOf(source: string, image: string): boolean {
  const name = readImage(image)?.source;
  return name === source || name?.endsWith(`/${source}`) === true;
}

/** Short digest: `sha256:9f3c52d0`. */
export function shortDigest(image: string): string {
  return readImage(image)?.digest.slice(0, "sha256:".length + 8) ?? image;
}
