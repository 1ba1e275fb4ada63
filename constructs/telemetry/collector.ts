import type { TelemetryExporter } from "./exporters";

/** Environment variable of the header that an OTLP endpoint requires. */
export const AUTHORIZATION_VARIABLE = "OTLP_AUTHORIZATION";

interface Collected {
  readonly exporters: readonly TelemetryExporter[];
  readonly region: string;
  /** Log group that receives metrics as log lines. */
  readonly metricsLogGroup: string;
  /** CloudWatch namespace of the metrics: `Antifragile/shop-dev`. */
  readonly namespace: string;
  /** Percentage of traces to keep. */
  readonly tracesPercent: number;
}

/**
 * Builds the configuration of an OpenTelemetry collector, which receives OTLP from the app on the loopback interface only
 * and exports it in batches.
 *
 * Component names are those of OpenTelemetry 0.151, on which AWS's v0.48.0 is based. `resourcedetection` and
 * `prometheusremotewrite` are renamed in 0.153, with the old names supported for a while; `otlp_http` has had its new name
 * since 0.144.
 *
 * @see https://opentelemetry.io/docs/collector/configuration/
 */
export function collectorConfiguration(collected: Collected): object {
  const { exporters, tracesPercent } = collected;
  const parts = exporters.map((exporter) => exporterOf(exporter, collected));
  const named = (signal: "traces" | "metrics") =>
    parts.filter((part) => part.signals.includes(signal)).map(({ name }) => name);
  const pipeline = (signal: "traces" | "metrics", sampled: boolean) =>
    named(signal).length === 0
      ? {}
      : {
          [signal]: {
            receivers: ["otlp"],
            processors: ["memory_limiter", ...(sampled ? ["probabilistic_sampler"] : []), "resourcedetection", "batch"],
            exporters: named(signal),
          },
        };
  const extensions = Object.assign({}, ...parts.map(({ extensions }) => extensions ?? {}));
  return {
    receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:4318" }, grpc: { endpoint: "127.0.0.1:4317" } } } },
    processors: {
      memory_limiter: { check_interval: "1s", limit_percentage: 75, spike_limit_percentage: 20 },
      ...(tracesPercent < 100 ? { probabilistic_sampler: { sampling_percentage: tracesPercent } } : {}),
      resourcedetection: { detectors: ["env", "ecs"], timeout: "2s", override: false },
      batch: { timeout: "5s", send_batch_size: 512 },
    },
    exporters: Object.assign({}, ...parts.map(({ name, settings }) => ({ [name]: settings }))),
    ...(Object.keys(extensions).length === 0 ? {} : { extensions }),
    service: {
      ...(Object.keys(extensions).length === 0 ? {} : { extensions: Object.keys(extensions) }),
      telemetry: { logs: { level: "warn" }, metrics: { level: "none" } },
      pipelines: { ...pipeline("traces", tracesPercent < 100), ...pipeline("metrics", false) },
    },
  };
}

interface Part {
  readonly name: string;
  readonly signals: readonly ("traces" | "metrics")[];
  readonly settings: object;
  readonly extensions?: object;
}

function exporterOf(exporter: TelemetryExporter, { region, metricsLogGroup, namespace }: Collected): Part {
  switch (exporter.kind) {
    case "x-ray":
      return { name: "awsxray", signals: ["traces"], settings: { region } };
    case "cloudwatch":
      return {
        name: "awsemf",
        signals: ["metrics"],
        settings: {
          region,
          namespace,
          log_group_name: metricsLogGroup,
          log_stream_name: "{TaskId}",
          resource_to_telemetry_conversion: { enabled: true },
          dimension_rollup_option: "NoDimensionRollup",
          // Every additional attribute would create more metrics to pay for.
          metric_declarations: [
            {
              metric_name_selectors: ["^http\\.server\\.request\\.duration$"],
              dimensions: [["service.name"], ["service.name", "http.route"]],
            },
            { metric_name_selectors: [".*"], dimensions: [["service.name"]] },
          ],
        },
      };
    case "otlp":
      return {
        name: "otlp_http",
        signals: ["traces", "metrics"],
        settings: {
          endpoint: exporter.url,
          compression: "gzip",
          ...(exporter.authorizationArn === undefined
            ? {}
            : { headers: { authorization: `\${env:${AUTHORIZATION_VARIABLE}}` } }),
        },
      };
    case "prometheus": {
      const [, , , workspaceRegion = region, , resource = ""] = exporter.workspaceArn.split(":");
      const workspace = resource.replace(/^workspace\//, "");
      return {
        name: "prometheusremotewrite",
        signals: ["metrics"],
        settings: {
          endpoint: `https://aps-workspaces.${workspaceRegion}.amazonaws.com/workspaces/${workspace}/api/v1/remote_write`,
          auth: { authenticator: "sigv4auth" },
          resource_to_telemetry_conversion: { enabled: true },
        },
        extensions: { sigv4auth: { region: workspaceRegion, service: "aps" } },
      };
    }
  }
}
