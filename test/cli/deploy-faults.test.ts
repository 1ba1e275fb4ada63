import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SAME_CTRL_C_MS } from "../../contract/interruption";
import { requiring } from "../support/required-tools";
import { Terminal } from "../support/terminal";
import { usePackage } from "./packed";
import { FaultTable } from "./support/acting-faults";
import { OUTPUT_ENDS, until, useChildren } from "./support/child";
import { type FakeTerraform, useFakeTerraform } from "./support/fake-terraform";

const table = new FaultTable();
const packed = usePackage();
const fake = useFakeTerraform();
let terraform: FakeTerraform;
beforeEach(() => {
  terraform = fake();
});
const start = useChildren(() => ({ cwd: terraform.repository, env: terraform.environment() }));

const cli = (...args: string[]) => [process.execPath, packed.bin, ...args];
const run = (command: readonly string[]) => start(command).ended;
const DEPLOY = () => cli("deploy", "dev", "--auto-approve");
const COMPLETE = ["platform apply begins", "platform apply ends", "service apply begins", "service apply ends"];
const begun = () =>
  until(
    () => terraform.applies.includes("platform apply begins"),
    () => terraform.log.join("\n"),
  );

/** Makes both stacks look applied. */
const deployed = () => {
  for (const stack of ["orders-dev-platform", "orders-dev-service"]) {
    mkdirSync(dirname(terraform.file(stack, "applied")), { recursive: true });
    writeFileSync(terraform.file(stack, "applied"), "");
  }
};

/** Files that a command has left in the temporary folder: plans hold secrets. */
const kept = () => readdirSync(join(terraform.folder, "tmp")).filter((name) => name.startsWith("antifragile-"));

/** The next deployment applies what is missing, whatever was left. */
async function heals(applied: readonly string[]): Promise<void> {
  const next = await run(DEPLOY());
  expect(next, next.text).toMatchObject({ code: 0, text: expect.stringContaining("dev is deployed") });
  expect(terraform.applies.slice(-applied.length)).toEqual(applied);
  expect(existsSync(terraform.file("orders-dev-platform", "lock"))).toBe(false);
}

describe("a deployment", () => {
  it("says what it will do, plans each stack when those before it are applied, and applies those plans", async () => {
    const { code, text } = await run(DEPLOY());
    expect(code, text).toBe(0);
    expect(text).toMatch(/^deploy dev: orders-dev-platform, orders-dev-service\n {2}Each is planned when those before/);
    expect(text).toContain("Plan: 1 to add");
    expect(terraform.log.map((line) => line.split(" ", 2).join(" "))).toEqual(
      ["orders-dev-platform", "orders-dev-service"].flatMap((stack) =>
        ["init", "plan", "show", "apply", "apply", "apply"].map((word) => `${stack} ${word}`),
      ),
    );
    expect(kept()).toEqual([]);
    const again = await run(DEPLOY());
    expect(again).toMatchObject({ code: 0, text: expect.stringContaining("No changes.") });
    expect(terraform.applies).toEqual(COMPLETE);
  });

  it("removes plans of commands that were killed long ago, and no others", async () => {
    const leftover = (name: string, days: number) => {
      mkdirSync(join(terraform.folder, "tmp", name));
      const time = Date.now() / 1000 - days * 86_400;
      utimesSync(join(terraform.folder, "tmp", name), time, time);
    };
    leftover("antifragile-private-old", 2);
    leftover("antifragile-private-new", 0);
    leftover("another", 2);
    expect(await run(cli("plan", "dev"))).toMatchObject({ code: 0 });
    expect(readdirSync(join(terraform.folder, "tmp"))).toEqual(
      expect.arrayContaining(["another", "antifragile-private-new"]),
    );
    expect(kept()).toEqual(["antifragile-private-new"]);
  });
});

