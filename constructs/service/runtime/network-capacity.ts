import type { IConstruct } from "constructs";
import { invalid, warn } from "../../core/errors";
import { Registry } from "../../core/registry";
import type { ServiceStack } from "../../platform/platform";
import { keptWithoutAZone, type ScalingSettings } from "../scaling/scaling-props";

/** Number of addresses that the services of an app need, by platform. */
const ADDRESSES = () => new Map<string, number>();

/** Owners of the service names of an app, by platform and name. */
const NAMES = () => new Map<string, string>();

/**
 * Reserves a service name on its platform, which is used for roles, for the SSM parameter and in DNS. Names used by other
 * repositories are not known at synth; AWS refuses the second one at apply.
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
      problem: `must be unique on platform ${platformName}-${environment.name}, but ${JSON.stringify(name)} is the name of ${owner}`,
      remedy: "Change the id or name of one of them.",
    });
  }
  names.set(key, path);
}

/**
 * Reserves addresses in the platform's VPC for a service at its maximum, with old and new tasks side by side during a
 * deployment. In production, they must fit without one of the zones.
 *
 * @param max maximum number of tasks of the service; undefined for a job, which has one
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
      `needs too many addresses, got ${max ?? 1}: with the services declared before, up to ${wanted} tasks run at once (old and new during a deployment), but the VPC of ${platform} ` +
      `has addresses for ${room}${production ? " when a zone is lost" : ""}`,
    remedy: "Lower scaling.max, or use a larger vpc.cidr for the platform.",
  });
}

/** Warns about capacity that suffices only under normal conditions, and not when a zone is lost or the load grows. */
export function warnOfThinScaling(
  service: IConstruct,
  { production, zones }: ServiceStack,
  { min, max, cpuPercent }: ScalingSettings,
): void {
  if (!production || min < 2) return;
  const kept = keptWithoutAZone(min, zones);
  const load = cpuPercent === undefined ? 0 : Math.round(cpuPercent / kept);
  if (kept > 0 && load > 100) {
    warn(service, {
      code: "ZONE_LOSS_OVERLOAD",
      prop: "scaling.min",
      problem: `is ${min} at cpuPercent ${cpuPercent}: without one of ${zones} zones the remaining tasks have ${load} % to do until others have started`,
      remedy: `Raise min, or use cpuPercent <= ${Math.floor(100 * kept)}.`,
    });
  }
  if (max === min) {
    warn(service, {
      code: "SCALING_NO_ROOM",
      prop: "scaling.max",
      problem: `is ${max}, as scaling.min: no task can be added when load grows`,
      remedy: "Raise max.",
    });
  }
}
