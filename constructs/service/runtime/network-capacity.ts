import { Annotations } from "cdktf";
import type { IConstruct } from "constructs";
import { invalid } from "../../core/errors";
import { Registry } from "../../core/registry";
import type { ServiceStack } from "../../platform/platform";
import { keptWithoutAZone, type ScalingSettings } from "../scaling/scaling";

/** Most addresses that the services of an app need, by platform. */
const ADDRESSES = () => new Map<string, number>();

/** Services of an app, by platform and name. */
const NAMES = () => new Map<string, string>();

/**
 * Takes a name on the platform: it is that of roles, of the parameter and in DNS. One of another repo cannot be seen at
 * synth; AWS refuses the second at apply.
 *
 * @throws InvalidPropsError SERVICE_NAME_TAKEN
 */
export function reserveServiceName(
  service: IConstruct,
  { platformName, environment }: ServiceStack,
  name: string,
): void {
  const { root, path } = service.node;
  const names = Registry.of(root).get(NAMES);
  const key = `${platformName}-${environment.name}/${name}`;
  const owner = names.get(key);
  if (owner !== undefined) {
    throw invalid(service, {
      code: "SERVICE_NAME_TAKEN",
      prop: "name",
      problem: `${JSON.stringify(name)} is that of ${owner} on platform ${platformName}-${environment.name}`,
      remedy: "Give one of them another id or name.",
    });
  }
  names.set(key, path);
}

/**
 * Counts the addresses that tasks take in the platform's network when all services are at max: while one is deployed, its
 * old and new tasks run side by side. In production they must find room without one zone.
 *
 * @param max most tasks of the service; undefined for a job, which has one
 * @throws InvalidPropsError SUBNETS_FULL_AT_MAX
 */
export function reserveAddresses(service: IConstruct, stack: ServiceStack, max: number | undefined): void {
  const { addressesPerZone, zones, production, platformName, environment } = stack;
  if (addressesPerZone === undefined) return;
  const byPlatform = Registry.of(service.node.root).get(ADDRESSES);
  const platform = `${platformName}-${environment.name}`;
  const wanted = (byPlatform.get(platform) ?? 0) + (max === undefined ? 1 : 2 * max);
  byPlatform.set(platform, wanted);
  const room = addressesPerZone * (production ? zones - 1 : zones);
  if (wanted <= room) return;
  throw invalid(service, {
    code: "SUBNETS_FULL_AT_MAX",
    prop: "scaling.max",
    problem:
      `${max ?? 1}: with the services before it that is ${wanted} tasks at once, old and new side by side, and the network of ${platform} ` +
      `has room for ${room}${production ? " when a zone is lost" : ""}`,
    remedy: "Lower scaling.max, or give the platform a larger network.cidr.",
  });
}

/** Says where tasks are enough on a good day alone: when a zone is lost, or when load grows. */
export function warnOfThinScaling(
  service: IConstruct,
  { production, zones }: ServiceStack,
  { min, max, cpuPercent }: ScalingSettings,
): void {
  if (!production || min < 2) return;
  const kept = keptWithoutAZone(min, zones);
  const load = cpuPercent === undefined ? 0 : Math.round(cpuPercent / kept);
  if (kept > 0 && load > 100) {
    Annotations.of(service).addWarning(
      `scaling.min ${min} at cpuPercent ${cpuPercent}: without one of ${zones} zones the tasks that stay would ` +
        `have ${load} % to do until others have started. Raise min, or use cpuPercent <= ${Math.floor(100 * kept)}.  [ZONE_LOSS_OVERLOAD]`,
    );
  }
  if (max === min) {
    Annotations.of(service).addWarning(
      `scaling.max ${max} is scaling.min: no task can be added when load grows. Raise max.  [SCALING_NO_ROOM]`,
    );
  }
}