describe.each([
  ["deploy", "--auto-approve"],
  ["plan", undefined],
])("%s of an environment that does not exist", (name, flag) => {
  it("ends with 1, since synth fails, and runs no Terraform", async () => {
    const { code, text } = await run(cli(name, "moon", ...(flag === undefined ? [] : [flag])));
    expect(code, text).toBe(1);
    expect(text).toContain('has no environment "moon"');
    expect(text).toContain("infra/main.ts cannot be synthesized");
    expect(terraform.log).toEqual([]);
  });
});

/** The command itself, with the plans that it needs. */
const prepared = async (name: "apply" | "deploy") => {
  if (name === "deploy") return DEPLOY();
  expect(await run(cli("plan", "dev"))).toMatchObject({ code: 0 });
  return cli("apply", "dev");
};

describe.each(["deploy", "apply"] as const)("%s whose output ends", (name) => {
  it.each(OUTPUT_ENDS)(table.title("continues and completes: %s", "closed output"), async (_title, script) => {
    const { code, text } = await run(["bash", "-c", script, "bash", ...(await prepared(name))]);
    expect(code, text).toBe(0);
    expect(terraform.applies).toEqual(COMPLETE);
  });
});

describe.each(["deploy", "apply"] as const)("%s that is interrupted", (name) => {
  const command = () => prepared(name);
  const title = "by %s lets Terraform end in order, begins nothing else and ends with 130";

  it.each(["SIGHUP", "SIGTERM", "SIGINT"] as const)(
    table.title(title, "SIGHUP", "SIGTERM", "SIGINT"),
    async (signal) => {
      terraform.hold(true);
      const { child, ended, text } = start(await command());
      await begun();
      child.kill(signal);
      expect(await ended, text()).toMatchObject({ code: 130 });
      expect(text()).toContain(`interrupted by ${signal}`);
      expect(text()).toContain("orders-dev-platform may be partly applied");
      expect(text()).toContain(
        name === "deploy"
          ? "To complete it, run the command again"
          : "To complete it, run antifragile plan dev again, then antifragile apply dev",
      );
      expect(terraform.applies).toEqual([
        "platform apply begins",
        "platform interrupt 1",
        "platform apply ends in order",
      ]);
      expect(kept()).toEqual([]);
      terraform.hold(false);
      await heals(COMPLETE);
    },
  );

  it("by SIGINT lets a Terraform that a script starts end in order", async () => {
    const script = join(terraform.folder, "bin", "wrapper");
    writeFileSync(script, '#!/bin/bash\nterraform "$@"\nexit $?\n', { mode: 0o755 });
    terraform.variables.TERRAFORM_BINARY_NAME = script;
    terraform.hold(true);
    const { child, ended, text } = start(await command());
    await begun();
    child.kill("SIGINT");
    expect(await ended, text()).toMatchObject({ code: 130 });
    expect(terraform.applies).toEqual([
      "platform apply begins",
      "platform interrupt 1",
      "platform apply ends in order",
    ]);
    writeFileSync(terraform.file("orders-dev-platform", "lock"), "");
    const locked = await run(DEPLOY());
    expect(locked.text).toContain(`${script} -chdir=infra/cdktf.out/stacks/orders-dev-platform force-unlock `);
  });

  it(
    table.title("by a second Ctrl-C aborts Terraform, and the next run says how to remove its lock", "second SIGINT"),
    async () => {
      terraform.hold(true);
      terraform.stubborn(true);
      const { child, ended, text } = start(await command());
      await begun();
      child.kill("SIGINT");
      await until(() => text().includes("interrupted by"), text);
      child.kill("SIGINT");
      await delay(SAME_CTRL_C_MS + 50);
      expect(terraform.applies).not.toContain("platform interrupt 2");
      child.kill("SIGINT");
      expect(await ended, text()).toMatchObject({ code: 130 });
      expect(terraform.applies.at(-1)).toBe("platform interrupt 2");
      terraform.hold(false);
      const locked = await run(DEPLOY());
      expect(locked.code).toBe(1);
      expect(locked.text).toContain(
        "The state is locked by mia@laptop since 2026-11-27. Wait for it to end; if it was killed:",
      );
      expect(locked.text).toContain(
        "terraform -chdir=infra/cdktf.out/stacks/orders-dev-platform force-unlock 7d5c1b7e-7c9e-b0a1-c1c9-0d7c1b7e7c9e",
      );
      rmSync(terraform.file("orders-dev-platform", "lock"));
      await heals(COMPLETE);
    },
  );

  it(
    table.title(
      "by SIGKILL leaves Terraform to complete the stack, and the next deployment goes on from there",
      "SIGKILL",
    ),
    async () => {
      terraform.hold(true);
      const { child, ended } = start(await command());
      await begun();
      child.kill("SIGKILL");
      expect(await ended).toMatchObject({ code: null, signal: "SIGKILL" });
      terraform.hold(false);
      await until(
        () => terraform.applies.includes("platform apply ends"),
        () => terraform.log.join("\n"),
      );
      await heals(["service apply begins", "service apply ends"]);
    },
  );

  it("by the end of npm, which passes no signal on, lets Terraform end in order", async () => {
    terraform.hold(true);
    const script = join(terraform.folder, "under-npm.sh");
    writeFileSync(script, `npm_lifecycle_event=${name} ${(await command()).join(" ")} &\nwait\n`);
    const shell = start(["sh", script]);
    await begun();
    shell.child.kill("SIGKILL");
    const { text } = await shell.ended;
    expect(text).toContain("interrupted by the end of npm");
    expect(terraform.applies.at(-1)).toBe("platform apply ends in order");
  });
});

