import { expect, it } from "vitest";
import { boundaryDocument } from "../../contract/boundary";
import { ASSUMERS, FLOWS, PUBLISHERS, WRITERS } from "../iam/flows";
import { roleArn } from "../iam/flows/flow";
import { describeWithIam } from "../iam/packages";
import { ACCOUNT } from "../iam/resolve";
import { rolesIn, type SimulatedRole, trustPolicies } from "../iam/roles";
import { bucketPolicies, encryptedTopics, environmentOf, isAllowed, isAllowedByResource } from "../iam/simulate";
import { everyRole } from "./support/every-role";

interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** Effect, resources and conditions of a statement. */
const scopeOf = ({ Effect, Resource, Condition }: Statement) => JSON.stringify([Effect, Resource, Condition]);

/**
 * Each action of each statement of a role, with the policies that remain without it. Statements of one scope, which may both have the
 * action, lose it together; those that deny have tests of their own.
 */
function withoutEachAction({ policies }: SimulatedRole) {
  return policies.flatMap(({ name, policy, managed }, index) => {
    if (managed) return [];
    const { Statement: statements, ...rest } = policy as { Statement: readonly Statement[] };
    return statements
      .filter(({ Effect }) => Effect === "Allow")
      .flatMap((statement) =>
        statement.Action.map((action) => {
          const without = (each: Statement) =>
            scopeOf(each) === scopeOf(statement)
              ? { ...each, Action: each.Action.filter((one) => one !== action) }
              : each;
          const Statement = statements.map(without).filter(({ Action }) => Action.length > 0);
          const mutated = { name, policy: { ...rest, Statement } };
          return {
            action,
            policies: Statement.length === 0 ? policies.toSpliced(index, 1) : policies.with(index, mutated),
          };
        }),
      );
  });
}

/** A pattern with only one alternative of one of its groups, for each of them. */
function alternativesOf({ source }: RegExp): RegExp[] {
  return [...source].flatMap((open, start) => {
    if (open !== "(" || source.startsWith("(?!", start)) return [];
    let depth = 0;
    const splits = [start];
    for (let at = start; ; at++) {
      if (source[at] === "(") depth += 1;
      if (source[at] === ")") depth -= 1;
      if (depth === 0 || (depth === 1 && source[at] === "|")) splits.push(at);
      if (depth === 0) break;
    }
    const end = splits.at(-1) as number;
    return splits
      .slice(1)
      .map((at, index) => source.slice((splits[index] as number) + 1, at).replace(/^\?:/, ""))
      .map((one) => new RegExp(`${source.slice(0, start)}(?:${one})${source.slice(end + 1)}`));
  });
}

