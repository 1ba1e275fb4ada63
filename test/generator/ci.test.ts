import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  App,
  CiRoles,
  DeliveryStack,
  type Environment,
  gitHubActions,
  ImageRepository,
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

function repository(ci: string, name = "orders"): Map<string, string> {
  const flag = { name, ci, region: "eu-west-1" };
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
  readonly needs?: string;
  readonly if?: string;
  readonly environment?: string;
  readonly "timeout-minutes"?: number;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Returns the npm commands of a CI file, in order. */
const linesOf = (file: string) =>
  [...file.replaceAll(/^#.*$/gm, "").matchAll(/\bnpm (?:ci|test|run [a-z:]+(?: -- [a-z -]+(?:\.txt)?)?)/g)].map(
    ([line]) => line,
  );

const TESTS = ["npm ci", "npm run lint", "npm run typecheck", "npm test"];
const release = (environment: string) => [
  `npm run doctor -- ${environment}`,
  "npm run image",
  `npm run plan -- ${environment}`,
  `npm run apply -- ${environment}`,
  `npm run release -- ${environment} --image-file image.txt`,
];

describe.each(Object.keys(FILES))("the file for %s", (ci) => {
  const file = fileOf(ci);

  it("is the only CI file, and is not written for another choice", () => {
    const found = (choice: string) =>
      [...repository(choice).keys()].filter((path) => Object.values(FILES).includes(path));
    expect(found(ci)).toEqual([FILES[ci]]);
    expect([...found("codepipeline"), ...found("none")]).toEqual([]);
  });

  it("runs the same existing scripts as all others, with the gate, staging before production", () => {
    const lines = linesOf(file).filter((line) => line !== "npm ci");
    expect(lines).toEqual([...TESTS.slice(1), ...release("staging"), ...release("production")]);
    const { scripts } = JSON.parse(repository(ci).get("package.json")!);
    const named = [...file.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name!);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  it("contains no secret, and verifies what it downloads before it runs it", () => {
    expect(file).not.toMatch(/AKIA|secrets\.\w|aws_secret_access_key\s*[:=]|\|\s*(ba)?sh\b/i);
    for (const [line] of file.matchAll(/.*curl .*/g)) expect(file.slice(file.indexOf(line))).toMatch(/sha256sum -c/);
  });
});

describe("GitHub's workflow", () => {
  const workflow = parse(fileOf("github-actions")) as Workflow;
  const { test, staging, production } = workflow.jobs as Record<string, Job>;

  it("tests pushes and pull requests, and releases only pushes to main, in order", () => {
    expect(workflow.on).toEqual({ pull_request: null, push: { branches: ["main"] } });
    expect([test?.if, test?.needs, staging?.needs, production?.needs]).toEqual([
      undefined,
      undefined,
      "test",
      "staging",
    ]);
    for (const job of [staging, production]) expect(job?.if).toBe("github.event_name == 'push'");
  });

  it("may only read the code; jobs of an environment may also request an ID token", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
    expect(test?.permissions).toBeUndefined();
    for (const [name, job] of [
      ["staging", staging],
      ["production", production],
    ] as const) {
      expect(job?.permissions).toEqual({ contents: "read", "id-token": "write" });
      expect(job?.environment).toBe(name);
    }
  });

  it("pins each action by its commit, keeps no token in the checkout, and has no expressions in commands", () => {
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    expect(fileOf("github-actions").match(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/gm)).toHaveLength(actions.length);
    for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
      expect(step.with).toEqual({ "persist-credentials": false });
    }
    expect(steps.filter(({ run }) => run?.includes("${{"))).toEqual([]);
  });

  it("assumes a least-privilege role for each step; the infrastructure creates each, for every name", () => {
    for (const name of ["orders", "a-name-as-long-as-a-name-may-be"]) {
      const { jobs } = parse(repository("github-actions", name).get(FILES["github-actions"]!)!) as Workflow;
      const taken = ["staging", "production"].map((environment) =>
        jobs[environment]!.steps.flatMap(({ run, with: options = {} }) => {
          const role = options["role-to-assume"] as string | undefined;
          if (role !== undefined) expect(options["aws-region"]).toBe("eu-west-1");
          return [...(role === undefined ? [] : [role.split("role/")[1]!]), ...(run === undefined ? [] : [run])];
        }),
      );
      const roles = (environment: string) => [
        "image",
        `${environment}-plan`,
        `${environment}-apply`,
        `${environment}-release`,
      ];
      expect(taken).toEqual(
        ["staging", "production"].map((environment) => {
          const [doctor, image, ...rest] = release(environment) as [string, string, string, string, string];
          const steps = [image, ...rest];
          return [
            "npm ci",
            doctor,
            ...steps.flatMap((step, at) => [`${name}-delivery-gh-${roles(environment)[at]}`, step]),
          ];
        }),
      );
      const names = rolesOf(name).map((role) => role.name);
      expect(names).toEqual(expect.arrayContaining(taken.flat().filter((each) => each.startsWith(name))));
    }
  });

  it("asks for credentials that last as long as the job, which the roles allow", () => {
    const limits = rolesOf("orders").map((role) => role.max_session_duration);
    for (const job of [staging!, production!]) {
      const durations = job.steps.flatMap(({ with: options = {} }) =>
        "role-to-assume" in options ? [options["role-duration-seconds"]] : [],
      );
      expect(durations).toHaveLength(4);
      for (const seconds of [...durations, ...limits]) expect(seconds).toBe((job["timeout-minutes"] ?? 360) * 60);
    }
  });
});

/** Roles that infra/delivery.ts makes. */
function rolesOf(name: string) {
  const app = new App();
  const account = "123456789012";
  const delivery = new DeliveryStack(app, name, { region: "eu-west-1", account, state: "s3" });
  const environments = (["staging", "production"] as const).map(
    (each): Environment => ({ name: each, region: "eu-west-1", profile: "dev", account, state: "s3" }),
  );
  new CiRoles(delivery, "GitHub", {
    trust: gitHubActions({ repository: { owner: "acme", name, numbers: { owner: "1", repository: "2" } } }),
    images: new ImageRepository(delivery, "Images"),
    environments,
  });
  for (const environment of environments) new Platform(app, name, { environment });
  return Object.values(resources(delivery, "aws_iam_role"));
}

describe("GitLab's file", () => {
  it("has ordered stages, no overlapping jobs, a manual production job, and a role by ID token", () => {
    const file = parse(fileOf("gitlab"));
    expect(file.stages).toEqual(["test", "staging", "production"]);
    for (const name of ["staging", "production"]) {
      expect(file[name]).toMatchObject({ extends: ".release", stage: name, environment: name, resource_group: name });
    }
    expect(file.production.rules).toEqual([expect.objectContaining({ when: "manual" })]);
    expect(file[".release"].id_tokens).toEqual({ AWS_TOKEN: { aud: "sts.amazonaws.com" } });
    expect(file[".release"].variables.AWS_REGION).toBe("eu-west-1");
    expect(file.test.image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });
});

describe("Travis CI's file", () => {
  it("releases only pushes to main, stage by stage", () => {
    const file = parse(fileOf("travis"));
    expect(file.stages).toEqual(["test", "staging", "production"]);
    expect(file.jobs.include.map(({ stage }: { stage: string }) => stage)).toEqual(file.stages);
    for (const job of file.jobs.include.slice(1)) expect(job.if).toBe("branch = main AND type = push");
    expect(file.env.global).toEqual(["AWS_REGION=eu-west-1"]);
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

  it("require an approval before production", () => {
    expect(fileOf("jenkins")).toMatch(/stage\('Approval'\)[\s\S]*input[\s\S]*stage\('Production'\)/);
    expect(fileOf("teamcity")).toMatch(/object Production[\s\S]*approval \{/);
  });
});
