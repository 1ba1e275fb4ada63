import { Annotations } from "cdktf";
import type { IConstruct } from "constructs";

/** Announces at synth that some changes of a resource wait for its maintenance window. */
export function announceMaintenanceWindow(scope: IConstruct, changes: string): void {
  Annotations.of(scope).addInfo(
    `changes of ${changes} wait for the weekly maintenance window; set applyImmediately to apply them during the deployment, with a restart`,
  );
}
