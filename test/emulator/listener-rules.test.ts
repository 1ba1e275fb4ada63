import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { readApplied } from "../../emulator/runner/applied";
import type { AccountClient } from "../../emulator/runner/client";
import { describeDifferences } from "../../emulator/runner/differences";
import { readDockerfile } from "../../emulator/runner/image";
import {
  actionsFor,
  type Condition,
  forwardedTo,
  type Rule,
  type RuledRequest,
  redirectLocation,
} from "../../emulator/runner/listener-rules";
import { accepts, Target } from "../../emulator/runner/target-group";

const request = (parts: Partial<RuledRequest> = {}): RuledRequest => ({
  method: "GET",
  url: "/orders/1?Page=Two",
  headers: { host: "Shop.example.com:8080", "x-tenant": "Acme" },
  address: "127.0.0.1",
  ...parts,
});
const forward = (arn: string) => [{ Type: "forward", TargetGroupArn: arn }];
const rule = (Priority: string, Conditions: Condition[] = []): Rule => ({
  Priority,
  Conditions,
  Actions: forward(Priority),
});
const chosen = (rules: Rule[], asked = request()) => actionsFor(rules, asked)[0]?.TargetGroupArn;

it("a request goes to the first rule by priority whose conditions all hold", () => {
  const orders: Condition = { Field: "path-pattern", PathPatternConfig: { Values: ["/orders/*"] } };
  const post: Condition = { Field: "http-request-method", HttpRequestMethodConfig: { Values: ["POST"] } };
  const rules = [rule("default"), rule("10", [orders]), rule("9", [orders, post])];
  expect(chosen(rules)).toBe("10");
  expect(chosen(rules, request({ method: "POST" }))).toBe("9");
  expect(chosen(rules, request({ url: "/" }))).toBe("default");
});

const conditions: [Condition, boolean][] = [
  [{ Field: "path-pattern", Values: ["/orders/?"] }, true],
  [{ Field: "path-pattern", Values: ["/Orders/*"] }, false],
  [{ Field: "path-pattern", Values: ["/orders"] }, false],
  [{ Field: "host-header", HostHeaderConfig: { Values: ["*.EXAMPLE.com"] } }, true],
  [{ Field: "host-header", HostHeaderConfig: { Values: ["example.com"] } }, false],
  [{ Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "X-Tenant", Values: ["acme"] } }, true],
  [{ Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "X-Other", Values: ["acme"] } }, false],
  [{ Field: "http-header", HttpHeaderConfig: { HttpHeaderName: "X-Other", Values: ["*"] } }, false],
  [{ Field: "query-string", QueryStringConfig: { Values: [{ Key: "page", Value: "two" }] } }, true],
  [{ Field: "query-string", QueryStringConfig: { Values: [{ Value: "three" }] } }, false],
  [{ Field: "source-ip", SourceIpConfig: { Values: ["127.0.0.0/8"] } }, true],
  [{ Field: "source-ip", SourceIpConfig: { Values: ["10.0.0.0/8"] } }, false],
  [{ Field: "unknown" }, false],
];
for (const [condition, holds] of conditions) {
  it(`a condition ${holds ? "holds" : "does not hold"}: ${JSON.stringify(condition)}`, () => {
    expect(chosen([rule("1", [condition]), rule("default")])).toBe(holds ? "1" : "default");
  });
}

it("weights divide requests between target groups; a weight of 0 receives none", () => {
  const groups = [
    { TargetGroupArn: "blue", Weight: 90 },
    { TargetGroupArn: "none", Weight: 0 },
    { TargetGroupArn: "green", Weight: 10 },
  ];
  const action = { Type: "forward", ForwardConfig: { TargetGroups: groups } };
  expect([0, 0.89, 0.9, 0.99].map((random) => forwardedTo(action, random))).toEqual(["blue", "blue", "green", "green"]);
  expect(forwardedTo({ Type: "forward", TargetGroupArn: "one" }, 0.5)).toBe("one");
});

it("a redirect keeps the parts of the request that it does not replace", () => {
  const listener = { protocol: "HTTP", port: 80 };
  const secure = { StatusCode: "HTTP_301", Protocol: "HTTPS", Port: "443" };
  expect(redirectLocation(secure, request(), listener)).toEqual({
    protocol: "https",
    host: "Shop.example.com",
    port: 443,
    path: "/orders/1?Page=Two",
  });
  const moved = { StatusCode: "HTTP_302", Path: "/v2/#{path}", Query: "" };
  expect(redirectLocation(moved, request(), listener).path).toBe("/v2/orders/1");
});

