import { describe, expect, it } from "vitest";
import { synthesize } from "../../../constructs/testing";
import { DEV, only, PRODUCTION, resources, shop } from "../../support/synth";

interface Statement {
  readonly Principal: { readonly Service?: string };
  readonly Resource: string;
}

/** Reference to a resource by the id of its construct. */
const of = (type: string, id: string, attribute: string) =>
  expect.stringMatching(new RegExp(`^\\$\\{${type}\\.LoadBalancer_AccessLogs_${id}_\\w+\\.${attribute}\\}$`));

describe("access logs of a load balancer", () => {
  it("are kept in production, and in other environments on request", () => {
    const logged = (platform: ReturnType<typeof shop>) => only(platform, "aws_lb").access_logs;
    expect(logged(shop(PRODUCTION))).toEqual({ enabled: true, bucket: of("aws_s3_bucket", "Requests", "bucket") });
    // Stated, because the provider does not turn them off for a load balancer without the block.
    const off = { enabled: false, bucket: "" };
    expect(logged(shop(PRODUCTION, { accessLogs: false }))).toEqual(off);
    expect(logged(shop(DEV))).toEqual(off);
    expect(logged(shop(DEV, { accessLogs: true }))).toMatchObject({ enabled: true });
  });

  it("are written by load balancers of the account, before the load balancer uses the bucket", () => {
    const platform = shop({ ...PRODUCTION, account: "123456789012" });
    const program = synthesize(platform);
    const policies = Object.values(resources(program, "aws_s3_bucket_policy")).flatMap(
      ({ policy }) => (policy as { Statement: Statement[] }).Statement,
    );
    const writers = policies.filter(({ Principal }) => Principal.Service !== undefined);
    expect(writers.map(({ Principal }) => Principal.Service).sort()).toEqual([
      "logdelivery.elasticloadbalancing.amazonaws.com",
      "logging.s3.amazonaws.com",
    ]);
    const [writer] = writers.filter(({ Principal }) => /^logdelivery/.test(Principal.Service ?? ""));
    expect(writer?.Resource).toMatch(/\/AWSLogs\/123456789012\/\*$/);
    // The folder limits it to the account: AWS documents no condition.
    expect(writer).not.toHaveProperty("Condition");
    expect(only(program, "aws_lb").depends_on).toEqual([
      expect.stringMatching(/^aws_s3_bucket_policy\.LoadBalancer_AccessLogs_Requests_Policy_/),
    ]);
  });

  it("are in a bucket that is logged in another one; both are private, expire with other logs, and have the key of S3", () => {
    const platform = shop(PRODUCTION);
    expect(only(platform, "aws_s3_bucket_logging")).toMatchObject({
      bucket: of("aws_s3_bucket", "Requests", "bucket"),
      target_bucket: of("aws_s3_bucket", "Reads", "bucket"),
    });
    const all = (type: string) => Object.values(resources(platform, type));
    expect(all("aws_s3_bucket").map((bucket) => bucket.force_destroy)).toEqual([true, false]);
    // The name by which the role that applies production may empty it.
    expect(all("aws_s3_bucket")[0]?.bucket).toMatch(/^shop-production-access-reads-/);
    expect(all("aws_s3_bucket_public_access_block")).toHaveLength(2);
    const rules = (type: string) => all(type).map(({ rule }) => rule);
    const encryption = [{ apply_server_side_encryption_by_default: { sse_algorithm: "AES256" } }];
    expect(rules("aws_s3_bucket_server_side_encryption_configuration")).toEqual([encryption, encryption]);
    const lifecycle = [{ expiration: [{ days: 365 }], noncurrent_version_expiration: [{ noncurrent_days: 7 }] }];
    expect(rules("aws_s3_bucket_lifecycle_configuration")).toMatchObject([lifecycle, lifecycle]);
    const dev = shop(DEV, { accessLogs: true });
    expect(Object.values(resources(dev, "aws_s3_bucket")).map((bucket) => bucket.force_destroy)).toEqual([true, true]);
  });
});
