import { Token } from "cdktf";

const SECRET_ARN = /^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:|ssm:[a-z0-9-]+:\d{12}:parameter\/)\S+$/;

/** Returns true for the ARN of a secret (or of one of its keys) or of a parameter, including tokens that resolve to one. */
export function isSecretReference(text: string): boolean {
  return Token.isUnresolved(text) || (SECRET_ARN.test(text) && !/[$%]\{/.test(text));
}

export const SECRET_REFERENCE_RULE =
  "Use arn:aws:secretsmanager:...:secret:... or arn:aws:ssm:...:parameter/... as values, and uppercase letters, digits and _ in names.";

/**
 * Endings of the names of variables that hold secrets, before any qualifier. Only the ending counts: `TOKEN_ISSUER`,
 * `PASSWORD_MIN_LENGTH` and `PG_CREDENTIALS_ARN` refer to a secret but hold none.
 */
const SECRET_NAMES = [
  /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY)$/,
  /(^|_)(CREDENTIALS?|CONNECTION_STRING|AUTH_DATA|ACCESS_KEY_ID|(SIGNING|ENCRYPTION|MASTER|ACCOUNT)_KEY)$/,
  /_PWD$/,
];
/** Suffixes that may follow the name of a secret. */
const QUALIFIERS = /(_?\d+|_(VALUE|BASE64|B64|HEX|PEM|JSON|CURRENT|PREVIOUS|PRIMARY|SECONDARY|OLD|NEW))+$/;

/** Returns true if the name of a variable suggests that its value is a secret. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(QUALIFIERS, "");
  return SECRET_NAMES.some((pattern) => pattern.test(words));
}

/** Patterns of values that are secrets, whatever the variable is called. */
const SECRET_VALUES: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]*:[^/?#\s@]+@/i, "a URL with a password"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\b(AKIA|ASIA)[A-Z2-7]{16}\b/, "an AWS access key"],
  [/\b(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}/, "a GitHub token"],
  [/\bglpat-[\w-]{20,}/, "a GitLab token"],
  [/\bxox[abprs]-[\w-]{10,}/, "a Slack token"],
  [/\b(sk|rk)_live_\w{16,}/, "a Stripe key"],
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/, "a signed token (JWT)"],
];

/** Returns the kind of secret that a plain value holds; undefined if it looks like none. */
export function secretIn(value: string): string | undefined {
  return SECRET_VALUES.find(([pattern]) => pattern.test(value))?.[1];
}
