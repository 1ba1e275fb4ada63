import type { CommandLine } from "../contract/command-line";

/** Actions on a protected resource that a user can allow by its address. */
export const ALLOWABLE = ["delete", "replace", "update"] as const;
export type Allowable = (typeof ALLOWABLE)[number];

/** Addresses that the user has allowed. */
export type Allowances = Readonly<Partial<Record<Allowable, readonly string[]>>>;

/** Flags that let a plan pass the gate. Each takes one address or several; those of CI systems are variables, which may be empty. */
export const ALLOWANCE_FLAGS = {
  "allow-delete": {
    value: "ADDRESS",
    multiple: true,
    help: "allow a plan to delete this service, database, key ..., which the gate refuses otherwise; several are separated by spaces",
  },
  "allow-replace": { value: "ADDRESS", multiple: true, help: "allow a plan to replace this resource" },
  "allow-update": {
    value: "ADDRESS",
    multiple: true,
    help: "allow a plan to change this resource in place, where that takes something away: protection, backups, a certificate ...",
  },
} as const;

/** Value of a variable of CodePipeline, which cannot be empty. */
const NONE = "none";

/** Addresses in the values of a flag. */
const addressesIn = (values: readonly string[]): string[] =>
  values.flatMap((value) => value.split(/\s+/)).filter((address) => address !== "" && address !== NONE);

/** Allowances of a command line. */
export function allowancesOf(line: CommandLine<typeof ALLOWANCE_FLAGS>): Allowances {
  return {
    delete: addressesIn(line.values("allow-delete")),
    replace: addressesIn(line.values("allow-replace")),
    update: addressesIn(line.values("allow-update")),
  };
}
