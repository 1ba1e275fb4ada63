import { App, TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  Connections,
  existingDatabase,
  existingService,
  LogStream,
  Platform,
} from "../../../constructs";
import { ordersStack, refusals, resources, shop } from "../../support/synth";

function two(port?: number) {
  const stack = ordersStack();
  const web = new Connections(stack, "Web", { securityGroupId: "sg-1" });
  const database = new Connections(stack, "Database", { securityGroupId: "sg-2", defaultPort: port });
  return { stack, web, database };
}

describe("Connections", () => {
  it("creates one rule on each side, on the port of the server", () => {
    const { stack, web, database } = two(5432);
    web.allowTo("Database", database);
    expect(Object.values(resources(stack, "aws_vpc_security_group_egress_rule"))).toMatchObject([
      { security_group_id: "sg-1", referenced_security_group_id: "sg-2", from_port: 5432, to_port: 5432 },
    ]);
    expect(Object.values(resources(stack, "aws_vpc_security_group_ingress_rule"))).toMatchObject([
      { security_group_id: "sg-2", referenced_security_group_id: "sg-1", from_port: 5432, to_port: 5432 },
    ]);
  });

  it("refuses a connection without a port", () => {
    const { web, database } = two();
    expect(refusals(() => web.allowTo("Database", database))).toEqual(["CONNECTION_PORT port"]);
    expect(refusals(() => web.allowFrom("Database", database))).toEqual(["CONNECTION_PORT port"]);
  });
});

/** Rules of stacks as `group -> peer port`, of both directions. */
function edges(...stacks: TerraformStack[]): string[] {
  return stacks.flatMap((stack) =>
    ["egress", "ingress"].flatMap((direction) =>
      Object.values(resources(stack, `aws_vpc_security_group_${direction}_rule`))
        .filter((rule) => rule.referenced_security_group_id !== undefined)
        .map((rule) => `${direction} ${rule.security_group_id} ${rule.referenced_security_group_id} ${rule.from_port}`),
    ),
  );
}

describe("a connection that is requested twice", () => {
  it("has one rule on each side, from both sides and under any name", () => {
    const { stack, web, database } = two(5432);
    web.allowTo("Database", database);
    web.allowTo("Again", database);
    database.allowFrom("Web", web);
    new Connections(stack, "Same", { securityGroupId: "sg-1" }).allowTo("Database", database, { port: 5432 });
    expect(edges(stack)).toEqual(["egress sg-1 sg-2 5432", "ingress sg-2 sg-1 5432"]);
    expect(database.ruleAddresses).toEqual(web.ruleAddresses.slice(0, 2));
  });

  it("has a rule for each port and direction", () => {
    const { stack, web, database } = two(5432);
    web.allowTo("Database", database);
    web.allowTo("Metrics", database, { port: 9187 });
    web.allowFrom("Database", database, { port: 5432 });
    expect(edges(stack)).toHaveLength(6);
  });

  it("has one rule if two databases are on one server", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders");
    const server = { host: "pg.example.com", user: "orders", securityGroupId: "sg-0123456789abcdef0" };
    const credentialsArn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-AbCdEf";
    for (const [id, prefix] of [
      ["Main", undefined],
      ["Reports", "REPORTS"],
    ] as const) {
      orders.use(existingDatabase(stack, id, { ...server, databaseName: id.toLowerCase(), credentialsArn }), {
        prefix,
      });
    }
    expect(edges(stack).filter((edge) => edge.includes("sg-0123"))).toHaveLength(2);
  });

  it("has one rule if a service calls another that also allows it, in one stack or in two", () => {
    for (const names of [
      ["orders", "orders"],
      ["orders", "payments"],
    ] as const) {
      const platform = shop();
      const [mine, theirs] = [platform.stack(names[0]), names[0] === names[1] ? undefined : platform.stack(names[1])];
      const orders = new CloudNativeService(mine, "Orders");
      const payments = new CloudNativeService(theirs ?? mine, "Payments");
      orders.call(payments);
      payments.connections.allowFrom("Orders", orders.connections);
      expect(edges(mine, ...(theirs === undefined ? [] : [theirs]))).toHaveLength(2);
    }
  });

  it("has a rule for each callee, also of other repositories and of environments in two regions", () => {
    const stack = ordersStack();
    const orders = new CloudNativeService(stack, "Orders");
    orders.call(existingService("payments"));
    orders.call(existingService("users"));
    expect(edges(stack)).toHaveLength(4);
    const app = new App();
    const two = ["eu-central-1", "eu-west-1"].map((region) => {
      const platform = new Platform(app, `shop-${region.slice(3, 7)}`, {
        environment: { name: "dev", region, profile: "dev" },
      });
      const each = platform.stack(`orders-${region.slice(3, 7)}`);
      new CloudNativeService(each, "Orders").call(existingService("payments"));
      return each;
    });
    expect(edges(...two)).toHaveLength(4);
  });
});

describe("a stack of another kind", () => {
  it("is refused, because it has no environment", () => {
    expect(refusals(() => new LogStream(new TerraformStack(new App(), "plain"), "Logs"))).toEqual([
      "NO_AWS_STACK scope",
    ]);
  });
});
