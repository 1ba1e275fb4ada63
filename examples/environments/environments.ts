import { type Environment, placeholder } from "antifragile";

/** Settings that differ between environments. */
export interface ShopEnvironment extends Environment {
  readonly scaling: { readonly min: number; readonly max: number };
  /** Domain that requests come to, and the id of its zone; without one, plain HTTP. */
  readonly domain?: { readonly name: string; readonly zoneId: string };
}

export const environments: readonly ShopEnvironment[] = [
  // Cheap when idle, in whatever account the credentials are for, its state in a file: for trying out.
  { name: "dev", region: "eu-central-1", profile: "dev", scaling: { min: 1, max: 2 } },
  {
    name: "staging",
    region: "eu-central-1",
    profile: "production",
    account: "123456789012",
    // In the bucket that `antifragile bootstrap` makes, encrypted, locked while it is used, a key for each stack.
    state: "s3",
    scaling: { min: 2, max: 4 },
    domain: { name: "staging.example.com", zoneId: "Z0123456789ABCDEFGHIJ" },
  },
  {
    name: "production",
    region: "eu-central-1",
    // Production, and besides: no other account, no state in a file, no plain HTTP, its own keys for data and logs.
    profile: "strict",
    account: "210987654321",
    state: "s3",
    scaling: { min: 3, max: 20 },
    // Until these are filled in, production is skipped, and an error when selected by name; the others work.
    domain: { name: "shop.example.com", zoneId: placeholder("id of the zone shop.example.com in Route 53") },
  },
];
