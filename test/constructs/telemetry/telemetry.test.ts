import { ref } from "cdktf";
import { describe, expect, it } from "vitest";
import {
  CloudNativeService,
  cloudWatch,
  type Environment,
  managedPrometheus,
  otlp,
  type PlatformProps,
  Telemetry,
  type TelemetryProps,
  xRay,
} from "../../../constructs";
import { encoded } from "../../support/encoded";
import { DEV, only, ordersStack, refusals, resources } from "../../support/synth";

const WORKSPACE = "arn:aws:aps:eu-west-1:123456789012:workspace/ws-0123abcd";
const HEADER = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:otlp-AbCdEf";

/**
 * Keys of the collector's components, from their `config.go`: opentelemetry-collector at v0.151.0, and -contrib, whose
 * version could not be determined.
 */
const KNOWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  "receivers/otlp": ["protocols"],
  "processors/memory_limiter": ["check_interval", "limit_percentage", "spike_limit_percentage"],
  "processors/probabilistic_sampler": ["sampling_percentage"],
  "processors/resourcedetection": ["detectors", "timeout", "override"],
  "processors/batch": ["timeout", "send_batch_size"],
  "exporters/awsxray": ["region"],
  "exporters/awsemf": [
    "region",
    "namespace",
    "log_group_name",
    "log_stream_name",
    "resource_to_telemetry_conversion",
    "dimension_rollup_option",
    "metric_declarations",
  ],
  "exporters/otlp_http": ["endpoint", "compression", "headers"],
  "exporters/prometheusremotewrite": ["endpoint", "auth", "resource_to_telemetry_conversion"],
  "extensions/sigv4auth": ["region", "service"],
};

// biome-ignore lint/suspicious/noExplicitAny: JSON of Terraform and of the collector, of which each test looks at another part.
type Json = any;

function orders(props?: TelemetryProps, platform: Partial<PlatformProps> = {}, environment: Environment = DEV) {
  const stack = ordersStack(environment, platform);
  new CloudNativeService(stack, "Orders").add(new Telemetry(props));
  const containers = () => only(stack, "aws_ecs_task_definition").container_definitions as Json[];
  const named = (name: string): Json => containers().find((each) => each.name === name);
  const configuration = (): Json => {
    const { value } = named("collector").environment.find(({ name }: Json) => name === "AOT_CONFIG_CONTENT");
    return JSON.parse(JSON.stringify(value).replaceAll("$${", "${"));
  };
  const granted = () =>
    Object.values(resources(stack, "aws_iam_role_policy")).flatMap(
      ({ policy }) => (policy as Json).Statement as Json[],
    );
  return { stack, named, configuration, granted };
}

