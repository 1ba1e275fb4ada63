import { describe, expect, it } from "vitest";
import type { ProcessTemplate } from "../../contract/release";
import { type DestroyOptions, destroyStacks } from "../../operations/destroy";
import { describeUsers } from "../../operations/destroy-cloud";
import { template } from "./support/fake-cloud";
import { type Fake, stubTerraform } from "./support/stub-terraform";

const deleted = (address: string, before: object = {}) => ({ address, actions: ["delete"], before });
const PLATFORM_PARAMETER = deleted("aws_ssm_parameter.Platform", { name: "/antifragile/dev/shop/platform" });

/** Stacks of an environment: a service on its data on its platform. */
const STACKS: Readonly<Record<string, Fake>> = {
  platform: {
    changes: [
      PLATFORM_PARAMETER,
      deleted("aws_lb.Public"),
      deleted("aws_kms_key.Key", { key_id: "k", deletion_window_in_days: 7 }),
    ],
  },
  data: { changes: [deleted("aws_db_instance.Orders", { identifier: "orders", skip_final_snapshot: true })] },
  service: { changes: [deleted("aws_ecs_service.Orders")] },
};

interface Cloud {
  readonly filled?: readonly string[];
  readonly users?: readonly { readonly reason: string; readonly remedy: string }[];
}

async function destroy(
  fakes: Readonly<Record<string, Fake>>,
  { filled = [], users = [], ...options }: Partial<DestroyOptions> & Cloud = {},
) {
  const asked: string[] = [];
  const ended = await stubTerraform(fakes).run((base) =>
    destroyStacks({
      ...base,
      environment: "dev",
      alsoKept: [],
      confirm: async () => true,
      cloudOf: () => ({
        isEmpty: async (kind, name) => {
          asked.push(`${kind} ${name}`);
          return !filled.includes(name);
        },
        usersOf: async ({ environment, platform }, { deleted }) => {
          asked.push(`users of ${environment} ${platform}${deleted ? ", which is deleted" : ""}`);
          return users;
        },
        done: () => undefined,
      }),
      ...options,
    }),
  );
  return { ...ended, asked };
}

const steps = (calls: readonly string[]) => calls.map((call) => call.split(" ", 2).join(" "));

describe("destroying an environment", () => {
  it("plans the deletion of all stacks before it asks, then applies these plans, services first", async () => {
    let planned = 0;
    const { code, calls, applied, text, asked } = await destroy(STACKS, {
      confirm: async () => {
        planned += 1;
        return true;
      },
    });
    expect([code, planned]).toEqual([0, 1]);
    const planOf = (stack: string) => ["init", "plan", "show"].map((step) => `${stack} ${step}`);
    expect(steps(calls)).toEqual([
      ...["service", "data", "platform"].flatMap(planOf),
      ...["service apply", "data apply", "platform apply"],
    ]);
    expect(calls.filter((call) => call.includes(" plan ")).every((call) => call.includes(" -destroy "))).toBe(true);
    expect(applied).toBe("service 600\ndata 600\nplatform 600\n");
    expect(asked).toEqual(["users of dev shop, which is deleted"]);
    expect(text).toContain(
      "data: 1 resource is deleted, of them\n  aws_db_instance.Orders  (database: all of its data is lost)",
    );
    expect(text).toContain("platform: 3 resources are deleted, of them\n  aws_lb.Public  (load balancer:");
    expect(text).toContain("dev is destroyed. This remains in the account:\n  key k, for 7 days");
  });

  it("does nothing where nothing is deployed, and asks nothing", async () => {
    const nothing: Fake = { plan: 0 };
    const confirm = async () => Promise.reject(new Error("asked"));
    const { code, text } = await destroy({ platform: nothing, service: nothing }, { confirm });
    expect([code, text]).toEqual([
      0,
      "  planning service\n  planning platform\ndev has nothing that could be destroyed\n",
    ]);
  });

  it("deletes nothing unless it is confirmed", async () => {
    const { code, calls, text } = await destroy(STACKS, { confirm: async () => false });
    expect(code).toBe(1);
    expect(steps(calls)).not.toContain("service apply");
    expect(text).toMatch(/nothing was destroyed\n$/);
  });

  it("deletes nothing if a plan fails", async () => {
    const { code, calls } = await destroy({ ...STACKS, platform: { plan: 1 } });
    expect(code).toBe(1);
    expect(steps(calls).filter((step) => step.endsWith("apply"))).toEqual([]);
  });

  it("stops where a stack cannot be destroyed, and names those that are", async () => {
    const { code, calls, text } = await destroy({ ...STACKS, data: { ...STACKS.data, apply: 1 } });
    expect(code).toBe(1);
    expect(steps(calls)).not.toContain("platform apply");
    expect(text).toContain("terraform apply of data failed");
    expect(text).toContain("Destroyed before it: service\n");
  });
});

