import { plansFolder } from "../../contract/plans";
import type { Environment } from "../core/environment";
import type { Role } from "../core/iam";
import { statePlace } from "../core/state";
import type { EnvironmentStacks } from "./environment-stacks";

export interface PlanTransfer {
  readonly partition: string;
  readonly environment: Environment;
  readonly stacks: EnvironmentStacks;
}

/**
 * Allows plans to pass from one machine to another through the bucket of the state, which is encrypted and private: plans contain values
 * of the state, and artifacts of a CI system may be read by everyone who reads its repository.
 */
export function allowPlanTransfer(
  roles: { readonly plan: Role; readonly apply: Role },
  { partition, environment, stacks }: PlanTransfer,
): void {
  const objects = () =>
    stacks.ids().flatMap((id) => {
      const place = statePlace(id, environment);
      return place === undefined ? [] : [`arn:${partition}:s3:::${place.bucket}/${plansFolder(id)}*`];
    });
  // Refuses to replace plans that may be approved already.
  const once = { Null: { "s3:if-none-match": "false" } };
  roles.plan.addPolicy("Plans", "plans", () => [{ actions: ["s3:PutObject"], resources: objects(), conditions: once }]);
  roles.apply.addPolicy("Plans", "plans", () => [
    { actions: ["s3:DeleteObject", "s3:GetObject"], resources: objects() },
  ]);
}
