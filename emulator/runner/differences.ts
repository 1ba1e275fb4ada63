import type { TaskDefinition } from "./applied";

/** Differences between a task on this machine and its applied definition, each as a sentence. */
export function describeDifferences(
  { family, containerDefinitions, cpu, memory }: TaskDefinition,
  isHere: (image: string) => unknown,
): string[] {
  return containerDefinitions.map((container) => {
    if (!isHere(container.image))
      return `${family}: the container ${container.name} does not run, its image is not here`;
    const limits = cpu === undefined && memory === undefined ? [] : [`no limit of ${cpu} CPU units and ${memory} MiB`];
    const differences = [
      `the built program on Node.js ${process.versions.node} instead of its image`,
      ...(container.user === undefined ? [] : [`this user instead of ${container.user}`]),
      ...(container.readonlyRootFilesystem ? ["a file system that can be written to"] : []),
      ...(container.portMappings?.length ? ["a port of its own in PORT"] : []),
      ...(container.healthCheck === undefined ? [] : ["no health check of the container"]),
      ...limits,
    ];
    return `${family}: ${differences.join("; ")}`;
  });
}
