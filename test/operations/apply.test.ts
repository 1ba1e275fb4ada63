import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type ApplyOptions, applyStacks, remediesOf, rolledBack } from "../../operations/apply";

/** Responses of a stub for Terraform, by stack. */
interface Fake {
  readonly init?: number;
  readonly plan?: number;
  readonly apply?: number;
  readonly says?: string;
  readonly changes?: readonly { readonly address: string; readonly actions: readonly string[] }[];
}

const SCRIPT = `
const { appendFileSync, readFileSync, statSync, writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const fake = JSON.parse(readFileSync("fake.json", "utf8"));
const [command] = process.argv.slice(2);
appendFileSync("../calls", basename(process.cwd()) + " " + process.argv.slice(2).join(" ") + "\\n");
const out = process.argv.find((each) => each.startsWith("-out="))?.slice(5);
if (command === "plan") { writeFileSync(out, basename(process.cwd()), { mode: 0o644 }); process.exit(fake.plan ?? 2); }
if (command === "apply" && fake.apply === undefined) {
  const plan = process.argv.at(-1);
  appendFileSync("../applied", readFileSync(plan, "utf8") + " " + (statSync(plan).mode & 0o777).toString(8) + "\\n");
}
if (command === "show") {
  const resource_changes = (fake.changes ?? []).map(({ address, actions }) => ({
    address, type: address.split(".")[0], change: { actions },
  }));
  console.log(JSON.stringify({ format_version: "1.2", planned_values: {}, resource_changes }));
}
if (command === "apply" && fake.says) process.stderr.write(fake.says);
process.exit(fake[command] ?? 0);
`;

async function apply(fakes: Readonly<Record<string, Fake>>, options: Partial<ApplyOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), "antifragile-apply-"));
  writeFileSync(join(root, "terraform.cjs"), SCRIPT);
  const folders = Object.entries(fakes).map(([name, fake]) => {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "fake.json"), JSON.stringify(fake));
    return join(root, name);
  });
  const printed: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const code = await applyStacks({
      folders,
      terraform: [process.execPath, join(root, "terraform.cjs")],
      allowances: { delete: [], replace: [] },
      confirm: async () => true,
      print: (text) => printed.push(text),
      env: process.env,
      ...options,
    });
    const calls = readFileSync(join(root, "calls"), "utf8").trim().split("\n");
    const plans = calls.flatMap((call) => /-out=(.*)/.exec(call)?.[1] ?? []);
    const applied = existsSync(join(root, "applied")) ? readFileSync(join(root, "applied"), "utf8") : "";
    return { code, calls, plans, applied, text: printed.join("") };
  } finally {
    stderr.mockRestore();
  }
}

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

  it("continues if a change was allowed explicitly, and reports unneeded allowances", async () => {
    const allowances = { delete: ["aws_kms_key.B"], replace: ["aws_ecs_service.A"] };
    const { code, text } = await apply({ service: { changes: REPLACED } }, { allowances });
    expect(code).toBe(0);
    expect(text).toContain("--allow-delete aws_kms_key.B was not needed");
    expect(text).not.toContain("--allow-replace aws_ecs_service.A was not needed");
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
