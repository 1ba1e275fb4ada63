import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { placeholderText } from "../../contract/placeholders";
import { type Check, describeChecks, examine } from "../../operations/doctor";

const ENVIRONMENTS = `
export interface Row { readonly name: string }
export const environments: readonly Row[] = [
  { name: "dev", state: "local" } as Row,
  { name: "production", account: ${JSON.stringify(placeholderText("its account"))}, domain: { zoneId: ${JSON.stringify(placeholderText("id of its zone"))} } } as Row,
];
export const delivery = { source: { repository: ${JSON.stringify(placeholderText("owner and name"))} } };
`;

interface Setup {
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** Version that Terraform says it is; undefined: there is none. */
  readonly terraform?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly environment?: string;
  readonly node?: string;
  readonly installed?: boolean;
}

/** A repository like one that `new` writes, and a machine like a user's. */
function look(setup: Setup): Check[] {
  const root = mkdtempSync(join(tmpdir(), "antifragile-doctor-"));
  const repository = join(root, "services/orders");
  const files: Record<string, string | undefined> = {
    "package.json": JSON.stringify({ name: "orders", devDependencies: { antifragile: "file:vendor/a.tgz" } }),
    "package-lock.json": "{}",
    "vendor/a.tgz": "",
    ".antifragile.json": JSON.stringify({ antifragile: { version: "1.0.0", schema: 1 }, name: "orders" }),
    "infra/environments.ts": ENVIRONMENTS,
    ...setup.files,
  };
  for (const [path, text] of Object.entries(files)) {
    if (text === undefined) continue;
    mkdirSync(join(repository, path, ".."), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  if (setup.installed !== false) {
    symlinkSync(join(__dirname, "../../node_modules"), join(repository, "node_modules"));
  }
  const bin = join(repository, "bin");
  mkdirSync(bin, { recursive: true });
  if (setup.terraform !== undefined) {
    writeFileSync(join(bin, "terraform"), `#!/bin/sh\necho '{"terraform_version": "${setup.terraform}"}'\n`);
  }
  for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755);
  try {
    return examine({
      repository,
      environment: setup.environment,
      env: { PATH: `${bin}:/bin`, HOME: repository, ...setup.env },
      nodeVersion: setup.node ?? "20.19.0",
      version: "1.0.0",
      checkAnswers: (text) => (text.includes("orders") ? [] : ["it is broken"]),
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const of = (checks: readonly Check[], level: Check["level"]) =>
  checks.filter((check) => check.level === level).map(({ about, what }) => `${about}: ${what}`);

/** Environments of a repository whose qa has no account yet, and production one of its own. */
const DEPLOYED = [
  { name: "dev" },
  { name: "staging", account: "1", state: "s3" },
  { name: "qa", account: "<placeholder: its account>", state: "s3" },
  { name: "production", account: "2", state: "s3" },
];

describe("doctor", () => {
  it("lists the placeholders of each environment, by their paths", () => {
    const checks = look({ terraform: "1.5.7" });
    expect(of(checks, "problem")).toEqual([
      "production: account is not filled in",
      "production: domain.zoneId is not filled in",
      "delivery: source.repository is not filled in",
    ]);
    expect(checks.find(({ what }) => what.startsWith("domain"))?.remedy).toBe("id of its zone");
    expect(of(checks, "ok")).toContain("dev: nothing is missing");
  });

  it("checks only the named environment", () => {
    expect(of(look({ terraform: "1.5.7", environment: "dev" }), "problem")).toEqual([]);
    expect(of(look({ terraform: "1.5.7", environment: "delivery" }), "problem")).toHaveLength(1);
    expect(() => look({ terraform: "1.5.7", environment: "moon" })).toThrow(
      /no environment moon\nIt has: dev, production/,
    );
  });

  it.each<[string, string, object, RegExp[]]>([
    [
      "github-actions",
      "GitHub",
      { account: "1", repository: { owner: "acme", name: "orders", numbers: {} } },
      [
        /: npm run bootstrap -- delivery$/m,
        /: npm run deploy -- delivery$/m,
        /: gh variable set AWS_ACCOUNT_ID --body 1 --repo acme\/orders$/m,
        /: gh variable set AWS_ACCOUNT_ID_PRODUCTION --body 2 --repo acme\/orders$/m,
        /environments\/qa -F .*environments\/qa\/deployment-branch-policies -f name=trunk$/m,
        /environments\/staging -F .*environments\/staging\/deployment-branch-policies -f name=trunk$/m,
        /environments\/production -F 'reviewers\[\]\[type\]=User' .*deployment-branch-policies -f name=trunk$/m,
      ],
    ],
    [
      "gitlab",
      "GitLab",
      { account: "1", project: "acme/orders" },
      [
        /glab variable set AWS_ACCOUNT_ID 1 --repo acme\/orders$/m,
        /glab variable set AWS_ACCOUNT_ID_PRODUCTION 2 --repo acme\/orders$/m,
        /projects\/acme%2Forders\/protected_environments/,
      ],
    ],
    [
      "jenkins",
      "Jenkins",
      { account: "1", principal: "arn:aws:iam::1:role/agents" },
      [/lockable-resources/, /Name=agents$/m, /global variable AWS_ACCOUNT_ID_PRODUCTION: 2: /],
    ],
    [
      "teamcity",
      "TeamCity",
      { account: "1", principal: "arn:aws:iam::1:role/agents" },
      [/buildAgent\.properties/, /parameter env\.AWS_ACCOUNT_ID_PRODUCTION: 2: /],
    ],
    [
      "travis",
      "Travis CI",
      { account: "1", principal: "arn:aws:iam::1:user/orders-travis" },
      [
        /create-user --user-name orders-travis$/m,
        /travis env set AWS_ACCOUNT_ID_PRODUCTION 2 --public --branch trunk$/m,
      ],
    ],
    [
      "codepipeline",
      "CodePipeline",
      { region: "eu-west-1", repository: "acme/orders" },
      [/eu-west-1\.console.*connections$/m],
    ],
  ])("lists what remains to be done by hand with %s, once delivery is filled in", (ci, title, delivery, lines) => {
    const answers = { antifragile: { version: "1.0.0", schema: 1 }, name: "orders", ci, branch: "trunk" };
    const environments = (value: object) =>
      `export const environments = ${JSON.stringify(DEPLOYED)};\nexport const delivery = ${JSON.stringify(value)};`;
    const files = (value: object) => ({
      ".antifragile.json": JSON.stringify(answers),
      "infra/environments.ts": environments(value),
    });
    const checks = look({ terraform: "1.11.4", files: files(delivery) });
    const manual = checks.filter(({ level }) => level === "manual");
    expect(new Set(manual.map(({ about }) => about))).toEqual(new Set([`${title}, once`]));
    const text = describeChecks(manual);
    expect(text).toMatch(/☐ /);
    for (const line of lines) expect(text).toMatch(line);
    expect(text).not.toMatch(/undefined|\[object/);
    expect(of(look({ terraform: "1.11.4", files: files(delivery), environment: "dev" }), "manual")).toEqual([]);
    const open = { ...delivery, account: "<placeholder: the account>" };
    expect(of(look({ terraform: "1.11.4", files: files(open) }), "manual")).toEqual([]);
  });

  it("lists the roles to deploy in each other account", () => {
    const answers = { antifragile: { version: "1.0.0", schema: 1 }, name: "orders", ci: "codepipeline" };
    const environments = ["1", "1", "2"].map((account, index) => ({ name: `e${index}`, account, state: "s3" }));
    const files = {
      ".antifragile.json": JSON.stringify(answers),
      "infra/environments.ts": `export const environments = ${JSON.stringify([{ name: "dev" }, ...environments])};
        export const delivery = { account: "1", region: "eu-west-1", repository: "acme/orders" };`,
    };
    const manual = look({ terraform: "1.11.4", files }).filter(({ level }) => level === "manual");
    expect(manual.map(({ remedy }) => remedy).filter((each) => each?.includes("delivery-"))).toEqual([
      "npm run bootstrap -- delivery-e2",
    ]);
  });

  it("detects credentials in variables or files, without verifying them", () => {
    const notes = (env: NodeJS.ProcessEnv, files = {}) => of(look({ terraform: "1.9.0", env, files }), "note");
    expect(notes({})).toEqual(["tools: no AWS credentials are configured"]);
    expect(notes({ AWS_PROFILE: "work" })).toEqual([]);
    expect(notes({}, { ".aws/config": "" })).toEqual([]);
  });

  it("requires Terraform, and a newer version for state in S3", () => {
    const inS3 = { "infra/environments.ts": 'export const environments = [{ name: "dev", state: "s3" }];' };
    expect(of(look({}), "problem")[0]).toMatch(/terraform is not installed/);
    expect(of(look({ terraform: "1.4.9", environment: "dev" }), "problem")[0]).toMatch(/is 1\.4\.9$/);
    expect(of(look({ terraform: "1.10.5", files: inS3 }), "problem")[0]).toMatch(/is 1\.10\.5$/);
    expect(of(look({ terraform: "1.11.0", files: inS3 }), "problem")).toEqual([]);
    expect(of(look({ terraform: "2.0.0", files: inS3 }), "problem")).toEqual([]);
  });

  it("accepts OpenTofu, which locks state in S3 since another version, where only that is on the PATH", () => {
    const inS3 = { "infra/environments.ts": 'export const environments = [{ name: "dev", state: "s3" }];' };
    const onPath = (tofu: string, more: Setup = {}) =>
      look({ ...more, files: { ...more.files, "bin/tofu": `#!/bin/sh\necho '{"terraform_version": "${tofu}"}'\n` } });
    expect(of(onPath("1.6.0", { environment: "dev" }), "ok")).toContain("tools: OpenTofu 1.6.0");
    expect(of(onPath("1.5.9", { environment: "dev" }), "problem")[0]).toBe("tools: tofu is 1.5.9");
    expect(of(onPath("1.9.9", { files: inS3 }), "problem")[0]).toBe("tools: tofu is 1.9.9");
    expect(of(onPath("1.10.0", { files: inS3 }), "ok")).toContain("tools: OpenTofu 1.10.0");
    // Where both are, Terraform runs.
    expect(of(onPath("1.10.0", { environment: "dev", terraform: "1.9.0" }), "ok")).toContain("tools: Terraform 1.9.0");
  });

  it.each<[string, Setup, RegExp]>([
    ["an old Node.js", { node: "20.18.9" }, /Node\.js is 20\.18\.9/],
    [
      "a Node.js that is too old for CDK Terrain",
      {
        node: "22.12.0",
        files: { "package.json": JSON.stringify({ name: "orders", devDependencies: { cdktn: "0" } }) },
      },
      /Node\.js is 22\.12\.0/,
    ],
    ["a package that is not vendored", { files: { "vendor/a.tgz": undefined } }, /vendor\/a\.tgz is missing/],
    ["no lock", { files: { "package-lock.json": undefined } }, /package-lock\.json is missing/],
    ["nothing installed", { installed: false }, /packages are not installed/],
    ["no answers", { files: { ".antifragile.json": undefined } }, /\.antifragile\.json is missing/],
    ["broken answers", { files: { ".antifragile.json": "{" } }, /it is broken/],
    [
      "an environment twice",
      { files: { "infra/environments.ts": 'export const environments = [{ name: "dev" }, { name: "dev" }];' } },
      /dev: is defined twice/,
    ],
  ])("finds %s", (_, setup, expected) => {
    const problems = of(look({ terraform: "1.11.0", environment: "dev", ...setup }), "problem");
    expect(problems).toEqual([expect.stringMatching(expected)]);
  });

  it("notes that no permissions boundary limits the roles of an environment that CI can deploy", () => {
    const text = `export const environments = [
      { name: "dev", profile: "dev" },
      { name: "staging", profile: "dev", state: "s3" },
      { name: "production", profile: "production", state: "s3", guardrails: { permissionsBoundary: "bootstrap" } },
    ];
    export const delivery = { state: "s3" };`;
    const notes = of(look({ terraform: "1.11.0", files: { "infra/environments.ts": text } }), "note");
    expect(notes.filter((note) => note.includes("boundary"))).toEqual([
      expect.stringMatching(/^staging: no permissions boundary limits its roles/),
    ]);
  });

  it.each<[string, object, RegExp]>([
    [
      "another version",
      { antifragile: { version: "0.9.0", schema: 1 }, name: "orders" },
      /generated by antifragile 0\.9\.0/,
    ],
    [
      "another name",
      { antifragile: { version: "1.0.0", schema: 1 }, name: "orders-2" },
      /orders in package\.json and orders-2 in/,
    ],
  ])("notes answers of %s", (_, answers, expected) => {
    const files = { ".antifragile.json": JSON.stringify(answers) };
    const notes = of(look({ terraform: "1.11.0", env: { AWS_PROFILE: "x" }, files }), "note");
    expect(notes).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ["github-actions", ".github/workflows/orders.yml", "defaults: { run: { working-directory: services/orders } }"],
    ["gitlab", ".gitlab-ci.yml", "include: [{ local: services/orders/.gitlab-trigger.yml }]"],
    ["travis", ".travis.yml", "import: [services/orders/.travis.yml]"],
  ])("looks for the file of %s at the root of the repository", (ci, file, text) => {
    const answers = { antifragile: { version: "1.0.0", schema: 1 }, name: "orders", ci, directory: "services/orders" };
    const path = `../../${file}`;
    const checks = (content?: string) =>
      look({ terraform: "1.11.0", files: { ".antifragile.json": JSON.stringify(answers), [path]: content } }).filter(
        ({ what }) => what.startsWith(path),
      );
    expect(checks()).toEqual([expect.objectContaining({ level: "problem", what: `${path} is missing` })]);
    expect(checks("# theirs")).toEqual([
      expect.objectContaining({ level: "problem", what: `${path} does not start the jobs` }),
    ]);
    expect(checks(text)).toEqual([expect.objectContaining({ level: "ok" })]);
  });

  it("reports a file that does not run, and a missing repository", () => {
    const files = { "infra/environments.ts": 'throw new Error("typo");' };
    expect(() => look({ terraform: "1.11.0", files })).toThrow(/infra\/environments\.ts does not run:[\s\S]*typo/);
    expect(() => look({ files: { "infra/environments.ts": undefined } })).toThrow(/antifragile new generated/);
  });

  it("prints the checks by subject, with a count and the file to fill in", () => {
    const checks = look({ terraform: "1.11.0", env: { AWS_PROFILE: "x" } });
    expect(describeChecks(checks)).toBe(`  tools       ✔ Node.js 20.19.0
              ✔ Terraform 1.11.0
              ✔ AWS credentials are configured (not verified)
  repository  ✔ the packages are installed
              ✔ .antifragile.json is valid
  dev         ✔ nothing is missing
  production  ✖ account is not filled in: its account
              ✖ domain.zoneId is not filled in: id of its zone
  delivery    ✖ source.repository is not filled in: owner and name

3 problems; fill in 3 values in infra/environments.ts.
`);
    expect(describeChecks(checks.filter(({ level }) => level === "ok"))).toMatch(/\n\nNo problems found\.\n$/);
  });
});
