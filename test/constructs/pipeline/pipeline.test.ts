import { App, type TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  CloudNativeService,
  DeliveryStack,
  Duration,
  type Environment,
  ImageRepository,
  Ingress,
  insecureHttp,
  LogStream,
  Pipeline,
  type PipelineProps,
  type PipelineRelease,
  Platform,
  Source,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, refusals, resources, warnings } from "../../support/synth";

const account = "123456789012";
const staging: Environment = { name: "staging", region: "eu-central-1", account, profile: "dev", state: "s3" };
const production: Environment = {
  ...staging,
  name: "production",
  profile: "production",
  guardrails: { permissionsBoundaryArn: `arn:aws:iam::${account}:policy/boundary` },
};

/** A pipeline of `orders` with the stacks that it delivers. */
function orders(props: Partial<PipelineProps> = {}, environments: readonly Environment[] = [staging]) {
  const app = new App();
  const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
  const pipeline = new Pipeline(stack, "Pipeline", {
    source: Source.gitHub("acme/orders"),
    releases: environments.map((environment) => ({ environment })),
    ...props,
  });
  // After it, as an app may have it.
  for (const environment of environments) {
    const shop = new Platform(app, "shop", { environment, listener: insecureHttp() });
    new CloudNativeService(shop.stack("orders"), "Orders").add(new Ingress());
  }
  return { app, stack, pipeline };
}

