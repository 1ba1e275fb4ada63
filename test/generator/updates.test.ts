import { join } from "node:path/posix";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { EVERYTHING, NOTHING, repositoryFiles } from "../templates/support/repository";

const DIRECTORY = "services/orders";
const OF_UPGRADE = ["antifragile", "cdktf", "cdktn", "constructs", "@cdktf/provider-aws", "@cdktn/provider-aws"];

/** Files that hold pins, with the ecosystem of Dependabot (none on GitLab) and the manager of Renovate that read them by default. */
const READERS: readonly (readonly [path: RegExp, ecosystem: string | undefined, manager: string])[] = [
  [/^\.github\/workflows\/[^/]+\.yml$/, "github-actions", "github-actions"],
  [/(^|\/)Dockerfile$/, "docker", "dockerfile"],
  [/(^|\/)compose\.yaml$/, "docker-compose", "docker-compose"],
  [/(^|\/)package\.json$/, "npm", "npm"],
  [/(^|\/)\.gitlab-ci\.yml$/, undefined, "gitlabci"],
];

/** A commit or digest anywhere, an image of Compose, or an exact version of a package. */
const PIN = /@(sha256:[0-9a-f]{64}|[0-9a-f]{40})\b|^ +image: |^ +"[^"]+": "\d+\.\d+\.\d+"/m;

/** Paths, from the root of the git repository, of files that pin something. */
function pinned(files: ReadonlyMap<string, string>, directory: string): string[] {
  const found = [...files].filter(
    ([path, text]) =>
      PIN.test(text) && (READERS.some(([pattern]) => pattern.test(path)) || /@(sha256:)?[0-9a-f]{40}/.test(text)),
  );
  return found.map(([path]) => join(directory === "none" ? "." : directory, path));
}

function readerOf(path: string): { readonly ecosystem: string | undefined; readonly manager: string } {
  const [, ecosystem, manager] = READERS.find(([pattern]) => pattern.test(path)) ?? expect.fail(`no bot reads ${path}`);
  return { ecosystem, manager };
}

const matches = (pattern: string, name: string) => new RegExp(`^${pattern.replace(/\*+/g, ".*")}$`).test(name);

const packagesOf = (files: ReadonlyMap<string, string>): string[] => {
  const { dependencies, devDependencies } = JSON.parse(files.get("package.json")!);
  return Object.keys({ ...dependencies, ...devDependencies });
};

const SYSTEMS = ["codepipeline", "github-actions", "gitlab", "jenkins", "travis", "teamcity"];
const CASES: object[] = [
  { platform: true },
  { ...EVERYTHING, ci: "none", engine: "cdktn" },
  { ...NOTHING, ci: "github-actions" },
  ...SYSTEMS.flatMap((ci) => ["none", DIRECTORY].map((directory) => ({ ...EVERYTHING, ci, directory }))),
];

const titled = CASES.map((answers) => {
  const { ci = "a platform", directory = "none", engine, database } = answers as Record<string, string>;
  return { title: [ci, directory, engine, database].join(" "), answers, directory };
});

describe.each(titled)("in a repository of $title", ({ answers, directory }) => {
  const root = directory === "none" ? "" : "../../";

  it("Renovate renews each pin, apart from what upgrade renews", () => {
    const files = repositoryFiles({ ...answers, updates: "renovate" });
    expect([...files.keys()].filter((path) => /renovate|dependabot/.test(path))).toEqual([`${root}renovate.json`]);
    const { extends: presets, packageRules, ...others } = JSON.parse(files.get(`${root}renovate.json`)!);
    expect(presets).toEqual(
      expect.arrayContaining([
        "config:recommended",
        "docker:pinDigests",
        "helpers:pinGitHubActionDigests",
        "schedule:weekly",
      ]),
    );
    // Nothing else switches a manager off, and no rule does so for one of these files apart from major versions.
    expect(Object.keys(others)).toEqual(["$schema"]);
    const off = packageRules.filter((rule: { enabled?: boolean }) => rule.enabled === false);
    for (const path of pinned(files, directory)) {
      const { manager } = readerOf(path);
      const whole = off.filter(
        (rule: Record<string, string[]>) =>
          rule.matchPackageNames === undefined &&
          rule.matchUpdateTypes === undefined &&
          rule.matchManagers?.includes(manager),
      );
      expect(whole, path).toEqual([]);
    }
    const names: string[] = off.flatMap((rule: Record<string, string[]>) => rule.matchPackageNames ?? []);
    const left = packagesOf(files).filter((name) => names.some((pattern) => matches(pattern, name)));
    expect(left).toEqual(packagesOf(files).filter((name) => OF_UPGRADE.includes(name)));
    expect(left.length).toBe(4);
    expect(packageRules.filter((rule: { groupName?: string }) => rule.groupName)).toHaveLength(2);
  });

  if ((answers as { ci?: string }).ci === "gitlab") {
    it("Dependabot is refused", () => {
      expect(() => repositoryFiles({ ...answers, updates: "dependabot" })).toThrow(
        '--updates: "dependabot" is not allowed; GitLab has no Dependabot; use one of none, renovate',
      );
    });
    return;
  }

  it("Dependabot renews each pin, apart from what upgrade renews", () => {
    const files = repositoryFiles({ ...answers, updates: "dependabot" });
    const path = `${root}.github/dependabot.yml`;
    expect([...files.keys()].filter((each) => /renovate|dependabot/.test(each))).toEqual([path]);
    const { version, updates } = parse(files.get(path)!);
    expect(version).toBe(2);
    const at = directory === "none" ? "/" : `/${directory}`;
    const expected = pinned(files, directory).map((each) => {
      const { ecosystem } = readerOf(each);
      return `${ecosystem} ${ecosystem === "github-actions" ? "/" : at}`;
    });
    const entries = updates as Record<string, never>[];
    expect(entries.map((each) => `${each["package-ecosystem"]} ${each.directory}`).sort()).toEqual(expected.sort());
    for (const { schedule } of entries) expect(schedule).toEqual({ interval: "weekly" });
    const npm = updates.find((each: Record<string, string>) => each["package-ecosystem"] === "npm");
    const patterns: string[] = npm.ignore.map((each: Record<string, string>) => each["dependency-name"]);
    const left = packagesOf(files).filter((name) => patterns.some((pattern) => matches(pattern, name)));
    expect(left).toEqual(packagesOf(files).filter((name) => OF_UPGRADE.includes(name)));
    expect(npm.groups["aws-sdk"].patterns).toEqual(["@aws-sdk/*"]);
    expect(npm.groups.development["dependency-type"]).toBe("development");
  });
});

it("writes neither file unless asked", () => {
  const files = [...repositoryFiles({}).keys()];
  expect(files.filter((path) => /renovate|dependabot/.test(path))).toEqual([]);
});