it("a matcher is a status, several, or a range", () => {
  expect([200, 204, 299, 300].map((status) => accepts("200,204-299", status))).toEqual([true, true, true, false]);
  expect(accepts("200", 201)).toBe(false);
});

it("an image has the command and the variables of the last stage of its Dockerfile", () => {
  const text = `FROM node AS build
ENV STAGE=build
CMD ["npm"]
FROM node
ENV NODE_ENV=production NAME="two words"
HEALTHCHECK CMD ["node", "-e", "1"]
ENTRYPOINT ["node"]
CMD ["dist/main.js", \\
  "--port"]`;
  expect(readDockerfile(text)).toEqual({
    environment: { NODE_ENV: "production", NAME: "two words" },
    entryPoint: ["node"],
    command: ["dist/main.js", "--port"],
  });
  expect(readDockerfile("FROM node\nCMD node main.js").command).toEqual(["/bin/sh", "-c", "node main.js"]);
});

it("lists every field of a task definition that a task on this machine does not obey", () => {
  const app = {
    name: "app",
    image: "here",
    command: ["node", "main.js"],
    cpu: 0,
    mountPoints: [],
    logConfiguration: { logDriver: "awslogs" },
  };
  const differences = (container: object, task: object = {}) =>
    describeDifferences(
      { taskDefinitionArn: "", family: "orders", containerDefinitions: [{ ...app, ...container }], ...task },
      (image) => image === "here",
    ).map((each) => each.replace(process.versions.node, "20"));
  const program = "orders: the built program on Node.js 20 instead of its image";
  expect(differences({})).toEqual([program]);
  const container = {
    user: "1000",
    portMappings: [{ containerPort: 8080 }],
    readonlyRootFilesystem: true,
    workingDirectory: "/srv",
    dependsOn: [{ containerName: "side", condition: "START" }],
    logConfiguration: { logDriver: "awsfirelens" },
  };
  expect(differences(container, { cpu: "256", memory: "512", volumes: [{ name: "files" }] })).toEqual([
    `${program}; this user instead of 1000; a port of its own in PORT; not applied: cpu, dependsOn, logConfiguration, memory, readonlyRootFilesystem, volumes, workingDirectory`,
  ]);
  expect(differences({ image: "elsewhere" })).toEqual([
    "orders: the container app does not run, its image is not here",
  ]);
});

it("the differences name what the load balancers of this machine do not do", async () => {
  const answers: Record<string, object> = {
    ListClusters: { clusterArns: [] },
    DescribeLoadBalancers: {
      LoadBalancers: ["application", "network"].map((Type) => ({
        Type,
        LoadBalancerName: Type,
        LoadBalancerArn: Type,
      })),
    },
    DescribeListeners: { Listeners: [{ ListenerArn: "a", Port: 443, Protocol: "HTTPS" }] },
    DescribeRules: { Rules: [] },
    DescribeTargetGroups: { TargetGroups: [{ TargetGroupArn: "g", TargetGroupName: "shop" }] },
    DescribeTargetGroupAttributes: { Attributes: [{ Key: "stickiness.enabled", Value: "true" }] },
  };
  const call = async (_: string, operation: string) => answers[operation];
  const { differences, listeners } = await readApplied({ call } as unknown as AccountClient);
  expect(differences).toEqual([
    "application: HTTP instead of HTTPS on port 443",
    "network: nothing listens here for a load balancer of this type (network)",
    "shop: requests of a client do not stick to one task",
  ]);
  expect(listeners).toHaveLength(1);
});

it("health checks go to the port of the target group, which is the one of the container unless it has another", async () => {
  const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const lastCheck = async (HealthCheckPort: string) => {
    const group = { TargetGroupArn: "", HealthCheckPath: "/livez", HealthCheckPort, deregistrationSeconds: 0 };
    const target = new Target(port, 8080, group, () => undefined);
    onTestFinished(() => target.end());
    await expect.poll(() => target.lastCheck).not.toBe("not checked yet");
    return target.lastCheck;
  };
  expect(await lastCheck("traffic-port")).toBe("GET /livez returned 200");
  expect(await lastCheck("8080")).toBe("GET /livez returned 200");
  expect(await lastCheck("2")).toBe("GET :2/livez: nothing listens on the port of the container");
});