describe("telemetry", () => {
  it("is taken by a collector beside the app, pinned, small, read-only, and not its end", () => {
    const { stack, named } = orders();
    expect(named("collector")).toMatchObject({
      image: expect.stringMatching(/aws-otel-collector@sha256:[0-9a-f]{64}$/),
      essential: false,
      readonlyRootFilesystem: true,
      memory: 256,
      environment: expect.arrayContaining([{ name: "GOMEMLIMIT", value: "204MiB" }]),
      portMappings: [],
    });
    expect(only(stack, "aws_ecs_task_definition")).toMatchObject({ cpu: "512", memory: "1024" });
  });

  it("is taken from the app's first word to its last: the collector starts before, and so ends after", () => {
    expect(orders().named("orders").dependsOn).toEqual([{ condition: "START", containerName: "collector" }]);
  });

  it("is sent by the app over the loopback, and says whose it is", () => {
    const { named, configuration } = orders();
    const variables = Object.fromEntries(named("orders").environment.map(({ name, value }: Json) => [name, value]));
    expect(variables).toMatchObject({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318",
      OTEL_SERVICE_NAME: "orders",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=dev,service.namespace=shop",
    });
    expect(configuration().receivers.otlp.protocols.http.endpoint).toBe("127.0.0.1:4318");
  });

  it("goes to X-Ray and CloudWatch by default, with least privilege", () => {
    const { stack, configuration, granted } = orders();
    expect(configuration().service.pipelines).toEqual({
      traces: {
        receivers: ["otlp"],
        processors: ["memory_limiter", "resourcedetection", "batch"],
        exporters: ["awsxray"],
      },
      metrics: {
        receivers: ["otlp"],
        processors: ["memory_limiter", "resourcedetection", "batch"],
        exporters: ["awsemf"],
      },
    });
    expect(configuration().exporters.awsemf).toMatchObject({
      namespace: "Antifragile/shop-dev",
      log_group_name: "/shop/dev/orders/metrics",
      dimension_rollup_option: "NoDimensionRollup",
    });
    expect(Object.values(resources(stack, "aws_cloudwatch_log_group")).map(({ name }) => name)).toContain(
      "/shop/dev/orders/metrics",
    );
    expect(granted().flatMap(({ Action, Resource }) => (Resource.includes("*") ? Action : []))).toEqual(
      expect.arrayContaining(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
    );
  });

  it("goes to any OTLP endpoint, with a secret header", () => {
    const { named, configuration, granted } = orders({
      to: [otlp({ url: "https://otlp.example.com", authorizationArn: HEADER })],
    });
    expect(configuration().exporters).toEqual({
      otlp_http: {
        endpoint: "https://otlp.example.com",
        compression: "gzip",
        headers: { authorization: "${env:OTLP_AUTHORIZATION}" },
      },
    });
    expect(named("collector").secrets).toEqual([{ name: "OTLP_AUTHORIZATION", valueFrom: HEADER }]);
    expect(granted()).toContainEqual(
      expect.objectContaining({ Action: ["secretsmanager:GetSecretValue"], Resource: [HEADER] }),
    );
    expect(JSON.stringify(granted())).not.toContain("xray:");
  });

  it("may come from an image that is known only at apply, whose text is literal", () => {
    const { named } = orders({ image: `registry.example.com/$${ref("var.image")}/%{x}` });
    expect(named("collector").image).toBe(`registry.example.com/$${encoded("var.image")}/%%{x}`);
  });

  it("has its expressions read by the collector, not by Terraform", () => {
    const { stack } = orders({ to: [otlp({ url: "https://otlp.example.com", authorizationArn: HEADER })] });
    const written = JSON.stringify(stack.toTerraform());
    expect(written).toContain("$${env:OTLP_AUTHORIZATION}");
    expect(written).not.toMatch(/[^$]\$\{env:/);
  });

  it("goes to Prometheus, signed for its workspace", () => {
    const { configuration, granted } = orders({ to: [managedPrometheus(WORKSPACE)] });
    expect(configuration()).toMatchObject({
      exporters: {
        prometheusremotewrite: {
          endpoint: "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-0123abcd/api/v1/remote_write",
          auth: { authenticator: "sigv4auth" },
        },
      },
      extensions: { sigv4auth: { region: "eu-west-1", service: "aps" } },
      service: { extensions: ["sigv4auth"] },
    });
    expect(granted()).toContainEqual(expect.objectContaining({ Action: ["aps:RemoteWrite"], Resource: [WORKSPACE] }));
  });

  it("names in its configuration only what it configures", () => {
    const all = [xRay(), cloudWatch(), otlp({ url: "https://otlp.example.com" }), managedPrometheus(WORKSPACE)];
    const configuration = orders({ to: all, tracesPercent: 10 }).configuration();
    for (const pipeline of Object.values<Json>(configuration.service.pipelines)) {
      for (const part of ["receivers", "processors", "exporters"]) {
        expect(Object.keys(configuration[part])).toEqual(expect.arrayContaining(pipeline[part]));
      }
    }
    expect(configuration.processors.probabilistic_sampler).toEqual({ sampling_percentage: 10 });
    expect(configuration.service.pipelines.metrics.processors).not.toContain("probabilistic_sampler");
  });

  it("has no key that the collector's own sources of that version do not know", () => {
    const all = [xRay(), cloudWatch(), otlp({ url: "https://otlp.example.com", authorizationArn: HEADER })];
    const configuration = orders({ to: [...all, managedPrometheus(WORKSPACE)], tracesPercent: 10 }).configuration();
    for (const part of ["receivers", "processors", "exporters", "extensions"]) {
      const unknown = Object.entries<Json>(configuration[part]).flatMap(([name, settings]) =>
        Object.keys(settings).filter((key) => !KNOWN_KEYS[`${part}/${name}`]?.includes(key)),
      );
      expect([part, unknown]).toEqual([part, []]);
    }
    expect(Object.keys(configuration.service.telemetry)).toEqual(["logs", "metrics"]);
    const [first, ...others] = configuration.exporters.awsemf.metric_declarations.map(Object.keys);
    for (const keys of [first, ...others]) expect(keys).toEqual(["dimensions", "metric_name_selectors"]);
    const { limit_percentage: limit, spike_limit_percentage: spike } = configuration.processors.memory_limiter;
    // The collector refuses others.
    expect(spike).toBeLessThan(limit);
  });

  it.each<[TelemetryProps, string]>([
    [{ to: [] }, "TELEMETRY_EXPORTERS to"],
    [{ to: [xRay(), xRay()] }, "TELEMETRY_EXPORTERS to"],
    [{ to: [otlp({ url: "http://otlp.example.com" })] }, "TELEMETRY_URL to.url"],
    [{ to: [otlp({ url: "https://${file(1)}" })] }, "TELEMETRY_URL to.url"],
    [
      { to: [otlp({ url: "https://a.example.com", authorizationArn: "Bearer x" })] },
      "TELEMETRY_AUTHORIZATION to.authorizationArn",
    ],
    [{ to: [managedPrometheus("ws-1")] }, "TELEMETRY_WORKSPACE to.managedPrometheus"],
    [{ tracesPercent: 0 }, "TELEMETRY_TRACES tracesPercent"],
  ])("refuses %j", (props, expected) => {
    expect(refusals(() => orders(props))).toEqual([expected]);
  });

  it("is refused where the network lets it reach nothing", () => {
    const platform = { vpc: { egress: "endpoints" } } as const;
    const environment = { ...DEV, registryMirror: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror" };
    const to = [xRay(), otlp({ url: "https://otlp.example.com" })];
    expect(refusals(() => orders({ to }, platform, environment))).toEqual([
      "TELEMETRY_OUT_OF_REACH to",
      "TELEMETRY_OUT_OF_REACH to",
    ]);
  });
});