describe("destroy", () => {
  const DESTROY = () => cli("destroy", "dev", "--auto-approve");
  const DESTROYED = ["service apply begins", "service apply ends", "platform apply begins", "platform apply ends"];

  it("deletes services before their platform, and has nothing to delete then", async () => {
    deployed();
    const { code, text } = await run(DESTROY());
    expect(code, text).toBe(0);
    expect(terraform.applies).toEqual(DESTROYED);
    expect(text).toContain("dev is destroyed. This remains in the account:");
    expect(kept()).toEqual([]);
    const again = await run(DESTROY());
    expect(again).toMatchObject({ code: 0, text: expect.stringContaining("dev has nothing that could be destroyed") });
    await heals(COMPLETE);
  });

  it("asks for the name, so it needs a terminal or --auto-approve", async () => {
    const { code, text } = await run(cli("destroy", "dev"));
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("pass --auto-approve") });
    expect(terraform.log).toEqual([]);
  });

  it("continues and completes when its reader has seen enough", async () => {
    deployed();
    const [[, script]] = OUTPUT_ENDS;
    expect(await run(["bash", "-c", script, "bash", ...DESTROY()])).toMatchObject({ code: 0 });
    expect(terraform.applies).toEqual(DESTROYED);
  });

  it("lets Terraform end in order on SIGTERM, and the next run completes it", async () => {
    deployed();
    terraform.hold(true);
    const { child, ended, text } = start(DESTROY());
    await until(() => terraform.applies.includes("service apply begins"), text);
    child.kill("SIGTERM");
    expect(await ended, text()).toMatchObject({ code: 130 });
    expect(text()).toContain("orders-dev-service may be partly destroyed; what was completed is in its state.");
    expect(terraform.applies.at(-1)).toBe("service apply ends in order");
    terraform.hold(false);
    expect(await run(DESTROY())).toMatchObject({ code: 0 });
    expect(terraform.applies.slice(-4)).toEqual(DESTROYED);
  });

  it.each(["plan", "apply"])("shows why %s failed, and deletes no platform under a service", async (step) => {
    deployed();
    terraform.fault(step, "Error: api error AccessDenied: not authorized");
    const { code, text } = await run(DESTROY());
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringContaining("AccessDenied: not authorized") });
    expect(terraform.applies).toEqual([]);
  });
});

