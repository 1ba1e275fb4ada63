import { describe, expect, it } from "vitest";
import { commands } from "../../bin/commands";
import { OUTPUT_ENDS, useChildren } from "./support/child";
import { NO_CREDENTIALS, PLACE, useCli } from "./support/cli";
import type { FakeAws } from "./support/fake-aws";

let aws: FakeAws;
const packed = useCli((each) => {
  aws = each;
});

const KEYS = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
let environment: NodeJS.ProcessEnv = {};
const startChild = useChildren(() => ({ cwd: packed.folder, env: environment }));

/** Runs the packed executable, with these variables besides. */
function start(args: readonly string[], env: NodeJS.ProcessEnv, shell: readonly string[] = []) {
  environment = { ...NO_CREDENTIALS, ...env };
  return startChild([...shell, ...packed.command(...args)]);
}
const run = (...args: Parameters<typeof start>) => start(...args).ended;
const onAws = () => ({ ...KEYS, AWS_ENDPOINT_URL: aws.url });

const IMAGE = `1.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:${"a".repeat(64)}`;

/** Commands that call AWS by themselves, with arguments that need no repository. */
const ON_AWS: Readonly<Record<string, readonly string[]>> = {
  admin: ["dev", "report", ...PLACE],
  alarms: ["dev", "--minutes", "60", ...PLACE],
  exec: ["dev", "orders", ...PLACE],
  logs: ["dev", ...PLACE],
  migrate: ["dev", ...PLACE],
  release: ["dev", "--image", IMAGE.replace(/^1\./, "registry."), ...PLACE],
  releases: ["dev", ...PLACE],
  rollback: ["dev", ...PLACE],
  run: ["dev", "orders", ...PLACE, "--", "date"],
  secret: ["set", "key", "--region", "eu-central-1"],
  show: ["dev", ...PLACE],
  status: ["dev", "--region", "eu-central-1"],
  "stop-reasons": ["--region", "eu-central-1", "--cluster", "shop-dev", "--service", "orders"],
};

/** Commands that work in a repository or on files, with arguments that name none, and part of what they say then. */
const ON_FILES: Readonly<Record<string, readonly [args: readonly string[], says: RegExp]>> = {
  add: [["postgres"], /\.antifragile\.json was not found/],
  apply: [["dev"], /no infra\/cdktf.out/],
  bootstrap: [["dev"], /no infra\/main.ts/],
  completion: [["fihs"], /did you mean fish\?/],
  deploy: [["dev", "--auto-approve"], /no infra\/main.ts/],
  destroy: [["dev", "--auto-approve"], /no infra\/main.ts/],
  doctor: [["dev"], /./],
  drift: [["dev"], /no infra\/main.ts/],
  gameday: [["kil"], /did you mean kill\?|kill, delay/],
  new: [["Orders!", "--yes"], /./],
  plan: [["dev"], /no infra\/main.ts/],
  "plan-gate": [["nothing.json"], /does not exist/],
  remove: [["cache"], /\.antifragile\.json was not found/],
  ship: [["dev"], /no scripts\/image.ts/],
  synth: [["dev"], /no infra\/main.ts/],
  upgrade: [[], /\.antifragile\.json was not found/],
};

it("every command is in one of the tables", () => {
  expect([...Object.keys(ON_AWS), ...Object.keys(ON_FILES)].sort()).toEqual(Object.keys(commands).sort());
});

/** A message is a sentence, and no stack of this program. */
function isSentence(text: string): void {
  expect(text).toMatch(/✖|problem|not/);
  expect(text).not.toMatch(/internal error|\n {4}at /);
}

describe.each(Object.keys(commands))("%s", (name) => {
  it("refuses a flag that does not exist, and suggests the nearest", async () => {
    const { code, text } = await run([name, "--hlep"], {});
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("did you mean --help?") });
    isSentence(text);
  });
});

describe.each(Object.entries(ON_FILES))("%s", (name, [args, says]) => {
  it("says what it lacks in a sentence", async () => {
    const { code, text } = await run([name, ...args], {});
    expect([1, 2], text).toContain(code);
    expect(text).toMatch(says);
    isSentence(text);
  });
});

describe.each(Object.entries(ON_AWS))("%s", (name, args) => {
  const has = async (flag: string) => flag in (await commands[name]!.load()).spec.flags;

  it("ends with 1 and a sentence without credentials, without network, and if AWS denies it", async () => {
    const json = (await has("json")) ? ["--json"] : [];
    const words = args.includes("--") ? args : [...args, ...json];
    aws.fault = () => "deny";
    const cases = [
      [{}, /no AWS credentials/],
      [{ ...KEYS, AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_MAX_ATTEMPTS: "1" }, /ECONNREFUSED/],
      [onAws(), /AccessDenied/],
    ] as const;
    for (const [env, says] of cases) {
      const { code, text } = await run([name, ...words], env);
      expect(code, text).toBe(1);
      expect(text).toMatch(says);
      isSentence(text);
    }
  });

  it("does not end as if it were done when SIGTERM interrupts it", async () => {
    const { child, ended, text } = start([name, ...args], onAws());
    let killed = false;
    aws.before = async () => {
      if (killed) return;
      killed = child.kill("SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 300));
    };
    expect((await ended).code, text()).not.toBe(0);
    expect(text()).not.toMatch(/internal error|\n {4}at /);
  });
});

describe.each(["releases", "show", "status"])("%s", (name) => {
  it("prints JSON that parses, and ends in order when its reader has seen enough", async () => {
    const args = ON_AWS[name] as readonly string[];
    const { code, text } = await run([name, ...args, "--json"], onAws());
    expect({ code }).toEqual({ code: 0 });
    expect(JSON.parse(text)).toBeTypeOf("object");
    const [[, script]] = OUTPUT_ENDS;
    expect(await run([name, ...args], onAws(), ["bash", "--norc", "-c", script, "bash"])).toMatchObject({ code: 0 });
  });
});

describe("a name that does not exist", () => {
  it("of a command is answered with the nearest", async () => {
    const { code, text } = await run(["relese"], {});
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("did you mean release?") });
  });

  it.each(["admin", "exec", "logs", "releases", "run", "show"])("of an environment is reported by %s", async (name) => {
    const { code, text } = await run([name, "dve", ...(ON_AWS[name] as readonly string[]).slice(1)], onAws());
    expect({ code, text }).toMatchObject({ code: 1, text: expect.stringMatching(/services of orders on/) });
  });

  it.each(["exec", "logs", "run", "show"])("of a service is answered by %s with the nearest", async (name) => {
    const { code, text } = await run(
      [name, "dev", "ordres", ...PLACE, ...(name === "run" ? ["--", "date"] : [])],
      onAws(),
    );
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("did you mean orders?") });
  });
});
