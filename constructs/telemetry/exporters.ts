import { Token } from "cdktf";
import type { Problems } from "../core/errors";

/** Traces to AWS X-Ray. */
export interface XRayExporter {
  readonly kind: "x-ray";
}

/** Metrics to CloudWatch, as log lines that it reads. */
export interface CloudWatchExporter {
  readonly kind: "cloudwatch";
}

/** Traces and metrics to whatever speaks OTLP over HTTP. */
export interface OtlpExporter {
  readonly kind: "otlp";
  readonly url: string;
  readonly authorizationArn: string | undefined;
}

/** Metrics to Amazon Managed Service for Prometheus. */
export interface PrometheusExporter {
  readonly kind: "prometheus";
  readonly workspaceArn: string;
}

/** Destination of a service's telemetry. */
export type TelemetryExporter = XRayExporter | CloudWatchExporter | OtlpExporter | PrometheusExporter;

/** Traces to AWS X-Ray: 5 USD a million, the first 100 000 a month free. */
export function xRay(): XRayExporter {
  return { kind: "x-ray" };
}

/**
 * Metrics to CloudWatch: 0.30 USD a month for each that the app has, and for how long requests take once more for each of
 * its routes.
 */
export function cloudWatch(): CloudWatchExporter {
  return { kind: "cloudwatch" };
}

/**
 * Traces and metrics to a product that takes OTLP over HTTP.
 *
 * @param options.url where to, without `/v1/traces`: `https://otlp.example.com`
 * @param options.authorizationArn ARN of a secret with the whole value of the header `authorization`. Default: none is sent
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function otlp(options: { readonly url: string; readonly authorizationArn?: string }): OtlpExporter {
  return { kind: "otlp", url: options.url, authorizationArn: options.authorizationArn };
}

/** Metrics to a workspace of Amazon Managed Service for Prometheus, by its ARN. */
export function managedPrometheus(workspaceArn: string): PrometheusExporter {
  return { kind: "prometheus", workspaceArn };
}

const WORKSPACE = /^arn:aws[a-z-]*:aps:[a-z0-9-]+:\d{12}:workspace\/ws-[a-z0-9-]+$/;
const SECRET =
  /^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret|ssm:[a-z0-9-]+:\d{12}:parameter)[:/][\w/+=.@:-]+$/;

/** Notes TELEMETRY_EXPORTERS, TELEMETRY_URL, TELEMETRY_AUTHORIZATION, TELEMETRY_WORKSPACE. */
export function checkExporters(problems: Problems, exporters: readonly TelemetryExporter[]): void {
  const kinds = exporters.map(({ kind }) => kind);
  problems.check(exporters.length > 0 && new Set(kinds).size === kinds.length, {
    code: "TELEMETRY_EXPORTERS",
    prop: "to",
    problem: `is ${exporters.length === 0 ? "empty" : "the same kind twice"}`,
    remedy: "Name each kind once, or leave it out for xRay() and cloudWatch().",
  });
  for (const exporter of exporters) {
    if (exporter.kind === "otlp") {
      problems.check(/^https:\/\/[A-Za-z0-9.-]+(\/[\w./~-]*)?$/.test(exporter.url), {
        code: "TELEMETRY_URL",
        prop: "to.url",
        problem: `${JSON.stringify(exporter.url)} is not a URL that telemetry can be sent to`,
        remedy: "Use https:// and a host, on the usual port, and a path where there is one.",
      });
      problems.check(exporter.authorizationArn === undefined || known(exporter.authorizationArn, SECRET), {
        code: "TELEMETRY_AUTHORIZATION",
        prop: "to.authorizationArn",
        problem: "is no ARN of a secret or parameter",
        remedy: 'Put the whole header, such as "Bearer ...", into Secrets Manager and use its ARN.',
      });
    }
    if (exporter.kind === "prometheus") {
      problems.check(WORKSPACE.test(exporter.workspaceArn), {
        code: "TELEMETRY_WORKSPACE",
        prop: "to.managedPrometheus",
        problem: `${JSON.stringify(exporter.workspaceArn)} is no ARN of a workspace`,
        remedy:
          "Use arn:aws:aps:<region>:<account>:workspace/ws-...: its region and id are written into the collector's configuration.",
      });
    }
  }
}

function known(arn: string, pattern: RegExp): boolean {
  return Token.isUnresolved(arn) || pattern.test(arn);
}
