/** Flags that let a plan pass the gate. */
export const ALLOWANCE_FLAGS = {
  "allow-delete": {
    value: "ADDRESS",
    multiple: true,
    help: "allow a plan to delete this service, database, key ..., which the gate refuses otherwise",
  },
  "allow-replace": { value: "ADDRESS", multiple: true, help: "allow a plan to replace this resource" },
} as const;
