import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commands } from "../../bin/commands";
import { OPERATOR_STATEMENTS } from "../../scripts/docs-operators";
import { type Ended, OUTPUT_ENDS, until, useChildren } from "./support/child";
import { NO_CREDENTIALS, PLACE, useCli } from "./support/cli";
import { FakeAws } from "./support/fake-aws";
import { FakeTerraform } from "./support/fake-terraform";
import { commit, generate, git, tree } from "./support/versions";

let aws: FakeAws;
const packed = useCli((each) => {
  aws = each;
});

const KEYS = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
let place: { cwd: string; env: NodeJS.ProcessEnv };
const startChild = useChildren(() => place);

/** Runs the packed executable, with these variables besides. */
function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  shell: readonly string[] = [],
  cwd: string = packed.folder,
) {
  place = { cwd, env: { ...NO_CREDENTIALS, ...env } };
  return startChild([...shell, ...packed.command(...args)]);
}
const run = (...args: Parameters<typeof start>) => start(...args).ended;
const onAws = (each = aws) => ({ ...KEYS, AWS_ENDPOINT_URL: each.url });

const IMAGE = `1.dkr.ecr.eu-central-1.amazonaws.com/orders@sha256:${"a".repeat(64)}`;

/** In a registry that is not ECR, where no tag keeps it. */
const FOREIGN_IMAGE = IMAGE.replace(/^1\./, "registry.");

/** Commands that call AWS by themselves, with arguments that need no repository. */
const ON_AWS: Readonly<Record<string, readonly string[]>> = {
  admin: ["dev", "report", ...PLACE],
  alarms: ["dev", "--minutes", "60", ...PLACE],
  exec: ["dev", "orders", ...PLACE],
  logs: ["dev", ...PLACE],
  migrate: ["dev", ...PLACE],
  pipeline: ["status", "orders", "--region", "eu-central-1"],
  release: ["dev", "--image", FOREIGN_IMAGE, ...PLACE],
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
  expect(text).toMatch(/✖|problem|\bnot?\b/);
  expect(text).not.toMatch(/internal error|\n {4}at |Warning: /);
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

/** Shell that closes, or fills, the output of a command. */
const [READER_GONE, CLOSED, FULL] = OUTPUT_ENDS.map(([, script]) => ["bash", "--norc", "-c", script, "bash"]) as [
  string[],
  string[],
  string[],
];

type Cell = () => Promise<void>;

/** Faults of a command by name: each injects one into the packed executable, and checks how it ends. */
type Faults = Readonly<Record<string, Cell>>;

/** It failed, in a sentence of these words. */
function failed({ code, text }: Ended, says: RegExp): void {
  expect(code, text).toBe(1);
  expect(text).toMatch(says);
  isSentence(text);
}

/** It was ended by a signal: never as if its work were done, and without a stack. */
function stopped({ code, text }: Ended): void {
  expect(code, text).not.toBe(0);
  expect(text).not.toMatch(/internal error|\n {4}at /);
}

/** Folders that the cells of this file have made. */
const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});
function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-faults-"));
  made.push(folder);
  return folder;
}

/** Faults of a command that calls AWS by itself. */
function ofAws(name: string, args: readonly string[], cwd?: () => string): Faults {
  const words = [name, ...args];
  const ends = (env: NodeJS.ProcessEnv, shell: readonly string[] = [], more: readonly string[] = []) =>
    run([...words, ...more], env, shell, cwd?.());
  const json = async () => {
    const { flags } = (await commands[name]!.load()).spec;
    return "json" in flags && !args.includes("--") ? ["--json"] : [];
  };
  const withAws = async (work: (own: FakeAws) => Promise<void>) => {
    const own = await FakeAws.start();
    try {
      await work(own);
    } finally {
      own.stop();
    }
  };
  const refused = (fault: "expire" | "deny" | "drop", says: RegExp) => () =>
    withAws(async (own) => {
      own.fault = () => fault;
      failed(await ends({ ...onAws(own), AWS_MAX_ATTEMPTS: "1" }, [], await json()), says);
    });
  const interrupted = (signal: NodeJS.Signals) => () =>
    withAws(async (own) => {
      const { child, ended } = start(words, onAws(own), [], cwd?.());
      let killed = false;
      own.before = async () => {
        if (killed) return;
        killed = child.kill(signal);
        await delay(300);
      };
      stopped(await ended);
    });
  return {
    "no credentials": async () => failed(await ends({}), /no AWS credentials/),
    "no network": async () =>
      failed(await ends({ ...KEYS, AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_MAX_ATTEMPTS: "1" }), /ECONNREFUSED/),
    "dropped connections": refused("drop", /ECONNRESET|socket hang up/),
    "expired credentials": refused("expire", /credentials have expired/),
    "access denied": refused("deny", /AccessDenied/),
    "closed output while it fails": () =>
      withAws(async (own) => {
        own.fault = () => "deny";
        expect(await ends(onAws(own), CLOSED)).toMatchObject({ code: 1, text: "" });
      }),
    SIGTERM: interrupted("SIGTERM"),
    SIGINT: interrupted("SIGINT"),
  };
}

