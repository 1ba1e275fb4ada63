import { Construct } from "constructs";
import { checkArguments } from "../core/check-types";
import { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { kebab } from "../core/names";
import { withPlaceholders } from "../core/reference";
import { isSecretReference, SECRET_REFERENCE_RULE } from "../core/secrets";
import { Duration } from "../core/units";
import type { BackingHost, BackingService } from "./host";

export interface ExternalServiceProps {
  /** URL of the service, without user and password: `https://api.payments.example.com/v1`. */
  readonly url: string;
  /**
   * Credentials for the service as ARNs of secrets or parameters, by the suffix of the variable. `API_KEY` of a service
   * `Payments` is passed as `PAYMENTS_API_KEY`.
   *
   * @default - none
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * Maximum time until a response, including retries.
   *
   * @default Duration.seconds(5)
   */
  readonly timeout?: Duration;
  /**
   * Retry budget: percentage of requests that may be retried.
   *
   * @default 10
   */
  readonly retryBudgetPercent?: number;
  /**
   * Percentage of failed requests that opens the circuit breaker.
   *
   * @default 50
   */
  readonly breakerFailurePercent?: number;
}

/**
 * A service of another team or company, referenced by its URL. `service.use(payments)` sets the same variables as
 * `service.call(...)`, so that one of your own services can replace it: `PAYMENTS_URL`, `PAYMENTS_TIMEOUT_MS`,
 * `PAYMENTS_RETRY_BUDGET_PERCENT`, `PAYMENTS_BREAKER_FAILURE_PERCENT`; and its secrets.
 *
 * Costs nothing. AWS has no metrics of it: the service's own metric `backing.up` reports its health.
 *
 * @example
 * ```ts
 * const payments = new ExternalService(stack, "Payments", {
 *   url: "https://api.payments.example.com",
 *   secrets: { API_KEY: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:payments-AbCdEf" },
 * });
 * new CloudNativeService(stack, "Orders").use(payments);
 * ```
 * @see https://12factor.net/backing-services
 */
export class ExternalService extends Construct implements BackingService {
  readonly url: string;
  /** TCP port of the URL. */
  readonly port: number;
  readonly #variables: readonly (readonly [name: string, value: string])[];
  readonly #secrets: readonly (readonly [name: string, arn: string])[];

  /** @throws InvalidPropsError EXTERNAL_URL, EXTERNAL_SECRET, EXTERNAL_TIMEOUT, EXTERNAL_PERCENT */
  constructor(scope: Construct, id: string, props: ExternalServiceProps) {
    super(scope, id);
    checkArguments("new ExternalService", { props }, this);
    const timeout = props.timeout ?? Duration.seconds(5);
    const { retryBudgetPercent = 10, breakerFailurePercent = 50, secrets = {} } = props;
    const problems = new Problems(this);
    // Scheme and port must be known, as they decide which connections are allowed.
    const known = withPlaceholders(props.url);
    const url = URL.canParse(known) ? new URL(known) : undefined;
    problems.check(url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "", {
      code: "EXTERNAL_URL",
      prop: "url",
      problem: "must be a URL that begins with https:// or http://, without user and password, and with a known port", // Omits the value, which may hold a password.
      remedy: "Store credentials in Secrets Manager and pass the ARN in secrets.",
    });
    for (const [name, arn] of Object.entries(secrets)) {
      problems.check(/^[A-Z][A-Z0-9_]*$/.test(name) && isSecretReference(arn), {
        code: "EXTERNAL_SECRET",
        prop: `secrets.${name}`,
        problem: "is not a valid variable name, or its value is not the ARN of a secret or parameter",
        remedy: SECRET_REFERENCE_RULE,
      });
    }
    problems.check(Number.isInteger(timeout.toMillis()) && timeout.toMillis() >= 1 && timeout.toSeconds() <= 60, {
      code: "EXTERNAL_TIMEOUT",
      prop: "timeout",
      problem: `must be from 1 ms to 60 s, got ${timeout}`,
      remedy: "Use a duration such as Duration.seconds(5).",
    });
    for (const [prop, percent, lowest] of [
      ["retryBudgetPercent", retryBudgetPercent, 0],
      ["breakerFailurePercent", breakerFailurePercent, 1],
    ] as const) {
      problems.check(Number.isInteger(percent) && percent >= lowest && percent <= 100, {
        code: "EXTERNAL_PERCENT",
        prop,
        problem: `must be a whole number from ${lowest} to 100, got ${percent}`,
        remedy: "Change the percentage, or leave it out.",
      });
    }
    problems.throwIfAny();
    this.url = literal(props.url);
    this.port = Number(url?.port || (url?.protocol === "http:" ? 80 : 443));
    const prefix = kebab(id).toUpperCase().replaceAll("-", "_");
    this.#variables = [
      [`${prefix}_URL`, this.url],
      [`${prefix}_TIMEOUT_MS`, String(timeout.toMillis())],
      [`${prefix}_RETRY_BUDGET_PERCENT`, String(retryBudgetPercent)],
      [`${prefix}_BREAKER_FAILURE_PERCENT`, String(breakerFailurePercent)],
    ];
    this.#secrets = Object.entries(secrets).map(([name, arn]) => [`${prefix}_${name}`, arn]);
  }

  get name(): string {
    return this.node.id;
  }

  attach(host: BackingHost): void {
    host.connections.allowToInternet(this.port);
    for (const [name, value] of this.#variables) host.addEnvironment(name, value);
    for (const [name, arn] of this.#secrets) host.addSecret(name, arn);
  }
}
