import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { COMBINATIONS, type Combination, describeWithCdktn, synthesized } from "../support/engines";
import { EXAMPLES, ROOT, stackJson, stackNames } from "../support/examples";
import { EVERYTHING, NOTHING, repositoryFiles, writeFiles } from "../templates/support/repository";
import { differences, GUIDE, providerLinesPage, usedTypes } from "./support/provider-lines";
import { asArguments, typeErrors } from "./support/typed-by";

/** Programs that contain every construct, and every strategy with every kind of process. */
const PROGRAMS = [
  ...EXAMPLES.map((name) => `examples/${name}/main.ts`),
  "test/contract/support/every-strategy.ts",
  "test/e2e/apps/everything.ts",
];

type Resources = Parameters<typeof asArguments>[0];

interface Stack extends Record<string, unknown> {
  readonly "//": { readonly metadata: { readonly version: string } };
  readonly terraform: { readonly required_providers: { readonly aws: { readonly version: string } } };
  readonly resource?: Resources;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const known = new Map<Combination, Readonly<Record<string, Stack>>>();

/** Stacks of all programs on a combination, by program and name. */
function stacksOn(combination: Combination): Readonly<Record<string, Stack>> {
  const earlier = known.get(combination);
  if (earlier !== undefined) return earlier;
  // The strategies of provider 6 are part of the comparison, so bindings of provider 5 are made to write them too.
  const { folder, outdirs } = synthesized(PROGRAMS, combination, { LINE: "6" });
  folders.push(folder);
  const stacks = Object.fromEntries(
    outdirs.flatMap((outdir, index) =>
      stackNames(outdir).map((name) => [`${PROGRAMS[index]} ${name}`, stackJson(outdir, name) as Stack] as const),
    ),
  );
  known.set(combination, stacks);
  return stacks;
}

/** A stack without what says which engine and provider it is of. */
function comparable({ terraform: _, "//": __, ...blocks }: Stack): unknown {
  return blocks;
}

const reference = COMBINATIONS["cdktf with provider 5"];

function sameProgram(name: keyof typeof COMBINATIONS): void {
  const combination = COMBINATIONS[name];

  it(`loads ${combination.engine} ${combination.version} and bindings of AWS provider ${combination.provider}`, () => {
    const loaded = Object.values(stacksOn(combination)).map((stack) => [
      stack["//"].metadata.version,
      stack.terraform.required_providers.aws.version,
    ]);
    expect(new Set(loaded.map(String))).toEqual(new Set([`${combination.version},${combination.provider}`]));
    const { version } = JSON.parse(readFileSync(join(combination.packages.cdktf, "package.json"), "utf8"));
    expect(version).toBe(combination.version);
  });

  it("synthesizes every program as cdktf with provider 5 does, but for versions", () => {
    const [own, others] = [stacksOn(combination), stacksOn(reference)];
    expect(Object.keys(own)).toEqual(Object.keys(others));
    for (const [name, stack] of Object.entries(own)) expect(comparable(stack), name).toEqual(comparable(others[name]!));
  });
}

/** Generated repositories: every strategy, process, CI system with roles of its own, capacity and kind of platform. */
const GENERATED: Readonly<Record<string, object>> = {
  platform: { name: "shop", platform: true, capacity: "ec2" },
  "on another platform": { ...NOTHING, joins: "shop", ci: "none" },
  "blue-green": { ...EVERYTHING, deployment: "blue-green", chaos: true },
  canary: { ...EVERYTHING, deployment: "canary", ci: "github-actions", capacity: "ec2" },
  linear: { ...NOTHING, deployment: "linear", ci: "gitlab" },
};

function generated(name: "cdktf with provider 6" | "cdktn with provider 6"): void {
  it("generated repositories synthesize and compile, with traffic shifted by ECS, and have only arguments of the bindings", () => {
    const combination = COMBINATIONS[name];
    const mains = Object.values(GENERATED).map((flags) => {
      const folder = mkdtempSync(join(tmpdir(), "antifragile-generated-"));
      folders.push(folder);
      writeFiles(folder, repositoryFiles({ ...flags, engine: combination.engine, provider: "6" }));
      return join(folder, "infra/main.ts");
    });
    folders.push(synthesized(mains, combination).folder);
    const stacks = mains.flatMap((main) => {
      const outdir = join(dirname(main), "cdktf.out");
      return stackNames(outdir).map((stack) => stackJson(outdir, stack) as Stack);
    });
    const text = JSON.stringify(stacks);
    for (const strategy of ["BLUE_GREEN", "CANARY", "LINEAR"]) expect(text).toContain(`"strategy":"${strategy}"`);
    expect(text).toContain(`"version":"${combination.provider}"`);
    expect(text).not.toContain("aws_codedeploy");
    const written = Object.fromEntries(
      stacks.map(({ resource = {} }, index) => [`generated-${index}.ts`, asArguments(ofAws(resource))]),
    );
    expect(typeErrors(combination.packages, { files: mains, written })).toEqual([]);
  });
}

/** Terraform's own resource, which no provider has. */
function ofAws({ terraform_data: _, ...resources }: Resources): Resources {
  return resources;
}

function typed(name: "cdktf with provider 6" | "cdktn with provider 6"): void {
  it("compiles the library and every program, and has only arguments of the bindings, with all required ones and their types", () => {
    const { packages } = COMBINATIONS[name];
    const stacks = Object.entries(stacksOn(COMBINATIONS[name]));
    const written = Object.fromEntries(
      stacks.map(([, { resource = {} }], index) => [`stack-${index}.ts`, asArguments(ofAws(resource))]),
    );
    const files = ["constructs/index.ts", "constructs/testing/index.ts", ...PROGRAMS];
    expect(typeErrors(packages, { files, written })).toEqual([]);
  });
}

/** Synthesized resources of a type of the bindings, as JSON. */
const resourcesOf = (type: string) =>
  Object.values(stacksOn(COMBINATIONS["cdktf with provider 6"]))
    .flatMap(({ resource }) => Object.values(resource?.[`aws_${type.replaceAll("-", "_")}`] ?? {}))
    .map((each) => JSON.stringify(each));

describe("changes that the guide to provider 6 names", () => {
  it.each(Object.entries(GUIDE))("of %s do not apply to what is synthesized", (type, { affects }) => {
    expect(usedTypes()).toContain(type);
    const resources = resourcesOf(type);
    expect(resources).not.toEqual([]);
    expect(resources.filter((text) => affects.test(text))).toEqual([]);
  });

  it("are found where they apply", () => {
    const affected = {
      "db-instance": { character_set_name: "AL32UTF8" },
      "elasticache-replication-group": { auto_minor_version_upgrade: "1" },
      "elasticache-user": { engine: "REDIS" },
      "elasticache-user-group": { engine: "REDIS" },
      "launch-template": { block_device_mappings: [{ ebs: { encrypted: "1" } }] },
      "lb-listener": { mutual_authentication: { mode: "off" } },
      "lb-target-group": { preserve_client_ip: "1" },
      "s3-bucket": { region: "eu-west-1" },
      "wafv2-web-acl": { aws_managed_rules_bot_control_rule_set: {} },
    };
    for (const [type, { affects }] of Object.entries(GUIDE)) {
      expect(JSON.stringify(affected[type as keyof typeof affected]), type).toMatch(affects);
    }
  });
});

describe("cdktf with provider 6", () => {
  sameProgram("cdktf with provider 6");
  typed("cdktf with provider 6");
  generated("cdktf with provider 6");
});

describeWithCdktn("cdktn with provider 6", () => {
  sameProgram("cdktn with provider 6");
  typed("cdktn with provider 6");
  generated("cdktn with provider 6");
});

describeWithCdktn("cdktn as cdktf, with provider 5", () => sameProgram("cdktn as cdktf, with provider 5"));

describeWithCdktn("docs/provider-lines.md", () => {
  it("lists the differences between the bindings (UPDATE=1 writes it)", () => {
    const file = join(ROOT, "docs/provider-lines.md");
    const page = providerLinesPage();
    if (process.env.UPDATE === "1") writeFileSync(file, page);
    expect(readFileSync(file, "utf8")).toBe(page);
  });

  it("shows what is removed, new, required or of another type", () => {
    const before = new Map([
      ["gone", "string?"],
      ["kept", "string"],
      ["must", "number?"],
      ["other", "string?"],
      ["Block.old", "string?"],
      ["Gone.x", "string"],
    ]);
    const after = new Map([
      ["kept", "string"],
      ["must", "number"],
      ["other", "boolean?"],
      ["Block.old", "string?"],
      ["Block.more", "string?"],
      ["New.x", "string"],
      ["region", "string?"],
    ]);
    expect(differences(before, after)).toEqual([
      "without `gone`",
      "`must`: now **required**",
      "`other`: `string?` is now `boolean?`",
      "`Block.more`",
    ]);
    expect(differences(before, undefined)).toEqual(["removed"]);
  });
});

describe("the check of synthesized arguments", () => {
  const service = {
    name: "orders",
    deployment_configuration: { strategy: "CANARY" },
    load_balancer: [
      {
        container_name: "orders",
        container_port: 8080,
        advanced_configuration: { alternate_target_group_arn: "a", production_listener_rule: "b", role_arn: "c" },
      },
    ],
  };
  const errors = (name: keyof typeof COMBINATIONS, planted: Resources[string][string]) =>
    typeErrors(COMBINATIONS[name].packages, {
      written: { "planted.ts": asArguments({ aws_ecs_service: { planted } }) },
    }).join("\n");

  it("finds nothing in a valid program, and features of provider 6 on provider 5", () => {
    expect(errors("cdktf with provider 6", service)).toBe("");
    // One that is unknown inside hides one that is unknown outside.
    const { load_balancer: _, ...withoutLoadBalancer } = service;
    expect(errors("cdktf with provider 5", withoutLoadBalancer)).toMatch(/deploymentConfiguration.* does not exist/);
    expect(errors("cdktf with provider 5", service)).toMatch(/advancedConfiguration.* does not exist/);
  });

  it.each([
    ["a name at the top", { ...service, deployment_config: {} }, "deploymentConfig"],
    ["a name inside", { ...service, deployment_configuration: { canary: {} } }, "canary"],
    ["a type", { ...service, deployment_configuration: { bake_time_in_minutes: 5 } }, "number"],
    ["what is missing", { deployment_configuration: { strategy: "CANARY" } }, "name"],
  ])("finds %s", (_, block, part) => {
    expect(errors("cdktf with provider 6", block)).toContain(part);
  });
});
