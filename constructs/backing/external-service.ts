import { Token } from "cdktf";
import { Construct } from "constructs";
import { Problems } from "../core/errors";
import { literal } from "../core/literal";
import { kebab } from "../core/names";
import { isSecretReference, SECRET_REFERENCE_RULE } from "../core/secrets";
import { Duration } from "../core/units";
import type { BackingHost, BackingService } from "./host";

export interface ExternalServiceProps {
  /** URL of the service, without user and password: `https://api.payments.example.com/v1`. */
  readonly url: string;
  /**
   * Credentials of the caller, by the last part of the variable's name: ARNs of secrets or parameters. `API_KEY`
   * of a service `Payments` is `PAYMENTS_API_KEY`.
   *
   * @default - none
   */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * Longest wait for an answer, repeated requests included.
   *
   * @default Duration.seconds(5)
   */
  readonly timeout?: Duration;
  /**
   * Retry budget: percentage of requests that may be repeated.
   *
   * @default 10
   */
  readonly retryBudgetPercent?: number;
  /**
   * From how many failures of a hundred on it is left alone for a while.
   *
   * @default 50
   */
  readonly breakerFailurePercent?: number;
}

/**
 * A service that another team or company runs, by its URL. `service.use(payments)` sets what `service.call(...)` would, so that a
 * service of your own can take its place: `PAYMENTS_URL`, `PAYMENTS_TIMEOUT_MS`, `PAYMENTS_RETRY_BUDGET_PERCENT`,
 * `PAYMENTS_BREAKER_FAILURE_PERCENT`; and its secrets.
 *
 * Costs nothing. AWS has no metrics of it: `backing.up` of the service reports its health.
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
    const timeout = props.timeout ?? Duration.seconds(5);
    const { retryBudgetPercent = 10, breakerFailurePercent = 50, secrets = {} } = props;
    const problems = new Problems(this);
    const url = URL.canParse(props.url) && !Token.isUnresolved(props.url) ? new URL(props.url) : undefined;
    problems.check(url !== undefined && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "", {
      code: "EXTERNAL_URL",
      prop: "url",
      problem: "is no URL that begins with https:// or http:// and has no user and password", // Not the value: it may hold a password.
      remedy: "Put what is secret into Secrets Manager, and its ARN into secrets.",
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
      problem: `${timeout} is not a valid timeout`,
      remedy: "Use 1 ms to 60 s.",
    });
    for (const [prop, percent, lowest] of [
      ["retryBudgetPercent", retryBudgetPercent, 0],
      ["breakerFailurePercent", breakerFailurePercent, 1],
    ] as const) {
      problems.check(Number.isInteger(percent) && percent >= lowest && percent <= 100, {
        code: "EXTERNAL_PERCENT",
        prop,
        problem: `${percent} is not a valid percentage`,
        remedy: `Use whole numbers from ${lowest} to 100.`,
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
