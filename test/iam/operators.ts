import { OPERATOR_STATEMENTS, policyOf } from "../../scripts/docs-operators";
import { ACCOUNT, REGION } from "./resolve";
import type { SimulatedRole } from "./roles";

const NAMES = { PLATFORM: "shop", ENVIRONMENT: "dev", REGION, ACCOUNT };

/** A person with the documented policy of these commands for operators, for the platform `shop` in `dev`. */
export function operator(name: string, commands = Object.keys(OPERATOR_STATEMENTS)): SimulatedRole {
  const text = policyOf(commands.flatMap((command) => OPERATOR_STATEMENTS[command] ?? []));
  const document = Object.entries(NAMES).reduce((before, [from, to]) => before.replaceAll(from, to), text);
  return { name, policies: [{ name, policy: JSON.parse(document) as object }] };
}
