import { describe, expect, it } from "vitest";
import { adopt, Bucket, CloudNativeService, PostgresDatabase } from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, ordersStack, refusals } from "../../support/synth";
import { mayDo, orders, production, staging, statementsOf } from "../pipeline/support/orders";

/** Imports of a stack: address without the hash, and id. */
function imports(stack: Parameters<typeof synthesize>[0]) {
  const { import: found = [] } = synthesize(stack) as { import?: readonly { to: string; id: string }[] };
  return Object.fromEntries(found.map(({ to, id }) => [to.replace(/_[0-9A-F]{8}$/, ""), id]));
}

const keptBy = (stack: Parameters<typeof synthesize>[0], type: string) =>
  (only(stack, type).lifecycle as { ignore_changes?: readonly string[] }).ignore_changes;

describe("adopt", () => {
  it("imports the main resource of a construct, whose name other parts use, too", () => {
    const stack = ordersStack();
    const invoices = new Bucket(stack.data, "Invoices", { bucketName: "acme-invoices" });
    adopt(invoices, { Resource: "acme-invoices" });
    expect(imports(stack.data)).toEqual({ "aws_s3_bucket.Invoices": "acme-invoices" });
    expect(only(stack.data, "aws_s3_bucket_policy").policy).toMatchObject({
      Statement: [
        { Resource: [expect.stringMatching(/:acme-invoices$/), expect.stringMatching(/:acme-invoices\/\*$/)] },
      ],
    });
    // Outside production, others are emptied when they are destroyed.
    expect(only(stack.data, "aws_s3_bucket")).toMatchObject({ bucket: "acme-invoices", force_destroy: false });
  });

  it("imports children by their ids, and keeps what only a replacement could change", () => {
    const { data } = ordersStack();
    const database = new PostgresDatabase(data, "Database", { identifier: "legacy" });
    adopt(database, { Resource: "legacy", Subnets: "old", PostgresqlLogs: "/aws/rds/instance/legacy/postgresql" });
    expect(imports(data)).toEqual({
      "aws_db_instance.Database": "legacy",
      "aws_db_subnet_group.Database_Subnets": "old",
      "aws_cloudwatch_log_group.Database_PostgresqlLogs": "/aws/rds/instance/legacy/postgresql",
    });
    expect(keptBy(data, "aws_db_subnet_group")).toEqual(["description", "name"]);
    expect(keptBy(data, "aws_db_instance")).toEqual(
      expect.arrayContaining(["snapshot_identifier", "username", "storage_encrypted"]),
    );
  });

  it("imports a service into its cluster", () => {
    const stack = ordersStack();
    adopt(new CloudNativeService(stack, "Orders"), { Resource: "shop-dev/orders" });
    expect(imports(stack)).toEqual({ "aws_ecs_service.Orders": "shop-dev/orders" });
    expect(keptBy(stack, "aws_ecs_service")).toEqual(expect.arrayContaining(["desired_count", "launch_type"]));
  });

  it("refuses other children, and an empty id", () => {
    const bucket = () => new Bucket(ordersStack().data, "Invoices");
    const wrong: Parameters<typeof adopt>[1][] = [{ Nothing: "x" }, { Resource: "x", Policies: "y" }, { Resource: "" }];
    for (const ids of wrong) {
      expect(refusals(() => adopt(bucket(), ids))).toEqual(["ADOPT_RESOURCE ids"]);
    }
    expect(refusals(() => adopt(ordersStack(), { Resource: "x" }))).toEqual(["ADOPT_RESOURCE ids"]);
  });

  it("lets the roles of a pipeline change an adopted bucket, and never empty it", () => {
    const { stack, app } = orders({}, [staging, production]);
    const shop = app.node.findChild("orders-staging-data");
    adopt(new Bucket(shop, "Invoices", { bucketName: "acme-invoices" }), { Resource: "acme-invoices" });
    const on = (role: string, action: string) =>
      mayDo(statementsOf(stack, role), action)
        .flatMap(({ Resource }) => Resource)
        .filter((arn) => arn.includes("acme"));
    const arn = [expect.stringMatching(/:s3:::acme-invoices$/)];
    expect(on("orders-delivery-staging-plan", "s3:GetBucketPolicy")).toEqual(arn);
    expect(on("orders-delivery-staging-apply", "s3:PutBucketPolicy")).toEqual(arn);
    expect(on("orders-delivery-staging-apply", "s3:DeleteObject")).toEqual([]);
    expect(on("orders-delivery-production-apply", "s3:PutBucketPolicy")).toEqual([]);
  });
});
