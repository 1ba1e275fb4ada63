import { App, TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import { Connections, LogStream } from "../../../constructs";
import { ordersStack, refusals, resources } from "../../support/synth";

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

describe("a stack of another kind", () => {
  it("is refused, because it has no environment", () => {
    expect(refusals(() => new LogStream(new TerraformStack(new App(), "plain"), "Logs"))).toEqual([
      "NO_AWS_STACK scope",
    ]);
  });
});