describeWithIam("calls that are made in the name of a role, as AWS documents them", () => {
  const programs = everyRole();
  /** Roles, each with the permissions boundary that bootstrap creates for its environment. */
  const roles = programs.flatMap(({ program }) => {
    const environment = environmentOf(program);
    const boundary =
      environment === undefined
        ? undefined
        : (JSON.parse(boundaryDocument({ environment, account: ACCOUNT, partition: "aws" })) as object);
    return rolesIn(program).map((role) => ({ ...role, boundary }));
  });
  const callsOf = async (name: string) => {
    const made = FLOWS.map(async (flow) => {
      const match = flow.role.exec(name);
      const calls = match === null ? [] : await flow.calls(...match.slice(1));
      return calls.flat().map((call) => ({ flow, call }));
    });
    return (await Promise.all(made)).flat();
  };

  it("concern at least one role, and have a page of AWS as source", () => {
    const unused = FLOWS.filter((flow) => !roles.some(({ name }) => flow.role.test(name)));
    expect(unused.map(({ name }) => name)).toEqual([]);
    const pages =
      /^https:\/\/(docs\.aws\.amazon\.com|aws-otel\.github\.io|developer\.hashicorp\.com|registry\.terraform\.io)\//;
    expect(FLOWS.filter(({ source }) => !pages.test(source))).toEqual([]);
  });

  it("name roles that exist, in each alternative of their patterns", () => {
    const names = programs.flatMap(({ program }) => rolesIn(program)).map(({ name }) => name);
    const patterns = [...FLOWS, ...ASSUMERS].flatMap(({ role }) => [role, ...alternativesOf(role)]);
    expect(patterns.length).toBeGreaterThan(150);
    expect(patterns.filter((role) => !names.some((name) => role.test(name)))).toEqual([]);
    expect(alternativesOf(/^a-(b-(?:c|d)|e)?$/).map(String)).toEqual([
      "/^a-(?:b-(?:c|d))?$/",
      "/^a-(?:e)?$/",
      "/^a-(b-(?:c)|e)?$/",
      "/^a-(b-(?:d)|e)?$/",
    ]);
  });

  it("are allowed, in an environment within the permissions boundary that bootstrap creates, too", async () => {
    const denied: string[] = [];
    let count = 0;
    let bounded = 0;
    for (const { name, policies, boundary } of roles) {
      for (const { flow, call } of await callsOf(name)) {
        count += 1;
        bounded += boundary === undefined ? 0 : 1;
        if (await isAllowed(policies, call, boundary)) continue;
        denied.push(`${name} ${call.action} ${call.resource} (${flow.name})`);
      }
    }
    expect(denied).toEqual([]);
    expect(count).toBeGreaterThan(500);
    expect(bounded).toBeGreaterThan(300);
  });

  it("need every action that a role has: without any one of them, a call is denied", async () => {
    const unneeded: string[] = [];
    let count = 0;
    for (const role of roles) {
      const made = await callsOf(role.name);
      for (const { action, policies } of withoutEachAction(role)) {
        count += 1;
        let isNeeded = false;
        for (const { call } of made) {
          if (call.action !== action || (await isAllowed(policies, call))) continue;
          isNeeded = true;
          break;
        }
        if (!isNeeded) unneeded.push(`${role.name} ${action}`);
      }
    }
    expect(unneeded).toEqual([]);
    expect(count).toBeGreaterThan(400);
  });

  it("are made by the service that assumes the role, in the name of this account, and by no other", async () => {
    const services = [...new Set(ASSUMERS.flatMap(({ service }) => service ?? []))];
    const trusts = programs.flatMap(({ program }) => trustPolicies(program));
    expect(trusts.length).toBeGreaterThan(90);
    for (const { name, policy } of trusts) {
      const [assumer, ...others] = ASSUMERS.filter(({ role }) => role.test(name));
      expect([name, assumer !== undefined, others]).toEqual([name, true, []]);
      const assumes = (service: string, account: string) => {
        const context = { "aws:SourceAccount": account };
        return isAllowedByResource(policy, service, { action: "sts:AssumeRole", resource: roleArn(name), context });
      };
      const allowed: string[] = [];
      for (const service of services) if (await assumes(service, ACCOUNT)) allowed.push(service);
      expect([name, allowed]).toEqual([name, assumer?.service === undefined ? [] : [assumer.service]]);
      if (assumer?.service === undefined) continue;
      const isOpen = await assumes(assumer.service, "210987654321");
      expect([name, isOpen]).toEqual([name, assumer.sendsNoAccount !== undefined]);
    }
  });

  it("are allowed to services that publish to encrypted topics, for this account only", async () => {
    const topics = programs.flatMap(({ program }) => encryptedTopics(program));
    for (const { service, topic, context } of PUBLISHERS) {
      const published = topics.filter(({ name }) => topic.test(name));
      expect(published.length, service).toBeGreaterThan(0);
      for (const { arn, keyArn, policy, keyPolicy } of published) {
        const publish = (account: string) => {
          const sent = { "aws:SourceAccount": account, "aws:SecureTransport": "true" };
          return isAllowedByResource(policy, service, { action: "sns:Publish", resource: arn, context: sent });
        };
        const use = (action: string, sent: typeof context) =>
          isAllowedByResource(keyPolicy, service, { action, resource: keyArn, context: sent });
        const answers = [
          await publish(ACCOUNT),
          await use("kms:Decrypt", context),
          await use("kms:GenerateDataKey", context),
        ];
        expect([arn, ...answers]).toEqual([arn, true, true, true]);
        expect([arn, await publish("210987654321"), await use("kms:Decrypt", {})]).toEqual([arn, false, false]);
      }
    }
  });

  it("are allowed to services that write logs to buckets, for this account only", async () => {
    const buckets = programs.flatMap(({ program }) => bucketPolicies(program));
    for (const { service, bucket, write } of WRITERS) {
      const written = buckets.filter(({ name }) => bucket.test(name));
      expect(written.length, service).toBeGreaterThan(0);
      for (const { name, policy } of written) {
        const puts = (account: string) => {
          const { resource, context } = write(account, `arn:aws:s3:::${name}`);
          const call = { action: "s3:PutObject", resource, context: { ...context, "aws:SecureTransport": "true" } };
          return isAllowedByResource(policy, service, call);
        };
        expect([name, await puts(ACCOUNT), await puts("210987654321")]).toEqual([name, true, false]);
      }
    }
  });

  it("find an action that nothing needs", async () => {
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: ["*"] }],
    };
    const mutations = withoutEachAction({ name: "x", policies: [{ name: "p", policy }] });
    const call = { action: "s3:PutObject", resource: "arn:aws:s3:::x/y", context: {} };
    const allowed = await Promise.all(
      mutations.map(async (each) => [each.action, await isAllowed(each.policies, call)]),
    );
    expect(allowed).toEqual([
      ["s3:GetObject", true],
      ["s3:PutObject", false],
    ]);
  });
});
