/** Exports of the package that templates use, in the order of the formatter. */
const EXPORTS: readonly string[] = [
  "AlarmRecipients",
  "App",
  "AutoScalingGroup",
  "archive",
  "blueGreen",
  "Cache",
  "Capacity",
  "ChaosExperiment",
  "CiRoles",
  "CloudNativeService",
  "canary",
  "codeDeploy",
  "cron",
  "DatabaseCapacity",
  "DeliveryStack",
  "DeliveryStackProps",
  "Duration",
  "Environment",
  "existingService",
  "experimentGate",
  "Fault",
  "gitHubActions",
  "gitLabCi",
  "https",
  "ImageRepository",
  "iamPrincipal",
  "Ingress",
  "InvalidPropsError",
  "insecureHttp",
  "job",
  "LogStream",
  "linear",
  "Pipeline",
  "Platform",
  "PlatformDashboard",
  "PostgresDatabase",
  "placeholder",
  "placeholdersIn",
  "Queue",
  "ServiceDashboard",
  "ServiceLevel",
  "Source",
  "selectEnvironments",
  "Telemetry",
  "web",
  "worker",
];

/** Line of a template that becomes the import of the exports that the file uses. */
const MARKER = 'import {} from "antifragile";\n';

const WIDTH = 120;

/** Code without comments and strings. */
const codeOf = (source: string): string =>
  source.replace(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|\/\/.*/g, " ");

/** The specifier of an export in a file, or undefined if the file does not use it. */
function specifierOf(name: string, code: string): string | undefined {
  // Not a property (`.job`) and not a key (`job:`).
  if (!new RegExp(`(?<![.\\w$])${name}(?![\\w$]|\\??:)`).test(code)) return undefined;
  const asValue = new RegExp(`(?<![.\\w$])(?:(?:new|instanceof)\\s+${name}\\b|${name}\\s*[.(])`).test(code);
  return asValue ? name : `type ${name}`;
}

/** Replaces the marker line of a rendered file by the import of the exports that it uses. */
export function withImports(source: string): string {
  if (!source.includes(MARKER)) return source;
  const code = codeOf(source.replace(MARKER, ""));
  const names = EXPORTS.flatMap((name) => specifierOf(name, code) ?? []);
  const types = names.every((name) => name.startsWith("type "));
  const specifiers = types ? names.map((name) => name.slice("type ".length)) : names;
  const keyword = types ? "import type" : "import";
  const line = `${keyword} { ${specifiers.join(", ")} } from "antifragile";\n`;
  const block = `${keyword} {\n${specifiers.map((name) => `  ${name},\n`).join("")}} from "antifragile";\n`;
  return source.replace(MARKER, line.length - 1 <= WIDTH ? line : block);
}
