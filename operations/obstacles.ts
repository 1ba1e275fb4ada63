import { type Attributes, deletionsIn, regionOf, type TerraformPlan } from "./terraform-plan";

/** Reason for which a resource cannot be deleted now. */
export interface Obstacle {
  readonly address: string;
  readonly reason: string;
  /** Way to remove the obstacle. */
  readonly remedy: string;
}

interface DeletionProtection {
  readonly attribute: string;
  /** Arguments of the AWS CLI that turn it off. */
  readonly turnOff: (of: Attributes) => string;
}

const DELETION_PROTECTION: Readonly<Record<string, DeletionProtection>> = {
  aws_db_instance: {
    attribute: "deletion_protection",
    turnOff: ({ identifier }) =>
      `rds modify-db-instance --db-instance-identifier ${identifier} --no-deletion-protection`,
  },
  aws_rds_cluster: {
    attribute: "deletion_protection",
    turnOff: ({ cluster_identifier: id }) =>
      `rds modify-db-cluster --db-cluster-identifier ${id} --no-deletion-protection`,
  },
  aws_docdb_cluster: {
    attribute: "deletion_protection",
    turnOff: ({ cluster_identifier: id }) =>
      `docdb modify-db-cluster --db-cluster-identifier ${id} --no-deletion-protection`,
  },
  aws_dynamodb_table: {
    attribute: "deletion_protection_enabled",
    turnOff: ({ name }) => `dynamodb update-table --table-name ${name} --no-deletion-protection-enabled`,
  },
  aws_lb: {
    attribute: "enable_deletion_protection",
    turnOff: ({ arn }) =>
      `elbv2 modify-load-balancer-attributes --load-balancer-arn ${arn} --attributes Key=deletion_protection.enabled,Value=false`,
  },
  aws_cognito_user_pool: {
    attribute: "deletion_protection",
    turnOff: ({ id }) => `cognito-idp update-user-pool --user-pool-id ${id} --deletion-protection INACTIVE`,
  },
};

/** Resources whose deletion AWS refuses because their deletion protection is on. */
export function protectedFromDeletion(plan: TerraformPlan): readonly Obstacle[] {
  const region = regionOf(plan);
  return deletionsIn(plan).flatMap(({ address, type, before }) => {
    const protection = Object.hasOwn(DELETION_PROTECTION, type) ? DELETION_PROTECTION[type] : undefined;
    const value = protection && before[protection.attribute];
    if (protection === undefined || (value !== true && value !== "ACTIVE")) return [];
    const command = `aws ${protection.turnOff(before)}${region === undefined ? "" : ` --region ${region}`}`;
    return [{ address, reason: "has deletion protection", remedy: `turn it off: ${command}` }];
  });
}

/** Resource that AWS deletes only while it is empty. */
export interface Container {
  readonly address: string;
  readonly kind: "bucket" | "repository";
  readonly name: string;
}

/** Buckets and image repositories that Terraform does not empty before it deletes them. */
export function deletedIfEmpty(plan: TerraformPlan): readonly Container[] {
  return deletionsIn(plan).flatMap(({ address, type, before }): Container[] => {
    if (type === "aws_s3_bucket" && before.force_destroy !== true) {
      return [{ address, kind: "bucket", name: String(before.bucket) }];
    }
    if (type === "aws_ecr_repository" && before.force_delete !== true) {
      return [{ address, kind: "repository", name: String(before.name) }];
    }
    return [];
  });
}

/**
 * Obstacle of a bucket or repository that is not empty.
 *
 * @param forget command that removes the resource from Terraform's state
 */
export function notEmpty({ address, kind, name }: Container, forget: string): Obstacle {
  return kind === "bucket"
    ? {
        address,
        reason: `holds objects, in bucket ${name}`,
        remedy: `empty it with all versions of its objects, in the console of S3 (Empty); or keep it, and the key that encrypts it: ${forget}`,
      }
    : {
        address,
        reason: `holds images, in repository ${name}`,
        remedy: `delete them, in the console of ECR; or keep it: ${forget}`,
      };
}
