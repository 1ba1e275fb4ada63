import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ApplyOptions, applyStacks, remediesOf, rolledBack } from "../../operations/apply";
import { NEEDED, TAKES_NEEDED } from "./support/live-release";
import { type Fake, stubTerraform } from "./support/stub-terraform";

async function apply(fakes: Readonly<Record<string, Fake>>, options: Partial<ApplyOptions> = {}) {
  const stub = stubTerraform(fakes);
  const names = Object.keys(fakes);
  const chain = names.map((name, index) => [name, { dependencies: names.slice(0, index).slice(-1) }] as const);
  return stub.run((base) =>
    applyStacks({
      ...base,
      manifest: { stacks: Object.fromEntries(chain) },
      allowances: { delete: [], replace: [] },
      confirm: async () => true,
      ...options,
    }),
  );
}

const change = (address: string, action: string, more: object = {}) => ({ address, actions: [action], ...more });
const DELETED = change("aws_ssm_parameter.Search", "delete", { name: "/services/search" });

const REPLACED = [{ address: "aws_ecs_service.A", actions: ["delete", "create"] }];

describe("applying stacks", () => {
  it("plans each, and applies that plan, in order", async () => {
    const { code, calls, plans, applied } = await apply({ platform: {}, service: {} });
    expect(code).toBe(0);
    expect(calls).toEqual(
      ["platform", "service"].flatMap((stack, index) => [
        `${stack} init -input=false`,
        `${stack} plan -input=false -detailed-exitcode -out=${plans[index]}`,
        `${stack} show -json ${plans[index]}`,
        `${stack} apply -input=false ${plans[index]}`,
      ]),
    );
    expect(applied).toBe("platform 600\nservice 600\n");
  });

  it("keeps plans where only the user can read them, and removes them however it ends", async () => {
    for (const fakes of [{ platform: {} }, { platform: { apply: 1 } }, { platform: { changes: REPLACED } }]) {
      const { plans } = await apply(fakes);
      expect(plans).toHaveLength(1);
      expect(plans.filter((plan) => existsSync(plan) || existsSync(dirname(plan)))).toEqual([]);
    }
  });

  it("applies nothing without changes", async () => {
    const { code, calls } = await apply({ platform: { plan: 0 } });
    expect([code, calls.length]).toEqual([0, 2]);
  });

  it("stops at a plan that the gate refuses, and applies neither it nor later ones", async () => {
    const { code, calls, text } = await apply({ platform: {}, data: { changes: REPLACED }, service: {} });
    expect(code).toBe(3);
    expect(calls.filter((call) => call.includes(" apply "))).toEqual([expect.stringMatching(/^platform apply /)]);
    expect(text).toContain("--allow-replace 'aws_ecs_service.A'");
  });

  describe("whose deletions others still use", () => {
    const steps = ({ calls }: { readonly calls: readonly string[] }) =>
      calls.filter((call) => call.includes(" apply ")).map((call) => call.split(" ")[0]);

    it("deletes once the stacks that depend on it are applied", async () => {
      const outcome = await apply({ platform: {}, data: { changes: [DELETED] }, service: {} });
      expect([outcome.code, steps(outcome)]).toEqual([0, ["platform", "service", "data"]]);
      expect(outcome.text).toContain(
        "Deleted after service, where it may still be used:\n  aws_ssm_parameter.Search\n",
      );
    });

    it("deletes nothing yet while a live release needs access that goes with it, unless that is allowed", async () => {
      const fakes = { data: { changes: [DELETED] }, service: { changes: TAKES_NEEDED } };
      const outcome = await apply(fakes);
      expect([outcome.code, steps(outcome)]).toEqual([0, ["service"]]);
      expect(outcome.text).toContain(
        "Kept until the next release of orders, whose tasks may still use it; the deployment after that removes it:\n  aws_vpc_security_group_egress_rule.Search\n",
      );
      expect(outcome.text).toContain("Deletes nothing yet: a live release of service may still use it.");
      const allowed = await apply(fakes, { allowances: { delete: [NEEDED] } });
      expect([allowed.code, steps(allowed)]).toEqual([0, ["service", "data"]]);
      expect(allowed.text).toContain("allowed explicitly:\n  aws_vpc_security_group_egress_rule.Search");
    });

    it("applies the rest of its plan first, with what has moved", async () => {
      const added = change("aws_ssm_parameter.Reports", "create", { name: "/services/reports" });
      const moved = change("aws_sqs_queue.Mails", "no-op", { from: "aws_sqs_queue.Events" });
      const same = change("aws_s3_bucket.Files", "no-op");
      const outcome = await apply({ data: { changes: [DELETED, added, moved, same] }, service: {} });
      expect([outcome.code, steps(outcome)]).toEqual([0, ["data", "service", "data"]]);
      expect(outcome.applied).toBe("aws_ssm_parameter.Reports,aws_sqs_queue.Mails 600\nservice 600\ndata 600\n");
    });

    it("deletes at once what has the name of a new resource, and what no stack depends on", async () => {
      const renamed = change("aws_ssm_parameter.Find", "create", { name: "/services/search" });
      for (const fakes of [
        { data: { changes: [DELETED, renamed] }, service: {} },
        { data: {}, service: { changes: [DELETED] } },
      ]) {
        const outcome = await apply(fakes);
        expect([outcome.code, steps(outcome)]).toEqual([0, ["data", "service"]]);
      }
    });

    it("deletes nothing if a later stack fails", async () => {
      const outcome = await apply({ data: { changes: [DELETED] }, service: { apply: 1 } });
      expect([outcome.code, steps(outcome)]).toEqual([1, ["service"]]);
    });
  });

  it("continues if a change was allowed explicitly, and reports unneeded allowances", async () => {
    const allowances = { delete: ["aws_kms_key.B"], replace: ["aws_ecs_service.A"] };
    const { code, text } = await apply({ service: { changes: REPLACED } }, { allowances });
    expect(code).toBe(0);
    expect(text).toContain("--allow-delete aws_kms_key.B was not needed");
    expect(text).not.toContain("--allow-replace aws_ecs_service.A was not needed");
  });

  describe("which delete what AWS does not delete", () => {
    const CHANGES = [
      change("aws_s3_bucket.Full", "delete", { before: { bucket: "full" } }),
      change("aws_s3_bucket.Emptied", "delete", { before: { bucket: "emptied", force_destroy: true } }),
      change("aws_ecr_repository.Images", "delete", { before: { name: "images" } }),
      change("aws_db_instance.A", "delete", { before: { identifier: "a", deletion_protection: true } }),
    ];
    const REPLACED_TABLE = {
      address: "aws_dynamodb_table.B",
      actions: ["delete", "create"],
      before: { name: "b", deletion_protection_enabled: true },
    };
    const allowances = { delete: CHANGES.map(({ address }) => address), replace: [REPLACED_TABLE.address] };
    const cloudOf = (filled: readonly string[], asked: string[] = []) => ({
      allowances,
      cloudOf: () => ({
        isEmpty: async (_: unknown, name: string) => {
          asked.push(name);
          return !filled.includes(name);
        },
        usersOf: async () => [],
        done: () => void asked.push("done"),
      }),
    });

    it("are refused before anything of the stack is applied, with the way to go on", async () => {
      const data = { changes: [...CHANGES, REPLACED_TABLE] };
      const asked: string[] = [];
      const { code, calls, text } = await apply({ platform: {}, data }, cloudOf(["full", "images"], asked));
      expect(code).toBe(3);
      expect(calls.filter((call) => call.includes(" apply "))).toEqual([expect.stringMatching(/^platform apply /)]);
      expect(text).toContain("✖ AWS would refuse what the plan deletes; nothing of it was applied:\n");
      expect(text).toMatch(
        /aws_s3_bucket.Full holds objects, in bucket full\n {4}empty it .* -chdir=\S+data state rm 'aws_s3_bucket.Full'\n/,
      );
      expect(text).toContain("aws_ecr_repository.Images holds images, in repository images\n");
      expect(text).toContain("aws_db_instance.A has deletion protection\n    turn it off: aws rds modify-db-instance ");
      expect(text).toContain(
        "aws_dynamodb_table.B has deletion protection\n    turn it off: aws dynamodb update-table ",
      );
      expect(asked).toEqual(["full", "images", "done"]);
    });

    it("are applied once it can be deleted, and AWS is asked about nothing else", async () => {
      const asked: string[] = [];
      const data = { changes: CHANGES.slice(0, 3) };
      expect((await apply({ data }, cloudOf([], asked))).code).toBe(0);
      expect(asked).toEqual(["full", "images", "done"]);
      const nothing = () => {
        throw new Error("asked");
      };
      expect((await apply({ data: { changes: [DELETED] } }, { cloudOf: nothing })).code).toBe(0);
    });
  });

  it("applies nothing that the user declines", async () => {
    const asked: string[] = [];
    const confirm = async (stack: string) => {
      asked.push(stack);
      return false;
    };
    const { code, calls } = await apply({ platform: {}, service: {} }, { confirm });
    expect([code, asked]).toEqual([1, ["platform"]]);
    expect(calls.some((call) => call.includes("apply"))).toBe(false);
  });

  it.each<[string, Fake]>([
    ["init", { init: 1 }],
    ["plan", { plan: 1 }],
    ["apply", { apply: 1 }],
  ])("stops when terraform %s fails", async (command, fake) => {
    const { code, calls, text } = await apply({ platform: fake, service: {} });
    expect(code).toBe(1);
    expect(text).toContain(`terraform ${command} of platform failed`);
    expect(calls.some((call) => call.startsWith("service"))).toBe(false);
  });

  it("reports why tasks stopped when ECS rolled a service back, or that the reasons are not available", async () => {
    const says =
      "\u001b[31m│\u001b[0m ECS rolled orders back. Why its tasks stopped tells:\n" +
      "│ antifragile stop-reasons --region eu-central-1 --cluster shop-dev --service orders\n";
    const stopReasons = async () => ({
      deployments: [],
      stopped: [
        { tasks: 2, taskDefinition: "orders:2", reason: "no such table", containers: [], lines: ["last words\u0007"] },
      ],
    });
    const told = await apply({ service: { apply: 1, says } }, { stopReasons });
    expect(told.code).toBe(1);
    expect(told.text).toContain("2 tasks of orders:2 stopped: no such table");
    expect(told.text).toContain("last words\\u0007");
    const unread = await apply(
      { service: { apply: 1, says } },
      {
        stopReasons: async () => {
          throw new Error("no credentials");
        },
      },
    );
    expect(unread.text).toContain("stopped: no credentials");
  });

  it("says how to get out of a lock, a stale plan, expired credentials and a state that was not saved", () => {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-remedies-"));
    const box = (path: string) =>
      [
        "\u001b[31m╷\u001b[0m",
        "│ Error: Error acquiring the state lock",
        "│ ",
        "│ Lock Info:",
        "│   ID:        7d5c1b7e-7c9e-b0a1-c1c9-0d7c1b7e7c9e",
        `│   Path:      ${path}`,
        "│   Operation: OperationTypeApply",
        "│   Who:       mia@laptop",
        "│   Version:   1.10.5",
        "│   Created:   2026-11-27 17:00:00.1 +0000 UTC",
        "│   Info:      ",
        "╵",
      ].join("\n");
    expect(remediesOf(box("antifragile-state/orders-dev-data/terraform.tfstate"), folder, "tofu")).toEqual([
      expect.stringMatching(
        /^The state is locked by mia@laptop since 2026-11-27 17:00:00.1 \+0000 UTC\. Wait .* if it was killed: tofu -chdir=\S+ force-unlock 7d5c1b7e-7c9e-b0a1-c1c9-0d7c1b7e7c9e$/,
      ),
    ]);
    expect(remediesOf(box("/home/mia/orders/terraform.tfstate"), folder, "terraform")[0]).toMatch(
      /\. Wait for it to end\.$/,
    );
    expect(remediesOf("Error: Saved plan is stale", folder, "terraform")[0]).toContain("plan again");
    expect(remediesOf("api error ExpiredToken: The security token", folder, "terraform")[0]).toContain("renew them");
    expect(remediesOf("ExpiredToken", folder, "terraform", "plan again")[0]).toContain("renew them and plan again.");
    expect(remediesOf("ExpiredToken\nError releasing the\n│ state lock", folder, "terraform")).toEqual([
      expect.stringContaining("renew them"),
      "The lock of the state stays: the next run says how to remove it.",
    ]);
    const missing = (name: string) =>
      `│ Error: reading SSM Parameter (/antifragile/dev/market/${name}):\n│ couldn't find resource`;
    expect(
      remediesOf(missing("services/payments") + missing("platform") + missing("backing/Db"), folder, "terraform"),
    ).toEqual([
      expect.stringMatching(/^The service payments is not deployed on the platform market in dev: deploy it first/),
      expect.stringMatching(/^The platform market is not deployed in dev/),
      expect.stringMatching(/^What the stack market publishes as backing\/Db does not exist in dev/),
    ]);
    const exists =
      "Error: creating SSM Parameter (/antifragile/dev/market/services/mailer): operation error SSM: PutParameter, ParameterAlreadyExists: The parameter already exists.";
    expect(remediesOf(exists, folder, "terraform")).toEqual([
      expect.stringMatching(
        /^The service mailer still exists in another stack of dev\. To move it here, deploy that stack/,
      ),
    ]);
    expect(remediesOf("api error AccessDenied: no", folder, "terraform")).toEqual([]);
    writeFileSync(join(folder, "errored.tfstate"), "{}");
    expect(remediesOf("Error: Failed to save state", folder, "terraform")[0]).toMatch(
      /terraform -chdir=\S+ state push errored\.tfstate/,
    );
  });

  it("reads each service once from the output of Terraform", () => {
    const line = "antifragile stop-reasons --region eu-central-1 --cluster shop-dev --service orders\n";
    expect(rolledBack(`${line}│ ${line}`)).toEqual([
      { region: "eu-central-1", cluster: "shop-dev", service: "orders" },
    ]);
    expect(rolledBack("Error: something else")).toEqual([]);
    // Behind a margin, the line broken.
    const margin = `${" ".repeat(20)}\u001b[31m│\u001b[0m \u001b[0m`;
    const broken = [
      "ECS rolled orders back: it runs the task definition that it ran before. Why",
      "its tasks stopped tells:",
      "antifragile stop-reasons --region eu-central-1 --cluster shop-dev --service",
      "orders",
    ];
    expect(rolledBack(broken.map((text) => `${margin}${text}\n`).join(""))).toEqual([
      { region: "eu-central-1", cluster: "shop-dev", service: "orders" },
    ]);
  });
});
