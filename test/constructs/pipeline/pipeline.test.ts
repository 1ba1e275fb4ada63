import { App, type TerraformStack } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  AwsStack,
  Bucket,
  cron,
  DeliveryStack,
  Duration,
  type Environment,
  ImageRepository,
  insecureHttp,
  LogStream,
  Pipeline,
  type PipelineProps,
  type PipelineRelease,
  Platform,
  Source,
} from "../../../constructs";
import { synthesize } from "../../../constructs/testing";
import { only, refusals, resources } from "../../support/synth";

import { account, mayDo, orders, production, type Statement, staging, statementsOf } from "./support/orders";

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

  describe("that finds drift", () => {
    const drifting = (source = Source.gitHub("acme/orders")) =>
      orders({ source, drift: cron("0 6 * * MON-FRI", { timezone: "Europe/Berlin" }) }, [staging, production]).stack;
    const driftPipeline = (stack: TerraformStack) =>
      resources(stack, "aws_codepipeline").Pipeline_Drift_B398A4E9 as { name: string; stage: readonly Stage[] };

    it("compares each environment on schedule in a pipeline of its own, which no push starts", () => {
      const stack = drifting();
      expect(only(stack, "aws_scheduler_schedule")).toMatchObject({
        schedule_expression: "cron(0 6 ? * MON-FRI *)",
        schedule_expression_timezone: "Europe/Berlin",
        target: { arn: "${aws_codepipeline.Pipeline_Drift_B398A4E9.arn}" },
      });
      const pipeline = driftPipeline(stack);
      expect(pipeline).toMatchObject({ name: "orders-drift", pipeline_type: "V2" });
      expect(pipeline).not.toHaveProperty("trigger");
      const [source, drift] = pipeline.stage;
      expect(source?.action.map(({ configuration }) => configuration.DetectChanges)).toEqual(["false"]);
      expect(drift?.action.map(({ name, run_order }) => [name, run_order])).toEqual([
        ["Staging", 1],
        ["Production", 1],
      ]);
      const project = projects(stack)["orders-production-drift"];
      expect(project?.environment.environment_variable).toContainEqual(
        expect.objectContaining({ name: "ENVIRONMENT", value: "production" }),
      );
      expect(JSON.stringify(project?.source.buildspec)).toContain("npx antifragile drift");
      const [other] = driftPipeline(drifting(Source.s3("acme-sources", "orders.zip"))).stage;
      expect(other?.action[0]?.configuration).toMatchObject({ PollForSourceChanges: "false" });
    });

    it("may read what a plan reads, and change nothing", () => {
      const stack = drifting();
      const attached = (role: string) =>
        Object.values(resources(stack, "aws_iam_role_policy_attachment"))
          .filter((each) => String(each.role).includes(`Pipeline_Staging${role}_`))
          .map(({ policy_arn }) => policy_arn);
      expect(attached("Drift")).toEqual(attached("Plan"));
      expect(attached("Drift").length).toBeGreaterThan(1);
      const start = statementsOf(stack, "orders-delivery-drift-start");
      expect(start).toMatchObject([
        {
          Action: ["codepipeline:StartPipelineExecution"],
          Resource: ["${aws_codepipeline.Pipeline_Drift_B398A4E9.arn}"],
        },
      ]);
    });

    it("notifies when it fails", () => {
      const rules = Object.values(resources(drifting(), "aws_codestarnotifications_notification_rule"));
      expect(rules.find(({ name }) => name === "orders-drift")).toMatchObject({
        resource: "${aws_codepipeline.Pipeline_Drift_B398A4E9.arn}",
        event_type_ids: ["codepipeline-pipeline-pipeline-execution-failed"],
      });
      expect(resources(orders().stack, "aws_scheduler_schedule")).toEqual({});
    });
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

  it("is a push to the folder of the service, in which all commands run", () => {
    const directory = "services/orders";
    const { stack } = orders({ directory, drift: cron("0 6 * * MON-FRI") });
    const filter = (paths?: object) =>
      Object(only(orders({ directory, source: Source.gitHub("acme/shop", { ...paths }) }).stack, "aws_codepipeline"))
        .trigger[0].git_configuration.push[0].file_paths;
    expect(filter()).toEqual({ includes: ["services/orders/**"] });
    expect(filter({ paths: { only: ["shared/**"] } })).toEqual({ includes: ["shared/**"] });
    expect(filter({ tags: ["v*"] })).toBeUndefined();
    const names = Object.keys(projects(stack));
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) {
      expect(buildspec(stack, name).phases.install.commands[0]).toBe("cd services/orders");
    }
    expect(buildspec(stack, "orders-staging-plan").artifacts).toEqual({
      "base-directory": directory,
      files: ["plans.tgz"],
    });
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
    ["PIPELINE_ACCOUNT releases[0].environment.imageAccount", release({ account: "210987654321" })],
    ["PIPELINE_ENVIRONMENT releases[0].environment.name", release({ name: "delivery" })],
    ["PIPELINE_WATCH releases[0].watch", release({}, { watch: Duration.seconds(90) })],
    ["PIPELINE_WATCH releases[0].watch", release({}, { watch: Duration.hours(3) })],
    ["PIPELINE_GATE releases[0].gates[0]", release({}, { gates: gate("Smoke Test") })],
    ["PIPELINE_GATE releases[0].gates[0]", release({}, { gates: gate("smoke", []) })],
    ["PIPELINE_GATE releases[0].gates[0]", release({}, { gates: gate("smoke", ["x"], Duration.seconds(60)) })],
    ["PIPELINE_GATE releases[0].gates[1]", release({}, { gates: [...gate("smoke"), ...gate("smoke")] })],
    ["PIPELINE_TEST testCommands", { testCommands: [] }],
    ...["", ".", "/orders", "../orders", "services/..", "a b", "$(id)", "orders/", "-x"].map(
      (directory): [string, Partial<PipelineProps>] => ["PIPELINE_DIRECTORY directory", { directory }],
    ),
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

  it("allows its roles the buckets of a long name, which are cut, unless those of two environments are cut alike", () => {
    const named = (name: string, ...environments: string[]) => {
      const app = new App();
      const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
      const releases = [{ environment: production }];
      new Pipeline(stack, "Pipeline", { source: Source.gitHub("acme/orders"), releases });
      const platforms = ["production", ...environments].map((environment) => {
        const platform = new Platform(app, name, {
          environment: { ...production, name: environment, quotas: { elasticIps: 6 } },
          listener: insecureHttp(),
        });
        const uploads = new Bucket(platform.stack("b".repeat(31)).data, "UploadsOfUsers");
        return [platform, uploads];
      });
      return { stack, platforms };
    };
    const longest = "a".repeat(31);
    const { stack, platforms } = named(longest, "staging");
    const policies = JSON.stringify(Object.values(resources(stack, "aws_iam_policy")));
    const patterns = [...policies.matchAll(/:s3:::([ab]+[\w-]*)\*"/g)].map(([, start]) => start!);
    const buckets = platforms[0]!.flatMap((each) => Object.values(resources(AwsStack.of(each), "aws_s3_bucket")));
    const names = buckets.map(({ bucket, bucket_prefix }) => String(bucket_prefix ?? bucket));
    expect(names.length).toBeGreaterThan(2);
    for (const each of names)
      expect(
        patterns.some((start) => each.startsWith(start)),
        each,
      ).toBe(true);
    expect(() => synthesize(named(longest, "prod").stack)).toThrow(
      /cut to "a+-prod" and "a+-prod-".*PIPELINE_SAME_BUCKETS/s,
    );
    expect(() => synthesize(named(longest, "prodigy").stack)).toThrow(/PIPELINE_SAME_BUCKETS/);
  });

  it("is refused if names of an environment are so long that those of roles are cut before their end", () => {
    const app = new App();
    const stack = new DeliveryStack(app, "orders", { region: "eu-central-1", account, state: "s3" });
    const environment = { ...staging, name: "e".repeat(23) };
    new Pipeline(stack, "Pipeline", { source: Source.gitHub("acme/orders"), releases: [{ environment }] });
    new Platform(app, "a".repeat(31), { environment, listener: insecureHttp() });
    expect(() => synthesize(stack)).toThrow(/at most 54 characters, but "a+-e+" has 55.*PIPELINE_LONG_NAME/s);
  });
});
