import type { CommandLine } from "../contract/command-line";

/** Actions on a protected resource that a user can allow by its address. */
export const ALLOWABLE = ["delete", "replace", "update"] as const;
export type Allowable = (typeof ALLOWABLE)[number];

/** Addresses that the user has allowed. */
export type Allowances = Readonly<Partial<Record<Allowable, readonly string[]>>>;

/** Flags that let a plan pass the gate. */
export const ALLOWANCE_FLAGS = {
  "allow-delete": {
    value: "ADDRESS",
    multiple: true,
    help: "allow a plan to delete this service, database, key ..., which the gate refuses otherwise",
  },
  "allow-replace": { value: "ADDRESS", multiple: true, help: "allow a plan to replace this resource" },
  "allow-update": {
    value: "ADDRESS",
    multiple: true,
    help: "allow a plan to change this resource in place, where that takes something away: protection, backups, a certificate ...",
  },
} as const;

/** Allowances of a command line. */
export function allowancesOf(line: CommandLine<typeof ALLOWANCE_FLAGS>): Allowances {
  return {
    delete: line.values("allow-delete"),
    replace: line.values("allow-replace"),
    update: line.values("allow-update"),
  };
}
