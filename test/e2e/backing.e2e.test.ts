import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DescribeServicesCommand, DescribeTaskDefinitionCommand, DescribeTasksCommand } from "@aws-sdk/client-ecs";
import { GetRolePolicyCommand, ListRolePoliciesCommand } from "@aws-sdk/client-iam";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { processesPath } from "../../contract/release";
import { AwsCloud } from "../../operations/release/aws";
import { itWithIam } from "../iam/packages";
import { judgeDeployment } from "../iam/recorded/judge";
import { AwsCaller, field } from "../support/aws-call";
import { type Deployment, deploy, describeOnEmulator } from "../support/deployment";
import { ROOT } from "../support/examples";

const CANARY = "canary-5b81e0";

describeOnEmulator("the backing services of a service", () => {
  let app: Deployment;
  let aws: AwsCaller;

  beforeAll(async () => {
    app = await deploy(join(ROOT, "test/e2e/apps/backing.ts"), {
      name: "backing",
      // What the example refers to is there, with a value that must be found nowhere else.
      prepare: async ({ url }) => {
        aws = new AwsCaller(url);
        await aws.call("ssm", "PutParameter", { Name: "/orders/session", Type: "SecureString", Value: CANARY });
        await aws.call("secretsmanager", "CreateSecret", { Name: "payments", SecretString: CANARY });
        return {};
      },
    });
    await app.apply();
  });
  afterAll(() => app?.end());

  /** The container of a service, as ECS has it. */
  async function container(service: string) {
    const { taskDefinition } = await app.clients.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: `shop-dev-${service}` }),
    );
    const [{ environment = [], secrets } = {}] = taskDefinition?.containerDefinitions ?? [];
    return { variables: Object.fromEntries(environment.map(({ name, value }) => [name, value])), secrets };
  }

  it("have an empty plan after the apply, even after changes by AWS and by a release", async () => {
    const database = await app.simulate("raise-minor-version", { database: "orders-dev-database" });
    const cache = await app.simulate("raise-minor-version", { cache: "orders-dev-cache" });
    expect([database, cache]).toEqual([{ version: "17.5" }, { version: "8.1.0" }]);
    await app.simulate("rotate-secret", { id: field(await aws.call("rds", "DescribeDBInstances"), "SecretArn") });
    const released = await app.simulate("release", { cluster: "shop-dev", service: "orders" });
    await expect(app.expectNoDrift()).resolves.toBeUndefined();
    const described = new DescribeServicesCommand({ cluster: "shop-dev", services: ["orders"] });
    expect((await app.clients.ecs.send(described)).services).toMatchObject([released]);
  });

  it("match the service's environment variables", async () => {
    const { variables, secrets } = await container("orders");
    const database = (await aws.call("rds", "DescribeDBInstances")) as string;
    const told = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(database)?.[1];
    expect(variables).toMatchObject({
      PGHOST: told("Address"),
      PGUSER: "app",
      PG_IAM_ARN: `arn:aws:rds-db:eu-central-1:123456789012:dbuser:${told("DbiResourceId")}/app`,
      REDIS_IAM_ARN: "arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:orders-dev-cache",
      TOPIC_ARN: "arn:aws:sns:eu-central-1:123456789012:orders-dev-order-placed",
      NEWS_TOPIC_ARN: "arn:aws:sns:eu-central-1:123456789012:news",
      BUCKET_NAME: "orders-dev-invoices-123456789012",
      TABLE_NAME: "orders-dev-sessions",
      CARD_PAYMENTS_URL: "https://api.payments.example.com",
    });
    expect(variables.REDIS_URL).toMatch(/^rediss:\/\/[a-z0-9.-]+:6379$/);
    expect(secrets).toEqual([
      {
        name: "CARD_PAYMENTS_API_KEY",
        valueFrom: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:payments-AbCdEf",
      },
      { name: "SESSION_SECRET", valueFrom: "arn:aws:ssm:eu-central-1:123456789012:parameter/orders/session" },
    ]);
  });

  it("deliver a message from the topic to the worker's queue", async () => {
    const { variables } = await container("orders");
    const { variables: worker } = await container("mailer");
    await aws.call("sns", "Publish", { TopicArn: variables.TOPIC_ARN, Message: '{"order":1}' });
    const { Messages } = (await aws.call("sqs", "ReceiveMessage", { QueueUrl: worker.QUEUE_URL })) as {
      Messages?: { Body: string }[];
    };
    expect(Messages?.map(({ Body }) => Body)).toEqual(['{"order":1}']);
  });

  it("allow only admin tasks to read the master password", async () => {
    const statements = async (role: string) => {
      const RoleName = `shop-dev-orders-${role}`;
      const { PolicyNames = [] } = await app.clients.iam.send(new ListRolePoliciesCommand({ RoleName }));
      const texts = await Promise.all(
        PolicyNames.map(async (PolicyName) => {
          const { PolicyDocument = "" } = await app.clients.iam.send(
            new GetRolePolicyCommand({ RoleName, PolicyName }),
          );
          return decodeURIComponent(PolicyDocument);
        }),
      );
      return texts.join();
    };
    expect(await statements("task")).not.toContain("GetSecretValue");
    expect(await statements("admin")).toContain("secretsmanager:GetSecretValue");

    const name = `${processesPath({ environment: "dev", platform: "shop", stack: "orders" })}/orders`;
    const { Parameter } = await app.clients.ssm.send(new GetParameterCommand({ Name: name }));
    const template = JSON.parse(Parameter?.Value ?? "{}");
    const task = await app.signedIn(
      () => new AwsCloud("eu-central-1").runTask(template, template.task, template.admin.migrate),
      "release.dev",
    );
    const { tasks = [] } = await app.clients.ecs.send(
      new DescribeTasksCommand({ cluster: template.cluster, tasks: [task] }),
    );
    expect(tasks.map(({ overrides }) => overrides)).toMatchObject([
      {
        taskRoleArn: "arn:aws:iam::123456789012:role/shop-dev-orders-admin",
        containerOverrides: [
          {
            name: "orders",
            command: ["node", "dist/admin/migrate.js"],
            environment: [{ name: "PG_MASTER_CREDENTIALS_ARN", value: expect.stringContaining(":secret:") }],
          },
        ],
      },
    ]);
  });

  it("have no password in any state", async () => {
    const { Parameter } = await app.clients.ssm.send(
      new GetParameterCommand({ Name: "/antifragile/dev/orders/backing/database" }),
    );
    const { masterSecretArn } = JSON.parse(Parameter?.Value ?? "{}") as { masterSecretArn: string };
    expect(masterSecretArn).toContain(":secret:");
    for (const stack of app.stacks) {
      const state = readFileSync(join(app.results, stack.name, "terraform.tfstate"), "utf8");
      expect(state).not.toMatch(/"(password|master_password|auth_token)": "[^"]+"/);
      expect(state).not.toMatch(/"passwords": \[\s*"/);
    }
  });

  it("have no secret in a program, plan, state, output or log", () => {
    const files = readdirSync(app.results, { recursive: true, encoding: "utf8" })
      .map((path) => join(app.results, path))
      .filter((file) => !/\.terraform[\\/]|emulator\.log$/.test(file) && statSync(file).isFile());
    const states = files.filter((file) => file.endsWith("terraform.tfstate"));
    expect(states).toHaveLength(app.stacks.length);
    // A plan is packed: as JSON it can be searched.
    const plans = app.stacks.map(({ name }) => app.shownPlan(name));
    expect(plans.join()).toContain("parameter/orders/session");
    expect(plans.filter((plan) => plan.includes(CANARY))).toEqual([]);
    expect(files.filter((file) => readFileSync(file).includes(CANARY))).toEqual([]);
  });

  it("are destroyed completely", async () => {
    await app.destroy();
    // What was there before goes by the hand that put it there.
    await aws.call("ssm", "DeleteParameter", { Name: "/orders/session" });
    await aws.call("secretsmanager", "DeleteSecret", { SecretId: "payments", ForceDeleteWithoutRecovery: true });
    await expect(app.expectNothingLeft()).resolves.toBeUndefined();
  });

  itWithIam("are created, migrated and destroyed by calls that the roles may make which do so on AWS", async () => {
    const { problems, simulated } = await judgeDeployment(app);
    expect(problems).toEqual([]);
    expect(simulated["deployed-delivery-gh-dev-apply"]).toBeGreaterThan(300);
    expect(simulated["deployed-delivery-gh-dev-plan"]).toBeGreaterThan(100);
    expect(simulated["deployed-delivery-gh-dev-release"]).toBeGreaterThan(1);
  });
});
