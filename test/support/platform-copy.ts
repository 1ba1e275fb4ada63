import { AwsCaller } from "./aws-call";

/** Services of a platform that Terraform has made, on a platform of its own: what is done to a copy harms no other test. */
export class PlatformCopy {
  /** Flags that name the stack. */
  readonly place: readonly string[];
  /** Beginning of the names of the parameters of its releases. */
  readonly releases: string;

  private constructor(
    readonly name: string,
    private readonly aws: AwsCaller,
    private readonly services: readonly string[],
    private readonly jobs: readonly string[],
  ) {
    this.place = ["--stack", "orders", "--platform", name, "--region", "eu-central-1"];
    this.releases = `/antifragile/dev/${name}/releases/orders`;
  }

  /** Copies the services of the stack `orders` on a platform of the environment `dev`, as Terraform leaves them before the first release. */
  static async of(platform: string, name: string, url: string): Promise<PlatformCopy> {
    const aws = new AwsCaller(url);
    const Path = `/antifragile/dev/${platform}/releases/orders/processes`;
    const { Parameters } = await aws.call("ssm", "GetParametersByPath", { Path });
    const templates = (Parameters as { Name: string; Value: string }[]).map(
      ({ Name, Value }) => [Name.slice(Path.length + 1), JSON.parse(Value)] as const,
    );
    const isJob = ([, { kind }]: (typeof templates)[number]) => kind === "job";
    const copy = new PlatformCopy(
      name,
      aws,
      templates.filter((each) => !isJob(each)).map(([service]) => service),
      templates.filter(isJob).map(([service]) => service),
    );
    await aws.call("ecs", "CreateCluster", { clusterName: name });
    for (const [service, template] of templates) {
      const { taskDefinition } = await aws.call("ecs", "DescribeTaskDefinition", { taskDefinition: template.task });
      const { family, cpu, memory, networkMode, containerDefinitions, executionRoleArn, taskRoleArn } = taskDefinition;
      const registered = await aws.call("ecs", "RegisterTaskDefinition", {
        ...{ cpu, memory, networkMode, containerDefinitions, executionRoleArn, taskRoleArn },
        family: family.replace(platform, name),
        requiresCompatibilities: ["FARGATE"],
      });
      const task = registered.taskDefinition.taskDefinitionArn as string;
      const own = { cluster: name, task, admin: {}, ...(template.schedule && { schedule: `${name}-${service}` }) };
      if (template.kind === "job") await copy.#schedule(`${platform}-dev-${service}`, own.schedule, task);
      else {
        const { subnets, securityGroup } = template.network;
        const network = { subnets: subnets.split(","), securityGroups: [securityGroup] };
        await aws.call("ecs", "CreateService", {
          ...{ cluster: name, serviceName: service, taskDefinition: task, desiredCount: 1, launchType: "FARGATE" },
          networkConfiguration: { awsvpcConfiguration: network },
        });
      }
      await copy.write(`processes/${service}`, JSON.stringify({ ...template, ...own }));
    }
    await copy.write("record", "{}");
    return copy;
  }

  async #schedule(of: string, name: string, task: string): Promise<void> {
    const { ScheduleExpression, FlexibleTimeWindow, Target } = await this.aws.rest(
      "scheduler",
      "GET",
      `/schedules/${of}`,
    );
    const target = { ...Target, EcsParameters: { ...Target.EcsParameters, TaskDefinitionArn: task } };
    const schedule = { ScheduleExpression, FlexibleTimeWindow, Target: target };
    await this.aws.rest("scheduler", "POST", `/schedules/${name}`, schedule);
  }

  /** Writes a parameter of its releases. */
  async write(name: string, Value: string): Promise<void> {
    const Name = `${this.releases}/${name}`;
    await this.aws.call("ssm", "PutParameter", { Name, Value, Type: "String", Overwrite: true });
  }

  /** Parameter of its releases, read from JSON; undefined if there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  async read(name: string): Promise<any> {
    const found = await this.aws
      .call("ssm", "GetParameter", { Name: `${this.releases}/${name}` })
      .catch((error: Error) => {
        if (!error.message.includes("ParameterNotFound")) throw error;
      });
    return found && JSON.parse(found.Parameter.Value);
  }

  /** Images that its services run: one, but where a release was cut off. */
  async images(): Promise<string[]> {
    const described = await this.aws.call("ecs", "DescribeServices", { cluster: this.name, services: this.services });
    const tasks = (described.services as { taskDefinition: string }[]).map(({ taskDefinition }) => taskDefinition);
    for (const job of this.jobs) {
      const { Target } = await this.aws.rest("scheduler", "GET", `/schedules/${this.name}-${job}`);
      tasks.push(Target.EcsParameters.TaskDefinitionArn);
    }
    const images = tasks.map(async (task) => {
      const { taskDefinition } = await this.aws.call("ecs", "DescribeTaskDefinition", { taskDefinition: task });
      return taskDefinition.containerDefinitions[0].image as string;
    });
    return [...new Set(await Promise.all(images))];
  }
}