const STALE = "so nothing was applied: plan again.";
const EXPIRED = "The AWS credentials have expired: renew them and run the command again.";
/** Parts of all advice that may follow the words of Terraform. */
const REMEDIES = [STALE, EXPIRED, "The state is locked by", "The state could not be saved"];

describe("a deployment whose Terraform fails", () => {
  it.each([
    [
      "dropped connections",
      "plan",
      "Error: reading SSM Parameter: Get https://ssm: connection reset by peer",
      undefined,
    ],
    ["throttling", "apply", "Error: operation error ECS: UpdateService, ThrottlingException: Rate exceeded", undefined],
    ["access", "init", "Error: api error AccessDenied: not authorized", undefined],
    ["a state that changed", "apply", "Error: Saved plan is stale", STALE],
    ...["init", "plan", "apply"].map(
      (step) =>
        [
          "expired credentials",
          step,
          "Error: api error ExpiredToken: The security token included in the request is expired",
          EXPIRED,
        ] as const,
    ),
  ] as const)(
    "by %s at %s shows its words, ends with 1, and is completed by the next",
    async (_title, step, words, remedy) => {
      terraform.fault(step, words);
      const { code, text } = await run(DEPLOY());
      expect(code).toBe(1);
      expect(text).toContain(words);
      expect(text).toContain(`✖ terraform ${step} of orders-dev-platform failed`);
      expect(REMEDIES.filter((each) => text.includes(each))).toEqual(remedy === undefined ? [] : [remedy]);
      expect(terraform.applies).toEqual([]);
      expect(kept()).toEqual([]);
      terraform.fault(step, undefined);
      await heals(COMPLETE);
    },
  );

  it("since it cannot save the state says how to save it, and plans nothing until that is done", async () => {
    expect(await run(cli("plan", "dev"))).toMatchObject({ code: 0 });
    writeFileSync(terraform.file("orders-dev-platform", "errored.tfstate"), "{}");
    for (const command of [DEPLOY(), cli("apply", "dev"), cli("plan", "dev")]) {
      const { code, text } = await run(command);
      expect(code).toBe(1);
      expect(text).toContain("terraform -chdir=infra/cdktf.out/stacks/orders-dev-platform state push errored.tfstate");
    }
    expect(terraform.applies).toEqual([]);
    rmSync(terraform.file("orders-dev-platform", "errored.tfstate"));
    await heals(COMPLETE);
  });
});

