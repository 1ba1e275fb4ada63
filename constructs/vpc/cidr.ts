/** Address ranges of a VPC's subnets, one for each availability zone. */
export interface CidrPlan {
  readonly public: readonly string[];
  readonly private: readonly string[];
}

/** Number of zones that a plan reserves space for, so that adding a zone moves no subnet. */
export const MAX_ZONES = 4;

/** Prefix lengths of the largest and smallest VPC. AWS allows /16 to /28; a /22 gives /28 public subnets. */
export const VPC_PREFIX = { min: 16, max: 22 } as const;

/** Parses `10.0.0.0/16`; undefined unless it is an IPv4 CIDR block that starts on its own boundary. */
export function parseCidr(cidr: string): { readonly address: number; readonly prefix: number } | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  const [a = 256, b = 256, c = 256, d = 256, prefix = 33] = numbers;
  if (Math.max(a, b, c, d) > 255 || prefix > 32) return undefined;
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return address % 2 ** (32 - prefix) === 0 ? { address, prefix } : undefined;
}

/**
 * Splits a VPC's CIDR block: one eighth for the private subnet of each of up to four zones, then one sixty-fourth for each
 * public subnet; the rest stays unused. Depends on the block alone, so that adding a zone moves no subnet.
 */
export function planSubnets(cidr: string, zones: number): CidrPlan {
  const range = parseCidr(cidr);
  if (range === undefined || range.prefix < VPC_PREFIX.min || range.prefix > VPC_PREFIX.max) {
    throw new RangeError(
      `${cidr} must be an IPv4 CIDR block from /${VPC_PREFIX.min} to /${VPC_PREFIX.max} that starts on its own boundary`,
    );
  }
  if (!Number.isInteger(zones) || zones < 1 || zones > MAX_ZONES) {
    throw new RangeError(`zones must be from 1 to ${MAX_ZONES}, got ${zones}`);
  }
  const size = 2 ** (32 - range.prefix);
  const subnet = (offset: number, prefix: number) => `${format(range.address + offset)}/${prefix}`;
  const each = (make: (zone: number) => string) => Array.from({ length: zones }, (_, zone) => make(zone));
  return {
    private: each((zone) => subnet((zone * size) / 8, range.prefix + 3)),
    public: each((zone) => subnet(size / 2 + (zone * size) / 64, range.prefix + 6)),
  };
}

/** Number of usable addresses in a subnet: AWS reserves five in each. */
export function usableAddresses(cidr: string): number {
  return 2 ** (32 - (parseCidr(cidr)?.prefix ?? 32)) - 5;
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
