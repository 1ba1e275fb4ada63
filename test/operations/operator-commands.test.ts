import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { LogEvent } from "../../operations/release/cloud";
import { type ReleaseCommandContext, runExec, runLogs, runRun, runShow } from "../../operations/release/commands";
import { ageOf, logs } from "../../operations/release/logs";
import { exitCodeOf } from "../support/exit-code";
import { FakeCloud, fakeWorld, image, template } from "./support/fake-cloud";

const START = Date.UTC(2026, 0, 1);
const PLACE = ["--stack", "orders", "--platform", "shop", "--region", "eu-west-1"];

const event = (id: string, seconds: number, message: string, task = "0123456789abcdef"): LogEvent => ({
  id,
  at: START + seconds * 1000,
  task,
  message,
});

function account(): FakeCloud {
  const cloud = new FakeCloud({
    orders: template("orders", { adminRole: "arn:admin", adminEnvironment: { ADMIN: "1" } }),
    report: template("report", { kind: "job" }),
  });
  for (const name of ["orders", "report"]) cloud.runs.set(name, `shop-dev-${name}:2`);
  return cloud;
}

/** A command against an account in memory. */
async function call(
  run: (context: ReleaseCommandContext) => Promise<number>,
  args: readonly string[],
  cloud = account(),
) {
  const printed: string[] = [];
  const errors: string[] = [];
  const context: ReleaseCommandContext = {
    args: [...args, ...(args.includes("--") ? [] : PLACE)],
    cwd: "/",
    print: (text) => printed.push(text),
    contextOf: (place, print) => ({ ...fakeWorld(cloud), place, print }),
  };
  const code = await exitCodeOf(() => run(context), errors);
  return { code, text: printed.join(""), errors: errors.join(""), cloud };
}

