import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type App,
  CiRoles,
  DeliveryStack,
  type Environment,
  gitHubActions,
  ImageRepository,
  type Profile,
} from "../../../constructs";
import { ACCOUNT, programOf, REGION } from "../resolve";
import { rolesIn, type SimulatedRole } from "../roles";

/** Roles that plan, apply and release the stacks of an app in an environment. */
export interface DeployingRoles {
  readonly plan: SimulatedRole;
  readonly apply: SimulatedRole;
  readonly release: SimulatedRole;
}

/** Roles by the name of their environment. */
export type RolesOfEnvironments = Readonly<Record<string, DeployingRoles>>;

/**
 * Roles for environments of an app, as a repository has them that delivers it. It adds them to the app: synthesize that before, so that they
 * are not deployed with it.
 */
export function deployingRoles(app: App, profiles: Readonly<Record<string, Profile>>): RolesOfEnvironments {
  const stack = new DeliveryStack(app, "deployed", { region: REGION, account: ACCOUNT, state: "s3" });
  const environments = Object.entries(profiles).map(
    ([name, profile]): Environment => ({ name, region: REGION, account: ACCOUNT, profile, state: "s3" }),
  );
  new CiRoles(stack, "GitHub", {
    trust: gitHubActions({ repository: { owner: "acme", name: "deployed", numbers: { owner: 1, repository: 2 } } }),
    images: new ImageRepository(stack, "Images"),
    environments,
  });
  const roles = rolesIn(programOf(stack));
  const roleFor = (environment: string, access: string) => {
    const found = roles.find(({ name }) => name.endsWith(`-${environment}-${access}`));
    if (found === undefined) throw new Error(`no role ${access} of ${environment}: ${roles.map(({ name }) => name)}`);
    return found;
  };
  return Object.fromEntries(
    environments.map(({ name }) => [
      name,
      { plan: roleFor(name, "plan"), apply: roleFor(name, "apply"), release: roleFor(name, "release") },
    ]),
  );
}

/** File that an app of a test has beside its stacks. */
const FILE = "roles.json";

/** Writes the roles into the folder of a synthesized app, for the test that deploys it. */
export function writeDeployingRoles(app: App, profiles: Readonly<Record<string, Profile>>): void {
  writeFileSync(join(app.outdir, FILE), JSON.stringify(deployingRoles(app, profiles)));
}

export const readDeployingRoles = (outdir: string): RolesOfEnvironments =>
  JSON.parse(readFileSync(join(outdir, FILE), "utf8"));

/**
 * Role that runs Terraform for a stack, by the key that the emulator's Terraform has: `plan.shop-dev-platform`. The stack that holds these
 * roles, `orders-delivery`, is deployed by a person.
 */
export function roleOfTerraform(roles: RolesOfEnvironments, caller: string): SimulatedRole | undefined {
  const [command, stack = ""] = caller.split(".");
  const environment = stack.split("-").find((part) => part in roles);
  return environment === undefined ? undefined : roles[environment]?.[command === "plan" ? "plan" : "apply"];
}