/** Faults of a command that runs Terraform, in a repository whose Terraform is a shell script. */
function ofTerraform(
  name: string,
  args: readonly string[],
  prepare: (run: (...words: string[]) => Promise<Ended>, fake: FakeTerraform) => Promise<unknown> = async () =>
    undefined,
): Faults {
  const inRepository = async (
    work: (fake: FakeTerraform, begin: (shell?: readonly string[]) => ReturnType<typeof start>) => Promise<void>,
  ) => {
    const fake = new FakeTerraform();
    try {
      await prepare((...words) => run(words, fake.environment(), [], fake.repository), fake);
      await work(fake, (shell) => start([name, ...args], fake.environment(), shell, fake.repository));
    } finally {
      fake.remove();
    }
  };
  const step = name === "apply" ? "apply" : "plan";
  const fails = (words: string, says: RegExp) => () =>
    inRepository(async (fake, begin) => {
      fake.fault(step, words);
      failed(await begin().ended, says);
    });
  return {
    "closed output": () =>
      inRepository(async (_, begin) => expect(await begin(READER_GONE).ended).toMatchObject({ code: 0 })),
    "expired credentials": fails(
      "Error: api error ExpiredToken: expired",
      /The AWS credentials have expired: renew them/,
    ),
    "dropped connections": fails("Error: connection reset by peer", /connection reset by peer/),
    SIGTERM: () =>
      inRepository(async (fake, begin) => {
        fake.hold(true, "init");
        const [seen, applied] = [fake.log.length, fake.applies.length];
        const { child, ended, text } = begin();
        await until(() => fake.log.length > seen, text);
        child.kill("SIGTERM");
        await until(() => text().includes("interrupted by SIGTERM"), text);
        fake.hold(false, "init");
        const { code } = await ended;
        expect(code, text()).toBe(130);
        expect(fake.applies).toHaveLength(applied);
      }),
  };
}

/** Faults of a command that works on files: an output that ends leaves the exit code and the work as they are. */
function ofFiles(
  name: string,
  prepare: () => Promise<{ cwd: string; args: readonly string[]; code?: 0 | 1 | 2; check?: () => void }>,
): Faults {
  const ends = (shell: readonly string[], full: boolean) => async () => {
    const { cwd, args, code = 0, check } = await prepare();
    const expected = full && code === 0 && commands[name]?.onlyPrints === true ? 1 : code;
    expect(await run([name, ...args], {}, shell, cwd)).toMatchObject({ code: expected });
    check?.();
  };
  return {
    "a reader that has seen enough": ends(READER_GONE, false),
    "closed output": ends(CLOSED, false),
    "full disk behind the output": ends(FULL, true),
  };
}

