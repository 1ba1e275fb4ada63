import { describe, expect, it } from "vitest";
import { AdminProcesses } from "../../../../constructs/service/deployment/admin-process";
import { AdminRole } from "../../../../constructs/service/deployment/admin-role";
import { partsOf } from "../../../support/service-parts";
import { only, refusals, resources } from "../../../support/synth";

const read = { actions: ["s3:GetObject"], resources: ["arn:aws:s3:::invoices/*"] };
const alter = { actions: ["dynamodb:UpdateTable"], resources: ["arn:aws:dynamodb:eu-central-1:123456789012:table/t"] };

describe("AdminProcesses", () => {
  const admin = () => new AdminProcesses(partsOf().scope);

  it("keeps commands by name, with ${ escaped for Terraform", () => {
    const processes = admin();
    processes.add("migrate", ["node", "migrate.js"]);
    processes.add("seed", ["sh", "-c", "echo ${HOME}"]);
    expect(processes.commands).toEqual({ migrate: ["node", "migrate.js"], seed: ["sh", "-c", "echo $${HOME}"] });
  });

  it("refuses an invalid name, a duplicate, an empty command, and more than a parameter can hold", () => {
    const processes = admin();
    processes.add("seed", ["node", "seed.js"]);
    const add = (name: string, ...command: string[]) => refusals(() => processes.add(name, command));
    expect(add("Seed it", "node")).toEqual(['ADMIN_NAME addAdminProcess("Seed it")']);
    expect(add("seed", "node")).toEqual(['ADMIN_TWICE addAdminProcess("seed")']);
    expect(add("empty")).toEqual(['ADMIN_COMMAND addAdminProcess("empty")']);
    expect(add("long", "x".repeat(2000))).toEqual(['ADMIN_SIZE addAdminProcess("long")']);
    expect(processes.commands).toEqual({ seed: ["node", "seed.js"] });
  });
});

describe("AdminRole", () => {
  function admin() {
    const { stack, scope, context } = partsOf();
    return { stack, role: new AdminRole(scope, context) };
  }
  const actions = (stack: ReturnType<typeof admin>["stack"]) =>
    (only(stack, "aws_iam_role_policy").policy as { Statement: { Action: string[] }[] }).Statement.flatMap(
      ({ Action }) => Action,
    ).sort();

  it("does not exist while admin processes need only what the service may do", () => {
    const { stack, role } = admin();
    role.hasProcess();
    role.share(read);
    expect(role.roleArn).toBeUndefined();
    expect(resources(stack, "aws_iam_role")).toEqual({});
  });

  it("does not exist without an admin process", () => {
    const { stack, role } = admin();
    role.share(read);
    role.grant(alter);
    role.set("DB_USER", "owner");
    expect([role.roleArn, role.environment]).toEqual([undefined, undefined]);
    expect(resources(stack, "aws_iam_role")).toEqual({});
    role.hasProcess();
    expect(role.environment).toEqual({ DB_USER: "owner" });
    expect(actions(stack)).toEqual(["dynamodb:UpdateTable", "s3:GetObject"]);
  });

  it("has its own permissions and those of the service, granted before and after it was created", () => {
    const { stack, role } = admin();
    role.hasProcess();
    role.share(read);
    role.grant(alter);
    role.share({ ...read, actions: ["s3:PutObject"] });
    expect(role.roleArn).toBeDefined();
    expect(only(stack, "aws_iam_role").name).toBe("shop-dev-orders-admin");
    expect(actions(stack)).toEqual(["dynamodb:UpdateTable", "s3:GetObject", "s3:PutObject"]);
    expect(role.dependencies).toEqual([expect.stringMatching(/^aws_iam_role_policy\.Orders_AdminRole_/)]);
  });

  it("sets variables of admin processes once each", () => {
    const { role } = admin();
    role.hasProcess();
    expect(role.environment).toBeUndefined();
    role.set("DB_USER", "owner");
    expect(() => role.set("DB_USER", "app")).toThrow("DB_USER of admin processes is set twice");
    expect(role.environment).toEqual({ DB_USER: "owner" });
  });
});
