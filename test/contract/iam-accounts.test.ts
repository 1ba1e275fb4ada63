import { expect, it } from "vitest";
import {
  App,
  type AwsStack,
  CloudNativeService,
  cron,
  DeliveryStack,
  type Environment,
  Ingress,
  insecureHttp,
  Pipeline,
  Platform,
  Source,
} from "../../constructs";
import { describeWithIam } from "../iam/packages";
import { type Program, programOf, REGION, resolve } from "../iam/resolve";
import { rolesIn, trustPolicies } from "../iam/roles";
import { isAllowed, isAllowedAcross, isAllowedByResource, type RemoteCaller } from "../iam/simulate";

const ACCOUNTS = { delivery: "111122223333", staging: "444455556666", production: "777788889999" } as const;
type Place = keyof typeof ACCOUNTS;
const ENVIRONMENTS = ["staging", "production"] as const;

const environment = (name: "staging" | "production"): Environment => ({
  name,
  region: REGION,
  account: ACCOUNTS[name],
  imageAccount: ACCOUNTS.delivery,
  profile: name === "staging" ? "dev" : "production",
  state: "s3",
});

function programs(): (id: string) => Program {
  const app = new App();
  const delivery = new DeliveryStack(app, "orders", { region: REGION, account: ACCOUNTS.delivery, state: "s3" });
  new Pipeline(delivery, "Pipeline", {
    source: Source.gitHub("acme/orders"),
    releases: ENVIRONMENTS.map((name) => ({ environment: environment(name) })),
    drift: cron("0 6 * * *"),
  });
  for (const name of ENVIRONMENTS) {
    const platform = new Platform(app, "shop", { environment: environment(name), listener: insecureHttp() });
    new CloudNativeService(platform.stack("orders"), "Orders", { releaseOwner: "pipeline" }).add(new Ingress());
  }
  return (id) => programOf(app.node.findChild(id) as AwsStack);
}

const EVERYTHING = {
  name: "administrator",
  policy: { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
};
const roleArn = (place: Place, name: string) => `arn:aws:iam::${ACCOUNTS[place]}:role/${name}`;
const STEPS = ["apply", "drift", "plan", "release"] as const;

describeWithIam("roles across accounts, simulated", () => {
  const program = programs();
  const inDelivery = program("orders-delivery");
  const inProduction = program("orders-delivery-production");
  const callers: RemoteCaller[] = rolesIn(inDelivery).map(({ name, policies }) => ({
    roleArn: roleArn("delivery", name),
    policies,
  }));
  const targets = ENVIRONMENTS.flatMap((place) =>
    trustPolicies(program(`orders-delivery-${place}`)).map(({ name, policy }) => ({ place, name, policy })),
  );
  const assumes = (caller: RemoteCaller, { place, name, policy }: (typeof targets)[number]) =>
    isAllowedAcross(
      caller,
      { action: "sts:AssumeRole", resource: roleArn(place, name) },
      { policy, account: ACCOUNTS[place] },
    );

  it("are assumed by the build of the same name, of all roles of the delivery account", async () => {
    const found: [build: string | undefined, role: string][] = [];
    for (const caller of callers) {
      for (const target of targets) {
        if (await assumes(caller, target)) found.push([caller.roleArn.split("/")[1], target.name]);
      }
    }
    const names = ENVIRONMENTS.flatMap((place) => STEPS.map((step) => `orders-delivery-${place}-${step}`));
    expect(callers.length).toBeGreaterThan(names.length);
    expect(found.sort()).toEqual(names.map((name) => [name, name]).sort());
  });

  it.each<[string, RemoteCaller]>([
    ["an administrator of the delivery account", { roleArn: roleArn("delivery", "admin"), policies: [EVERYTHING] }],
    [
      "the build that plans, with all permissions",
      { roleArn: roleArn("delivery", "orders-delivery-production-plan"), policies: [EVERYTHING] },
    ],
    [
      "a role of the same name in another account",
      { roleArn: roleArn("staging", "orders-delivery-production-apply"), policies: [EVERYTHING] },
    ],
    [
      "the build itself, without the permission",
      { roleArn: roleArn("delivery", "orders-delivery-production-apply"), policies: [] },
    ],
  ])("are not assumed to apply production by %s", async (_, caller) => {
    const apply = targets.find(({ name }) => name === "orders-delivery-production-apply");
    expect(await assumes(caller, apply!)).toBe(false);
  });

  it("are assumed by no service", async () => {
    for (const { name, policy, place } of targets) {
      const call = { action: "sts:AssumeRole", resource: roleArn(place, name), context: {} };
      expect([name, await isAllowedByResource(policy, "codebuild.amazonaws.com", call)]).toEqual([name, false]);
    }
  });

  it("pull images by tasks of the environments, and tag them by the roles that release", async () => {
    const [policy] = Object.values(inDelivery.resource?.aws_ecr_repository_policy ?? {}).map((each) =>
      JSON.parse(resolve(inDelivery, String(each.policy))),
    );
    const repository = `arn:aws:ecr:${REGION}:${ACCOUNTS.delivery}:repository/orders`;
    // A policy of a repository has no resources; the simulator wants one.
    const Statement = policy.Statement.map((each: object) => ({ ...each, Resource: repository }));
    const may = (caller: RemoteCaller, action: string) =>
      isAllowedAcross(
        caller,
        { action, resource: repository },
        { policy: { ...policy, Statement }, account: ACCOUNTS.delivery },
      );
    const role = (from: Program, place: Place, name: string): RemoteCaller => ({
      roleArn: roleArn(place, name),
      policies: rolesIn(from).find((each) => each.name === name)!.policies,
    });
    const execution = role(program("orders-production-service"), "production", "shop-production-orders-execution");
    const release = role(inProduction, "production", "orders-delivery-production-release");
    const answers: [string, RemoteCaller, string, boolean][] = [
      ["tasks", execution, "ecr:BatchGetImage", true],
      ["tasks", execution, "ecr:GetDownloadUrlForLayer", true],
      ["tasks", { ...execution, policies: [EVERYTHING] }, "ecr:PutImage", false],
      ["release", release, "ecr:BatchGetImage", true],
      ["release", release, "ecr:PutImage", true],
      ["release", { ...release, policies: [EVERYTHING] }, "ecr:UploadLayerPart", false],
      ["release", { ...release, policies: [EVERYTHING] }, "ecr:BatchDeleteImage", false],
      ["administrator", { roleArn: roleArn("production", "admin"), policies: [EVERYTHING] }, "ecr:PutImage", false],
      ["stranger", { roleArn: "arn:aws:iam::210987654321:role/x", policies: [EVERYTHING] }, "ecr:BatchGetImage", false],
    ];
    for (const [who, caller, action, expected] of answers) {
      expect([who, action, await may(caller, action)]).toEqual([who, action, expected]);
    }
  });

  it("reach nothing of the account of another environment", async () => {
    const apply = rolesIn(program("orders-delivery-staging")).find(({ name }) => name.endsWith("-apply"))!;
    const state = (place: Place) =>
      `arn:aws:s3:::antifragile-state-${ACCOUNTS[place]}-${REGION}/orders-${place}-service/terraform.tfstate`;
    const reads = (place: Place) =>
      isAllowed(apply.policies, { action: "s3:GetObject", resource: state(place), context: {} });
    expect([await reads("staging"), await reads("production")]).toEqual([true, false]);
  });
});