interface Action {
  readonly name: string;
  readonly provider: string;
  readonly run_order?: number;
  readonly category: string;
  readonly namespace?: string;
  readonly configuration: Readonly<Record<string, string>>;
  readonly input_artifacts?: readonly string[];
  readonly output_artifacts?: readonly string[];
}
interface Stage {
  readonly name: string;
  readonly action: readonly Action[];
}
interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const stages = (stack: TerraformStack) => only(stack, "aws_codepipeline").stage as readonly Stage[];
const stage = (stack: TerraformStack, name: string) => {
  const found = stages(stack).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no stage ${name}`);
  return found;
};
const actionNames = (stack: TerraformStack, name: string) => stage(stack, name).action.map((action) => action.name);

interface Project {
  readonly name: string;
  readonly environment: {
    readonly privileged_mode: boolean;
    readonly image: string;
    readonly type: string;
    readonly environment_variable: readonly { readonly name: string; readonly value: string }[];
  };
  readonly source: { readonly buildspec: unknown };
  readonly service_role: string;
}
const projects = (stack: TerraformStack) =>
  Object.fromEntries(
    Object.values(resources(stack, "aws_codebuild_project")).map((project) => [
      project.name as string,
      project as unknown as Project,
    ]),
  );
const buildspec = (stack: TerraformStack, name: string) => {
  const text = projects(stack)[name]?.source.buildspec;
  return (typeof text === "string" ? JSON.parse(text) : text) as {
    phases: { install: { commands: string[] }; build: { commands: string[] } };
    env: object;
    artifacts?: object;
  };
};
const variablesOf = (stack: TerraformStack, name: string) =>
  Object.fromEntries(
    (projects(stack)[name]?.environment.environment_variable ?? []).map((each) => [each.name, each.value]),
  );

/** Everything that a role may do: in itself, and by the policies that it is given. */
function statementsOf(stack: TerraformStack, role: string): Statement[] {
  const program = synthesize(stack);
  const roleIds = Object.entries(resources(program, "aws_iam_role"))
    .filter(([, values]) => values.name === role)
    .map(([id]) => id);
  const isOfRole = (reference: unknown) => roleIds.some((id) => String(reference).includes(`aws_iam_role.${id}.`));
  const statements = (policy: unknown) => (policy as { Statement: Statement[] }).Statement;
  const inline = Object.values(resources(program, "aws_iam_role_policy"))
    .filter((policy) => isOfRole(policy.role))
    .flatMap((policy) => statements(policy.policy));
  const attached = Object.values(resources(program, "aws_iam_role_policy_attachment"))
    .filter((attachment) => isOfRole(attachment.role))
    .flatMap((attachment) => {
      const id = /aws_iam_policy\.(\w+)\.arn/.exec(String(attachment.policy_arn))?.[1] ?? "";
      return statements(resources(program, "aws_iam_policy")[id]?.policy);
    });
  return [...inline, ...attached];
}
const mayDo = (statements: readonly Statement[], action: string) =>
  statements.filter((statement) => statement.Action.includes(action));

describe("Pipeline", () => {
  it("runs tests, the image build and each environment in order", () => {
    const { stack } = orders({ releases: [{ environment: staging }, { environment: production, approval: true }] }, [
      staging,
      production,
    ]);
    expect(stages(stack).map(({ name }) => name)).toEqual(["Source", "Build", "Staging", "Production"]);
    expect(actionNames(stack, "Build")).toEqual(["Test", "Image"]);
    expect(actionNames(stack, "Staging")).toEqual(["Plan", "Apply", "Release"]);
    expect(actionNames(stack, "Production")).toEqual(["Plan", "Approve", "Apply", "Release"]);
    const order = stage(stack, "Production").action.map((action) => action.run_order);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("is of type V2, supersedes older commits, and keeps artifacts in its own bucket", () => {
    const { stack } = orders();
    expect(only(stack, "aws_codepipeline")).toMatchObject({
      name: "orders",
      pipeline_type: "V2",
      execution_mode: "SUPERSEDED",
      artifact_store: [{ encryption_key: { type: "KMS" } }],
    });
    expect(only(orders({ executionMode: "queued" }).stack, "aws_codepipeline").execution_mode).toBe("QUEUED");
  });

  it("has a Docker engine only in the image build, which runs nothing else of the repository", () => {
    const { stack } = orders();
    const privileged = Object.values(projects(stack)).filter(({ environment }) => environment.privileged_mode);
    expect(privileged.map(({ name }) => name)).toEqual(["orders-image"]);
    const { phases } = buildspec(stack, "orders-image");
    expect(JSON.stringify(phases)).not.toContain("npm");
    expect(JSON.stringify(phases.build.commands)).toContain("docker push");
    expect(buildspec(stack, "orders-test").phases).toEqual({
      install: {
        "runtime-versions": { nodejs: 22 },
        commands: [expect.stringMatching(/pnpm-lock\.yaml.* install --frozen-lockfile; else npm ci; fi$/)],
      },
      build: { commands: ["npm run lint", "npm run typecheck", "npm test"] },
    });
  });

  it("runs the configured test commands, on the configured compute type", () => {
    const { stack } = orders({ testCommands: ["make check"], architecture: "x86_64" });
    expect(buildspec(stack, "orders-test").phases.build.commands).toEqual(["make check"]);
    for (const { environment } of Object.values(projects(stack))) {
      expect(environment).toMatchObject({ type: "LINUX_CONTAINER", image: expect.stringContaining("x86_64") });
    }
  });

  it("releases the pushed digest, and applies the saved plan", () => {
    const { stack } = orders();
    const [plan, apply, release] = stage(stack, "Staging").action;
    expect(plan).toMatchObject({ input_artifacts: ["Source"], output_artifacts: ["StagingPlan"] });
    expect(apply).toMatchObject({
      input_artifacts: ["Source", "StagingPlan"],
      configuration: { PrimarySource: "Source" },
    });
    expect(variablesOf(stack, "orders-staging-apply").PLANS_ARTIFACT).toBe("StagingPlan");
    expect(stage(stack, "Build").action[1]).toMatchObject({ namespace: "Image" });
    expect(buildspec(stack, "orders-image").env).toMatchObject({ "exported-variables": ["IMAGE"] });
    expect(JSON.stringify(release?.configuration.EnvironmentVariables)).toContain("#{Image.IMAGE}");
  });

  it("applies only approved plans in an environment with an approval", () => {
    const { stack } = orders({ releases: [{ environment: staging }, { environment: production, approval: true }] }, [
      staging,
      production,
    ]);
    expect(variablesOf(stack, "orders-staging-apply").APPROVED).toBe("no");
    expect(variablesOf(stack, "orders-production-apply").APPROVED).toBe("yes");
  });

  it("rolls back by itself where an alarm goes off and that is wanted", () => {
    const spec = (rollbackOnAlarm?: boolean) => {
      const { stack } = orders({ releases: [{ environment: staging, rollbackOnAlarm }] });
      return JSON.stringify(resources(stack, "aws_codebuild_project"));
    };
    expect(spec()).not.toContain("--rollback");
    expect(spec(true)).toContain(' --rollback"]');
  });

  it("watches the alarms for five minutes, or for the configured time", () => {
    const watched = (watch?: Duration) =>
      variablesOf(orders({ releases: [{ environment: staging, watch }] }).stack, "orders-staging-release")
        .WATCH_MINUTES;
    expect([watched(), watched(Duration.minutes(0)), watched(Duration.hours(1))]).toEqual(["5", "0", "60"]);
  });

  it("runs gates before the next environment, each with its own role", () => {
    const gates = [
      {
        name: "smoke-test",
        commands: ["npm run smoke"],
        permissions: () => [
          { actions: ["fis:StartExperiment"], resources: ["arn:aws:fis:eu-central-1:123456789012:x"] },
        ],
      },
    ];
    const { stack } = orders({ releases: [{ environment: staging, gates }] });
    expect(actionNames(stack, "Staging")).toEqual(["Plan", "Apply", "Release", "SmokeTest"]);
    expect(buildspec(stack, "orders-staging-smoke-test").phases.build.commands).toEqual(["npm run smoke"]);
    const allowed = statementsOf(stack, "orders-delivery-staging-smoke-test");
    expect(mayDo(allowed, "fis:StartExperiment")).toHaveLength(1);
    expect(mayDo(allowed, "ecs:UpdateService")).toEqual([]);
  });

  it("passes variables to every build, and allows named deletions for one run", () => {
    const { stack } = orders({ variables: [{ name: "NOTE", value: "none", description: "why" }] });
    expect(only(stack, "aws_codepipeline").variable).toEqual([
      { name: "ALLOW_DELETE", default_value: "none", description: expect.any(String) },
      { name: "ALLOW_REPLACE", default_value: "none", description: expect.any(String) },
      { name: "ALLOW_UPDATE", default_value: "none", description: expect.any(String) },
      { name: "NOTE", default_value: "none", description: "why" },
    ]);
    const builds = stages(stack).flatMap(({ action }) => action.filter(({ provider }) => provider === "CodeBuild"));
    for (const { configuration } of builds) {
      expect(JSON.stringify(configuration.EnvironmentVariables)).toContain("#{variables.NOTE}");
    }
  });

  it("notifies of failures and pending approvals by an encrypted topic", () => {
    const { stack } = orders({ notify: ["a@example.com", "b@example.com"] });
    expect(only(stack, "aws_sns_topic").kms_master_key_id).toContain("aws_kms_key.");
    expect(Object.values(resources(stack, "aws_sns_topic_subscription")).map(({ endpoint }) => endpoint)).toEqual([
      "a@example.com",
      "b@example.com",
    ]);
    const { event_type_ids: events } = only(stack, "aws_codestarnotifications_notification_rule");
    expect(events).toEqual(
      expect.arrayContaining([
        "codepipeline-pipeline-pipeline-execution-failed",
        "codepipeline-pipeline-manual-approval-needed",
      ]),
    );
    const { Statement: statements } = only(stack, "aws_sns_topic_policy").policy as { Statement: Statement[] };
    expect(statements).toMatchObject([
      {
        Principal: { Service: "codestar-notifications.amazonaws.com" },
        Condition: { StringEquals: { "aws:SourceAccount": account } },
      },
    ]);
  });

  it("keeps artifacts encrypted, private, and for 30 days", () => {
    const { stack } = orders();
    expect(only(stack, "aws_s3_bucket_public_access_block")).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    expect(only(stack, "aws_s3_bucket_lifecycle_configuration").rule).toMatchObject([
      { expiration: [{ days: 30 }], status: "Enabled" },
    ]);
    expect(JSON.stringify(only(stack, "aws_s3_bucket_server_side_encryption_configuration"))).toContain("aws:kms");
    expect(only(stack, "aws_s3_bucket_policy").policy).toMatchObject({
      Statement: [{ Effect: "Deny", Condition: { Bool: { "aws:SecureTransport": "false" } } }],
    });
  });

  it("creates an image repository, or uses an existing one", () => {
    expect(orders().pipeline.images?.node.path).toBe("orders-delivery/Pipeline/Images");
    const app = new App();
    const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
    const images = ImageRepository.fromRepositoryName(stack, "Images", "shop/orders");
    new Pipeline(stack, "Pipeline", {
      source: Source.gitHub("acme/orders"),
      images,
      releases: [{ environment: staging }],
    });
    new LogStream(new AwsStack(app, "audit", { environment: staging, lifetime: "data" }), "Logs");
    expect(resources(stack, "aws_ecr_repository")).toEqual({});
    expect(variablesOf(stack, "orders-image")).toEqual({
      REPOSITORY_NAME: "shop/orders",
      REPOSITORY_URL: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/orders",
    });
  });

  it("passes no user text to a shell or to Terraform", () => {
    const hostile = '${file("/etc/passwd")}';
    const { stack } = orders({
      source: Source.gitHub("acme/orders", { paths: { only: [hostile] } }),
      variables: [{ name: "NOTE", value: hostile, description: hostile }],
      testCommands: [`echo ${hostile}`],
    });
    const text = JSON.stringify(synthesize(stack));
    expect(text).toContain("$${file(");
    expect(text).not.toMatch(/(?<!\$)\$\{file\(/);
  });
});

describe("what starts a pipeline", () => {
  const trigger = (source: Source) => only(orders({ source }).stack, "aws_codepipeline").trigger;

  it("is a push to main, or to the configured branch", () => {
    expect(trigger(Source.gitHub("acme/orders"))).toEqual([
      {
        provider_type: "CodeStarSourceConnection",
        git_configuration: { source_action_name: "Source", push: [{ branches: { includes: ["main"] } }] },
      },
    ]);
    expect(trigger(Source.gitLab("acme/shop/orders", { branch: "trunk" }))).toMatchObject([
      { git_configuration: { push: [{ branches: { includes: ["trunk"] } }] } },
    ]);
  });

  it("is a push to certain files, or a tag", () => {
    const paths = { only: ["src/**"], except: ["docs/**"] };
    expect(trigger(Source.bitbucket("acme/orders", { paths }))).toMatchObject([
      { git_configuration: { push: [{ file_paths: { includes: ["src/**"], excludes: ["docs/**"] } }] } },
    ]);
    expect(trigger(Source.gitHub("acme/orders", { tags: ["v*"] }))).toMatchObject([
      { git_configuration: { push: [{ tags: { includes: ["v*"] } }] } },
    ]);
  });

  it.each([
    ["GitHub", Source.gitHub("acme/orders")],
    ["GitLab", Source.gitLab("acme/orders")],
    ["Bitbucket", Source.bitbucket("acme/orders")],
  ])("comes from %s by a connection that needs an approval", (provider, source) => {
    const { stack } = orders({ source });
    expect(only(stack, "aws_codeconnections_connection")).toMatchObject({ name: "orders", provider_type: provider });
    const { output } = synthesize(stack) as { output: Record<string, { description: string }> };
    expect(Object.values(output)[0]?.description).toContain("approve connection orders");
    expect(mayDo(statementsOf(stack, "orders-delivery-pipeline"), "codeconnections:UseConnection")).toHaveLength(1);
  });

  it("may upload what a connection reads, with the ACL that AWS sets on it", () => {
    const role = "orders-delivery-pipeline";
    const connected = statementsOf(orders().stack, role);
    // AWS's minimum for the service role of a pipeline. @see https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html
    const onObjects = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"];
    const onBucket = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"];
    const resourcesOf = (action: string) => mayDo(connected, action).flatMap(({ Resource }) => Resource);
    for (const action of onObjects) expect(resourcesOf(action)).toEqual([expect.stringMatching(/\.arn\}\/\*$/)]);
    for (const action of onBucket) expect(resourcesOf(action)).toEqual([expect.stringMatching(/\.arn\}$/)]);
    const uploaded = statementsOf(orders({ source: Source.s3("acme-sources", "orders.zip") }).stack, role);
    expect(mayDo(uploaded, "s3:PutObjectAcl")).toEqual([]);
  });

  it.each(["codeconnections", "codestar-connections"])("uses a connection of %s that exists", (service) => {
    const connectionArn = `arn:aws:${service}:eu-central-1:123456789012:connection/abc-1`;
    const { stack } = orders({ source: Source.gitHub("acme/orders", { connectionArn }) });
    expect(resources(stack, "aws_codeconnections_connection")).toEqual({});
    expect(stage(stack, "Source").action[0]?.configuration.ConnectionArn).toBe(connectionArn);
    const [statement] = mayDo(statementsOf(stack, "orders-delivery-pipeline"), `${service}:UseConnection`);
    expect(statement?.Resource).toEqual([connectionArn]);
  });

  it("is an event of CodeCommit or S3, with its own role", () => {
    const commit = orders({ source: Source.codeCommit("orders", { branch: "trunk" }) }).stack;
    expect(only(commit, "aws_cloudwatch_event_rule").event_pattern).toMatchObject({
      source: ["aws.codecommit"],
      detail: { referenceName: ["trunk"] },
    });
    const upload = orders({ source: Source.s3("acme-sources", "orders.zip") }).stack;
    expect(only(upload, "aws_cloudwatch_event_rule").event_pattern).toMatchObject({
      source: ["aws.s3"],
      detail: { bucket: { name: ["acme-sources"] }, object: { key: ["orders.zip"] } },
    });
    expect(only(upload, "aws_codepipeline").trigger).toBeUndefined();
    const start = statementsOf(upload, "orders-delivery-start");
    expect(start.map((statement) => statement.Action)).toEqual([["codepipeline:StartPipelineExecution"]]);
    for (const stack of [commit, upload]) {
      expect(stage(stack, "Source").action[0]?.configuration.PollForSourceChanges).toBe("false");
    }
  });

  it("is an image from another build: it is released by digest, and none is built here", () => {
    const { stack, pipeline } = orders({ images: Source.ecr("shop/orders", { tag: "latest" }) });
    expect(pipeline.images).toBeUndefined();
    expect(actionNames(stack, "Source")).toEqual(["Source", "Image"]);
    expect(actionNames(stack, "Build")).toEqual(["Test"]);
    expect(resources(stack, "aws_ecr_repository")).toEqual({});
    expect(Object.values(projects(stack)).filter(({ environment }) => environment.privileged_mode)).toEqual([]);
    expect(stage(stack, "Staging").action.at(-1)?.configuration.EnvironmentVariables).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: "IMAGE",
          value: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/orders@#{Image.ImageDigest}",
        }),
      ]),
    );
    expect(only(stack, "aws_cloudwatch_event_rule").event_pattern).toMatchObject({
      detail: { "repository-name": ["shop/orders"], "image-tag": ["latest"] },
    });
  });
});

describe("roles of a pipeline", () => {
  const { stack } = orders({ releases: [{ environment: staging }, { environment: production }] }, [
    staging,
    production,
  ]);
  const plan = statementsOf(stack, "orders-delivery-staging-plan");
  const apply = statementsOf(stack, "orders-delivery-staging-apply");
  const release = statementsOf(stack, "orders-delivery-staging-release");

  it("exist for each build, and trust its service in this account only", () => {
    const roles = Object.values(resources(stack, "aws_iam_role"));
    expect(new Set(roles.map(({ name }) => name)).size).toBe(roles.length);
    for (const { assume_role_policy: trust } of roles) {
      expect(trust).toMatchObject({
        Statement: [{ Condition: { StringEquals: { "aws:SourceAccount": account } } }],
      });
    }
  });

  it("allow a plan to change only the state lock and its artifacts", () => {
    const own = /^(s3:(PutObject|DeleteObject)|kms:(Encrypt|GenerateDataKey)|logs:(CreateLogStream|PutLogEvents))$/;
    const writes = plan
      .flatMap((statement) => statement.Action)
      .filter((action) => !/^[\w-]+:(Get|Describe|List|Decrypt)/.test(action) && !own.test(action));
    expect(writes).toEqual([]);
    const state = mayDo(plan, "s3:DeleteObject").flatMap((statement) => statement.Resource);
    expect(state.length).toBeGreaterThan(0);
    expect(state.filter((arn) => !arn.endsWith(".tflock"))).toEqual([]);
  });

  it("allow an apply to write only the state of this environment's stacks", () => {
    const written = mayDo(apply, "s3:PutObject")
      .flatMap((statement) => statement.Resource)
      .filter((arn) => arn.endsWith("/terraform.tfstate"));
    expect(written.map((arn) => arn.split(":::")[1])).toEqual(
      ["orders-staging-data", "orders-staging-service", "shop-staging-platform"].map(
        (id) => `antifragile-state-123456789012-eu-central-1/${id}/terraform.tfstate`,
      ),
    );
  });

  it("allow an apply to create and pass only roles with names of this environment, to services that constructs use", () => {
    for (const action of ["iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "iam:AttachRolePolicy"]) {
      const found = mayDo(apply, action);
      expect(found.flatMap((statement) => statement.Resource).map((arn) => arn.split("/").at(-1))).toEqual([
        "orders-staging-*",
        "shop-staging-*",
      ]);
    }
    expect(mayDo(apply, "iam:PassRole")[0]?.Condition).toMatchObject({
      StringEquals: { "iam:PassedToService": expect.arrayContaining(["ecs-tasks.amazonaws.com"]) },
    });
    expect(mayDo(apply, "iam:AttachRolePolicy")[0]?.Condition?.ArnEquals).toBeDefined();
  });

  it("allow an apply to empty buckets only outside production, where deleting a bucket empties it", () => {
    const inProduction = statementsOf(stack, "orders-delivery-production-apply");
    for (const action of ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucketVersions"]) {
      const buckets = (statements: readonly Statement[]) =>
        mayDo(statements, action)
          .flatMap(({ Resource }) => Resource)
          .filter((arn) => !arn.endsWith(".tflock"));
      expect(buckets(apply)).toEqual(
        ["orders-staging-*", "shop-staging-*"].map((name) =>
          expect.stringMatching(`:s3:::${name.replace("*", "\\*")}$`),
        ),
      );
      expect(buckets(inProduction)).toEqual([]);
    }
    expect(
      mayDo(apply, "s3:GetObject")
        .flatMap(({ Resource }) => Resource)
        .filter((arn) => arn.endsWith("-*")),
    ).toEqual([]);
  });

  it("allow an apply to create roles only with the permissions boundary; without one, synth warns", () => {
    const bounded = statementsOf(stack, "orders-delivery-production-apply");
    expect(mayDo(bounded, "iam:CreateRole")[0]?.Condition).toEqual({
      StringEquals: { "iam:PermissionsBoundary": `arn:aws:iam::${account}:policy/boundary` },
    });
    const open: Environment = { ...production, guardrails: undefined };
    const warned = orders({ releases: [{ environment: open }] }, [open]);
    expect(warnings(warned.pipeline).join()).toContain(
      "guardrails.permissionsBoundaryArn in the environment.  [PIPELINE_NO_BOUNDARY]",
    );
    expect(warnings(orders().pipeline)).toEqual([]);
  });

  it("are limited to the environment's region for actions without resource-level permissions", () => {
    const everywhere = apply.filter(
      (statement) => statement.Resource.includes("*") && !/^(route53|chatbot):/.test(statement.Action[0] ?? ""),
    );
    expect(everywhere.length).toBeGreaterThan(10);
    for (const { Condition } of everywhere) {
      expect(Condition).toEqual({ StringEquals: { "aws:RequestedRegion": "eu-central-1" } });
    }
  });

  it("name every action in full", () => {
    const all = [plan, apply, release].flat().flatMap((statement) => statement.Action);
    expect(all.filter((action) => action.includes("*"))).toEqual([]);
  });

  it("allow a release to update the services of this environment, tag the image, and read alarms", () => {
    expect(JSON.stringify(mayDo(release, "ecs:UpdateService"))).toContain("shop-staging/orders");
    expect(mayDo(release, "ecr:PutImage").flatMap((statement) => statement.Resource)).toHaveLength(1);
    // CloudWatch leaves composite alarms out of the answer for a narrower scope.
    expect(mayDo(release, "cloudwatch:DescribeAlarms")).toMatchObject([
      { Resource: ["*"], Condition: { StringEquals: { "aws:RequestedRegion": "eu-central-1" } } },
    ]);
    expect(mayDo(release, "iam:CreateRole")).toEqual([]);
    expect(JSON.stringify(release)).not.toContain("production");
  });

  it("fit into the limits of IAM", () => {
    const sizes = Object.values(resources(stack, "aws_iam_policy")).map(
      ({ policy }) => JSON.stringify(policy).replaceAll("${data.aws_partition.Partition.partition}", "aws").length,
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(6144);
    const attachments = Object.values(resources(stack, "aws_iam_role_policy_attachment"));
    for (const { role } of attachments) {
      expect(attachments.filter((each) => each.role === role).length).toBeLessThanOrEqual(10);
    }
  });
});

describe("an invalid pipeline", () => {
  const release = (changes: Partial<Environment>, more: Partial<PipelineRelease> = {}): Partial<PipelineProps> => ({
    releases: [{ environment: { ...staging, ...changes }, ...more }],
  });
  const gate = (name: string, commands = ["npm run x"], timeout?: Duration) => [{ name, commands, timeout }];

  it.each<[string, Partial<PipelineProps>]>([
    ["PIPELINE_SOURCE source", { source: Source.gitHub("orders") }],
    ["PIPELINE_SOURCE source", { source: Source.gitHub("acme/../orders") }],
    ["PIPELINE_SOURCE source", { source: Source.gitHub("acme/shop/orders") }],
    ["PIPELINE_SOURCE source", { source: Source.codeCommit("a/b") }],
    ["PIPELINE_SOURCE source", { source: Source.s3("Bucket", "orders.zip") }],
    ["PIPELINE_SOURCE source", { source: Source.s3("acme-sources", "${x}") }],
    ["PIPELINE_BRANCH source.branch", { source: Source.gitHub("acme/orders", { branch: "release/*" }) }],
    ["PIPELINE_BRANCH source.branch", { source: Source.codeCommit("orders", { branch: "" }) }],
    ["PIPELINE_CONNECTION source.connectionArn", { source: Source.gitHub("acme/orders", { connectionArn: "abc" }) }],
    ["PIPELINE_TRIGGER source.paths.only", { source: Source.gitHub("acme/orders", { paths: { only: [] } }) }],
    ["PIPELINE_TRIGGER source.tags", { source: Source.gitHub("acme/orders", { tags: Array(9).fill("v*") }) }],
    [
      "PIPELINE_TRIGGER source.paths",
      { source: Source.gitHub("acme/orders", { tags: ["v*"], paths: { only: ["src/**"] } }) },
    ],
    ["PIPELINE_IMAGE images", { images: Source.ecr("Orders", { tag: "latest" }) }],
    ["PIPELINE_IMAGE images", { images: Source.ecr("orders", { tag: ":" }) }],
    ["PIPELINE_RELEASES releases", { releases: [] }],
    [
      "PIPELINE_RELEASES releases[1].environment",
      { releases: [{ environment: staging }, { environment: staging, approval: true }] },
    ],
    ["PIPELINE_STATE releases[0].environment.state", release({ state: "local" })],
    ["PIPELINE_ACCOUNT releases[0].environment.account", release({ account: "210987654321" })],
    ["PIPELINE_ENVIRONMENT releases[0].environment.name", release({ name: "delivery" })],
    ["PIPELINE_WATCH releases[0].watch", release({}, { watch: Duration.seconds(90) })],
    ["PIPELINE_WATCH releases[0].watch", release({}, { watch: Duration.hours(3) })],
    ["PIPELINE_GATE releases[0].gates[0]", release({}, { gates: gate("Smoke Test") })],
    ["PIPELINE_GATE releases[0].gates[0]", release({}, { gates: gate("smoke", []) })],
    ["PIPELINE_GATE releases[0].gates[0]", release({}, { gates: gate("smoke", ["x"], Duration.seconds(60)) })],
    ["PIPELINE_GATE releases[0].gates[1]", release({}, { gates: [...gate("smoke"), ...gate("smoke")] })],
    ["PIPELINE_TEST testCommands", { testCommands: [] }],
    ["PIPELINE_TEST testCommands", { testCommands: [" "] }],
    ["PIPELINE_ARCHITECTURE architecture", { architecture: "mips" as "arm64" }],
    ["PIPELINE_MODE executionMode", { executionMode: "parallel" as "queued" }],
    ["PIPELINE_VARIABLE variables[0]", { variables: [{ name: "note", value: "x" }] }],
    ["PIPELINE_VARIABLE variables[0]", { variables: [{ name: "IMAGE", value: "x" }] }],
    ["PIPELINE_VARIABLE variables[0]", { variables: [{ name: "AWS_REGION", value: "x" }] }],
    ["PIPELINE_VARIABLE variables[0]", { variables: [{ name: "NPM_TOKEN", value: "x" }] }],
    ["PIPELINE_VARIABLE variables[0]", { variables: [{ name: "NOTE", value: "" }] }],
    ["PIPELINE_NOTIFY notify[0]", { notify: ["orders-team"] }],
    ["PIPELINE_NOTIFY notify[1]", { notify: ["a@example.com", "a@example.com"] }],
  ])("is refused: %s (%#)", (refusal, props) => {
    expect(refusals(() => orders(props))).toContain(refusal);
  });

  it("is refused with all problems at once", () => {
    expect(refusals(() => orders({ releases: [], notify: ["x"], source: Source.gitHub("x") }))).toEqual([
      "PIPELINE_SOURCE source",
      "PIPELINE_RELEASES releases",
      "PIPELINE_NOTIFY notify[0]",
    ]);
  });

  it("is refused at synth if an environment has no stacks, could change the pipeline, or has too many stacks", () => {
    const app = new App();
    const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
    new Pipeline(stack, "Pipeline", { source: Source.gitHub("acme/orders"), releases: [{ environment: staging }] });
    expect(() => synthesize(stack)).toThrow(/but environment staging has none.*PIPELINE_NO_STACKS/s);

    new Platform(app, "orders-delivery", { environment: staging });
    expect(() => synthesize(stack)).toThrow(/PIPELINE_OWN_ROLES/);

    for (let index = 0; index < 40; index += 1) {
      new AwsStack(app, `service-${index}`, { environment: staging, lifetime: "data" });
    }
    expect(() => synthesize(stack)).toThrow(/PIPELINE_TOO_MANY_STACKS/);
  });
});
