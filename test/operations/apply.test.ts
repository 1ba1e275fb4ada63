import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type ApplyOptions, applyStacks, rolledBack } from "../../operations/apply";

/** What a Terraform that is none answers, by stack. */
interface Fake {
  readonly init?: number;
  readonly plan?: number;
  readonly apply?: number;
  readonly says?: string;
  readonly changes?: readonly { readonly address: string; readonly actions: readonly string[] }[];
}

const SCRIPT = `
const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
const { basename } = require("node:path");
const fake = JSON.parse(readFileSync("fake.json", "utf8"));
const [command] = process.argv.slice(2);
appendFileSync("../calls", basename(process.cwd()) + " " + process.argv.slice(2).join(" ") + "\\n");
if (command === "plan") { writeFileSync("antifragile.tfplan", ""); process.exit(fake.plan ?? 2); }
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
    const left = folders.filter((folder) => existsSync(join(folder, "antifragile.tfplan")));
    return { code, calls, left, text: printed.join("") };
  } finally {
    stderr.mockRestore();
  }
}

const REPLACED = [{ address: "aws_ecs_service.A", actions: ["delete", "create"] }];

describe("applying stacks", () => {
  it("leaves applying to another program when told, after the gate, and reads what that says", async () => {
    const script =
      "console.log('run antifragile stop-reasons --region r --cluster c --service ' + process.argv[1]); process.exit(1)";
    const asked: string[] = [];
    const { code, calls } = await apply(
      { platform: { changes: REPLACED }, service: {} },
      {
        allowances: { delete: [], replace: ["aws_ecs_service.A"] },
        applyBy: (stack) => ({ command: [process.execPath, "-e", script, stack], cwd: tmpdir() }),
        stopReasons: async ({ service }) => {
          asked.push(service);
          throw new Error("nobody answers");
        },
      },
    );
    expect([code, asked]).toEqual([1, ["platform"]]);
    expect(calls.filter((call) => call.includes(" apply "))).toEqual([]);
    const refused = await apply(
      { platform: { changes: REPLACED } },
      { applyBy: () => ({ command: [process.execPath, "-e", "process.exit(9)"], cwd: tmpdir() }) },
    );
    expect(refused.code).toBe(3);
  });

  it("plans each, and applies that very plan, in order", async () => {
    const { code, calls, left } = await apply({ platform: {}, service: {} });
    expect(code).toBe(0);
    expect(calls).toEqual(
      ["platform", "service"].flatMap((stack) => [
        `${stack} init -input=false`,
        `${stack} plan -input=false -detailed-exitcode -out=antifragile.tfplan`,
        `${stack} show -json antifragile.tfplan`,
        `${stack} apply -input=false antifragile.tfplan`,
      ]),
    );
    expect(left).toEqual([]);
  });

  it("applies nothing where nothing changes", async () => {
    const { code, calls } = await apply({ platform: { plan: 0 } });
    expect([code, calls.length]).toEqual([0, 2]);
  });

  it("stops at a plan that the gate refuses, before it and all after it are applied", async () => {
    const { code, calls, text } = await apply({ platform: {}, data: { changes: REPLACED }, service: {} });
    expect(code).toBe(3);
    expect(calls.filter((call) => call.includes(" apply "))).toEqual([
      "platform apply -input=false antifragile.tfplan",
    ]);
    expect(text).toContain("--allow-replace 'aws_ecs_service.A'");
  });

  it("goes on where it was allowed by name, and says which allowance was not needed", async () => {
    const allowances = { delete: ["aws_kms_key.B"], replace: ["aws_ecs_service.A"] };
    const { code, text } = await apply({ service: { changes: REPLACED } }, { allowances });
    expect(code).toBe(0);
    expect(text).toContain("--allow-delete aws_kms_key.B was not needed");
    expect(text).not.toContain("--allow-replace aws_ecs_service.A was not needed");
  });

  it("applies nothing that nobody wants", async () => {
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

  it("tells why tasks stopped when ECS rolled a service back, and goes on telling when it cannot", async () => {
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
    const untold = await apply(
      { service: { apply: 1, says } },
      {
        stopReasons: async () => {
          throw new Error("no credentials");
        },
      },
    );
    expect(untold.text).toContain("was not told: no credentials");
  });

  it("reads each service once from what Terraform says", () => {
    const line = "antifragile stop-reasons --region eu-central-1 --cluster shop-dev --service orders\n";
    expect(rolledBack(`${line}│ ${line}`)).toEqual([
      { region: "eu-central-1", cluster: "shop-dev", service: "orders" },
    ]);
    expect(rolledBack("Error: something else")).toEqual([]);
    // As cdktf hands it on: behind a margin, the line broken.
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
