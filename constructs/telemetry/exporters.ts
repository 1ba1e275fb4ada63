import { checkArguments } from "../core/check-types";
import type { Problems } from "../core/errors";
import { isReference, withPlaceholders } from "../core/reference";

/** Exports traces to AWS X-Ray. */
export interface XRayExporter {
  readonly kind: "x-ray";
}

/** Exports metrics to CloudWatch, as log lines in the embedded metric format. */
export interface CloudWatchExporter {
  readonly kind: "cloudwatch";
}

/** Exports traces and metrics to an OTLP endpoint over HTTP. */
export interface OtlpExporter {
  readonly kind: "otlp";
  readonly url: string;
  readonly authorizationArn: string | undefined;
}

/** Exports metrics to Amazon Managed Service for Prometheus. */
export interface PrometheusExporter {
  readonly kind: "prometheus";
  readonly workspaceArn: string;
}

/** Destination of a service's telemetry. */
export type TelemetryExporter = XRayExporter | CloudWatchExporter | OtlpExporter | PrometheusExporter;

/** Exports traces to AWS X-Ray: 5 USD per million; the first 100,000 of a month are free. */
export function xRay(): XRayExporter {
  return { kind: "x-ray" };
}

/**
 * Exports metrics to CloudWatch: 0.30 USD a month for each metric of the app; the request duration counts once for each
 * route.
 */
export function cloudWatch(): CloudWatchExporter {
  return { kind: "cloudwatch" };
}

/**
 * Exports traces and metrics to a product that accepts OTLP over HTTP.
 *
 * @param options.url endpoint without `/v1/traces`: `https://otlp.example.com`
 * @param options.authorizationArn ARN of a secret with the complete value of the `authorization` header. Default: no header
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export function otlp(options: { readonly url: string; readonly authorizationArn?: string }): OtlpExporter {
  checkArguments("otlp", { options });
  return { kind: "otlp", url: options.url, authorizationArn: options.authorizationArn };
}

/** Exports metrics to an Amazon Managed Service for Prometheus workspace, by its ARN. */
export function managedPrometheus(workspaceArn: string): PrometheusExporter {
  checkArguments("managedPrometheus", { workspaceArn });
  return { kind: "prometheus", workspaceArn };
}

const WORKSPACE = /^arn:aws[a-z-]*:aps:[a-z0-9-]+:\d{12}:workspace\/ws-[a-z0-9-]+$/;
const SECRET =
  /^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret|ssm:[a-z0-9-]+:\d{12}:parameter)[:/][\w/+=.@:-]+$/;

/** Records TELEMETRY_EXPORTERS, TELEMETRY_URL, TELEMETRY_AUTHORIZATION, TELEMETRY_WORKSPACE. */
export function checkExporters(problems: Problems, exporters: readonly TelemetryExporter[]): void {
  const kinds = exporters.map(({ kind }) => kind);
  problems.check(exporters.length > 0 && new Set(kinds).size === kinds.length, {
    code: "TELEMETRY_EXPORTERS",
    prop: "to",
    problem: `must ${exporters.length === 0 ? "not be empty" : "contain each kind only once"}`,
    remedy: "List each kind once, or leave the prop out for xRay() and cloudWatch().",
  });
  for (const exporter of exporters) {
    if (exporter.kind === "otlp") {
      problems.check(/^https:\/\/[A-Za-z0-9.-]+(\/[\w./~-]*)?$/.test(withPlaceholders(exporter.url)), {
        code: "TELEMETRY_URL",
        prop: "to.url",
        problem: `${JSON.stringify(exporter.url)} is not a valid OTLP endpoint`,
        remedy: "Use https:// with a host, an optional path, and the default port.",
      });
      problems.check(exporter.authorizationArn === undefined || known(exporter.authorizationArn, SECRET), {
        code: "TELEMETRY_AUTHORIZATION",
        prop: "to.authorizationArn",
        problem: "is not the ARN of a secret or parameter",
        remedy: 'Store the complete header value, such as "Bearer ...", in Secrets Manager and use its ARN.',
      });
    }
    if (exporter.kind === "prometheus") {
      problems.check(WORKSPACE.test(exporter.workspaceArn), {
        code: "TELEMETRY_WORKSPACE",
        prop: "to.managedPrometheus",
        problem: `${JSON.stringify(exporter.workspaceArn)} is not the ARN of a workspace`,
        remedy:
          "Use a literal arn:aws:aps:<region>:<account>:workspace/ws-..., because its region and id are part of the collector's configuration.",
      });
    }
  }
}

function known(arn: string, pattern: RegExp): boolean {
  return isReference(arn) || pattern.test(arn);
}
