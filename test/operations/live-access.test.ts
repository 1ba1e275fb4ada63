import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keepAccess, removeKept } from "../../operations/kept-access";
import { lostAccess } from "../../operations/live-access";
import { describeVerdict, judgePlan } from "../../operations/plan-gate";
import { type Change, plan } from "./support/plan";

const REGISTRY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";
const ROLE = "arn:aws:iam::123456789012:role/platform/shop-dev-orders";
const TASK = "arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-dev-orders:9";

type Planned = Parameters<typeof plan>[0];
type Statement = readonly [action: string | string[], resource: string | string[], condition?: object];

const policy = (...statements: readonly Statement[]) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(([Action, Resource, Condition]) => ({
      Effect: "Allow",
      Action,
      Resource,
      ...(Condition && { Condition }),
    })),
  });
const same = (before: object): Change => ({ actions: ["no-op"], before, after: before });
const deletes = (before: object): Change => ({ actions: ["delete"], before, after: null });
const updates = (role: string, before: string, after: string): Change => ({
  actions: ["update"],
  before: { role, name: "grants", policy: before },
  after: { role, name: "grants", policy: after },
});

/** Plan of a stack whose service `orders` runs a release that was made from revision 3 of its task definition. */
function planOf(changes: Planned, { definition = ["delete", "create"], revision = 3, live = {} } = {}) {
  const release = {
    images: { [`${REGISTRY}/orders`]: `${REGISTRY}/orders@sha256:1` },
    processes: { orders: { task: "shop-dev-orders:9", template: 3 } },
    ...live,
  };
  const record = {
    name: "/antifragile/dev/shop/releases/orders/record",
    insecure_value: JSON.stringify({ live: release }),
  };
  return plan({
    "aws_ssm_parameter.Releases": same(record),
    "aws_ecs_task_definition.Orders": {
      actions: definition,
      before: {
        family: "shop-dev-orders",
        revision,
        task_role_arn: `${ROLE}-task`,
        execution_role_arn: `${ROLE}-execution`,
      },
    },
    "aws_ecs_service.Orders": same({
      task_definition: TASK,
      network_configuration: [{ security_groups: ["sg-orders"] }],
    }),
    ...changes,
  });
}
const lost = (...args: Parameters<typeof planOf>) =>
  lostAccess(planOf(...args)).map(({ action, address }) => `${action} ${address}`);

const OUT = deletes({
  security_group_id: "sg-orders",
  referenced_security_group_id: "sg-db",
  from_port: 5432,
  to_port: 5432,
});
const IN = deletes({
  security_group_id: "sg-db",
  referenced_security_group_id: "sg-orders",
  from_port: 5432,
  to_port: 5432,
});
const RULES = { "aws_vpc_security_group_egress_rule.Out": OUT, "aws_vpc_security_group_ingress_rule.In": IN };
const BOTH = ["delete aws_vpc_security_group_egress_rule.Out", "delete aws_vpc_security_group_ingress_rule.In"];
const SQS = "arn:aws:sqs:eu-central-1:123456789012:mails";
const SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf";

