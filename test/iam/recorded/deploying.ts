import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Construct } from "constructs";
import {
  type App,
  CiRoles,
  DeliveryStack,
  type Environment,
  gitHubActions,
  type IGrantable,
  ImageRepository,
  type Profile,
  type Statement,
} from "../../../constructs";
import { pascal } from "../../../constructs/core/names";
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

/** Settings of a user for the roles of an app. */
interface DeployingOptions {
  /** Of all environments. */
  readonly guardrails?: Environment["guardrails"];
  /** For resources of the app that no construct creates. */
  readonly grants?: Readonly<Record<"plan" | "apply", readonly Statement[]>>;
}

/**
 * Roles for environments of an app, as a repository has them that delivers it. It adds them to the app: synthesize that before, so that they
 * are not deployed with it.
 */
export function deployingRoles(
  app: App,
  profiles: Readonly<Record<string, Profile>>,
  { guardrails, grants = { plan: [], apply: [] } }: DeployingOptions = {},
): RolesOfEnvironments {
  const stack = new DeliveryStack(app, "deployed", { region: REGION, account: ACCOUNT, state: "s3" });
  const environments = Object.entries(profiles).map(
    ([name, profile]): Environment => ({ name, region: REGION, account: ACCOUNT, profile, state: "s3", guardrails }),
  );
  const ci = new CiRoles(stack, "GitHub", {
    trust: gitHubActions({ repository: { owner: "acme", name: "deployed", numbers: { owner: 1, repository: 2 } } }),
    images: new ImageRepository(stack, "Images"),
    environments,
  });
  for (const { name } of environments) {
    for (const [access, statements] of Object.entries(grants)) {
      const role = ci.node.findChild(`${pascal(name)}${pascal(access)}`) as Construct & IGrantable;
      for (const statement of statements) role.grant(statement);
    }
  }
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
export function writeDeployingRoles(
  app: App,
  profiles: Readonly<Record<string, Profile>>,
  options?: DeployingOptions,
): void {
  writeFileSync(join(app.outdir, FILE), JSON.stringify(deployingRoles(app, profiles, options)));
}

export const readDeployingRoles = (outdir: string): RolesOfEnvironments =>
  JSON.parse(readFileSync(join(outdir, FILE), "utf8"));

/**
 * Role that plans, applies or releases, by its access key: `plan.shop-dev-platform` as the emulator's Terraform has it, or `release.dev`.
 * The stack that holds these roles, `orders-delivery`, is deployed by a person.
 */
export function roleOfKey(roles: RolesOfEnvironments, caller: string): SimulatedRole | undefined {
  const [command, stack = ""] = caller.split(".");
  const environment = stack.split("-").find((part) => part in roles);
  if (environment === undefined) return undefined;
  return roles[environment]?.[command === "plan" || command === "release" ? command : "apply"];
}
