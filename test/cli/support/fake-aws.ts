import { template } from "../../operations/support/fake-cloud";
import { type Answer, errorAnswer, FaultyEndpoint, type ReceivedCall } from "../../support/faulty-endpoint";

interface Parameter {
  readonly versions: { readonly value: string; readonly at: number }[];
  /** Number of the first version that is kept. */
  readonly first: number;
}

interface Service {
  task: string;
  deployment: string;
}

const ROOT = "/antifragile/dev/shop/releases/orders";
const ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/";

/** Small AWS on loopback with two services, `mailer` (a worker) and `orders`; calls can be made to fail. */
export class FakeAws extends FaultyEndpoint {
  readonly parameters = new Map<string, Parameter>();
  readonly services = new Map<string, Service>();
  readonly alarms = new Map<string, { readonly state: string; readonly since: number; readonly composite?: boolean }>();
  /** Task definitions whose deployment does not end: `orders:3`. */
  readonly slow = new Set<string>();

  readonly #tasks = new Map<string, Record<string, unknown>>();

  static async start(): Promise<FakeAws> {
    const aws = await new FakeAws(ROOT).listen();
    for (const [name, kind] of [
      ["mailer", "worker"],
      ["orders", "web"],
    ] as const) {
      aws.put(`${ROOT}/processes/${name}`, JSON.stringify(template(name, { kind, alarms: [`${name}-errors`] })));
      aws.#define(`shop-dev-${name}`, { containerDefinitions: [{ name, image: "bootstrap" }] });
      aws.services.set(name, { task: `shop-dev-${name}:1`, deployment: "1" });
      aws.alarms.set(`${name}-errors`, { state: "OK", since: 0 });
    }
    aws.put(`${ROOT}/record`, "{}");
    return aws;
  }

  /** Writes a parameter by hand; `at` is the time at which it was written. */
  put(name: string, value: string, at = Date.now()): number {
    const known = this.parameters.get(name) ?? { versions: [], first: 1 };
    known.versions.push({ value, at });
    this.parameters.set(name, known);
    return known.versions.length;
  }

