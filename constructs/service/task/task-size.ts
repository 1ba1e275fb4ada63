/** Fargate's CPU units (1024 is one vCPU), and the memory available with each: smallest, largest and step, in MiB. */
const FARGATE: readonly { readonly cpu: number; readonly memory: readonly number[] }[] = [
  { cpu: 256, memory: [512, 1024, 2048] },
  { cpu: 512, memory: steps(1024, 4096, 1024) },
  { cpu: 1024, memory: steps(2048, 8192, 1024) },
  { cpu: 2048, memory: steps(4096, 16384, 1024) },
  { cpu: 4096, memory: steps(8192, 30720, 1024) },
  { cpu: 8192, memory: steps(16384, 61440, 4096) },
  { cpu: 16384, memory: steps(32768, 122880, 8192) },
];

export { ARCHITECTURES, type Architecture } from "../../core/architecture";

/** CPU and memory of a task. */
export interface TaskSize {
  /** CPU units; 1024 is one vCPU. */
  readonly cpu: number;
  readonly memoryMiB: number;
}

/**
 * Returns the smallest Fargate task size that fits.
 *
 * @returns undefined if none is large enough
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
 */
export function fargateSize(wanted: TaskSize): TaskSize | undefined {
  for (const { cpu, memory } of FARGATE) {
    const memoryMiB = memory.find((size) => size >= wanted.memoryMiB);
    if (cpu >= wanted.cpu && memoryMiB !== undefined) return { cpu, memoryMiB };
  }
  return undefined;
}

function steps(first: number, last: number, step: number): number[] {
  return Array.from({ length: (last - first) / step + 1 }, (_, index) => first + index * step);
}