describe("an environment that cannot be destroyed yet", () => {
  const refuses = async (fakes: Readonly<Record<string, Fake>>, cloud: Cloud = {}) => {
    const { code, calls, text } = await destroy(fakes, cloud);
    expect([code, steps(calls).filter((step) => step.endsWith("apply"))]).toEqual([3, []]);
    expect(text).toContain("✖ dev cannot be destroyed yet; nothing was deleted:\n");
    return text;
  };

  const PROTECTED = [
    [
      "aws_db_instance.A",
      { identifier: "a", deletion_protection: true },
      "rds modify-db-instance --db-instance-identifier a --no-deletion-protection",
    ],
    [
      "aws_rds_cluster.A",
      { cluster_identifier: "a", deletion_protection: true },
      "rds modify-db-cluster --db-cluster-identifier a --no-deletion-protection",
    ],
    [
      "aws_docdb_cluster.A",
      { cluster_identifier: "a", deletion_protection: true },
      "docdb modify-db-cluster --db-cluster-identifier a --no-deletion-protection",
    ],
    [
      "aws_dynamodb_table.A",
      { name: "a", deletion_protection_enabled: true },
      "dynamodb update-table --table-name a --no-deletion-protection-enabled",
    ],
    [
      "aws_lb.A",
      { arn: "a", enable_deletion_protection: true },
      "elbv2 modify-load-balancer-attributes --load-balancer-arn a --attributes Key=deletion_protection.enabled,Value=false",
    ],
    [
      "aws_cognito_user_pool.A",
      { id: "a", deletion_protection: "ACTIVE" },
      "cognito-idp update-user-pool --user-pool-id a --deletion-protection INACTIVE",
    ],
  ] as const;

  it("since deletion protection is on, shows the commands that turn it off", async () => {
    const changes = PROTECTED.map(([address, before]) => deleted(address, before));
    const text = await refuses({ data: { changes }, service: STACKS.service as Fake });
    for (const [address, , command] of PROTECTED) {
      expect(text).toContain(`  ${address} has deletion protection\n    turn it off: aws ${command}\n`);
    }
  });

  it("since a bucket or an image repository is not empty, which Terraform does not empty", async () => {
    const changes = [
      deleted("aws_s3_bucket.Full", { bucket: "full" }),
      deleted("aws_s3_bucket.Empty", { bucket: "empty" }),
      deleted("aws_s3_bucket.Forced", { bucket: "forced", force_destroy: true }),
      deleted("aws_ecr_repository.Images", { name: "images" }),
    ];
    const text = await refuses({ data: { changes } }, { filled: ["full", "forced", "images"] });
    expect(text).toMatch(
      /aws_s3_bucket.Full holds objects, in bucket full\n {4}empty it .* -chdir=\S+data state rm 'aws_s3_bucket.Full'\n/,
    );
    expect(text).toMatch(/aws_ecr_repository.Images holds images, in repository images\n/);
    expect(text).not.toMatch(/forced|empty,/);
  });

  it("since others use its platform", async () => {
    const text = await refuses(STACKS, { users: [{ reason: "is used", remedy: "end that" }] });
    expect(text).toContain("  aws_ssm_parameter.Platform is used\n    end that\n");
  });
});

