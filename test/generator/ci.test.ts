import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  App,
  CiRoles,
  DeliveryStack,
  type Environment,
  gitHubActions,
  gitLabCi,
  ImageRepository,
  iamPrincipal,
  Platform,
} from "../../constructs";
import { resolveAnswers } from "../../generator/answers";
import { type Answers, options } from "../../generator/options";
import { loadTemplates } from "../../generator/package-files";
import { render } from "../../generator/render";
import { resources } from "../support/synth";
import { given } from "./support/given";

const templates = loadTemplates(join(__dirname, "../.."));

/** Location of the file of each CI system. */
const FILES: Readonly<Record<string, string>> = {
  "github-actions": ".github/workflows/delivery.yml",
  gitlab: ".gitlab-ci.yml",
  jenkins: "Jenkinsfile",
  travis: ".travis.yml",
  teamcity: ".teamcity/settings.kts",
};

function repository(ci: string, name = "orders", more: object = {}): Map<string, string> {
  const flag = { name, ci, region: "eu-west-1", ...more };
  const { answers, problems } = resolveAnswers(options, given({ flag }), { folder: undefined });
  if (problems.length > 0) throw new Error(problems.join());
  return new Map(
    [...render(answers as unknown as Answers, templates)].map(([path, { content }]) => [path, content] as const),
  );
}

const fileOf = (ci: string) => repository(ci).get(FILES[ci]!)!;

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly concurrency?: string;
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

describe.each(Object.keys(FILES))("the file for %s", (ci) => {
  const file = fileOf(ci);

  it("is the only CI file, and is not written for another choice", () => {
    const found = (choice: string) =>
      [...repository(choice).keys()].filter((path) => Object.values(FILES).includes(path));
    expect(found(ci)).toEqual([FILES[ci]]);
    expect([...found("codepipeline"), ...found("none")]).toEqual([]);
  });

  it("names scripts of the repository and roles of its infrastructure, for every name", () => {
    for (const [name, more] of [["orders"], ["a-name-as-long-as-a-name-may-be"], ["orders", "preprodeu1"]] as const) {
      const files = repository(ci, name, more && { environments: more });
      const texts = [files.get(FILES[ci]!)!, files.get("scripts/with-role.sh") ?? ""].join("\n");
      const { scripts } = JSON.parse(files.get("package.json")!);
      const named = [...texts.matchAll(/npm run ([a-z:]+)/g)].map(([, script]) => script!);
      expect(named.filter((script) => !(script in scripts))).toEqual([]);
      const [, prefix] = new RegExp(`${name}-delivery-(g[hl]|ci)-`).exec(texts) ?? [];
      const used = [...texts.matchAll(/(?:-delivery-gh-|with-role\.sh )([a-z0-9-]+)/g)].map(
        ([, role]) => `${name}-delivery-${prefix}-${role}`,
      );
      expect(new Set(used).size).toBe(more === undefined ? 7 : 10);
      expect(rolesOf(ci, name, more).map((role) => role.name)).toEqual(expect.arrayContaining([...new Set(used)]));
    }
  });

  it("contains no secret, and verifies what it downloads before it runs it", () => {
    expect(file).not.toMatch(/AKIA|secrets\.\w|aws_secret_access_key\s*[:=]|\|\s*(ba)?sh\b/i);
    for (const [line] of file.matchAll(/.*curl .*/g)) expect(file.slice(file.indexOf(line))).toMatch(/sha256sum -c/);
  });
});