  get lock(): { readonly id: string; readonly number: number } | undefined {
    const text = this.parameters.get(`${ROOT}/lock`)?.versions.at(-1)?.value;
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** Makes the lock as old as one whose holder has died. */
  silenceLock(): void {
    const lock = this.parameters.get(`${ROOT}/lock`);
    const last = lock?.versions.pop();
    if (last !== undefined) lock?.versions.push({ ...last, at: Date.now() - 600_000 });
  }

  get record(): Record<string, { readonly number: number } | undefined> {
    return JSON.parse(this.parameters.get(`${ROOT}/record`)?.versions.at(-1)?.value ?? "null");
  }

  /** Task definition revision that each service runs. */
  get running(): Record<string, string> {
    return Object.fromEntries([...this.services].map(([name, { task }]) => [name, task.replace("shop-dev-", "")]));
  }

  #define(family: string, task: Record<string, unknown>): string {
    const revision = [...this.#tasks.keys()].filter((name) => name.startsWith(`${family}:`)).length + 1;
    this.#tasks.set(`${family}:${revision}`, {
      ...task,
      family,
      revision,
      status: "ACTIVE",
      taskDefinitionArn: `${ARN}${family}:${revision}`,
    });
    return `${family}:${revision}`;
  }

  protected override answer(call: ReceivedCall): Answer {
    const contentType = String(call.request.headers["content-type"] ?? "application/x-amz-json-1.1");
    try {
      const body = this.#do(call.operation, call.input);
      const text = contentType.includes("json") ? JSON.stringify(body) : alarmsXml(body);
      return { status: 200, headers: { "content-type": contentType }, body: text };
    } catch (error) {
      const [type = "", message = ""] = Array.isArray(error) ? (error as string[]) : ["InternalFailure", String(error)];
      return errorAnswer(call, type, message);
    }
  }

  #do(operation: string, input: Readonly<Record<string, unknown>>): object {
    const name = String(input.Name);
    const found = this.parameters.get(name);
    const shown = (parameter: string) => {
      const { versions } = this.parameters.get(parameter) as Parameter;
      const { value, at } = versions.at(-1) as Parameter["versions"][number];
      return { Name: parameter, Value: value, Version: versions.length, LastModifiedDate: at / 1000 };
    };
    switch (operation) {
      case "GetParametersByPath": {
        const below = [...this.parameters.keys()].filter((each) => each.startsWith(`${input.Path}/`));
        return { Parameters: below.map(shown) };
      }
      case "GetParameter":
        if (found === undefined) throw ["ParameterNotFound", ""];
        return { Parameter: shown(name) };
      case "GetParameterHistory":
        return {
          Parameters: found?.versions.map(({ value }, index) => ({ Name: name, Value: value, Version: index + 1 })),
        };
      case "PutParameter":
        if (found !== undefined && input.Overwrite !== true) throw ["ParameterAlreadyExists", ""];
        return { Version: this.put(name, String(input.Value)) };
      case "DeleteParameter":
        this.parameters.delete(name);
        return {};
      case "DescribeTaskDefinition": {
        const task = String(input.taskDefinition);
        return { taskDefinition: this.#tasks.get(task.slice(task.lastIndexOf("/") + 1)), tags: [] };
      }
      case "RegisterTaskDefinition":
        return { taskDefinition: { taskDefinitionArn: ARN + this.#define(String(input.family), input) } };
      case "UpdateService": {
        const service = this.services.get(String(input.service)) as Service;
        service.task = String(input.taskDefinition).slice(ARN.length);
        service.deployment = String(Number(service.deployment) + 1);
        return { service: this.#service(String(input.service)) };
      }
      case "DescribeServices":
        return { services: (input.services as string[]).map((each) => this.#service(each)) };
      case "BatchGetImage":
        return { images: [{ imageManifest: "{}" }] };
      case "PutImage":
        return { image: {} };
      case "RunTask":
      case "DescribeTasks":
        return { tasks: [{ taskArn: "arn:aws:ecs:eu-central-1:123456789012:task/shop-dev/1", lastStatus: "RUNNING" }] };
      case "StopTask":
        return {};
      case "GetPipelineState":
        if (!String(input.name).startsWith("orders")) throw ["PipelineNotFoundException", ""];
        return {
          stageStates: [{ stageName: "Source", latestExecution: { pipelineExecutionId: "1", status: "Succeeded" } }],
        };
      case "GetPipelineExecution":
        return { pipelineExecution: { artifactRevisions: [{ revisionId: "0123456789abcdef" }] } };
      case "ListTasks":
        return { taskArns: [] };
      case "DescribeScalingActivities":
        return { ScalingActivities: [] };
      case "DescribeAlarms": {
        const asked = JSON.stringify(input);
        const of = (kind: "Composite" | "Metric") =>
          [...this.alarms]
            // As AWS does, which leaves out composite alarms unless they are asked for.
            .filter(([, { composite }]) => (composite === true) === (kind === "Composite"))
            .filter(() => kind === "Metric" || asked.includes("CompositeAlarm"))
            .map(([AlarmName, { state, since }]) => ({
              AlarmName,
              StateValue: state,
              StateTransitionedTimestamp: since / 1000,
            }));
        return { MetricAlarms: of("Metric"), CompositeAlarms: of("Composite") };
      }
    }
    throw new Error(`the fake AWS does not know ${operation}`);
  }

  #service(name: string) {
    const { task, deployment } = this.services.get(name) as Service;
    const taskDefinition = ARN + task;
    const rolloutState = this.slow.has(task.replace("shop-dev-", "")) ? "IN_PROGRESS" : "COMPLETED";
    return {
      serviceName: name,
      status: "ACTIVE",
      desiredCount: 1,
      runningCount: 1,
      pendingCount: 0,
      taskDefinition,
      deployments: [{ id: deployment, status: "PRIMARY", taskDefinition, rolloutState }],
    };
  }
}

interface DescribedAlarm {
  readonly AlarmName: string;
  readonly StateValue: string;
  readonly StateTransitionedTimestamp: number;
}

function alarmsXml(body: object): string {
  const lists = Object.entries(body as Readonly<Record<string, readonly DescribedAlarm[]>>).map(([list, alarms]) => {
    const members = alarms.map(
      ({ AlarmName, StateValue, StateTransitionedTimestamp: since }) =>
        `<member><AlarmName>${AlarmName}</AlarmName><StateValue>${StateValue}</StateValue><StateTransitionedTimestamp>${new Date(since * 1000).toISOString()}</StateTransitionedTimestamp></member>`,
    );
    return `<${list}>${members.join("")}</${list}>`;
  });
  return `<DescribeAlarmsResponse><DescribeAlarmsResult>${lists.join("")}</DescribeAlarmsResult></DescribeAlarmsResponse>`;
}
