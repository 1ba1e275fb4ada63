import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { options } from "../../generator/options";
import { pairwise } from "../generator/support/pairwise";
import { runningProgram } from "../support/program";
import { EVERYTHING, filesOf, repositoryFiles, run, serviceFiles, writeFiles } from "./support/repository";

// Static checks of generated services. Each check is tested with a planted fault.

type Files = ReadonlyMap<string, string>;
const service = serviceFiles(EVERYTHING);
const changed = (path: string, change: (text: string) => string): Files =>
  new Map(service).set(path, change(service.get(path) ?? ""));
const sources = (files: Files) => [...files].filter(([path]) => /^src\/.*\.ts$/.test(path));
const found = (files: Files, pattern: RegExp, except: string[] = []) =>
  sources(files).flatMap(([path, text]) => (pattern.test(text) && !except.includes(path) ? [path] : []));

describe("Codebase", () => {
  const environments = /\b(staging|production|NODE_ENV)\b/;

  it("contains no environment names: all deploys use the same code", () => {
    expect(found(service, environments)).toEqual([]);
    const branch = changed("src/app.ts", (text) => `${text}if (process.env.NODE_ENV === "staging") {}`);
    expect(found(branch, environments)).toEqual(["src/app.ts"]);
  });
});

describe("Dependencies", () => {
  /** Packages that a file imports and package.json does not declare for it. */
  function undeclared(files: Files): string[] {
    const { dependencies, devDependencies } = JSON.parse(files.get("package.json")!);
    return [...files].flatMap(([path, text]) => {
      if (!/\.m?ts$/.test(path)) return [];
      const known = path.startsWith("src/") ? dependencies : { ...dependencies, ...devDependencies };
      const imports = [...text.matchAll(/(?:from|import) ?\(?"([a-z@][^"]*)"/g)].map(([, name]) => name!);
      const packages = imports.map((name) =>
        name
          .split("/")
          .slice(0, name.startsWith("@") ? 2 : 1)
          .join("/"),
      );
      return packages.filter((name) => !name.startsWith("node:") && !(name in known)).map((name) => `${path}: ${name}`);
    });
  }

  it("are declared, those of the service itself as its own", () => {
    expect(undeclared(service)).toEqual([]);
    const more = changed("src/app.ts", (text) => `import "vitest";\n${text}`);
    expect(undeclared(more)).toEqual(["src/app.ts: vitest"]);
  });

  it("are exact, and run no code during installation", () => {
    const { dependencies, devDependencies } = JSON.parse(service.get("package.json")!);
    const versions = Object.values<string>({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(service.get(".npmrc")).toContain("ignore-scripts=true");
  });
});

describe("Config", () => {
  const reads = /process\.env|from "node:process"/;

  it("is read in one place", () => {
    expect(found(service, reads)).toEqual(["src/process.ts"]);
    const another = changed("src/quotes.ts", (text) => `${text}export const rate = process.env.RATE;`);
    expect(found(another, reads)).toContain("src/quotes.ts");
  });

  it("locates every backing service: no host is in the code", () => {
    const hosts = /localhost|127\.0\.0\.1|https?:\/\/[a-z]/;
    expect(found(service, hosts, ["src/config-declaration.ts"])).toEqual([]);
    expect(
      found(
        changed("src/app.ts", (text) => `${text}// http://db`),
        hosts,
      ),
    ).toContain("src/app.ts");
  });
});

describe("Processes", () => {
  const writes = /\b(writeFile|appendFile|createWriteStream|mkdir)/;

  it("write no files", () => {
    expect(found(service, writes)).toEqual([]);
    expect(
      found(
        changed("src/app.ts", (text) => `${text}writeFileSync("a", "b")`),
        writes,
      ),
    ).toEqual(["src/app.ts"]);
  });
});

describe("Admin processes", () => {
  it("do not run when the service starts", () => {
    const migrates = /admin\//;
    expect(found(service, migrates, ["src/admin/migrate.ts", "src/admin/seed.ts", "src/admin/console.ts"])).toEqual([]);
    const start = changed("src/main.ts", (text) => `import "./admin/migrate";\n${text}`);
    expect(found(start, migrates)).toContain("src/main.ts");
  });
});

describe("compose.yaml", () => {
  it("runs the service as in AWS: read-only, from the Dockerfile, stopped by a signal", () => {
    const { services } = parse(service.get("compose.yaml")!);
    for (const name of ["service", "worker"]) {
      expect(services[name]).toMatchObject({ build: ".", read_only: true, init: true });
    }
    expect(Object.keys(services).sort()).toEqual(["issuer", "postgres", "queue", "service", "valkey", "worker"]);
  });
});

const root = join(__dirname, "../..");

// biome-ignore lint/suspicious/noExplicitAny: Terraform's JSON, of which each test looks at another part.
type Block = Record<string, any>;

/** One variable of src/config-declaration.ts. */
interface Variable {
  readonly default?: string;
  readonly optional?: true;
  readonly unless?: readonly string[];
}

/** Values in the place of placeholders, by the start of their descriptions. */
const FILLED_IN: Readonly<Record<string, string>> = {
  "12-digit id of the AWS account of production alone": '"777788889999"',
  "12-digit id": '"123456789012"',
  "ARN of": '"arn:aws:iam::123456789012:role/agents"',
  "URL of": '"https://id.example.com"',
  "domain of": '"shop.example.com"',
  email: '"on-call@example.com"',
  "id of the Route 53 zone": '"Z0123456789ABCDEFGHIJ"',
  "numeric GitHub id": "12345",
  "owner of": '"acme"',
  "owner and name": '"acme/orders"',
  "path of": '"acme/orders"',
};

/** infra/environments.ts when its owner has filled it in. */
const filledIn = (text: string): string =>
  text.replaceAll(/placeholder\("([^"]*)"\)/g, (_, description: string) => {
    const [, value] = Object.entries(FILLED_IN).find(([start]) => description.startsWith(start)) ?? [];
    if (value === undefined) throw new Error(`FILLED_IN has no value for "${description}"`);
    return value;
  });

describe("the infrastructure", () => {
  const repositories = {
    platform: repositoryFiles({ name: "shop", platform: true }),
    joins: repositoryFiles({ joins: "shop" }),
    "joins-too": repositoryFiles({ name: "payments", joins: "shop" }),
    alone: repositoryFiles({}),
    everything: repositoryFiles(EVERYTHING),
    "everything-joins": repositoryFiles({ ...EVERYTHING, joins: "shop" }),
    "platform-machines": repositoryFiles({ name: "shop", platform: true, capacity: "ec2" }),
    machines: repositoryFiles({ capacity: "ec2" }),
    "machines-joins": repositoryFiles({ ...EVERYTHING, capacity: "ec2", joins: "shop" }),
    canary: repositoryFiles({ ...EVERYTHING, deployment: "canary", packageManager: "pnpm", branch: "trunk" }),
    experiments: repositoryFiles({ chaos: true }),
    "experiments-weekly": repositoryFiles({ chaos: true, ci: "github-actions" }),
  };
  // Those of the other engine and provider need other packages: test/contract/engines.test.ts.
  const pairs = pairwise(options)
    .filter(({ engine, provider }) => engine === "cdktf" && provider === "5")
    .map((answers, index) => [`pair-${index}`, answers] as const);
  let folder: string;
  const tool = (name: string, args: readonly string[], repository = ".") =>
    run(process.execPath, [join(root, "node_modules", name), ...args], join(folder, repository));
  const synth = (repository: string, ...words: string[]) =>
    run(
      process.execPath,
      runningProgram(join(folder, repository, "infra/main.ts"), ...words),
      join(folder, repository),
    );

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-infra-"));
    // One set of packages, and one compiler run, for all of them: the types of the provider take seconds to read.
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    for (const [name, files] of Object.entries(repositories)) writeFiles(join(folder, name), files);
    for (const [name, answers] of pairs) writeFiles(join(folder, name), filesOf(answers));
    // As their owners leave them: no import of it is used once the last placeholder is filled in.
    for (const name of ["alone", "everything", "platform"] as const) {
      const text = filledIn(repositories[name].get("infra/environments.ts")!);
      writeFiles(join(folder, `${name}-filled-in`), new Map([...repositories[name], ["infra/environments.ts", text]]));
    }
    const { compilerOptions } = JSON.parse(repositories.platform.get("tsconfig.json")!);
    const paths = {
      antifragile: [join(root, "constructs/index.ts")],
      "antifragile/testing": [join(root, "constructs/testing/index.ts")],
    };
    const settings = {
      compilerOptions: { ...compilerOptions, paths },
      include: ["*/infra"],
      exclude: ["node_modules"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("compiles, and a mistake is detected", { timeout: 120_000 }, async () => {
    expect(await tool("typescript/bin/tsc", [])).toEqual({ code: 0, output: "" });
    writeFiles(join(folder, "broken"), new Map([["infra/main.ts", 'import { Nothing } from "antifragile";\n']]));
    expect((await tool("typescript/bin/tsc", [])).output).toMatch(/^broken\/infra\/main\.ts.*Nothing/);
    rmSync(join(folder, "broken"), { recursive: true });
  });

  it.each([...Object.keys(repositories), "everything-filled-in"])(
    "and all other files of %s pass the linter",
    async (name) => {
      const { code, output } = await tool("@biomejs/biome/bin/biome", ["check"], name);
      expect(code, output).toBe(0);
    },
  );

  it.each(pairs)(
    "of %s, one of the answers with every pair of options, passes the linter and synthesizes",
    {
      timeout: 60_000,
    },
    async (name) => {
      const { code, output } = await tool("@biomejs/biome/bin/biome", ["check"], name);
      expect(code, output).toBe(0);
      const environments = join(folder, name, "infra/environments.ts");
      writeFileSync(environments, filledIn(readFileSync(environments, "utf8")));
      const synthesized = await synth(name);
      expect(synthesized.code, synthesized.output).toBe(0);
      const stacks = readdirSync(join(folder, name, "infra/cdktf.out/stacks"));
      expect(stacks.filter((stack) => stack.includes("-production-"))).not.toEqual([]);
      expect(await unset(name)).toEqual([]);
    },
  );

  /** Variables without which a process of production does not start, and which its task definition does not set. */
  async function unset(name: string): Promise<string[]> {
    const declaration = join(folder, name, "src/config-declaration.ts");
    if (!existsSync(declaration)) return [];
    const { configDeclaration } = (await import(declaration)) as { configDeclaration: Record<string, Variable> };
    const stacks = join(folder, name, "infra/cdktf.out/stacks");
    const file = join(
      stacks,
      readdirSync(stacks).find((stack) => stack.endsWith("-production-service"))!,
      "cdk.tf.json",
    );
    const { resource } = JSON.parse(readFileSync(file, "utf8"));
    return Object.entries<Block>(resource.aws_ecs_task_definition).flatMap(([task, { container_definitions }]) => {
      const [container] = JSON.parse(container_definitions as string) as Record<string, { name: string }[]>[];
      const set = [...(container?.environment ?? []), ...(container?.secrets ?? [])].map((each) => each.name);
      return Object.entries(configDeclaration).flatMap(([variable, { default: fallback, optional, unless = [] }]) =>
        fallback !== undefined || optional || [variable, ...unless].some((each) => set.includes(each))
          ? []
          : [`${task}: ${variable}`],
      );
    });
  }

  it.each([
    ["platform", ["shop-dev-platform"]],
    ["joins", ["orders-delivery", "orders-dev-data", "orders-dev-service"]],
    ["machines", ["orders-delivery", "orders-dev-data", "orders-dev-platform", "orders-dev-service"]],
    ["alone", ["orders-delivery", "orders-dev-data", "orders-dev-platform", "orders-dev-service"]],
  ])("of %s has these stacks: %j", { timeout: 60_000 }, async (name, stacks) => {
    const { code, output } = await synth(name);
    expect(code, output).toBe(0);
    const out = join(folder, name, "infra/cdktf.out");
    expect(existsSync(join(out, "manifest.json"))).toBe(true);
    expect(readdirSync(join(out, "stacks")).sort()).toEqual(stacks);
    const text = stacks.map((stack) => readFileSync(join(out, "stacks", stack, "cdk.tf.json"), "utf8")).join();
    const named = /\/antifragile\/dev\/([a-z]+)\/platform/.exec(text)?.[1];
    expect(named).toBe(name === "alone" || name === "machines" ? "orders" : "shop");
    expect(text.includes("aws_autoscaling_group")).toBe(name === "machines");
  });

  /** A stack of a repository that is filled in, once its program has run: for all environments, or for one. */
  async function stackOf(repository: keyof typeof repositories, stack: string, ...names: string[]) {
    const environments = repositories[repository].get("infra/environments.ts") ?? "";
    writeFileSync(join(folder, repository, "infra/environments.ts"), filledIn(environments));
    const { code, output } = await synth(repository, ...names);
    expect(code, output).toBe(0);
    const { resource } = JSON.parse(
      readFileSync(join(folder, repository, "infra/cdktf.out/stacks", stack, "cdk.tf.json"), "utf8"),
    );
    return (type: string) => Object.entries<Block>(resource[type] ?? {});
  }

  it("with experiments runs them in staging before the release to production", { timeout: 60_000 }, async () => {
    const delivery = await stackOf("experiments", "orders-delivery");
    const [[, pipeline] = []] = delivery("aws_codepipeline");
    const stages: Block[] = pipeline?.stage;
    expect(stages.map(({ name, action }) => [name, action.map((each: Block) => each.name)])).toEqual([
      ["Source", ["Source"]],
      ["Build", ["Test", "Image"]],
      ["Staging", ["Plan", "Apply", "Release", "LosesTasks"]],
      ["Production", ["Plan", "Approve", "Apply", "Release"]],
    ]);
    expect(stages.slice(1).map(({ action }) => action.map((each: Block) => each.run_order))).toEqual([
      [1, 2],
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
    // Which role runs it, and what that role may do.
    const [[project] = []] = delivery("aws_codebuild_project").filter(([, { name }]) => /loses-tasks/.test(name));
    expect(project).toContain("GateLosesTasks");
    const [[, { source }] = ["", {}]] = delivery("aws_codebuild_project").filter(([id]) => id === project);
    expect(source.buildspec).toContain('"https://shop.example.com/');
    const policies = delivery("aws_iam_role_policy").filter(([id]) => id.includes("GateLosesTasks"));
    const statements: Block[] = policies.flatMap(([, { policy }]) => JSON.parse(policy).Statement);
    expect(statements.filter(({ Resource }) => /experiment-template/.test(String(Resource)))).toEqual([
      {
        Effect: "Allow",
        Action: ["fis:StartExperiment"],
        Resource: ["arn:aws:fis:eu-central-1:123456789012:experiment-template/*"],
        Condition: { StringEquals: { "aws:ResourceTag/Name": "orders-staging-loses-tasks" } },
      },
    ]);
    expect(
      statements
        .flatMap(({ Action }) => Action)
        .filter((action) => /^fis:/.test(action))
        .sort(),
    ).toEqual(["fis:GetExperiment", "fis:StartExperiment", "fis:StartExperiment"]);
  });

  it("of one with GitHub Actions has the roles of its workflow, each of which trusts this repository only", {
    timeout: 60_000,
  }, async () => {
    const delivery = await stackOf("experiments-weekly", "orders-delivery");
    const production = await stackOf("experiments-weekly", "orders-delivery-production");
    const roles = [...delivery("aws_iam_role"), ...production("aws_iam_role")];
    const trusted = roles.map(([, { name, assume_role_policy: trust }]) => [
      name,
      JSON.parse(trust).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"],
    ]);
    const workflow = repositories["experiments-weekly"].get(".github/workflows/delivery.yml") ?? "";
    const [, stages = ""] = /matrix: \{ environment: \[(.+)\] \}/.exec(workflow) ?? [];
    const taken = [...workflow.matchAll(/:role\/([\w-]+)(?:\$\{\{ matrix\.environment \}\}([\w-]+))?/g)].flatMap(
      ([, name, rest]) => (rest === undefined ? [name] : stages.split(", ").map((stage) => `${name}${stage}${rest}`)),
    );
    expect(new Set(taken)).toEqual(new Set(trusted.map(([name]) => name)));
    for (const [, subjects] of trusted)
      for (const each of subjects) expect(each).toMatch(/^repo:acme@12345\/orders@12345:/);
    expect(delivery("aws_codepipeline")).toEqual([]);
  });

  it.each([
    ["experiments", 0],
    ["experiments-weekly", 1],
  ] as const)(
    "of %s starts them on a schedule without a pipeline: %i, in one environment only",
    {
      timeout: 60_000,
    },
    async (name, schedules) => {
      const staging = await stackOf(name, "orders-staging-service", "staging");
      expect(staging("aws_fis_experiment_template").map(([, { tags }]) => tags.Name)).toEqual([
        "orders-staging-loses-tasks",
      ]);
      expect(staging("aws_scheduler_schedule")).toHaveLength(schedules);
      expect(staging("aws_ssm_parameter").map(([, parameter]) => parameter.name)).toContain(
        "/antifragile/staging/orders/experiments/loses-tasks",
      );
      const production = await stackOf(name, "orders-production-service", "production");
      expect(production("aws_fis_experiment_template")).toEqual([]);
    },
  );

  it("of one that joins claims the server path of the contract, and no other", () => {
    for (const files of [repositories.joins, repositories["everything-joins"]]) {
      const [, list] = /new Ingress\(\{ paths: (\[.*?\]) \}\)/.exec(files.get("infra/infrastructure.ts")!)!;
      const { servers } = parse(files.get("openapi.yaml")!);
      expect(JSON.parse(list!)).toEqual([`${servers[0].url}/*`]);
    }
    expect(parse(repositories.alone.get("openapi.yaml")!).servers).toBeUndefined();
  });

  it("of two services on the same platform uses different listener rules", { timeout: 60_000 }, async () => {
    const rules = await Promise.all(
      ["joins", "joins-too"].map(async (name) => {
        expect(await synth(name, "dev")).toMatchObject({ code: 0 });
        const stack = name === "joins" ? "orders" : "payments";
        const file = join(folder, name, "infra/cdktf.out/stacks", `${stack}-dev-service`, "cdk.tf.json");
        const { resource } = JSON.parse(readFileSync(file, "utf8"));
        return Object.values(
          resource.aws_lb_listener_rule as Record<string, { priority: number; condition: object[] }>,
        );
      }),
    );
    expect(rules.map((each) => each.map(({ condition }) => condition))).toEqual([
      [[{ path_pattern: { values: ["/orders/*"] } }]],
      [[{ path_pattern: { values: ["/payments/*"] } }]],
    ]);
    expect(new Set(rules.flat().map(({ priority }) => priority)).size).toBe(2);
  });

  it("of an incomplete environment lists the missing values, and synthesizes the others", {
    timeout: 120_000,
  }, async () => {
    const production = await synth("alone", "production");
    expect(production.code).toBe(1);
    expect(production.output).toContain("infra/environments.ts: production.account is not filled in");
    expect(production.output).toContain("production.domain.zoneId");
    expect(production.output).not.toMatch(/staging| {4}at /);
    expect(await synth("alone", "moon")).toMatchObject({
      code: 1,
      output: expect.stringMatching(/dev, staging, production/),
    });
    const dev = await synth("alone", "dev");
    expect(dev).toEqual({ code: 0, output: "" });
    const all = await synth("alone");
    expect(all.output).toContain("no pipeline yet: npm run doctor lists what infra/environments.ts needs");
    expect(all.output).toMatch(/environment production is left out: .* lacks production\.account/);
  });

  it("of a complete environment synthesizes with its account, state in S3, and HTTPS", {
    timeout: 60_000,
  }, async () => {
    const file = join(folder, "alone", "infra/environments.ts");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, filledIn(before));
    // Without a name delivery is among them: now it has a pipeline.
    expect(await synth("alone")).toMatchObject({ code: 0 });
    writeFileSync(file, before);
    const pipeline = join(folder, "alone", "infra/cdktf.out/stacks/orders-delivery/cdk.tf.json");
    const [made] = Object.values(JSON.parse(readFileSync(pipeline, "utf8")).resource.aws_codepipeline) as {
      readonly stage: readonly { readonly name: string; readonly action: readonly object[] }[];
    }[];
    expect(JSON.stringify(made?.stage[0])).toContain('"FullRepositoryId":"acme/orders"');
    const names = made?.stage.map(({ name }) => name) ?? [];
    expect(names.findIndex((name) => /staging/i.test(name))).toBeGreaterThan(0);
    expect(names.findIndex((name) => /production/i.test(name))).toBeGreaterThan(
      names.findIndex((name) => /staging/i.test(name)),
    );
    const stack = join(folder, "alone", "infra/cdktf.out/stacks/orders-production-platform/cdk.tf.json");
    const { provider, terraform, resource } = JSON.parse(readFileSync(stack, "utf8"));
    expect(provider.aws[0].allowed_account_ids).toEqual(["777788889999"]);
    // Its roles are in its account; it pulls the images of the other one.
    const roles = join(folder, "alone", "infra/cdktf.out/stacks/orders-delivery-production/cdk.tf.json");
    expect(JSON.parse(readFileSync(roles, "utf8")).provider.aws[0].allowed_account_ids).toEqual(["777788889999"]);
    const service = readFileSync(
      join(folder, "alone", "infra/cdktf.out/stacks/orders-production-service/cdk.tf.json"),
      "utf8",
    );
    expect(service).toMatch(/:ecr:eu-central-1:123456789012:repository\//);
    expect(terraform.backend.s3).toMatchObject({ use_lockfile: true, encrypt: true });
    expect(JSON.stringify(resource.aws_lb_listener)).toContain('"protocol":"HTTPS"');
  });
});

describe("a repository contains no trace", () => {
  const traceOf = (files: Files, words: RegExp): string | undefined => {
    const own = [...files].filter(([path]) => !/^(README\.md|\.antifragile\.json)$/.test(path));
    return words.exec(own.map(([path, text]) => `${path}\n${text}`).join("\n"))?.[0];
  };
  const OF_SERVICE =
    /openapi|docker|compose|quote|fastify|pino|telemetry|contract|CloudNativeService|DeliveryStack|Ingress|joins/i;
  const OF_OWN_PLATFORM = /insecureHttp|new Platform|deploy:local/;
  const OF_OTHERS_PLATFORM = /Platform\.existing|\bpaths: \[|servers:/;

  it("of a service in a platform repository", () => {
    expect(traceOf(repositoryFiles({ platform: true }), OF_SERVICE)).toBeUndefined();
    expect(traceOf(repositoryFiles({}), OF_SERVICE)).toBeDefined();
  });

  it("of a platform in a service that joins one", () => {
    const [own, others] = [repositoryFiles({}), repositoryFiles({ joins: "shop" })];
    expect([traceOf(others, OF_OWN_PLATFORM), traceOf(own, OF_OTHERS_PLATFORM)]).toEqual([undefined, undefined]);
    expect(traceOf(own, OF_OWN_PLATFORM)).toBeDefined();
    expect(traceOf(others, OF_OTHERS_PLATFORM)).toBeDefined();
  });
});