describe("apply", () => {
  const RENEW =
    "The AWS credentials have expired: renew them and run antifragile plan dev again, then antifragile apply dev.";

  it.each([
    ["dropped connections", "apply", "Error: read ECS: connection reset by peer", undefined],
    ["throttling", "apply", "Error: operation error ECS: UpdateService, ThrottlingException: Rate exceeded", undefined],
    ...["init", "apply"].map(
      (step) =>
        ["expired credentials", step, "Error: api error ExpiredToken: The security token is expired", RENEW] as const,
    ),
  ] as const)(
    table.title(
      "that meets %s at %s ends with 1, and is completed by the next deployment",
      "dropped connections",
      "throttling",
      "expired credentials",
    ),
    async (_fault, step, words, remedy) => {
      const command = await prepared("apply");
      terraform.fault(step, words);
      const { code, text } = await run(command);
      expect(code, text).toBe(1);
      expect(text).toContain(words);
      expect(text.includes("  The AWS credentials")).toBe(remedy !== undefined);
      expect(text).toContain(remedy ?? "");
      expect(terraform.applies).toEqual([]);
      terraform.fault(step, undefined);
      await heals(COMPLETE);
    },
  );

  it("whose credentials expire at a stack that is planned late leaves the first applied, and the next plan goes on", async () => {
    const command = await prepared("apply");
    terraform.fault("plan", "Error: api error ExpiredToken: The security token is expired");
    const { code, text } = await run(command);
    expect(code, text).toBe(1);
    expect(text).toContain(RENEW);
    expect(terraform.applies).toEqual(COMPLETE.slice(0, 2));
    terraform.fault("plan", undefined);
    await heals(COMPLETE.slice(2));
  });

  it(table.title("refuses while someone else holds the state, and leaves their lock", "taken lock"), async () => {
    const command = await prepared("apply");
    writeFileSync(terraform.file("orders-dev-platform", "lock"), "");
    const { code, text } = await run(command);
    expect(code, text).toBe(1);
    expect(text).toContain("The state is locked by mia@laptop since 2026-11-27.");
    expect(existsSync(terraform.file("orders-dev-platform", "lock"))).toBe(true);
    expect(terraform.applies).toEqual([]);
    rmSync(terraform.file("orders-dev-platform", "lock"));
    await heals(COMPLETE);
  });

  it.each([
    ["antifragile-plans.json", "{", "run antifragile plan dev again"],
    ["antifragile-plans.json", "null", "run antifragile plan dev again"],
    ["antifragile-plans.json", '{"environment":"dev"}', "run antifragile plan dev again"],
    ["manifest.json", "{", "run antifragile synth"],
  ])(
    table.title("applies nothing of plans whose list is damaged, and says what to do: %s %s", "damaged record"),
    async (file, content, remedy) => {
      const command = await prepared("apply");
      writeFileSync(join(terraform.repository, "infra/cdktf.out", file), content);
      const { code, text } = await run(command);
      expect(code, text).toBe(1);
      expect(text).toContain(`${file} is damaged: ${remedy}\n`);
      expect(text).not.toMatch(/internal error|\n {4}at /);
      expect(terraform.applies).toEqual([]);
      await heals(COMPLETE);
    },
  );

  it("is tried with every fault", () => expect(table.untried).toEqual([]));
});

requiring(Terminal.missing).describe("a deployment on a terminal", () => {
  let terminal: Terminal;
  beforeEach(() => {
    terminal = new Terminal({ env: terraform.environment() });
  });
  afterEach(() => terminal.close());
  /** npm starts its scripts by bash, which the command replaces: it receives each Ctrl-C from the terminal and from npm. */
  const open = (command = "deploy") => {
    const script = `${cli(command, "dev").join(" ")}`;
    writeFileSync(join(terraform.repository, "package.json"), JSON.stringify({ scripts: { deploy: script } }));
    const line = `env -u CI TERM=xterm npm run deploy --script-shell=bash; echo "exit code $?"; sleep 60`;
    terminal.open(line, terraform.repository);
  };

  it("applies after a yes, and ends in order on one Ctrl-C through npm", async () => {
    terraform.hold(true);
    open();
    await terminal.until("Apply this plan to orders-dev-platform?");
    terminal.type("yes", "Enter");
    await begun();
    terminal.type("C-c");
    await terminal.until("exit code 130");
    expect(terraform.applies).toEqual([
      "platform apply begins",
      "platform interrupt 1",
      "platform apply ends in order",
    ]);
  });

  it.each([
    ["C-c", "exit code 130"],
    ["C-d", "exit code 130"],
    ["Enter", "exit code 1"],
  ])("applies nothing after %s at the question", async (key, outcome) => {
    open();
    await terminal.until("Apply this plan to orders-dev-platform?");
    terminal.type(key);
    await terminal.until(outcome);
    expect(terminal.screen()).toContain("orders-dev-platform is as it was");
    expect(terraform.applies).toEqual([]);
    expect(kept()).toEqual([]);
  });

  it("destroys only what is named", async () => {
    deployed();
    open("destroy");
    await terminal.until("Type the name of the environment to destroy it:");
    terminal.type("yes", "Enter");
    await terminal.until("exit code 1");
    expect(terminal.screen()).toContain("nothing was destroyed");
    expect(terraform.applies).toEqual([]);
  });
});
