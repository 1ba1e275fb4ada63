import type { IConstruct } from "constructs";
import { Problems } from "../../core/errors";

/** Additional container that runs next to the app in every task. */
export interface Sidecar {
  /** Name of the container, unique within the service. */
  readonly name: string;
  /** Image by digest: `registry/name@sha256:...`. */
  readonly image: string;
  /** CPU units of the container, added to those of the app; 1024 is one vCPU. */
  readonly cpu: number;
  /** Memory limit of the container, added to the memory of the app. */
  readonly memoryMiB: number;
  /**
   * Command of the container, one word per entry.
   *
   * @default - the command of the image
   */
  readonly command?: readonly string[];
  /**
   * Environment variables of the container.
   *
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Starts the container before the app. ECS then also stops it after the app, so that it receives the last log lines.
   *
   * @default false
   */
  readonly startBeforeApp?: boolean;
  /**
   * Makes the root file system of the container writable.
   *
   * @default false
   */
  readonly writableRoot?: boolean;
  /**
   * User that the container runs as, by number. Use root only for images that need it.
   *
   * @default - the user of the service
   */
  readonly user?: string;
  /**
   * Environment variables read from secrets or parameters, by ARN, as `secrets` of the service are.
   *
   * @default - none
   */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** @throws InvalidPropsError SIDECAR_NAME, SIDECAR_SIZE */
export function checkSidecar(scope: IConstruct, { name, cpu, memoryMiB }: Sidecar, taken: readonly string[]): void {
  const problems = new Problems(scope);
  const prop = `sidecar ${JSON.stringify(name)}`;
  problems.check(/^[A-Za-z0-9_-]{1,255}$/.test(name) && !taken.includes(name), {
    code: "SIDECAR_NAME",
    prop,
    problem: `must be a container name other than ${taken.join(", ")}`,
    remedy: "Use letters, digits, - and _, and a name that no other container of the task has.",
  });
  problems.check(Number.isInteger(cpu) && cpu >= 0 && Number.isInteger(memoryMiB) && memoryMiB >= 6, {
    code: "SIDECAR_SIZE",
    prop,
    problem: `must have a whole number of CPU units and at least 6 MiB of memory, got ${cpu} CPU units and ${memoryMiB} MiB`,
    remedy: "Set cpu to a whole number, 0 or more, and memoryMiB to a whole number, 6 or more.",
  });
  problems.throwIfAny();
}