describe("logs", () => {
  const talking = () => {
    const cloud = account();
    cloud.logged.orders = [event("a", -60, "one"), event("c", -20, "three \u001b[2J", "fedcba9876543210")];
    cloud.logged.report = [event("b", -40, "two")];
    return cloud;
  };

  it("shows all services in order of time, safe for a terminal", async () => {
    const { code, text } = await call(runLogs, ["dev"], talking());
    expect(code).toBe(0);
    expect(text).toBe(
      [
        "2025-12-31T23:59:00.000Z orders 01234567  one",
        "2025-12-31T23:59:20.000Z report 01234567  two",
        "2025-12-31T23:59:40.000Z orders fedcba98  three \\u001b[2J",
        "",
      ].join("\n"),
    );
  });

  it("passes service, age, filter and task on, and prints JSON", async () => {
    const flags = ["--since", "30s", "--filter", "ERROR", "--task", "fed", "--json"];
    const { code, text, cloud } = await call(runLogs, ["dev", "orders", ...flags], talking());
    expect(code).toBe(0);
    expect(cloud.queries).toEqual([{ since: START - 30_000, filter: "ERROR", task: "fed" }]);
    expect(JSON.parse(text)).toEqual({
      at: "2025-12-31T23:59:40.000Z",
      service: "orders",
      task: "fedcba9876543210",
      message: "three \u001b[2J",
    });
  });

  it("ends with 1 if nothing was logged", async () => {
    expect(await call(runLogs, ["dev"])).toMatchObject({ code: 1, text: "" });
  });

  it("follows without repeating a line, also one that arrives late, until it is interrupted", async () => {
    const cloud = account();
    const world = fakeWorld(cloud);
    cloud.logged.orders = [event("a", -5, "first")];
    let rounds = 0;
    cloud.before = () => {
      rounds++;
      if (rounds === 2) cloud.logged.orders?.push(event("c", 2, "third"));
      if (rounds === 3) cloud.logged.orders?.push(event("b", -1, "late"));
      if (rounds === 5) world.interrupt();
    };
    const options = { service: "orders", age: 60_000, follow: true, json: false };
    await expect(logs(world, options)).rejects.toThrow("interrupted");
    expect(world.printed().replace(/^\S+ \S+ {2}/gm, "")).toBe("first\nthird\nlate\n");
  });

  it.each([
    [["dev", "order"], /service "order" does not exist; did you mean orders\?\nIts services are: orders, report/],
    [["dev", "--since", "yesterday"], /--since "yesterday": must be a number with s, m, h or d/],
    [["dev", "--folow"], /--folow: unknown flag; did you mean --follow\?/],
  ])("refuses %j", async (args, message) => {
    const { code, errors } = await call(runLogs, args);
    expect(code).toBe(2);
    expect(errors).toMatch(message);
  });

  it.each([
    ["30s", 30_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["0m", undefined],
    ["10", undefined],
  ])("reads an age of %s", (text, expected) => expect(ageOf(text)).toBe(expected));
});

describe("run", () => {
  it("starts a job now with its own command, shows its log and ends with its exit code", async () => {
    const cloud = account();
    cloud.ending = { exitCode: 3, lines: ["working"] };
    const { code, text } = await call(runRun, ["dev", "report"], cloud);
    expect(code).toBe(3);
    expect(text).toContain("report, as shop-dev-report:2\n    working\n    ended with 3");
    expect(cloud.calls).toEqual(["run report shop-dev-report:2 "]);
  });

  it("runs a command as the running release, without the role and variables of admin processes", async () => {
    const cloud = account();
    const started = cloud.runTask.bind(cloud);
    let admin: unknown;
    cloud.runTask = async (process, ...rest) => {
      admin = [process.adminRole, process.adminEnvironment];
      return started(process, ...rest);
    };
    const { code } = await call(runRun, ["dev", "orders", ...PLACE, "--", "node", "check.js"], cloud);
    expect(code).toBe(0);
    expect(cloud.calls).toEqual(["run orders shop-dev-orders:2 node check.js"]);
    expect(admin).toEqual([undefined, undefined]);
  });

  it.each([
    [["dev"], /name a service: orders, report/],
    [["dev", "orders"], /orders is a web, which runs already/],
    [["dev", "reprot"], /did you mean report\?/],
  ])("refuses %j", async (args, message) => {
    const { code, errors, cloud } = await call(runRun, args);
    expect(code).toBe(2);
    expect(errors).toMatch(message);
    expect(cloud.calls).toEqual([]);
  });

  it("refuses a service that runs the bootstrap image", async () => {
    const cloud = account();
    cloud.runs.set("report", "shop-dev-report:1");
    const { code, errors } = await call(runRun, ["dev", "report"], cloud);
    expect(code).toBe(1);
    expect(errors).toContain("report has no release yet");
  });
});

describe("show", () => {
  const ARNS = { task: "arn:aws:iam::123456789012:role/shop-dev-orders-task", execution: "arn:execution" };

  /** A released service with everything that a task definition may have. */
  function released(): FakeCloud {
    const cloud = new FakeCloud({
      orders: template("orders", {
        url: "https://orders.example.com",
        admin: { migrate: ["node", "migrate.js"] },
        alarms: ["orders-errors", "orders-gone"],
      }),
      report: template("report", { kind: "job", owner: "terraform", bootstrap: false }),
    });
    cloud.define("shop-dev-orders:2", "orders", { LOG_LEVEL: "info", ESCAPE: "\u001b[2J" });
    const definition = cloud.tasks.get("shop-dev-orders:2")!;
    const [container] = definition.containerDefinitions!;
    cloud.tasks.set("shop-dev-orders:2", {
      ...definition,
      taskRoleArn: ARNS.task,
      executionRoleArn: ARNS.execution,
      containerDefinitions: [
        { name: "agent", image: "agent", environment: [{ name: "OF_AGENT", value: "1" }] },
        {
          ...container,
          image: image("a"),
          secrets: [{ name: "API_KEY", valueFrom: "arn:aws:ssm:eu-west-1:123456789012:parameter/key" }],
          logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/shop/dev/orders" } },
        },
      ],
    });
    cloud.runs.set("orders", "shop-dev-orders:2");
    cloud.alarms["orders-errors"] = "OK";
    const processes = { orders: { task: "shop-dev-orders:2", template: 1, config: "c" } };
    cloud.versions.push({ live: { number: 7, at: "2026-01-01T10:00:00.000Z", by: "max", images: {}, processes } });
    return cloud;
  }

  it("shows a service as it runs, its secrets by name only, safe for a terminal", async () => {
    const { code, text, cloud } = await call(runShow, ["dev", "orders"], released());
    expect(code).toBe(0);
    expect(text).toBe(
      [
        "orders (web)",
        "  url             https://orders.example.com",
        "  release         7 of 2026-01-01T10:00:00Z by max",
        `  image           ${image("a")}`,
        "  task            shop-dev-orders:2",
        "  cluster         shop-dev",
        "  log group       /shop/dev/orders",
        `  task role       ${ARNS.task}`,
        "  execution role  arn:execution",
        "  admin processes",
        "    migrate  node migrate.js",
        "  variables",
        "    BOOTSTRAP_HEALTHY  /livez",
        "    ESCAPE             \\u001b[2J",
        "    LOG_LEVEL          info",
        "  secrets",
        "    API_KEY",
        "  alarms",
        "    orders-errors  OK",
        "    orders-gone    does not exist",
        "",
      ].join("\n"),
    );
    expect(cloud.calls).toEqual([]);
  });

  it("shows all services as JSON, with null for what does not exist", async () => {
    const { code, text } = await call(runShow, ["dev", "--json"], released());
    expect(code).toBe(0);
    expect(text).not.toContain("parameter/key");
    expect(JSON.parse(text)).toMatchObject([
      {
        service: "orders",
        release: { number: 7, by: "max" },
        roles: { task: ARNS.task, execution: "arn:execution", admin: null },
        variables: { LOG_LEVEL: "info" },
        secrets: ["API_KEY"],
        alarms: [
          { name: "orders-errors", state: "OK" },
          { name: "orders-gone", state: "does not exist" },
        ],
      },
      { service: "report", kind: "job", url: null, release: null, schedule: "shop-dev-report", secrets: [] },
    ]);
  });

  it("shows that no release was made, that Terraform deploys, and that another task definition runs", async () => {
    const cloud = released();
    cloud.define("shop-dev-orders:3", "orders");
    const release = async () => (await call(runShow, ["dev"], cloud)).text.match(/(?<= {2}release +)\S.*/g);
    cloud.runs.set("orders", "shop-dev-orders:3");
    expect(await release()).toEqual(["not the live release", "deployed by Terraform"]);
    cloud.runs.set("orders", "shop-dev-orders:1");
    expect(await release()).toEqual(["none yet: the bootstrap image runs", "deployed by Terraform"]);
  });

  it.each([
    [["dev", "order"], /service "order" does not exist; did you mean orders\?/],
    [["dev", "--jsn"], /--jsn: unknown flag; did you mean --json\?/],
    [[], /<environment>: is missing/],
  ])("refuses %j", async (args, message) => {
    const { code, errors } = await call(runShow, args, released());
    expect(code).toBe(2);
    expect(errors).toMatch(message);
  });

  it("explains missing credentials", async () => {
    const cloud = released();
    cloud.processes = async () => {
      throw Object.assign(new Error("Could not load credentials"), { name: "CredentialsProviderError" });
    };
    const { code, errors } = await call(runShow, ["dev"], cloud);
    expect(code).toBe(1);
    expect(errors).toMatch(/no AWS credentials: .*aws sso login/);
  });

  it("explains a network that does not answer", async () => {
    const cloud = released();
    cloud.processes = async () => {
      throw Object.assign(new Error("getaddrinfo ENOTFOUND ssm.eu-west-1.amazonaws.com"), { code: "ENOTFOUND" });
    };
    const { code, errors } = await call(runShow, ["dev"], cloud);
    expect(code).toBe(1);
    expect(errors).toBe("✖ AWS: getaddrinfo ENOTFOUND ssm.eu-west-1.amazonaws.com\n");
  });
});

describe("exec", () => {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-exec-"));
  const output = join(folder, "arguments");
  // A stand-in for AWS's program: writes its arguments, and ends with a code of its own where it has any.
  const script = `#!${process.execPath}\nconst args = process.argv.slice(2);\nif (args.length > 0) {\n  require("node:fs").writeFileSync(${JSON.stringify(output)}, JSON.stringify(args));\n  process.exit(7);\n}\n`;
  writeFileSync(join(folder, "session-manager-plugin"), script, { mode: 0o755 });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => vi.unstubAllEnvs());

  const running = () => {
    const cloud = account();
    cloud.tasksOf.orders = [
      { id: "fedc", exec: true, runtimeId: "r-1" },
      { id: "0123", exec: false, runtimeId: "r-2" },
    ];
    return cloud;
  };
  const open = (args: readonly string[], cloud = running(), path = folder) => {
    vi.stubEnv("PATH", path);
    vi.stubEnv("AWS_PROFILE", "dev");
    return call(runExec, args, cloud);
  };

  it("opens a shell in the newest task by AWS's program, and ends with its exit code", async () => {
    const { code, text, cloud } = await open(["dev", "orders"]);
    expect(code).toBe(7);
    expect(text).toBe("orders, task fedc\n");
    expect(cloud.calls).toEqual(["exec fedc /bin/sh"]);
    const [session, ...rest] = JSON.parse(readFileSync(output, "utf8")) as string[];
    expect(JSON.parse(session as string)).toEqual({ sessionId: "s-1", streamUrl: "wss://x", tokenValue: "t" });
    expect(rest).toEqual(["eu-west-1", "StartSession", "dev", '{"Target":"ecs:shop-dev_fedc_r-1"}']);
  });

  it("quotes the words of a command", async () => {
    const { cloud } = await open(["dev", "orders", ...PLACE, "--", "node", "-e", "console.log('a b')"]);
    expect(cloud.calls).toEqual(["exec fedc node -e 'console.log('\\''a b'\\'')'"]);
  });

  it("explains how to install the program, before it opens a session", async () => {
    const { code, errors, cloud } = await open(["dev", "orders"], running(), "/nowhere");
    expect(code).toBe(1);
    expect(errors).toMatch(/session-manager-plugin is not on PATH: install it as https:/);
    expect(cloud.calls).toEqual([]);
  });

  it.each([
    [["dev", "orders", "--task", "01"], 1, /task 0123 of orders was started without ECS Exec: set exec: true/],
    [["dev", "orders", "--task", "9"], 2, /--task "9": is not a running task of orders; choose one of fedc, 0123/],
    [["dev", "report"], 2, /report is a job.*antifragile run dev report -- <command>/],
    [["dev", "ordres"], 2, /did you mean orders\?/],
    [["dev"], 2, /name a service: orders, report/],
  ])("refuses %j", async (args, code, message) => {
    const result = await open(args);
    expect(result.code).toBe(code);
    expect(result.errors).toMatch(message);
    expect(result.cloud.calls).toEqual([]);
  });

  it("refuses a service without running tasks", async () => {
    const { code, errors } = await open(["dev", "orders"], account());
    expect(code).toBe(1);
    expect(errors).toContain("no task of orders is running");
  });
});
