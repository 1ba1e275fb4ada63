import { App, type TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  CiRoles,
  CloudNativeService,
  cron,
  DeliveryStack,
  type Environment,
  gitHubActions,
  ImageRepository,
  Ingress,
  insecureHttp,
  Pipeline,
  type PipelineProps,
  Platform,
  Source,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { boundariesIn } from "../../../contract/boundary";
import { only, refusals, resources, warnings } from "../../support/synth";
import { mayDo, statementsOf } from "./support/orders";

const [DELIVERY, STAGING, PRODUCTION] = ["111122223333", "444455556666", "777788889999"] as const;
const region = "eu-central-1";
const staging: Environment = {
  name: "staging",
  region,
  account: STAGING,
  imageAccount: DELIVERY,
  profile: "dev",
  state: "s3",
  guardrails: { permissionsBoundary: "bootstrap" },
};
const production: Environment = { ...staging, name: "production", account: PRODUCTION, profile: "production" };
const gates = [
  {
    name: "smoke",
    commands: ["true"],
    permissions: () => [{ actions: ["ssm:GetParameter"], resources: [`arn:aws:ssm:${region}:${STAGING}:parameter/x`] }],
  },
];

/** One delivery account, and an account for each environment. */
function delivered(environments: readonly Environment[], make: (stack: DeliveryStack) => void) {
  const app = new App();
  const delivery = new DeliveryStack(app, "orders", { region, account: DELIVERY, state: "s3", tags: { Team: "a" } });
  make(delivery);
  for (const environment of environments) {
    const shop = new Platform(app, "shop", { environment, listener: insecureHttp() });
    new CloudNativeService(shop.stack("orders"), "Orders", { releaseOwner: "pipeline" }).add(new Ingress());
  }
  const stack = (id: string) => app.node.findChild(id) as AwsStack;
  return { app, delivery, stack };
}

const pipeline = (props: Partial<PipelineProps> = {}) =>
  delivered([staging, production], (stack) => {
    new Pipeline(stack, "Pipeline", {
      source: Source.gitHub("acme/orders"),
      releases: [
        { environment: staging, gates },
        { environment: production, approval: true },
      ],
      drift: cron("0 6 * * *"),
      ...props,
    });
  });

const names = (stack: TerraformStack) =>
  Object.values(resources(stack, "aws_iam_role"))
    .map(({ name }) => name)
    .sort();

describe("delivery to environments in other accounts", () => {
  it("has the roles of each environment in a stack of its account", () => {
    const { stack, delivery } = pipeline();
    const other = stack("orders-delivery-production");
    expect([other.stackName, other.environment.account, other.environment.region]).toEqual([
      "orders",
      PRODUCTION,
      region,
    ]);
    const roles = ["apply", "drift", "plan", "release"];
    expect(names(other)).toEqual(roles.map((role) => `orders-delivery-production-${role}`));
    expect(names(stack("orders-delivery-staging"))).toEqual(
      [...roles, "smoke"].sort().map((role) => `orders-delivery-staging-${role}`),
    );
    expect(names(delivery)).toEqual(expect.arrayContaining(names(other)));
    const program = other.toTerraform() as unknown as {
      provider: { aws: { allowed_account_ids: string[]; default_tags: { tags: object }[] }[] };
      terraform: { backend: { s3: object } };
    };
    expect(program.provider.aws[0]).toMatchObject({
      allowed_account_ids: [PRODUCTION],
      default_tags: [{ tags: { Service: "orders", Team: "a", ManagedBy: "antifragile" } }],
    });
    expect(program.terraform.backend.s3).toMatchObject({
      bucket: `antifragile-state-${PRODUCTION}-${region}`,
      key: "orders-delivery-production/terraform.tfstate",
      allowed_account_ids: [PRODUCTION],
    });
  });

  it("names the permissions boundary of the environment, which bootstrap creates in this account", () => {
    const { stack } = pipeline();
    const other = stack("orders-delivery-production");
    other.prepareStack();
    expect(boundariesIn(JSON.stringify(other.toTerraform()))).toEqual([
      { environment: "production", account: PRODUCTION, partition: "aws" },
    ]);
  });

  it("lets each role be assumed by exactly one build, which may assume nothing else", () => {
    const { stack, delivery } = pipeline();
    const found: unknown[] = [];
    for (const { name, assume_role_policy: trust } of Object.values(
      resources(stack("orders-delivery-production"), "aws_iam_role"),
    )) {
      expect(trust).toEqual({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { AWS: expect.stringMatching(`:iam::${DELIVERY}:root$`) },
            Condition: {
              StringEquals: { "aws:PrincipalArn": expect.stringMatching(`:iam::${DELIVERY}:role/${name}$`) },
            },
            Action: "sts:AssumeRole",
          },
        ],
      });
      const own = statementsOf(delivery, String(name));
      found.push(mayDo(own, "sts:AssumeRole").flatMap(({ Resource }) => Resource));
      const others = own.flatMap(({ Action }) => Action).filter((action) => !/^(s3|kms|logs|sts):/.test(action));
      expect([name, others]).toEqual([name, []]);
    }
    expect(found.flat()).toEqual(
      ["apply", "drift", "plan", "release"].map((role) =>
        expect.stringMatching(`^arn:[^:]+:iam::${PRODUCTION}:role/orders-delivery-production-${role}$`),
      ),
    );
  });

  it("assumes the role before the first command that needs it, by a profile that renews the credentials", () => {
    const { delivery } = pipeline();
    const projects = Object.values(resources(delivery, "aws_codebuild_project")) as {
      name: string;
      source: { buildspec: { phases: { build: { commands: string[] } } } };
      environment: { environment_variable?: { name: string; value: string }[] };
    }[];
    const assuming = projects.filter(({ source }) => source.buildspec.phases.build.commands[0]?.includes("role_arn"));
    expect(assuming.map(({ name }) => name).sort()).toEqual([
      ...["apply", "drift", "plan", "release"].map((each) => `orders-production-${each}`),
      ...["apply", "drift", "plan", "release", "smoke"].map((each) => `orders-staging-${each}`),
    ]);
    for (const { name, environment } of assuming) {
      const role = environment.environment_variable?.find((each) => each.name === "ROLE_ARN")?.value;
      expect(role).toMatch(new RegExp(`:role/${name.replace("orders-", "orders-delivery-")}$`));
    }
  });

  it("shares its images with the tasks of these accounts, and their tags with the roles that release", () => {
    const { stack, delivery } = pipeline();
    const { policy } = only(delivery, "aws_ecr_repository_policy") as { policy: { Statement: object[] } };
    const root = (account: string) => ({ AWS: expect.stringMatching(`:iam::${account}:root$`) });
    const release = (account: string, name: string) =>
      expect.stringMatching(`:iam::${account}:role/orders-delivery-${name}-release$`);
    const pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    expect(policy.Statement).toEqual(
      [
        [STAGING, "staging"],
        [PRODUCTION, "production"],
      ].flatMap(([account = "", name = ""]) => [
        { Effect: "Allow", Principal: root(account), Action: pull },
        {
          Effect: "Allow",
          Principal: root(account),
          Action: ["ecr:BatchGetImage", "ecr:PutImage"],
          Condition: { StringEquals: { "aws:PrincipalArn": release(account, name) } },
        },
      ]),
    );
    const repository = expect.stringMatching(`^arn:[^:]+:ecr:${region}:${DELIVERY}:repository/orders$`);
    const releasing = statementsOf(stack("orders-delivery-production"), "orders-delivery-production-release");
    expect(mayDo(releasing, "ecr:PutImage").map(({ Resource }) => Resource)).toEqual([[repository]]);
    const service = stack("orders-production-service");
    expect(
      mayDo(statementsOf(service, "shop-production-orders-execution"), "ecr:BatchGetImage").map(
        (each) => each.Resource,
      ),
    ).toEqual([[repository]]);
  });

  it("releases images of a repository that is created elsewhere, with a warning", () => {
    const { delivery } = pipeline({ images: Source.ecr("orders", { tag: "latest" }) });
    expect(warnings(delivery)).toContainEqual(expect.stringContaining("PIPELINE_IMAGE_POLICY"));
  });

  it("gives GitHub roles in each account, with one identity provider each", () => {
    const shared: Environment = { ...staging, name: "qa", account: PRODUCTION };
    const { delivery, stack } = delivered([staging, shared, production], (each) => {
      new CiRoles(each, "GitHub", {
        trust: gitHubActions({ repository: { owner: "acme", name: "orders", numbers: { owner: 1, repository: 2 } } }),
        images: new ImageRepository(each, "Images"),
        environments: [staging, shared, production],
      });
    });
    expect(names(delivery)).toEqual(["orders-delivery-gh-image"]);
    const other = stack("orders-delivery-production");
    expect(names(other)).toEqual(["apply", "plan", "release"].map((role) => `orders-delivery-gh-production-${role}`));
    const providers = [delivery, stack("orders-delivery-staging"), stack("orders-delivery-qa"), other].map(
      (each) => Object.keys(resources(each, "aws_iam_openid_connect_provider")).length,
    );
    expect(providers).toEqual([1, 1, 1, 0]);
    expect(JSON.stringify(synthesize(other))).toContain("data.aws_iam_openid_connect_provider");
  });

  it.each<[string, Partial<Environment>]>([
    ["PIPELINE_ACCOUNT releases[0].environment.imageAccount", { imageAccount: undefined }],
    ["PIPELINE_ACCOUNT releases[0].environment.imageAccount", { imageAccount: STAGING }],
    ["PIPELINE_ACCOUNT releases[0].environment.account", { account: undefined, state: { bucket: "acme-state" } }],
  ])("is refused: %s (%#)", (refusal, other) => {
    expect(refusals(() => pipeline({ releases: [{ environment: { ...staging, ...other } }] }))).toEqual([refusal]);
  });

  it("refuses an image account that is not one", () => {
    expect(
      refusals(
        () => new AwsStack(new App(), "audit", { environment: { ...staging, imageAccount: "1" }, lifetime: "data" }),
      ),
    ).toEqual(["ENVIRONMENT_ACCOUNT environment.imageAccount"]);
  });
});
