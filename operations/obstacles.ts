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
export function protectedFromDeletion(plan: TerraformPlan): Obstacle[] {
  const region = regionOf(plan);
  return deletionsIn(plan).flatMap(({ address, type, before }) => {
    const protection = Object.hasOwn(DELETION_PROTECTION, type) ? DELETION_PROTECTION[type] : undefined;
    const value = protection && before[protection.attribute];
    if (protection === undefined || (value !== true && value !== "ACTIVE")) return [];
    const command = `aws ${protection.turnOff(before)}${region === undefined ? "" : ` --region ${region}`}`;
    return [{ address, reason: "has deletion protection", remedy: `turn it off: ${command}` }];
  });
}

/** Kind of resource that AWS deletes only while it is empty. */
type ContainerKind = "bucket" | "repository";

/** AWS in a region, as far as it knows whether a bucket or an image repository is empty. */
export interface ContainerCloud {
  readonly isEmpty: (kind: ContainerKind, name: string) => Promise<boolean>;
  readonly done: () => void;
}

/** Bucket or image repository that Terraform does not empty before it deletes it. */
function deletedIfEmpty(type: string, before: Attributes): { kind: ContainerKind; name: string } | undefined {
  if (type === "aws_s3_bucket" && before.force_destroy !== true) return { kind: "bucket", name: String(before.bucket) };
  if (type === "aws_ecr_repository" && before.force_delete !== true) {
    return { kind: "repository", name: String(before.name) };
  }
  return undefined;
}

/**
 * Finds what AWS would refuse to delete when a plan is applied.
 *
 * @param terraform Terraform in the folder of the stack, as a user types it
 */
export async function undeletableIn(
  plan: TerraformPlan,
  { cloudOf, terraform }: { cloudOf: (region: string | undefined) => ContainerCloud; terraform: string },
): Promise<Obstacle[]> {
  const found = protectedFromDeletion(plan);
  let cloud: ContainerCloud | undefined;
  try {
    for (const { address, type, before } of deletionsIn(plan)) {
      const container = deletedIfEmpty(type, before);
      if (container === undefined) continue;
      cloud ??= cloudOf(regionOf(plan));
      const { kind, name } = container;
      if (await cloud.isEmpty(kind, name)) continue;
      const forget = `${terraform} state rm '${address}'`;
      found.push({
        address,
        ...(kind === "bucket"
          ? {
              reason: `holds objects, in bucket ${name}`,
              remedy: `empty it with all versions of its objects, in the console of S3 (Empty); or keep it, and the key that encrypts it: ${forget}`,
            }
          : {
              reason: `holds images, in repository ${name}`,
              remedy: `delete them, in the console of ECR; or keep it: ${forget}`,
            }),
      });
    }
  } finally {
    cloud?.done();
  }
  return found;
}

export const REFUSED_BY_AWS = "AWS would refuse what the plan deletes; nothing of it was applied";

/** Renders obstacles for a terminal, after a title. */
export function describeObstacles(title: string, obstacles: readonly Obstacle[]): string {
  const lines = obstacles.map(({ address, reason, remedy }) => `  ${address} ${reason}\n    ${remedy}\n`);
  return `✖ ${title}:\n${lines.join("")}  Then run the command again.\n`;
}