describe("GitHub's workflow", () => {
  const workflow = parse(fileOf("github-actions")) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const deploying = jobs.filter(([name]) => name !== "test");

  it("tests pushes and pull requests, and deploys main alone, in order, but no fork", () => {
    expect(Object.keys(workflow.on)).toEqual(["pull_request", "push", "schedule", "workflow_dispatch"]);
    expect(workflow.on.push).toEqual({ branches: ["main"] });
    expect(jobs.map(([name, { needs }]) => [name, needs])).toEqual([
      ["test", undefined],
      ["drift", undefined],
      ["image", "test"],
      ["staging", ["image", "test"]],
      ["production-plan", "staging"],
      ["production", ["image", "production-plan"]],
    ]);
    // What needs a job that is left out is left out as well: a schedule runs the comparison alone.
    expect(workflow.jobs.test?.if).toBe("github.event_name != 'schedule'");
    expect(workflow.jobs.drift?.if).toBe("github.event_name == 'schedule'");
    expect(workflow.jobs.image?.if).toBe("github.ref == 'refs/heads/main' && !github.event.repository.fork");
  });

  it("names the deployment branches to set, and where the commands are", () => {
    const header = /^(# .*\n)+/.exec(fileOf("github-actions"))?.[0].replaceAll("\n# ", " ");
    expect(header).toContain("the deployment branches of both environments, main alone: npm run doctor");
  });

  it("lets no run wait for another one, but one job at a time deploy to an environment", () => {
    expect(workflow.concurrency.group).toMatch(/== 'pull_request' && github\.ref \|\| github\.run_id/);
    expect(jobs.flatMap(([name, { concurrency }]) => (concurrency === undefined ? [] : [[name, concurrency]]))).toEqual(
      [
        ["staging", "orders-staging"],
        ["production", "orders-production"],
      ],
    );
  });

  it("plans production before its reviewers are asked, and applies it after", () => {
    expect(jobs.flatMap(([name, { environment }]) => (environment === undefined ? [] : [[name, environment]]))).toEqual(
      [
        ["staging", "staging"],
        ["production", "production"],
      ],
    );
  });

  it("may only read the code; jobs that deploy may also request an ID token", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(workflow.jobs.test?.permissions).toBeUndefined();
    for (const [, job] of deploying) expect(job.permissions).toEqual({ contents: "read", "id-token": "write" });
  });

  it("pins each action by its commit, keeps no token in the checkout, and has no expressions in commands", () => {
    const steps = jobs.flatMap(([, job]) => job.steps);
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    expect(fileOf("github-actions").match(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/gm)).toHaveLength(actions.length);
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
      expect(step.with).toMatchObject({ "persist-credentials": false });
    }
    expect(steps.filter(({ run }) => run?.includes("${{"))).toEqual([]);
  });

  it("has the history in jobs that compare commits", () => {
    for (const [, { steps }] of jobs.filter(([, job]) => job.steps.some(({ run }) => run?.includes("--commit")))) {
      expect(steps.find(({ uses }) => uses?.startsWith("actions/checkout@"))?.with).toMatchObject({ "fetch-depth": 0 });
    }
  });

  it("assumes roles that trust the token of the very job, and that trust it on main alone", () => {
    const roles = new Map(
      rolesOf("github-actions", "orders").map((role) => [role.name, role.assume_role_policy as Trust]),
    );
    const assumed = (job: Job) =>
      job.steps
        .flatMap(
          ({ with: options = {} }) => (options["role-to-assume"] as string | undefined)?.split(":role/")[1] ?? [],
        )
        .flatMap((role) =>
          ["staging", "production"].map((each) => role.replace("${{ matrix.environment }}", each)).filter(unique),
        );
    const trusted = (role: string, { environment }: Job, branch: string) => {
      const claims: Readonly<Record<string, string>> = {
        aud: "sts.amazonaws.com",
        sub: `repo:acme@1/orders@2:${environment === undefined ? `ref:refs/heads/${branch}` : `environment:${environment}`}`,
        ref: `refs/heads/${branch}`,
      };
      return roles
        .get(role)!
        .Statement.some(({ Condition }) =>
          Object.entries(Condition.StringEquals).every(([key, values]) => values.includes(claims[key.split(":")[1]!]!)),
        );
    };
    for (const [name, job] of deploying) {
      expect(assumed(job).length, name).toBeGreaterThan(0);
      for (const role of assumed(job)) {
        expect([role, trusted(role, job, "main"), trusted(role, job, "feature")]).toEqual([role, true, false]);
      }
    }
    // A job without an environment, such as one that plans, needs no approval: it may not apply or release.
    for (const role of ["production-apply", "production-release", "staging-apply"]) {
      expect(trusted(`orders-delivery-gh-${role}`, { steps: [] }, "main")).toBe(false);
    }
  });

  it("asks for credentials that last as long as the job, which the roles allow", () => {
    const limits = rolesOf("github-actions", "orders").map((role) => Number(role.max_session_duration));
    for (const [, job] of deploying) {
      const durations = job.steps.flatMap(({ with: options = {} }) =>
        "role-to-assume" in options ? [Number(options["role-duration-seconds"])] : [],
      );
      for (const seconds of [...durations, ...limits]) {
        expect(seconds).toBeGreaterThanOrEqual((job["timeout-minutes"] ?? 360) * 60);
      }
    }
  });
});

const unique = (value: string, index: number, all: readonly string[]) => all.indexOf(value) === index;

interface Trust {
  readonly Statement: readonly {
    readonly Condition: { readonly StringEquals: Readonly<Record<string, readonly string[]>> };
  }[];
}

