import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { type CommandContext, defineCommand } from "../contract/command-line";
import { didYouMean, quoted } from "../contract/text";
import { badUsage, cancelled, type ExitCode, UserError } from "../contract/user-error";
import { AwsClients, awsErrorForUser, callerOf, checkAccount, loadSdk } from "./aws-sdk";
import { placesOf } from "./status-command";

/** Context of the command, with the stream that the value is read from. */
export interface SecretContext extends CommandContext {
  /** @default - stdin */
  readonly input?: NodeJS.ReadableStream & { readonly isTTY?: boolean };
}

const HINT = "antifragile secret --help explains it.";

/** Maximum size of a standard parameter. */
const MAX_BYTES = 4096;

/** The command `antifragile secret`. */
export const runSecret = defineCommand(
  {
    name: "secret",
    operands: ["set", "<name>", "[environment]"],
    description:
      "Stores a secret as an encrypted parameter in AWS Systems Manager, at /secrets/<environment>/<name>, or at /secrets/<name> without an environment, and prints the reference for the secrets of a service. Reads the value from stdin, or asks for it without showing it. Never overwrites a value without --overwrite. Uses the AWS credentials of the shell.",
    flags: {
      overwrite: { help: "replace the value of a secret that exists" },
      region: {
        value: "REGION",
        help: "region (default: that of the environment here, else of the AWS configuration)",
      },
      json: { help: "print name, ARN and version as JSON" },
    },
  },
  async (line, { cwd, print, input = process.stdin }: SecretContext): Promise<ExitCode> => {
    const [verb = "", name = "", environment] = line.operands;
    check(verb, name, environment);
    const { region, account } = await placeOf(cwd, environment, line.value("region"));
    const parameter = `/secrets/${[environment, name].filter((part) => part !== undefined).join("/")}`;
    const clients = new AwsClients({ region });
    try {
      const own = await callerOf(clients);
      checkAccount(own.account, String(environment), account, "nothing was stored");
      const value = input.isTTY === true ? await askHidden(input, parameter) : await readAll(input);
      checkValue(value);
      const version = await put(clients, { parameter, value, overwrite: line.has("overwrite") });
      const arn = `arn:${own.partition}:ssm:${own.region}:${own.account}:parameter${parameter}`;
      print(
        line.has("json")
          ? `${JSON.stringify({ name: parameter, arn, version }, null, 2)}\n`
          : stored(name, arn, version),
      );
      return 0;
    } catch (error) {
      throw awsErrorForUser(error);
    } finally {
      clients.destroy();
    }
  },
);

function check(verb: string, name: string, environment: string | undefined): void {
  const problems: string[] = [];
  if (verb !== "set") problems.push(`${quoted(verb)}: must be set${didYouMean(verb, ["set"])}`);
  if (!/^[A-Za-z][\w.-]{0,99}$/.test(name)) {
    problems.push(`<name> ${quoted(name)}: must begin with a letter and have only letters, digits, _, . and -`);
  }
  if (environment !== undefined && !/^[a-z][a-z0-9-]*$/.test(environment)) {
    problems.push(
      // It may be a value, which is never printed.
      `[environment]: must be the name of an environment; a value is read from stdin only, never from the command line`,
    );
  }
  if (problems.length > 0) throw badUsage(problems, HINT);
}

function checkValue(value: string): void {
  const bytes = Buffer.byteLength(value);
  if (bytes === 0)
    throw badUsage(["the value is empty: pass it through stdin, or run the command on a terminal"], HINT);
  if (bytes <= MAX_BYTES) return;
  throw new UserError(`the value has ${bytes} bytes, more than the ${MAX_BYTES} that a parameter holds`, 2);
}

/** Region and account of an environment as the repository defines them; outside a repository only the flag counts. */
async function placeOf(cwd: string, environment: string | undefined, region: string | undefined) {
  if (environment === undefined || !existsSync(join(cwd, "infra", "main.ts"))) return { region };
  const places = await placesOf(cwd, environment);
  const regions = [...new Set(places.map((place) => place.region))];
  if (region === undefined && regions.length > 1) {
    throw new UserError(`${environment} is in several regions: choose one of ${regions.join(", ")} with --region`, 2);
  }
  return { region: region ?? regions[0], account: places.find(({ account }) => account !== undefined)?.account };
}

interface Stored {
  readonly parameter: string;
  readonly value: string;
  readonly overwrite: boolean;
}

/** Writes the parameter and returns its version. */
async function put(clients: AwsClients, { parameter, value, overwrite }: Stored): Promise<number | undefined> {
  const { DescribeParametersCommand, ParameterAlreadyExists, PutParameterCommand, SSMClient } = await loadSdk(
    "@aws-sdk/client-ssm",
    () => import("@aws-sdk/client-ssm"),
  );
  const ssm = clients.get(SSMClient);
  const named = new DescribeParametersCommand({ ParameterFilters: [{ Key: "Name", Values: [parameter] }] });
  const { Parameters: [known] = [] } = overwrite ? await ssm.send(named) : {};
  try {
    const { Version } = await ssm.send(
      new PutParameterCommand({
        Name: parameter,
        Value: value,
        Type: "SecureString",
        // Without it, SSM encrypts with its default key, also where the value had a key of the user's.
        KeyId: known?.KeyId,
        Overwrite: overwrite,
        Description: "Written by antifragile secret set.",
      }),
    );
    return Version;
  } catch (error) {
    if (!(error instanceof ParameterAlreadyExists)) throw error;
    throw new UserError(`${parameter} exists already: pass --overwrite to replace its value`, 1);
  }
}

function stored(name: string, arn: string, version: number | undefined): string {
  const variable = name.replace(/[^A-Za-z0-9]+/g, "_").toUpperCase();
  return `stored as version ${version ?? "unknown"}. In the program of the service:

  secrets: { ${variable}: "${arn}" },

A task reads it when it starts: tasks that run keep the value that they have.
`;
}

/** All of a stream, without the newline that ends it. */
async function readAll(input: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(chunks))
      .replace(/\r?\n$/, "");
  } catch {
    throw new UserError("the value is not valid UTF-8 text: encode it, for example as Base64", 2);
  }
}

/** Asks on the terminal without echo. Ctrl-C and the end of the input cancel. */
function askHidden(input: NodeJS.ReadableStream, parameter: string): Promise<string> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  // With a terminal, readline echoes each key to its output, which drops it.
  const lines = createInterface({ input, output, terminal: true, historySize: 0 });
  process.stderr.write(`Value of ${parameter} (hidden): `);
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      lines.removeAllListeners();
      lines.close();
      process.stderr.write("\n");
      finish();
    };
    lines.once("line", (value) => end(() => resolve(value)));
    for (const event of ["SIGINT", "close"]) {
      lines.once(event, () => end(() => reject(cancelled("nothing was stored"))));
    }
  });
}
