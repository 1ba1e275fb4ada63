import { checkArguments } from "../core/check-types";
import { Problems } from "../core/errors";
import { jsonText, markReferences } from "../core/literal";
import { Duration } from "../core/units";
import { LogStream } from "../logging/log-stream";
import { ServiceStack } from "../platform/platform";
import type { ServiceAddOn, ServiceHost } from "../service/add-on";
import { AUTHORIZATION_VARIABLE, collectorConfiguration } from "./collector";
import { checkExporters, cloudWatch, type TelemetryExporter, xRay } from "./exporters";

/**
 * AWS Distro for OpenTelemetry collector v0.48.0, for both architectures.
 *
 * @see https://github.com/aws-observability/aws-otel-collector/releases/tag/v0.48.0
 */
const COLLECTOR_IMAGE =
  "public.ecr.aws/aws-observability/aws-otel-collector@sha256:9b28046359054b414f4ba76056ba4e8cffda2d53fbcee06171d7eeecd71326c3";

export interface TelemetryProps {
  /**
   * Destinations: `xRay()`, `cloudWatch()`, `otlp({ url })`, `managedPrometheus(workspaceArn)`.
   *
   * @default [xRay(), cloudWatch()]
   */
  readonly to?: readonly TelemetryExporter[];
  /**
   * Percentage of traces to keep; a trace is kept or dropped as a whole.
   *
   * @default 100
   */
  readonly tracesPercent?: number;
  /**
   * Image of the collector, by digest. It must be based on OpenTelemetry 0.144 or later, contain the components that the
   * exporters need, and read its configuration from AOT_CONFIG_CONTENT, as AWS's image does.
   *
   * @default - AWS's image, v0.48.0
   */
  readonly image?: string;
}

/**
 * Exports the metrics and traces of a service through an OpenTelemetry collector in a sidecar, which starts before the app
 * and stops after it. The app gets `OTEL_EXPORTER_OTLP_ENDPOINT` and sends OTLP.
 *
 * Costs 128 CPU units and 256 MiB of each task, about 5 USD a month if that requires a larger task size, plus the cost of
 * the exporters.
 *
 * @example
 * ```ts
 * orders.add(new Telemetry({ to: [xRay(), otlp({ url: "https://otlp.example.com" })], tracesPercent: 10 }));
 * ```
 * @see https://aws-otel.github.io/docs/setup/ecs
 */
export class Telemetry implements ServiceAddOn {
  readonly name = "Telemetry";

  constructor(private readonly props: TelemetryProps = {}) {
    checkArguments("new Telemetry", { props });
  }

  /**
   * @throws InvalidPropsError TELEMETRY_EXPORTERS, TELEMETRY_URL, TELEMETRY_AUTHORIZATION, TELEMETRY_WORKSPACE, TELEMETRY_TRACES,
   *   TELEMETRY_OUT_OF_REACH
   */
  bind(host: ServiceHost): void {
    const { scope, serviceName } = host;
    const stack = ServiceStack.of(scope);
    const exporters = this.props.to ?? [xRay(), cloudWatch()];
    const tracesPercent = this.props.tracesPercent ?? 100;
    this.#check(host, stack, exporters, tracesPercent);
    const { environment, platformName } = stack;
    const metricsLogGroup = `/${platformName}/${environment.name}/${serviceName}/metrics`;
    for (const exporter of exporters) this.#allow(host, exporter, metricsLogGroup);
    const configuration = collectorConfiguration({
      exporters,
      region: environment.region,
      metricsLogGroup,
      namespace: `Antifragile/${platformName}-${environment.name}`,
      tracesPercent,
    });
    const authorization = exporters.flatMap((each) =>
      each.kind === "otlp" && each.authorizationArn !== undefined ? [each.authorizationArn] : [],
    );
    host.addSidecar({
      name: "collector",
      image: this.props.image ?? COLLECTOR_IMAGE,
      cpu: 128,
      // GOMEMLIMIT is 80 % of the memory, as the collector's memory limiter recommends.
      memoryMiB: 256,
      // JSON is valid YAML.
      environment: { AOT_CONFIG_CONTENT: jsonText(configuration, markReferences), GOMEMLIMIT: "204MiB" },
      secrets: authorization[0] === undefined ? undefined : { [AUTHORIZATION_VARIABLE]: authorization[0] },
      startBeforeApp: true,
    });
    host.addEnvironment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
    host.addEnvironment("OTEL_SERVICE_NAME", serviceName);
    host.addEnvironment(
      "OTEL_RESOURCE_ATTRIBUTES",
      `deployment.environment.name=${environment.name},service.namespace=${platformName}`,
    );
  }

  #allow(host: ServiceHost, exporter: TelemetryExporter, metricsLogGroup: string): void {
    if (exporter.kind === "x-ray") {
      host.grant({
        actions: [
          "xray:GetSamplingRules",
          "xray:GetSamplingTargets",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ],
        // X-Ray supports no resource-level permissions for writing traces.
        resources: ["*"],
      });
    }
    if (exporter.kind === "cloudwatch") {
      const lines = new LogStream(host.scope, "Metrics", { name: metricsLogGroup, retention: Duration.days(30) });
      lines.grants.write(host);
    }
    if (exporter.kind === "prometheus") {
      host.grant({ actions: ["aps:RemoteWrite"], resources: [exporter.workspaceArn] });
    }
  }

  #check(
    { scope }: ServiceHost,
    stack: ServiceStack,
    exporters: readonly TelemetryExporter[],
    tracesPercent: number,
  ): void {
    const problems = new Problems(scope);
    checkExporters(problems, exporters);
    problems.check(tracesPercent > 0 && tracesPercent <= 100, {
      code: "TELEMETRY_TRACES",
      prop: "tracesPercent",
      problem: `must be above 0 and at most 100, got ${tracesPercent}`,
      remedy: "Change the percentage; to export no traces, leave xRay() out.",
    });
    if (stack.vpc.egress === "endpoints") {
      const names = { "x-ray": "xray", cloudwatch: "logs", prometheus: "aps-workspaces" } as const;
      for (const exporter of exporters) {
        const needed = exporter.kind === "otlp" ? undefined : names[exporter.kind];
        problems.check(needed !== undefined && (stack.endpoints ?? [needed]).includes(needed), {
          code: "TELEMETRY_OUT_OF_REACH",
          prop: "to",
          problem: `cannot reach ${exporter.kind} from a VPC with egress "endpoints"${needed === undefined ? "" : ` and no endpoint "${needed}"`}`,
          remedy:
            needed === undefined
              ? "Use an exporter to AWS."
              : `Add "${needed}" to the endpoints of the platform's vpc.`,
        });
      }
    }
    problems.throwIfAny();
  }
}