/** Roles that infra/delivery.ts makes. */
function rolesOf(ci: string, name: string, more = "qa") {
  const app = new App();
  const account = "123456789012";
  const delivery = new DeliveryStack(app, name, { region: "eu-west-1", account, state: "s3" });
  const environments = ["staging", more, "production"].map(
    (each): Environment => ({ name: each, region: "eu-west-1", profile: "dev", account, state: "s3" }),
  );
  const trust =
    ci === "github-actions"
      ? gitHubActions({ repository: { owner: "acme", name, numbers: { owner: "1", repository: "2" } } })
      : ci === "gitlab"
        ? gitLabCi({ project: `acme/${name}` })
        : iamPrincipal({ arn: `arn:aws:iam::${account}:role/agents` });
  new CiRoles(delivery, "Roles", { trust, images: new ImageRepository(delivery, "Images"), environments });
  for (const environment of environments) new Platform(app, name, { environment });
  return Object.values(resources(delivery, "aws_iam_role"));
}

describe("GitLab's file", () => {
  it("has no job with a name that GitLab reserves", () => {
    const file = parse(fileOf("gitlab"));
    const jobs = Object.keys(file).filter((key) => file[key]?.script !== undefined || file[key]?.extends !== undefined);
    expect(jobs).toEqual(["test", "drift", "build", "staging", "production-plan", "production"]);
  });

  it("names only jobs and stages that are there, at the root and in a folder", () => {
    for (const more of [{ environments: "qa" }, { directory: "services/orders" }]) {
      const { stages, ...jobs } = parse(repository("gitlab", "orders", more).get(".gitlab-ci.yml")!);
      for (const { needs = [], extends: base, stage } of Object.values<Record<string, never>>(jobs)) {
        const named: string[] = [...needs, ...(base === undefined ? [] : [base])];
        expect(named.filter((name) => !(name in jobs))).toEqual([]);
        if (stage !== undefined) expect(stages).toContain(stage);
      }
    }
  });

  it("has ordered stages, one deployment at a time, a manual production job, and a role by ID token", () => {
    const file = parse(fileOf("gitlab"));
    expect(file.stages).toEqual(["test", "image", "staging", "production"]);
    for (const name of ["staging", "production"]) {
      expect(file[name]).toMatchObject({
        extends: ".delivery",
        stage: name,
        environment: name,
        resource_group: `orders-${name}`,
      });
    }
    // A protected environment asks for an approval, which its plan must not wait for.
    expect(file["production-plan"].environment).toBeUndefined();
    expect(file.production.rules).toEqual([expect.objectContaining({ when: "manual" })]);
    expect(file[".delivery"].id_tokens).toEqual({ AWS_TOKEN: { aud: "sts.amazonaws.com" } });
    expect(file[".delivery"].variables.GIT_DEPTH).toBe("0");
    expect(file.test.image).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(file.test.id_tokens).toBeUndefined();
  });
});

describe("Jenkins' file", () => {
  const file = fileOf("jenkins");

  it("holds no agent, lock or time limit while it waits, and does not hold back other builds", () => {
    const approval = file.slice(file.indexOf("stage('Approval')"), file.indexOf("stage('Production')"));
    expect(approval).toMatch(/input message/);
    expect(approval).not.toMatch(/agent \{|lock\(|timeout\(/);
    expect(file).toMatch(/^ {2}agent none$/m);
    expect(file).not.toMatch(/disableConcurrentBuilds|^ {2}options/m);
  });

  it("runs code of pull requests on agents of their own", () => {
    expect([...file.matchAll(/label '(\w+)'/g)].map(([, label]) => label)).toEqual([
      "test",
      "delivery",
      "delivery",
      "delivery",
    ]);
  });
});

describe("Travis CI's file", () => {
  it("releases only pushes to main, and production only by a build that a person triggers", () => {
    const file = parse(fileOf("travis"));
    expect(file.stages).toEqual(["test", "staging", "production-plan", "production"]);
    const conditions = file.jobs.include.map(({ if: condition }: { if?: string }) => condition ?? "");
    expect(conditions[0]).toBe("");
    for (const condition of conditions.slice(1)) expect(condition).toMatch(/^branch = main AND /);
    expect(conditions[3]).toMatch(/type = api AND env\(PLANS\) IS present/);
    expect(file.git).toEqual({ depth: false });
  });
});

describe("files in languages of their own", () => {
  it.each(["jenkins", "teamcity"])("of %s have as many brackets and quotes open as closed", (ci) => {
    const file = fileOf(ci).replace(/\/\/.*$/gm, "");
    const strings = file.replace(/'[^'\n]*'|"[^"\n]*"/g, "");
    expect(strings).not.toMatch(/['"]/);
    for (const [open, close] of ["{}", "()", "[]"].map((pair) => [...pair] as [string, string])) {
      expect(strings.split(open).length).toBe(strings.split(close).length);
    }
  });

  it("require an approval between the plans of production and their apply", () => {
    expect(fileOf("jenkins")).toMatch(/stage\('Production plan'\)[\s\S]*input[\s\S]*stage\('Production'\)/);
    expect(fileOf("teamcity")).toMatch(/object ProductionPlan[\s\S]*object Production [\s\S]*approval \{/);
  });
});
