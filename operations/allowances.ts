/** Flags by which a user lets a plan pass the gate. */
export const ALLOWANCE_FLAGS = {
  "allow-delete": {
    value: "ADDRESS",
    multiple: true,
    help: "let a plan delete this service, database, key ...: the gate refuses it otherwise",
  },
  "allow-replace": { value: "ADDRESS", multiple: true, help: "let a plan replace it" },
} as const;
