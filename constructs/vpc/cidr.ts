/** The address ranges of a network's subnets, by zone. */
export interface CidrPlan {
  readonly public: readonly string[];
  readonly private: readonly string[];
}

/** How many zones a plan leaves room for: a zone added later moves no subnet. */
export const MAX_ZONES = 4;

/** Smallest and largest range a plan is made for: AWS takes /16 to /28, and a /22 gives /28 public subnets. */
export const VPC_PREFIX = { min: 16, max: 22 } as const;

/** `10.0.0.0/16` in parts, or undefined when it is no IPv4 range on its own boundary. */
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
 * Splits a VPC's range: the first half in four private subnets, an eighth-sized share for each zone; then four public ones
 * of a sixty-fourth each; the rest stays free. Depends only on the range, so that a zone added later moves nothing.
 */
export function planSubnets(cidr: string, zones: number): CidrPlan {
  const range = parseCidr(cidr);
  if (range === undefined || range.prefix < VPC_PREFIX.min || range.prefix > VPC_PREFIX.max) {
    throw new RangeError(`${cidr} is no IPv4 range from /${VPC_PREFIX.min} to /${VPC_PREFIX.max} on its own boundary`);
  }
  if (!Number.isInteger(zones) || zones < 1 || zones > MAX_ZONES) {
    throw new RangeError(`zones ${zones}: a plan is for 1 to ${MAX_ZONES}`);
  }
  const size = 2 ** (32 - range.prefix);
  const subnet = (offset: number, prefix: number) => `${format(range.address + offset)}/${prefix}`;
  const each = (make: (zone: number) => string) => Array.from({ length: zones }, (_, zone) => make(zone));
  return {
    private: each((zone) => subnet((zone * size) / 8, range.prefix + 3)),
    public: each((zone) => subnet(size / 2 + (zone * size) / 64, range.prefix + 6)),
  };
}

/** How many addresses of a subnet can be used: AWS keeps five of each for itself. */
export function usableAddresses(cidr: string): number {
  return 2 ** (32 - (parseCidr(cidr)?.prefix ?? 32)) - 5;
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