/** Writes a repository with these files, which are texts or JSON, and the packages of this one. */
function repositoryOf(files: Readonly<Record<string, string | object>>): string {
  const folder = temporary();
  symlinkSync(join(__dirname, "../../node_modules"), join(folder, "node_modules"));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

/** Program of a repository that writes one stack with this content. */
const programOf = (content: object, stack = "orders-dev-service") => {
  const text = (value: object) => JSON.stringify(JSON.stringify(value));
  return `import { mkdirSync, writeFileSync } from "node:fs";
mkdirSync("infra/cdktf.out/stacks/${stack}", { recursive: true });
writeFileSync("infra/cdktf.out/stacks/${stack}/cdk.tf.json", ${text(content)});
writeFileSync("infra/cdktf.out/manifest.json", ${text({ stacks: { [stack]: { dependencies: [] } } })});
`;
};

const STATE = { bucket: "antifragile-state-123456789012-eu-central-1", region: "eu-central-1", key: "orders/tfstate" };
const bootstrapped = () =>
  repositoryOf({ "infra/main.ts": programOf({ terraform: { backend: { s3: STATE } }, provider: { aws: [] } }) });

const PROCESS = { name: "/antifragile/dev/shop/releases/orders/processes/orders" };
const shipped = () =>
  repositoryOf({
    "infra/main.ts": programOf({
      provider: { aws: [{ region: "eu-central-1" }] },
      resource: { aws_ssm_parameter: { Orders: PROCESS } },
    }),
    "scripts/image.ts": `require("node:fs").writeFileSync("image.txt", ${JSON.stringify(FOREIGN_IMAGE)});\n`,
  });

/** A generated repository, which the cells copy. */
let generated: string;
beforeAll(async () => {
  generated = join(temporary(), "orders");
  await generate(packed.packageFolder, generated);
  git(generated, "init", "--quiet");
  commit(generated);
});
const copy = () => {
  const cwd = join(temporary(), "orders");
  cpSync(generated, cwd, { recursive: true });
  return cwd;
};

const synthesized = () => {
  const cwd = bootstrapped();
  const check = () => expect(existsSync(join(cwd, "infra/cdktf.out/manifest.json"))).toBe(true);
  return { cwd, args: ["dev"], check };
};

/** A service with this compiler, whose issuer of tokens starts and never answers. */
const experiment = (tsc: string) => {
  const cwd = copy();
  writeFileSync(
    join(cwd, "scripts/issuer.ts"),
    'require("node:fs").writeFileSync("begun", ""); setInterval(() => {}, 1_000);\n',
  );
  mkdirSync(join(cwd, "node_modules/typescript/bin"), { recursive: true });
  writeFileSync(join(cwd, "node_modules/typescript/bin/tsc"), tsc);
  symlinkSync(join(__dirname, "../../node_modules/tsx"), join(cwd, "node_modules/tsx"));
  return cwd;
};

const FAULTS: Readonly<Record<string, Faults>> = {
  ...Object.fromEntries(Object.entries(ON_AWS).map(([name, args]) => [name, ofAws(name, args)])),
  bootstrap: ofAws("bootstrap", ["dev"], bootstrapped),
  ship: ofAws("ship", ["dev"], shipped),
  deploy: ofTerraform("deploy", ["dev", "--auto-approve"]),
  destroy: ofTerraform("destroy", ["dev", "--auto-approve"], (each) => each("deploy", "dev", "--auto-approve")),
  plan: ofTerraform("plan", ["dev"]),
  apply: ofTerraform("apply", ["dev"], (each) => each("plan", "dev")),
  drift: ofTerraform("drift", ["dev"], (each) => each("deploy", "dev", "--auto-approve")),
  add: ofFiles("add", async () => {
    const cwd = copy();
    const check = () => expect(existsSync(join(cwd, "src/backing/valkey.ts"))).toBe(true);
    return { cwd, args: ["cache", "--no-install"], check };
  }),
  remove: ofFiles("remove", async () => ({ cwd: copy(), args: ["cache", "--no-install"], code: 2 })),
  upgrade: ofFiles("upgrade", async () => ({ cwd: copy(), args: ["--no-install"] })),
  new: ofFiles("new", async () => {
    const cwd = temporary();
    const check = () => expect(tree(join(cwd, "orders"))).toEqual(tree(generated));
    return { cwd, args: ["orders", "--name", "orders", "--yes", "--no-install", "--no-git"], check };
  }),
  synth: {
    ...ofFiles("synth", async () => synthesized()),
    SIGTERM: async () => {
      const cwd = repositoryOf({
        "infra/main.ts": 'require("node:fs").writeFileSync("begun", ""); setInterval(() => {}, 1_000);\n',
      });
      const { child, ended, text } = start(["synth", "dev"], {}, [], cwd);
      await until(() => existsSync(join(cwd, "begun")), text);
      child.kill("SIGTERM");
      expect(await ended).toMatchObject({ code: 130 });
    },
  },
  doctor: ofFiles("doctor", async () => ({ cwd: copy(), args: [], code: 1 })),
  completion: ofFiles("completion", async () => ({ cwd: temporary(), args: ["bash"] })),
  "plan-gate": ofFiles("plan-gate", async () => {
    const plan = { format_version: "1.2", planned_values: {}, resource_changes: [] };
    return { cwd: repositoryOf({ "plan.json": plan }), args: ["plan.json"] };
  }),
  gameday: {
    ...ofFiles("gameday", async () => ({ cwd: experiment("process.exit(1)"), args: ["kill"], code: 2 })),
    SIGTERM: async () => {
      const cwd = experiment("");
      const { child, ended, text } = start(["gameday", "kill"], {}, [], cwd);
      await until(() => existsSync(join(cwd, "begun")), text);
      child.kill("SIGTERM");
      expect(await ended, text()).toMatchObject({ code: 130 });
    },
  },
};

it("every command is tried with three faults at least", () => {
  const few = Object.keys(commands).filter((name) => Object.keys(FAULTS[name] ?? {}).length < 3);
  expect(few).toEqual([]);
});

describe.each(Object.entries(FAULTS))("%s", (_name, faults) => {
  // At once, since each waits for its own process.
  it("withstands its faults", async () => {
    const outcomes = await Promise.allSettled(Object.values(faults).map((each) => each()));
    const problems = Object.keys(faults).flatMap((fault, index) => {
      const outcome = outcomes[index];
      return outcome?.status === "rejected" ? [`${fault}: ${(outcome.reason as Error).message}`] : [];
    });
    expect(problems).toEqual([]);
  });
});

/** Names that do not exist, one for each command: arguments, the folder that it runs in, and its answer. */
const WRONG_NAMES: Readonly<Record<string, readonly [args: readonly string[], says: RegExp, folder?: () => string]>> = {
  ...Object.fromEntries(
    ["admin", "alarms", "exec", "logs", "migrate", "release", "releases", "rollback", "run", "show"].map((name) => [
      name,
      [["dve", ...(ON_AWS[name] as readonly string[]).slice(1)], /services of orders on/] as const,
    ]),
  ),
  add: [["cahce"], /did you mean cache\?/, () => copy()],
  completion: [["fihs"], /did you mean fish\?/],
  doctor: [["dve"], /environments\.ts was not read/, () => copy()],
  gameday: [["kil"], /kill/],
  new: [["--preset", "wroker"], /did you mean worker\?|worker/],
  pipeline: [["status", "ordres", "--region", "eu-central-1"], /pipeline ordres does not exist/],
  "plan-gate": [["plna.json"], /plna\.json/],
  remove: [["cahce"], /did you mean cache\?/, () => copy()],
  secret: [["set", "no name", "--region", "eu-central-1"], /no name/],
  ship: [["dve"], /dve/, () => shipped()],
  status: [["dve", "--region", "eu-central-1"], /dve/],
  "stop-reasons": [["--region", "eu-central-1", "--cluster", "shop-dve"], /--service|shop-dve/],
  upgrade: [["--to", "versoin.tgz"], /versoin\.tgz/, () => copy()],
};

/** The same where Terraform is a shell script. */
const OF_ENVIRONMENTS = ["apply", "bootstrap", "deploy", "destroy", "drift", "plan", "synth"];

it("every command is tried with a name that does not exist", () => {
  expect([...Object.keys(WRONG_NAMES), ...OF_ENVIRONMENTS].sort()).toEqual(Object.keys(commands).sort());
});

it.each(Object.entries(WRONG_NAMES))(
  "%s answers a name that does not exist in a sentence",
  async (name, [args, says, folder]) => {
    const { code, text } = await run([name, ...args], onAws(), [], folder?.());
    expect([1, 2], text).toContain(code);
    expect(text).toMatch(says);
    isSentence(text);
  },
);

it.each(OF_ENVIRONMENTS)("%s answers the name of an environment that does not exist in a sentence", async (name) => {
  const fake = new FakeTerraform();
  const flags = ["deploy", "destroy"].includes(name) ? ["--auto-approve"] : [];
  try {
    const { code, text } = await run([name, "dve", ...flags], fake.environment(), [], fake.repository);
    expect([1, 2], text).toContain(code);
    expect(text).toMatch(/dve/);
    isSentence(text);
    expect(fake.applies).toEqual([]);
  } finally {
    fake.remove();
  }
});

/** Commands with `--json`, with what they need to answer: arguments, input and folder. */
const WITH_JSON: Readonly<
  Record<string, { readonly args: readonly string[]; readonly code?: number; readonly folder?: () => string }>
> = {
  doctor: { args: [], code: 1, folder: () => copy() },
  new: { args: ["orders", "--yes", "--dry-run", "--no-install", "--no-git"], folder: () => temporary() },
  ...Object.fromEntries(
    ["pipeline", "releases", "show", "status"].map((name) => [name, { args: ON_AWS[name] as readonly string[] }]),
  ),
};

/** Tried elsewhere: on the emulator, or with an input. */
const JSON_ELSEWHERE: Readonly<Record<string, string>> = {
  drift: "test/cli/drift.test.ts",
  logs: "test/e2e/release.e2e.test.ts",
  secret: "test/operations/secret.test.ts",
};

it("every command with --json is tried with it", async () => {
  const withJson: string[] = [];
  for (const [name, { load }] of Object.entries(commands)) if ("json" in (await load()).spec.flags) withJson.push(name);
  expect([...Object.keys(WITH_JSON), ...Object.keys(JSON_ELSEWHERE)].sort()).toEqual(withJson.sort());
  for (const [name, file] of Object.entries(JSON_ELSEWHERE)) {
    expect(readFileSync(join(__dirname, "../..", file), "utf8"), name).toContain('"--json"');
  }
});

it.each(Object.entries(WITH_JSON))(
  "%s prints only JSON that parses, also to a pipe, and ends in order when its reader has seen enough",
  async (name, { args, code = 0, folder }) => {
    const ended = await run([name, ...args, "--json"], onAws(), [], folder?.());
    expect(ended).toMatchObject({ code });
    expect(JSON.parse(ended.stdout)).toBeTypeOf("object");
    const listed = OPERATOR_STATEMENTS[name === "pipeline" ? "pipeline status" : name]?.flatMap(
      ({ actions }) => actions,
    );
    if (listed !== undefined) {
      const operations = listed.map((action) => action.split(":")[1]);
      expect(aws.calls.map((call) => call.split(" ")[0]).filter((each) => !operations.includes(each))).toEqual([]);
      expect(aws.calls.length).toBeGreaterThan(1);
    }
    expect(await run([name, ...args], onAws(), READER_GONE, folder?.())).toMatchObject({ code });
  },
);

describe("a name that does not exist", () => {
  it("of a command is answered with the nearest", async () => {
    const { code, text } = await run(["relese"], {});
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("did you mean release?") });
  });

  it("of a pipeline is reported, and of its verb answered with the nearest", async () => {
    const at = ["--region", "eu-central-1"];
    const { code, text } = await run(["pipeline", "status", "ordres", ...at], onAws());
    expect({ code, text }).toMatchObject({
      code: 1,
      text: expect.stringMatching(/^✖ pipeline ordres does not exist in/),
    });
    expect(await run(["pipeline", "statsu", ...at], {})).toMatchObject({
      code: 2,
      text: expect.stringContaining("did you mean status?"),
    });
  });

  it("of a pipeline is answered with the nearest of the repository, whose pipelines need no name", async () => {
    const aws_codepipeline = { Resource: { name: "orders" }, Drift: { name: "orders-drift" } };
    const program = { provider: { aws: [{ region: "eu-central-1" }] }, resource: { aws_codepipeline } };
    const cwd = repositoryOf({ "infra/main.ts": programOf(program, "orders-delivery") });
    const wrong = await run(["pipeline", "status", "ordres"], onAws(), [], cwd);
    expect(wrong).toMatchObject({ code: 2, text: expect.stringContaining("did you mean orders?") });
    const { code, text } = await run(["pipeline", "status", "--json"], onAws(), [], cwd);
    expect(code, text).toBe(0);
    expect(JSON.parse(text)).toMatchObject([{ pipeline: "orders" }, { pipeline: "orders-drift" }]);
  });

  it.each(["exec", "logs", "run", "show"])("of a service is answered by %s with the nearest", async (name) => {
    const { code, text } = await run(
      [name, "dev", "ordres", ...PLACE, ...(name === "run" ? ["--", "date"] : [])],
      onAws(),
    );
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining("did you mean orders?") });
  });
});
