import type { Construct } from "constructs";
import { Role } from "../core/iam";
import type { ServiceContext } from "./props";

/**
 * Creates a role that tasks of a service assume.
 *
 * @param dependencies receives the address of the role's policy: tasks need their permissions until they have stopped
 */
export function serviceRole(
  scope: Construct,
  id: string,
  { fullName }: ServiceContext,
  part: string,
  dependencies: string[],
): Role {
  const role = new Role(scope, id, { name: `${fullName.join("-")}-${part}`, service: "ecs-tasks.amazonaws.com" });
  role.whenPolicy((address) => dependencies.push(address));
  return role;
}

/** Name of a role of a service in AWS, with its path. */
export function serviceRoleName({ stack, fullName }: ServiceContext, part: string): string {
  const path = stack.environment.guardrails?.rolePath ?? "/";
  return `${path.slice(1)}${stack.physicalName("role", `${fullName.join("-")}-${part}`)}`;
}
