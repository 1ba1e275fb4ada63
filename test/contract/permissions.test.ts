import { TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import type { Statement } from "../../constructs/core/iam";
import { allowPush } from "../../constructs/pipeline/image-access";
import type { IImageRepository } from "../../constructs/pipeline/image-repository";
import {
  ATTACHABLE_POLICIES,
  BUCKET_ACTIONS,
  EMPTY_BUCKET_ACTIONS,
  PARAMETER_ACTIONS,
  PASSED_TO,
  ROLE_ACTIONS,
} from "../../constructs/pipeline/named-actions";
import { TERRAFORM_ACTIONS } from "../../constructs/pipeline/terraform-actions";
import { synthesize } from "../../constructs/testing";
import { trustPolicies } from "../iam/roles";
import { everyRole } from "./support/every-role";
import { everything } from "./support/everything";
import { DATA_CALLS, PROVIDER_CALLS } from "./support/provider-calls";
import { filesIn, textOf } from "./support/sources";

/** IAM prefix of resource types for which it is not the first word of the name. */
const SERVICES: readonly (readonly [pattern: RegExp, service: string])[] = [
  [/^appautoscaling/, "application-autoscaling"],
  [/^cloudwatch-event/, "events"],
  [/^cloudwatch-(log|query)/, "logs"],
  [/^cognito/, "cognito-idp"],
  [/^db-/, "rds"],
  [
    /^(default-security-group|egress-only|eip|flow-log|internet-gateway|launch-template|nat-gateway|route(-table|$)|security-group|subnet|vpc)/,
    "ec2",
  ],
  [/^kinesis-firehose/, "firehose"],
  [/^lb(-|$)/, "elasticloadbalancing"],
  [/^service-discovery/, "servicediscovery"],
];

/** Roles of a delivery, which a person deploys. */
const OF_DELIVERY = /-delivery-/;

/** Held in statements of their own, by name. */
const BY_NAME = /^(iam|s3|ssm|secretsmanager)(-|$)/;

const sources = filesIn("constructs").filter(
  (path) => path.endsWith(".ts") && !path.startsWith("constructs/pipeline/"),
);
const found = (pattern: RegExp) =>
  new Set(sources.flatMap((path) => [...textOf(path).matchAll(pattern)].map((match) => match[1] ?? "")));

describe("the role that applies the constructs", () => {
  it("has permissions for each resource type", () => {
    const types = [...found(/@cdktf\/provider-aws\/lib\/([a-z0-9-]+)"/g)].filter(
      (type) => !/^(provider|data-)/.test(type) && !BY_NAME.test(type),
    );
    const unknown = types.filter((type) => {
      const service = SERVICES.find(([pattern]) => pattern.test(type))?.[1] ?? type.split("-")[0]!;
      return (TERRAFORM_ACTIONS[service]?.write.length ?? 0) === 0;
    });
    expect(types.length).toBeGreaterThan(50);
    expect(unknown).toEqual([]);
  });

  it("has permission for each call that the provider makes, also in updates", () => {
    const types = [...found(/@cdktf\/provider-aws\/lib\/([a-z0-9-]+)"/g)].filter(
      (type) => !/^(provider$|data-)/.test(type),
    );
    expect(types.map((type) => type.replaceAll("-", "_")).sort()).toEqual(Object.keys(PROVIDER_CALLS));
    const data = [...found(/@cdktf\/provider-aws\/lib\/data-aws-([a-z0-9-]+)"/g)];
    expect(data.map((type) => type.replaceAll("-", "_")).sort()).toEqual(Object.keys(DATA_CALLS));
    const allowed = new Set<string>([
      ...Object.entries(TERRAFORM_ACTIONS).flatMap(([service, { read, write }]) =>
        [...read, ...write].map((action) => `${service}:${action}`),
      ),
      ...[ROLE_ACTIONS, BUCKET_ACTIONS, PARAMETER_ACTIONS].flatMap((lists) => Object.values(lists).flat()),
      ...EMPTY_BUCKET_ACTIONS,
      // A statement of its own, with the policies that may be attached.
      "iam:AttachRolePolicy",
    ]);
    const denied = Object.entries(PROVIDER_CALLS).flatMap(([type, calls]) =>
      Object.entries(calls).flatMap(([service, actions]) =>
        actions
          .split(" ")
          .map((action) => `${service}:${action}`)
          .filter((action) => !allowed.has(action))
          .map((action) => `${type} ${action}`),
      ),
    );
    expect(denied).toEqual([]);
  });

  it("may read why tasks stopped, which apply reports, except for their log lines", () => {
    const calls = [...textOf("operations/stop-reasons.ts").matchAll(/new (\w+)Command\(/g)].map(([, name]) => name);
    expect(calls).toContain("GetLogEvents");
    const { read, write } = TERRAFORM_ACTIONS.ecs!;
    expect(calls.filter((call) => call !== "GetLogEvents" && ![...read, ...write].includes(`${call}`))).toEqual([]);
    expect(TERRAFORM_ACTIONS.logs!.read).not.toContain("GetLogEvents");
  });

  it("may read whether buckets are empty, which plan and apply check before they delete one", () => {
    const calls = [...textOf("operations/destroy-cloud.ts").matchAll(/new (ListObject\w+)Command\(/g)];
    expect(calls.map(([, name]) => name)).toEqual(["ListObjectVersions"]);
    expect(BUCKET_ACTIONS.read).toContain("s3:ListBucketVersions");
    // No environment has an image repository.
    expect(Object.keys(PROVIDER_CALLS).filter((type) => type.startsWith("ecr"))).toEqual([]);
  });

  it("may attach exactly the policies that they attach", () => {
    expect([...found(/addManagedPolicy\("([^"]+)"\)/g)].sort()).toEqual([...ATTACHABLE_POLICIES].sort());
  });

  it("may pass roles to exactly the services that assume them", () => {
    const services = everyRole().flatMap(({ program }) =>
      trustPolicies(program).flatMap(({ name, policy }) =>
        OF_DELIVERY.test(name)
          ? []
          : [...JSON.stringify(policy).matchAll(/"Service":"([a-z0-9.-]+)"/g)].map(([, each]) => each),
      ),
    );
    // The agent's role is taken by an agent that registers itself.
    const passed = services.filter((service) => service !== "ssm.amazonaws.com");
    // No app there notifies Slack.
    passed.push(...[...found(/service: "(chatbot\.amazonaws\.com)"/g)]);
    expect([...new Set(passed)].sort()).toEqual([...PASSED_TO].sort());
  });

  it("manages only roles, buckets and parameters with names of the environment", () => {
    const stacks = everything("production").node.children.filter(
      (child): child is TerraformStack => child instanceof TerraformStack && /-dev-/.test(child.node.id),
    );
    const names = stacks.flatMap((stack) => {
      const { resource = {} } = synthesize(stack) as { resource?: Record<string, Record<string, Named>> };
      const of = (type: string) => Object.values(resource[type] ?? {});
      return [
        ...[...of("aws_iam_role"), ...of("aws_iam_instance_profile")].map(({ name }) => name ?? ""),
        ...of("aws_s3_bucket").map(({ bucket, bucket_prefix: prefix }) => bucket ?? prefix ?? ""),
        ...of("aws_ssm_parameter").map(({ name }) => name ?? ""),
      ];
    });
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !/^((shop|orders|audit)-dev-|\/antifragile\/dev\/)/.test(name))).toEqual([]);
  });

  it("has each listed action once", () => {
    const lists = [
      ...Object.values(TERRAFORM_ACTIONS).flatMap(({ read, write }) => [[...read, ...write]]),
      [...ROLE_ACTIONS.read, ...ROLE_ACTIONS.write, ...ROLE_ACTIONS.bounded],
    ];
    for (const list of lists) expect(new Set(list).size).toBe(list.length);
  });
});

describe("the role that pushes images", () => {
  it("has permission for each call of npm run image", () => {
    const statements: Statement[] = [];
    const repository = { repositoryArn: "arn:aws:ecr:eu-central-1:123456789012:repository/orders" } as IImageRepository;
    allowPush({ grant: (statement) => statements.push(statement) }, repository);
    const calls = [...textOf("templates/service/scripts/image.ts").matchAll(/new (\w+)Command\(/g)].map(
      ([, name]) => `ecr:${name}`,
    );
    expect(calls.length).toBeGreaterThanOrEqual(3);
    expect(statements.flatMap(({ actions }) => actions)).toEqual(expect.arrayContaining(calls));
  });
});

interface Named {
  readonly name?: string;
  readonly bucket?: string;
  readonly bucket_prefix?: string;
}