describe("users of a platform", () => {
  const ROOT = "/antifragile/dev/shop";
  const parameter = (value: object, at = new Date(0)) => ({ value: JSON.stringify(value), at });
  const process = (name: string): ProcessTemplate => template(name);
  const parameters = new Map([
    [`${ROOT}/platform`, parameter({})],
    [`${ROOT}/releases/orders/processes/orders`, parameter(process("orders"))],
    [`${ROOT}/releases/orders/lock`, parameter({ id: "x", number: 7, by: "mia", at: "" }, new Date(1_000_000))],
    [`${ROOT}/releases/search/processes/search`, parameter(process("search"))],
    [`${ROOT}/services/old`, parameter({ host: "old", port: 1 })],
  ]);
  const place = { environment: "dev", platform: "shop" };
  const own = new Set([`${ROOT}/platform`, `${ROOT}/releases/orders/processes/orders`]);

  it("are services of other stacks, if the platform is deleted, and releases under way", () => {
    const users = describeUsers(parameters, place, { parameters: own, deleted: true }, 1_001_000);
    expect(users.map(({ reason }) => reason)).toEqual([
      "belongs to a platform with services of other stacks: search, old",
      "belongs to a service of which release 7 is under way",
    ]);
  });

  it("are only releases under way otherwise, and none once their lock is silent", () => {
    const users = (now: number) => describeUsers(parameters, place, { parameters: own, deleted: false }, now);
    expect(users(1_001_000)).toHaveLength(1);
    expect(users(100_000_000)).toEqual([]);
  });
});

describe("what remains", () => {
  const REMAINS = [
    [
      "aws_db_instance.A",
      { identifier: "a", final_snapshot_identifier: "a-final", allocated_storage: 25 },
      "final snapshot a-final of database a (about 0.10 USD per GB and month; at most 3 USD a month for 25 GB, until you delete it)",
    ],
    [
      "aws_rds_cluster.A",
      {
        cluster_identifier: "a",
        skip_final_snapshot: true,
        delete_automated_backups: false,
        backup_retention_period: 7,
      },
      "automated backups of database a, for 7 days (about 0.10 USD per GB and month)",
    ],
    [
      "aws_dynamodb_table.A",
      { name: "a", point_in_time_recovery: [{ enabled: true }] },
      "system backup of table a, for 35 days (free)",
    ],
    ["aws_secretsmanager_secret.A", { name: "a", recovery_window_in_days: 30 }, "secret a, for 30 days"],
    ["aws_cloudwatch_log_group.A", { name: "a", skip_destroy: true }, "log group a (about 0.03 USD per GB and month)"],
    ["aws_ecs_task_definition.A", { skip_destroy: true }, "task definitions: what a release can roll back to (free)"],
  ] as const;

  it("is listed with its cost, before the question and at the end", async () => {
    const { text } = await destroy({ data: { changes: REMAINS.map(([address, before]) => deleted(address, before)) } });
    for (const [, , line] of REMAINS) expect(text.split(`\n  ${line}`)).toHaveLength(3);
  });

  it("is nothing of what is deleted without a trace", async () => {
    const changes = [
      deleted("aws_db_instance.A", { identifier: "a", skip_final_snapshot: true }),
      deleted("aws_secretsmanager_secret.A", { name: "a", recovery_window_in_days: 0 }),
      deleted("aws_cloudwatch_log_group.A", { name: "a" }),
    ];
    const { text } = await destroy({ data: { changes } }, { alsoKept: [{ what: "the state", cost: "cents" }] });
    expect(text).toMatch(/dev is destroyed. This remains in the account:\n {2}the state \(cents\)\n$/);
  });
});
