import { wrap } from "../contract/text";
import type { Answers } from "./options";
import { commandOf, type PackageManager } from "./package-managers";

/** Command with its purpose. */
interface Line {
  readonly command: string;
  readonly purpose?: string;
}

/** Part of the next steps: a heading and its commands. */
interface Part {
  readonly heading: string;
  readonly lines: readonly Line[];
}

const TOKEN = ["TOKEN=$(curl -s \\", "  'http://localhost:8090/token?scope=quotes:write')"];

/** Commands that start the service, in order. */
function startLines(answers: Answers, manager: PackageManager): Line[] {
  const services = [
    ...(answers.database === "postgres" ? ["postgres"] : []),
    ...(answers.cache === "valkey" ? ["valkey"] : []),
    ...(answers.queue === "sqs" ? ["queue"] : []),
  ];
  return [
    ...(services.length > 0
      ? [{ command: `docker compose up -d ${services.join(" ")}`, purpose: "start the backing services" }]
      : []),
    ...(answers.database === "postgres"
      ? [{ command: commandOf(manager, "migrate"), purpose: "create the schema" }]
      : []),
    { command: commandOf(manager, "dev"), purpose: "start the service on http://localhost:8080" },
  ];
}

/** Commands that send the first request. */
function requestLines(answers: Answers): Line[] {
  const authorization = answers.auth === "oidc" ? TOKEN.map((command) => ({ command })) : [];
  const header = answers.auth === "oidc" ? [{ command: '  -H "authorization: Bearer $TOKEN" \\' }] : [];
  return [
    ...authorization,
    { command: "curl http://localhost:8080/v1/quotes \\" },
    ...header,
    { command: '  -H "content-type: application/json" \\' },
    { command: `  -d '{"lines":[{"sku":"tea","quantity":2,` },
    { command: `       "unitPriceCents":450}]}'` },
  ];
}

/** Commands that test and deploy. */
function deployLines(answers: Answers, manager: PackageManager): Line[] {
  return [
    { command: commandOf(manager, "test"), purpose: "run the tests" },
    ...(answers.platform || answers.joins === "none"
      ? [{ command: commandOf(manager, "deploy:local"), purpose: "deploy to an emulator, without an AWS account" }]
      : []),
    { command: commandOf(manager, "doctor"), purpose: "list what infra/environments.ts still needs" },
    { command: commandOf(manager, "deploy", "dev"), purpose: "deploy to your AWS account" },
  ];
}

function block(lines: readonly Line[], columns: number): string {
  const width = Math.max(0, ...lines.map(({ command, purpose }) => (purpose === undefined ? 0 : command.length)));
  const fits = lines.every(({ purpose }) => purpose === undefined || width + purpose.length + 6 <= columns);
  return lines
    .map(({ command, purpose }) => {
      if (purpose === undefined) return `    ${command}\n`;
      if (fits) return `    ${command.padEnd(width)}  ${purpose}\n`;
      return `    ${command}\n${wrap(purpose, columns, "      ")}`;
    })
    .join("");
}

/** Next steps with a new repository, in order. */
export function nextSteps(
  answers: Answers,
  first: readonly string[],
  { columns, complete }: { readonly columns: number; readonly complete: boolean },
): string {
  const manager = answers.packageManager as PackageManager;
  const parts: Part[] = answers.platform
    ? [
        {
          heading: complete ? "Next:" : "To finish:",
          lines: [...first.map((command) => ({ command })), ...deployLines(answers, manager)],
        },
      ]
    : [
        {
          heading: complete ? "Next:" : "To finish:",
          lines: [...first.map((command) => ({ command })), ...startLines(answers, manager)],
        },
        { heading: "Send the first request from another terminal:", lines: requestLines(answers) },
        { heading: "Test and deploy:", lines: deployLines(answers, manager) },
      ];
  const guides = answers.platform
    ? "README.md explains environments and how a service joins the platform."
    : "Guides: README.md (environments, releases, game days), http://localhost:8080/docs (the API).";
  return `${parts.map(({ heading, lines }) => `  ${heading}\n\n${block(lines, columns)}`).join("\n")}\n${wrap(guides, columns, "  ")}`;
}