describe("access that a plan takes from a live release", () => {
  it("of a service that was imported, whose task definition has no ARN in the state", () => {
    const imported = same({
      task_definition: "shop-dev-orders:9",
      network_configuration: [{ security_groups: ["sg-orders"] }],
    });
    expect(lost({ "aws_ecs_service.Orders": imported, "aws_vpc_security_group_egress_rule.Out": OUT })).toEqual([
      "delete aws_vpc_security_group_egress_rule.Out",
    ]);
  });

  it("is both ends of its connections, where its configuration changes or has changed without a release", () => {
    expect(lost(RULES)).toEqual(BOTH);
    expect(lost(RULES, { definition: ["no-op"], revision: 4 })).toEqual(BOTH);
  });

  it("is nothing once a release has the configuration of the plan, without a release, and where the tasks stop", () => {
    expect(lost(RULES, { definition: ["no-op"] })).toEqual([]);
    expect(lost(RULES, { live: { processes: {} } })).toEqual([]);
    const stopping = {
      "aws_ecs_service.Orders": deletes({
        task_definition: TASK,
        network_configuration: [{ security_groups: ["sg-orders"] }],
      }),
    };
    expect(lost({ ...RULES, ...stopping })).toEqual([]);
  });

  it("is not what others open to it, what another rule opens at once, or what belongs to another service", () => {
    const fromBalancer = deletes({ security_group_id: "sg-orders", referenced_security_group_id: "sg-balancer" });
    expect(lost({ "aws_vpc_security_group_ingress_rule.FromBalancer": fromBalancer })).toEqual([]);
    const renamed: Change = { actions: ["create"], before: null, after: OUT.before };
    expect(
      lost({ "aws_vpc_security_group_egress_rule.Out": OUT, "aws_vpc_security_group_egress_rule.New": renamed }),
    ).toEqual([]);
    const others = deletes({ security_group_id: "sg-mailer", referenced_security_group_id: "sg-db" });
    expect(lost({ "aws_vpc_security_group_egress_rule.Other": others })).toEqual([]);
  });

  it("is that of a job, whose schedule has the network", () => {
    const schedule = same({
      target: [
        {
          ecs_parameters: [{ task_definition_arn: TASK, network_configuration: [{ security_groups: ["sg-orders"] }] }],
        },
      ],
    });
    expect(lost({ ...RULES, "aws_ecs_service.Orders": same({}), "aws_scheduler_schedule.Orders": schedule })).toEqual(
      BOTH,
    );
  });

  it("is the permissions of both roles, statement by statement, with their conditions", () => {
    const key = { StringEquals: { "kms:ViaService": "secretsmanager" } };
    const statements = (change: Change) =>
      lostAccess(planOf({ "aws_iam_role_policy.Grants": change })).flatMap((each) => each.statements);
    const before = policy(
      [
        ["sqs:SendMessage", "sqs:GetQueueUrl"],
        [SQS, `${SQS}-2`],
      ],
      ["kms:Decrypt", "*", key],
    );
    expect(
      statements(updates("shop-dev-orders-task", before, policy(["sqs:SendMessage", SQS], ["kms:Decrypt", "*", key]))),
    ).toEqual([{ Effect: "Allow", Action: ["sqs:SendMessage", "sqs:GetQueueUrl"], Resource: [SQS, `${SQS}-2`] }]);
    expect(
      statements(
        updates(
          "shop-dev-orders-execution",
          before,
          policy([
            ["sqs:SendMessage", "sqs:GetQueueUrl"],
            [SQS, `${SQS}-2`],
          ]),
        ),
      ),
    ).toEqual([{ Effect: "Allow", Action: ["kms:Decrypt"], Resource: ["*"], Condition: key }]);
    expect(statements(updates("shop-dev-orders-task", before, before))).toEqual([]);
    expect(statements(updates("shop-dev-orders-admin", before, policy()))).toEqual([]);
    expect(lost({ "aws_iam_role_policy.Grants": deletes({ role: "shop-dev-orders-task", policy: before }) })).toEqual([
      "delete aws_iam_role_policy.Grants",
    ]);
    const attachment = deletes({ role: "shop-dev-orders-task", policy_arn: "arn:aws:iam::aws:policy/ReadOnlyAccess" });
    expect(lost({ "aws_iam_role_policy_attachment.A": attachment })).toEqual([
      "delete aws_iam_role_policy_attachment.A",
    ]);
  });

  it("is the repository of the image that runs, whatever the configuration", () => {
    const pull = (name: string): Statement => [
      "ecr:BatchGetImage",
      `arn:aws:ecr:eu-central-1:123456789012:repository/${name}`,
    ];
    const moved = updates("shop-dev-orders-execution", policy(pull("orders")), policy(pull("sales")));
    const current = { definition: ["no-op"] };
    expect(lost({ "aws_iam_role_policy.Grants": moved }, current)).toEqual(["update aws_iam_role_policy.Grants"]);
    const images = { [`${REGISTRY}/sales`]: `${REGISTRY}/sales@sha256:2` };
    expect(lost({ "aws_iam_role_policy.Grants": moved }, { ...current, live: { images } })).toEqual([]);
  });

  it("is perhaps what a policy loses that is known only after the apply: the gate does not refuse it", () => {
    const unknown: Change = {
      actions: ["update"],
      before: { role: "shop-dev-orders-task", policy: policy(["sqs:SendMessage", SQS]) },
      after: { role: "shop-dev-orders-task" },
      after_unknown: { policy: true },
    };
    const changes = planOf({ "aws_iam_role_policy.Grants": unknown });
    expect(lostAccess(changes)).toMatchObject([{ certain: false, statements: [{ Action: ["sqs:SendMessage"] }] }]);
    expect(judgePlan(changes).refused).toEqual([]);
  });

  it("is refused by the gate, which says how it is kept, unless it is allowed", () => {
    const changes = planOf({
      ...RULES,
      "aws_iam_role_policy.Grants": updates(
        "shop-dev-orders-execution",
        policy(["secretsmanager:GetSecretValue", SECRET]),
        policy(),
      ),
    });
    const text = describeVerdict(judgePlan(changes));
    expect(text).toContain("permissions of orders, updated: its live release still needs it");
    expect(text).toContain('because it loses ["secretsmanager:GetSecretValue"]');
    expect(text).toContain("instead: deploy with antifragile, which keeps it until the next release");
    const allowed = { delete: BOTH.map((each) => each.slice(7)), update: ["aws_iam_role_policy.Grants"] };
    expect(judgePlan(changes, allowed).refused).toEqual([]);
  });

  it("is taken where the record of releases is damaged: no task definition is known to need it", () => {
    for (const insecure_value of ["", "null", "{}", "not JSON"]) {
      const record = { name: "/antifragile/dev/shop/releases/orders/record", insecure_value };
      expect(lost({ ...RULES, "aws_ssm_parameter.Releases": same(record) })).toEqual([]);
    }
  });
});

describe("keeping access", () => {
  it("adds it to the program in files of its own, literally, and removes them", () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-kept-"));
    const program = { resource: { aws_iam_role_policy: { Grants: { policy: "${jsonencode(local.own)}" } } } };
    writeFileSync(join(folder, "cdk.tf.json"), JSON.stringify(program));
    const changes = planOf({
      ...RULES,
      "aws_iam_role_policy.Grants": updates(
        "shop-dev-orders-task",
        policy(["s3:GetObject", "arn:aws:s3:::b/${aws:username}"]),
        policy(),
      ),
    });
    keepAccess(folder, lostAccess(changes));
    const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));
    expect(read("kept.tf.json")).toEqual({
      locals: {
        program_Grants: "${jsonencode(local.own)}",
        kept_Grants: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::b/$${aws:username}"] }],
      },
      resource: {
        aws_vpc_security_group_egress_rule: {
          Out: { ...(OUT.before as object), lifecycle: { ignore_changes: "all" } },
        },
        aws_vpc_security_group_ingress_rule: { In: { ...(IN.before as object), lifecycle: { ignore_changes: "all" } } },
      },
    });
    expect(Object.keys(read("kept_override.tf.json").resource.aws_iam_role_policy)).toEqual(["Grants"]);
    removeKept(folder);
    expect(readdirSync(folder)).toEqual(["cdk.tf.json"]);
  });
});
