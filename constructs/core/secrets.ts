import { Token } from "cdktf";

const SECRET_ARN = /^arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:\d{12}:secret:|ssm:[a-z0-9-]+:\d{12}:parameter\/)\S+$/;

/** Whether a text is the ARN of a secret (or of a key of one) or of a parameter, or will be. */
export function isSecretReference(text: string): boolean {
  return Token.isUnresolved(text) || (SECRET_ARN.test(text) && !/[$%]\{/.test(text));
}

export const SECRET_REFERENCE_RULE =
  "Use arn:aws:secretsmanager:...:secret:... or arn:aws:ssm:...:parameter/... and capitals, digits and _ for names.";

/**
 * How names of variables end whose value is a secret, whatever qualifies it. Only the end counts: `TOKEN_ISSUER`,
 * `PASSWORD_MIN_LENGTH` and `PG_CREDENTIALS_ARN` tell of a secret, and hold none.
 */
const SECRET_NAMES = [
  /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|SECRET_?KEY)$/,
  /(^|_)(CREDENTIALS?|CONNECTION_STRING|AUTH_DATA|ACCESS_KEY_ID|(SIGNING|ENCRYPTION|MASTER|ACCOUNT)_KEY)$/,
  /_PWD$/,
];
/** What qualifies a secret and does not make it less of one. */
const QUALIFIERS = /(_?\d+|_(VALUE|BASE64|B64|HEX|PEM|JSON|CURRENT|PREVIOUS|PRIMARY|SECONDARY|OLD|NEW))+$/;

/** Whether a variable's name says that its value is a secret. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(QUALIFIERS, "");
  return SECRET_NAMES.some((pattern) => pattern.test(words));
}

/** How values begin, or what is in them, that are secrets whatever the variable is called. */
const SECRET_VALUES: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\b[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]*:[^/?#\s@]+@/i, "a URL with a password"],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\b(AKIA|ASIA)[A-Z2-7]{16}\b/, "an access key of AWS"],
  [/\b(ghp|gho|ghu|ghs|ghr)_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}/, "a token of GitHub"],
  [/\bglpat-[\w-]{20,}/, "a token of GitLab"],
  [/\bxox[abprs]-[\w-]{10,}/, "a token of Slack"],
  [/\b(sk|rk)_live_\w{16,}/, "a key of Stripe"],
  [/\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/, "a signed token (JWT)"],
];

/** What secret a plain value holds; undefined when it looks like none. */
export function secretIn(value: string): string | undefined {
  return SECRET_VALUES.find(([pattern]) => pattern.test(value))?.[1];
}
