import type { TaskDefinition } from "./applied";

/** Fields of a container that a task on this machine obeys, or whose difference has a sentence of its own. */
const OBEYED =
  "name image essential entryPoint command environment secrets portMappings stopTimeout user dockerLabels".split(" ");
const UNSET = [undefined, "false", "0", "[]"];

/** Differences between a task on this machine and its applied definition, each as a sentence. */
export function describeDifferences(
  { family, containerDefinitions, cpu, memory, volumes, ephemeralStorage, runtimePlatform }: TaskDefinition,
  isHere: (image: string) => unknown,
): string[] {
  return containerDefinitions.map((container) => {
    const { logConfiguration: log, user, portMappings } = container;
    if (!isHere(container.image))
      return `${family}: the container ${container.name} does not run, its image is not here`;
    const logConfiguration = log?.logDriver === "awslogs" ? undefined : log;
    const all = { ...container, logConfiguration, cpu, memory, volumes, ephemeralStorage, runtimePlatform };
    const ignored = Object.entries(all)
      .filter(([name, value]) => !OBEYED.includes(name) && !UNSET.includes(JSON.stringify(value)))
      .map(([name]) => name);
    const differences = [
      `the built program on Node.js ${process.versions.node} instead of its image`,
      ...(user === undefined ? [] : [`this user instead of ${user}`]),
      ...(portMappings?.length ? ["a port of its own in PORT"] : []),
      ...(ignored.length === 0 ? [] : [`not applied: ${ignored.sort().join(", ")}`]),
    ];
    return `${family}: ${differences.join("; ")}`;
  });
}
