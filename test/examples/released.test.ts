import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Answers } from "../../generator/options";
import { REPLACEMENTS } from "../../generator/upgrade/versions";
import { PROTECTED } from "../../operations/protected-resources";
import { EXAMPLES, stackJson, stackNames, synthExamples } from "../support/examples";
import { synthGenerated } from "../support/generated";
import { EVERYTHING, NOTHING } from "../templates/support/repository";

/**
 * Protected resources that earlier versions synthesized, and that a plan of an upgraded repository must not delete or replace: their
 * addresses in all examples, in any version; their arguments in generated repositories of version 0.0.1.
 */
const FOLDER = join(__dirname, "released");
const read = (file: string) => JSON.parse(readFileSync(join(FOLDER, file), "utf8"));

/** Stacks by name, with the addresses of each. */
type Addresses = Readonly<Record<string, readonly string[]>>;

type Attributes = Readonly<Record<string, unknown>>;

const ADDRESSES: Readonly<Record<string, Addresses>> = read("addresses.json");
const GENERATED: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Attributes>>>>>> =
  read("generated-0.0.1.json");

/** Addresses that an example no longer has because its program changed. */
const CHANGED_PROGRAMS = [
  // It shows an existing cluster since there is existingCluster().
  "existing-vpc shop-dev-platform aws_ecs_cluster.Cluster_EB0386A7",
];

interface Stack {
  /** By address; those that a `moved` block names as former addresses, too. */
  readonly resources: ReadonlyMap<string, Attributes>;
}

function readStack(outdir: string, name: string): Stack {
  const json = stackJson(outdir, name) as {
    resource?: Record<string, Record<string, Attributes>>;
    moved?: readonly { from: string; to: string }[];
  };
  const resources = new Map<string, Attributes>(
    Object.entries(json.resource ?? {}).flatMap(([type, byId]) =>
      Object.entries(byId).map(([id, attributes]) => [`${type}.${id}`, attributes] as const),
    ),
  );
  for (const { from, to } of json.moved ?? []) {
    const attributes = resources.get(to);
    if (attributes !== undefined) resources.set(from, attributes);
  }
  return { resources };
}

type Stacks = Readonly<Record<string, Stack>>;

const readStacks = (outdir: string): Stacks =>
  Object.fromEntries(stackNames(outdir).map((name) => [name, readStack(outdir, name)]));

describe("protected resources of earlier versions keep their address, or are moved", () => {
  let outdirs: ReadonlyMap<string, string>;
  beforeAll(() => {
    outdirs = synthExamples();
  });

  it.each(Object.keys(ADDRESSES))("in the example %s", (name) => {
    expect(EXAMPLES).toContain(name);
    const now = readStacks(outdirs.get(name) as string);
    const gone = Object.entries(ADDRESSES[name] ?? {}).flatMap(([stack, addresses]) =>
      addresses
        .filter((address) => now[stack]?.resources.has(address) !== true)
        .map((address) => `${name} ${stack} ${address}`),
    );
    expect(gone).toEqual(CHANGED_PROGRAMS.filter((each) => each.startsWith(`${name} `)));
  });
});

/** Arguments that the provider changes in place, and that have changed since. */
const IN_PLACE = [
  "aws_db_instance.allow_major_version_upgrade",
  "aws_db_instance.performance_insights_enabled",
  "aws_ecs_cluster.configuration",
  "aws_ecs_service.alarms",
  // Services without an admin process no longer have a role for one.
  "aws_ecs_service.depends_on",
  "aws_lb.access_logs",
  "aws_scheduler_schedule.depends_on",
  "aws_scheduler_schedule.description",
  "aws_scheduler_schedule.target",
  "aws_service_discovery_service.description",
  "aws_ssm_parameter.description",
  "aws_ssm_parameter.insecure_value",
];

const NOT_ARGUMENTS = ["//", "lifecycle", "provider", "tags"];

/** Arguments of a resource that differ, without those that Terraform ignores. */
function changedArguments(before: Attributes, after: Attributes): string[] {
  const { ignore_changes = [] } = (after.lifecycle ?? {}) as { ignore_changes?: readonly string[] };
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) =>
      !NOT_ARGUMENTS.includes(key) &&
      !ignore_changes.includes(key) &&
      JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
}

/** Arguments of resources that differ in stacks, and addresses that are gone; of the resources of some types. */
function compared(
  before: Readonly<Record<string, Iterable<readonly [address: string, Attributes]>>>,
  now: Stacks,
  isCompared: (type: string) => boolean = () => true,
): { gone: string[]; changed: string[] } {
  const gone: string[] = [];
  const changed = new Set<string>();
  for (const [stack, resources] of Object.entries(before)) {
    for (const [address, attributes] of resources) {
      const [type = ""] = address.split(".");
      if (!isCompared(type)) continue;
      const after = now[stack]?.resources.get(address);
      if (after === undefined) gone.push(`${stack} ${address}`);
      else for (const key of changedArguments(attributes, after)) changed.add(`${type}.${key}`);
    }
  }
  return { gone, changed: [...changed].sort() };
}

/** Protected arguments that differ between what two sets of answers synthesize, and protected addresses that are gone. */
function differences(before: object, after: object) {
  const [old, now] = [before, after].map((flags) => readStacks(synthGenerated(flags).outdir)) as [Stacks, Stacks];
  const resources = Object.fromEntries(Object.entries(old).map(([stack, each]) => [stack, each.resources]));
  return compared(resources, now, (type) => Object.hasOwn(PROTECTED, type));
}

describe("antifragile add", () => {
  it("changes protected resources in place only", () => {
    const all = { ...EVERYTHING, auth: "none", ci: "gitlab", capacity: "ec2", chaos: true };
    expect(differences({ ...NOTHING, auth: "oidc" }, all)).toEqual({
      gone: [],
      changed: [
        "aws_ecs_service.capacity_provider_strategy",
        "aws_ecs_service.depends_on",
        "aws_ecs_service.platform_version",
        "aws_ssm_parameter.insecure_value",
      ],
    });
  });

  it("of a deployment by CodeDeploy replaces the service, which is refused", () => {
    const [before, after] = [{}, { deployment: "canary" }];
    expect(differences(before, after).changed).toContain("aws_ecs_service.deployment_controller");
    const applies = (from: object, to: object) => REPLACEMENTS.some(({ of }) => of(from as Answers, to as Answers));
    expect([applies(before, after), applies(after, before)]).toEqual([true, true]);
    expect(applies({ provider: "6" }, { provider: "6", deployment: "canary" })).toBe(false);
    expect(applies({ provider: "5", deployment: "canary" }, { provider: "6", deployment: "canary" })).toBe(true);
    expect(applies({}, { ...EVERYTHING, capacity: "ec2" })).toBe(false);
  });
});

describe("protected resources of a repository that version 0.0.1 generated are not replaced by the present one", () => {
  const flags: Readonly<Record<string, object>> = {
    service: { ...EVERYTHING, capacity: "ec2", chaos: true },
    platform: { platform: true },
  };

  it.each(Object.keys(GENERATED))("%s", (kind) => {
    const now = readStacks(synthGenerated(flags[kind] as object).outdir);
    const before = Object.entries(GENERATED[kind] ?? {}).map(([stack, resources]) => [
      stack,
      Object.entries(resources),
    ]);
    const { gone, changed } = compared(Object.fromEntries(before), now);
    expect(gone).toEqual([]);
    expect(changed.filter((key) => !IN_PLACE.includes(key))).toEqual([]);
    if (kind === "service") expect(changed).toEqual(IN_PLACE);
  });
});
