import { boundaryDocument } from "../contract/boundary";
import { type Boundary, boundaryPolicy } from "./permissions-boundary";
import { OLD_VERSIONS_DAYS, type StateBackend, tlsOnly, UPLOAD_DAYS } from "./state-bucket";

/** Renders what bootstrap creates as a Terraform configuration, in JSON. The backends have one bucket, since they have one environment. */
export function terraformOf([backend]: readonly StateBackend[], boundaries: readonly Boundary[]): string {
  const account = backend?.account ?? boundaries[0]?.account;
  const policies = boundaries.map((boundary) => {
    const policy = boundaryDocument(boundary);
    return [`boundary_${boundary.environment}`, { ...boundaryPolicy(boundary), policy }] as const;
  });
  const resource = {
    ...(backend === undefined ? {} : bucketOf(backend)),
    ...(policies.length === 0 ? {} : { aws_iam_policy: Object.fromEntries(policies) }),
  };
  const program = {
    terraform: { required_providers: { aws: { source: "hashicorp/aws", version: ">= 5.0" } } },
    provider: {
      aws: [
        {
          region: backend?.region ?? boundaries[0]?.region,
          ...(account === undefined ? {} : { allowed_account_ids: [account] }),
        },
      ],
    },
    resource,
  };
  return `${JSON.stringify(program, null, 2)}\n`;
}

function bucketOf({ bucket, region, kmsKeyArn }: StateBackend) {
  const of = { bucket: "${aws_s3_bucket.state.id}" };
  const key = kmsKeyArn === undefined ? {} : { kms_master_key_id: kmsKeyArn };
  return {
    aws_s3_bucket: { state: { bucket, lifecycle: { prevent_destroy: true } } },
    aws_s3_bucket_lifecycle_configuration: {
      state: {
        ...of,
        rule: {
          id: "old-versions",
          status: "Enabled",
          filter: {},
          noncurrent_version_expiration: { noncurrent_days: OLD_VERSIONS_DAYS },
          abort_incomplete_multipart_upload: { days_after_initiation: UPLOAD_DAYS },
        },
      },
    },
    aws_s3_bucket_ownership_controls: { state: { ...of, rule: { object_ownership: "BucketOwnerEnforced" } } },
    aws_s3_bucket_policy: {
      state: { ...of, policy: JSON.stringify({ Version: "2012-10-17", Statement: [tlsOnly(bucket, region)] }) },
    },
    aws_s3_bucket_public_access_block: {
      state: {
        ...of,
        block_public_acls: true,
        block_public_policy: true,
        ignore_public_acls: true,
        restrict_public_buckets: true,
      },
    },
    aws_s3_bucket_server_side_encryption_configuration: {
      state: {
        ...of,
        rule: {
          apply_server_side_encryption_by_default: {
            sse_algorithm: kmsKeyArn === undefined ? "AES256" : "aws:kms",
            ...key,
          },
          bucket_key_enabled: kmsKeyArn !== undefined,
        },
      },
    },
    aws_s3_bucket_versioning: { state: { ...of, versioning_configuration: { status: "Enabled" } } },
  };
}
