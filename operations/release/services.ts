import type { ProcessTemplate } from "../../contract/release";
import { didYouMean, quoted } from "../../contract/text";
import { UserError } from "../../contract/user-error";
import type { ReleaseContext } from "./context";

type Services = ReadonlyMap<string, ProcessTemplate>;

/** Services of the stack, by name. @throws UserError if there are none */
export async function servicesOf({ cloud, place }: Pick<ReleaseContext, "cloud" | "place">): Promise<Services> {
  const services = await cloud.processes(place);
  if (services.size > 0) return services;
  const { environment, platform, stack } = place;
  throw new UserError(
    `services of ${stack} on ${platform} in ${environment} were not found in this account and region: apply its stacks first (antifragile deploy ${environment})`,
    1,
  );
}

/** Service of a stack by its name, or its only one. @throws UserError that names those that exist */
export function chooseService(services: Services, service: string | undefined): readonly [string, ProcessTemplate] {
  const names = [...services.keys()];
  const wanted = service ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined) throw new UserError(`name a service: ${names.join(", ")}`, 2);
  const found = services.get(wanted);
  if (found !== undefined) return [wanted, found];
  throw new UserError(
    `service ${quoted(wanted)} does not exist${didYouMean(wanted, names)}\nIts services are: ${names.join(", ")}`,
    2,
  );
}

/** Services that a command is for: the named one, or all. @throws UserError if it does not exist, or there are none */
export async function chosenServices(
  context: Pick<ReleaseContext, "cloud" | "place">,
  service: string | undefined,
): Promise<readonly (readonly [string, ProcessTemplate])[]> {
  const services = await servicesOf(context);
  return service === undefined ? [...services] : [chooseService(services, service)];
}
