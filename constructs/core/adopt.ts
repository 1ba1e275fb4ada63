import { TerraformResource } from "cdktf";
import type { IConstruct } from "constructs";
import { checkArguments } from "./check-types";
import { invalid } from "./errors";

/** Attributes that only a replacement could change, by type of resource: an adopted one keeps its own. */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  aws_db_instance: ["db_name", "kms_key_id", "storage_encrypted", "username"],
  aws_db_subnet_group: ["description", "name"],
  aws_ecs_service: ["capacity_provider_strategy", "launch_type"],
  aws_rds_cluster: ["database_name", "kms_key_id", "master_username", "storage_encrypted"],
  aws_subnet: ["availability_zone", "cidr_block"],
};

/**
 * Takes over resources that exist in AWS: the next deployment imports them and changes them in place. Keep the call: attributes that only a
 * replacement could change stay as they are.
 *
 * @param ids ids in the form of Terraform's import, by the ids of the construct's children: `Resource` is the main resource
 * @example
 * ```ts
 * const invoices = new Bucket(stack.data, "Invoices", { bucketName: "acme-invoices" });
 * adopt(invoices, { Resource: "acme-invoices" });
 * ```
 * @throws InvalidPropsError ADOPT_RESOURCE
 */
export function adopt(construct: IConstruct, ids: Readonly<Record<string, string>>): void {
  checkArguments("adopt", { construct, ids });
  for (const [child, id] of Object.entries(ids)) {
    const found = construct.node.tryFindChild(child);
    const resource = found?.node.defaultChild ?? found;
    if (!(resource instanceof TerraformResource) || id === "") {
      throw invalid(construct, {
        code: "ADOPT_RESOURCE",
        prop: "ids",
        problem: `must name resources of the construct with their ids in AWS, got ${JSON.stringify({ [child]: id })}`,
        remedy: `It has ${construct.node.children.map(({ node }) => node.id).join(", ")}.`,
      });
    }
    resource.importFrom(id);
    resource.addOverride("lifecycle.ignore_changes", KEPT[resource.terraformResourceType] ?? []);
  }
}
