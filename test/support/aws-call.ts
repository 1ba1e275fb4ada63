/** Error response of an AWS service. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

type Params = Readonly<Record<string, unknown>>;

const JSON_TARGETS: Readonly<Record<string, string>> = {
  acm: "CertificateManager",
  "application-autoscaling": "AnyScaleFrontendService",
  budgets: "AWSBudgetServiceGateway",
  codebuild: "CodeBuild_20161006",
  codedeploy: "CodeDeploy_20141006",
  codepipeline: "CodePipeline_20150709",
  dynamodb: "DynamoDB_20120810",
  "cognito-idp": "AWSCognitoIdentityProviderService",
  ecr: "AmazonEC2ContainerRegistry_V20150921",
  ecs: "AmazonEC2ContainerServiceV20141113",
  firehose: "Firehose_20150804",
  kinesis: "Kinesis_20131202",
  kms: "TrentService",
  logs: "Logs_20140328",
  secretsmanager: "secretsmanager",
  sqs: "AmazonSQS",
  servicediscovery: "Route53AutoNaming_v20170313",
  ssm: "AmazonSSM",
  states: "AWSStepFunctions",
  wafv2: "AWSWAF_20190729",
};

const QUERY_VERSIONS: Readonly<Record<string, string>> = {
  autoscaling: "2011-01-01",
  ec2: "2016-11-15",
  elasticache: "2015-02-02",
  elasticloadbalancing: "2015-12-01",
  iam: "2010-05-08",
  monitoring: "2010-08-01",
  rds: "2014-10-31",
  sns: "2010-03-31",
  sts: "2011-06-15",
};

/**
 * Calls services by their signing names over plain HTTP, unsigned but for the name: it shows the very error codes, for
 * which the SDK's clients have names of their own, and needs no client for each service.
 */
export class AwsCaller {
  constructor(
    private readonly url: string,
    private readonly region = "eu-central-1",
    private readonly accessKey = "test",
  ) {}

  /** The answer: an object of a JSON service, the XML of a query service. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by tests, service by service
  async call(service: string, operation: string, params: Params = {}): Promise<any> {
    const target = JSON_TARGETS[service];
    const version = QUERY_VERSIONS[service];
    if (target) {
      const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": `${target}.${operation}` };
      return this.#send(service, "POST", "/", JSON.stringify(params), headers);
    }
    if (!version) throw new Error(`${service} is neither in the list of JSON services nor of query services`);
    const fields: [string, string][] = [
      ["Action", operation],
      ["Version", version],
      ...flatten(params, service === "ec2"),
    ];
    return this.#send(service, "POST", "/", new URLSearchParams(fields).toString(), {
      "content-type": "application/x-www-form-urlencoded",
    });
  }

  /** A call of a REST service. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async rest(service: string, method: string, path: string, params?: Params | string): Promise<any> {
    const body = params === undefined || typeof params === "string" ? params : JSON.stringify(params);
    const type = body?.startsWith("<") ? "application/xml" : "application/json";
    return this.#send(service, method, path, body, body === undefined ? {} : { "content-type": type });
  }

  async #send(
    service: string,
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ) {
    const authorization = `AWS4-HMAC-SHA256 Credential=${this.accessKey}/20260101/${this.region}/${service}/aws4_request, SignedHeaders=host, Signature=none`;
    const response = await fetch(`${this.url}${path}`, { method, body, headers: { ...headers, authorization } });
    const text = await response.text();
    if (!response.ok) throw readError(text, response);
    return text.startsWith("{") ? JSON.parse(text) : text;
  }
}

function readError(text: string, response: Response): AwsError {
  if (text.startsWith("{")) {
    const error = JSON.parse(text) as { __type?: string; message?: string; Message?: string };
    const code = response.headers.get("x-amzn-errortype") ?? error.__type ?? String(response.status);
    return new AwsError(
      (code.split("#").pop() ?? code).split(":")[0] as string,
      error.message ?? error.Message ?? text,
    );
  }
  return new AwsError(field(text, "Code") ?? String(response.status), field(text, "Message") ?? text.slice(0, 500));
}

/** The first text of an XML element. */
export function field(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

/** `A.member.1.B=...` as query services want lists, `A.1.B=...` as EC2 does. */
function flatten(value: unknown, plain: boolean, name = ""): [string, string][] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => flatten(item, plain, `${name}${plain ? "" : ".member"}.${index + 1}`));
  }
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => flatten(item, plain, name ? `${name}.${key}` : key));
  }
  return [[name, String(value)]];
}
