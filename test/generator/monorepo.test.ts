import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { repositoryFiles } from "../templates/support/repository";
import { CI_FILES, type CiSystem } from "./support/ci-files";
import { CiWorld } from "./support/ci-run";

const DIRECTORY = "services/orders";
const filesOf = (ci: string) => repositoryFiles({ ci, directory: DIRECTORY });
const outside = (ci: string) => [...filesOf(ci)].filter(([path]) => path.startsWith("../"));

// Two services of one repository, the second in a folder that begins like the first.
describe("in a folder of a repository with other services", () => {
  it("what the CI system reads at the root is there, and nothing else", () => {
    expect(Object.fromEntries(Object.keys(CI_FILES).map((ci) => [ci, outside(ci).map(([path]) => path)]))).toEqual({
      "github-actions": ["../../.github/workflows/orders.yml"],
      gitlab: ["../../.gitlab-ci.yml"],
      jenkins: [],
      teamcity: [],
      travis: ["../../.travis.yml"],
    });
    expect(outside("codepipeline")).toEqual([]);
    expect(repositoryFiles({ ci: "github-actions" }).has(".github/workflows/delivery.yml")).toBe(true);
  });

  it("GitHub starts the workflow for changes of the folder and of itself, in groups of its own", () => {
    const text = outside("github-actions")[0]![1];
    const workflow = parse(text);
    const paths = ["services/orders/**", ".github/workflows/orders.yml"];
    expect(workflow.name).toBe("orders");
    expect(workflow.on.push).toEqual({ branches: ["main"], paths });
    expect(workflow.on.pull_request).toEqual({ paths });
    expect(workflow.defaults).toEqual({ run: { "working-directory": DIRECTORY } });
    expect(workflow.concurrency.group).toMatch(/^orders-/);
    expect(workflow.jobs.test.steps[1].with["cache-dependency-path"]).toBe(`${DIRECTORY}/package-lock.json`);
  });

  it("GitLab's root file includes a job that starts the jobs of the folder as a child, for its changes", () => {
    const files = filesOf("gitlab");
    expect(parse(files.get("../../.gitlab-ci.yml")!)).toEqual({
      include: [{ local: `${DIRECTORY}/.gitlab-trigger.yml` }],
    });
    const { orders, "orders-drift": drift, ...others } = parse(files.get(".gitlab-trigger.yml")!);
    expect(others).toEqual({});
    expect(orders).toMatchObject({
      trigger: { include: `${DIRECTORY}/.gitlab-ci.yml`, strategy: "depend", forward: { pipeline_variables: true } },
      variables: { SOURCE: "push" },
      rules: [{ when: "never" }, { changes: [`${DIRECTORY}/**/*`] }],
    });
    expect(drift).toMatchObject({
      variables: { SOURCE: "schedule" },
      rules: [{ if: '$CI_PIPELINE_SOURCE == "schedule"' }],
    });
    const child = parse(files.get(".gitlab-ci.yml")!);
    // The source of a child is its parent.
    expect(files.get(".gitlab-ci.yml")).not.toMatch(/CI_PIPELINE_SOURCE/);
    expect(child.workflow).toBeUndefined();
    expect(child.build.artifacts.reports.dotenv).toBe(`${DIRECTORY}/image.env`);
    expect(child.production.environment).toBe("orders/production");
  });

  it("Travis CI's root file imports that of the folder, whose jobs hold what could meet other services", () => {
    const files = filesOf("travis");
    expect(parse(files.get("../../.travis.yml")!)).toEqual({
      version: "~> 1.0",
      import: [`${DIRECTORY}/.travis.yml`],
    });
    expect(files.get(".travis.yml")).not.toMatch(/^install: npm/m);
    // What a person triggers is for one service.
    const { include } = parse(files.get(".travis.yml")!).jobs;
    expect(include.at(-1).if).toContain("env(SERVICE) = orders");
    expect(include.at(-2).if).toContain("env(DEPLOY) = orders");
  });

  it("Jenkins and TeamCity start for changes of the folder", () => {
    const jenkinsfile = filesOf("jenkins").get("Jenkinsfile")!;
    const stages = jenkinsfile.split(/^ {4}stage\(/m).slice(1);
    expect(stages.filter((stage) => !stage.includes("changeset 'services/orders/**'"))).toEqual([]);
    expect(stages.filter((stage) => /\bsh '/.test(stage) && !stage.includes("dir('services/orders')"))).toEqual([]);
    expect(filesOf("teamcity").get(".teamcity/settings.kts")).toContain(
      'vcs { triggerRules = "+:services/orders/**" }',
    );
  });
});

describe.each(Object.keys(CI_FILES) as CiSystem[])("a run of the file for %s in a folder", (ci) => {
  let world: CiWorld;
  beforeAll(() => {
    world = new CiWorld(ci, "none", DIRECTORY);
  });
  afterAll(() => world.end());

  it("runs every line in the folder, up to production", async () => {
    const { calls, failed, output, plans } = await world.run({ event: { kind: "push" }, approve: ci !== "travis" });
    const last =
      ci === "travis"
        ? await world.again({
            event: { kind: "manual", given: { PLANS: plans[0]!, SERVICE: "orders" } },
            approve: true,
          })
        : undefined;
    expect(last?.failed ?? failed, output + (last?.output ?? "")).toBeUndefined();
    const commands = [...calls, ...(last?.calls ?? [])].map(({ words }) => words.slice(0, 3).join(" "));
    expect(commands).toEqual(expect.arrayContaining(["npm test", "npm run image", "antifragile alarms production"]));
  });
});

it("a build of Travis CI does nothing for a commit without changes in the folder", async () => {
  const world = new CiWorld("travis", "none", DIRECTORY);
  const given = { TRAVIS_COMMIT_RANGE: "HEAD...HEAD", TRAVIS_EVENT_TYPE: "push" };
  const { calls, failed } = await world.run({ event: { kind: "push", given }, approve: false });
  world.end();
  expect([calls, failed]).toEqual([[], undefined]);
});
