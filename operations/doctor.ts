import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { placeholdersIn } from "../contract/placeholders";
import { UserError } from "../contract/user-error";
import { isOlder, OLDEST_NODE, OLDEST_TERRAFORM } from "../contract/version";
import { terraformProgram } from "./terraform";

/** One thing that was looked at. */
export interface Check {
  /** `problem`: something does not work until it is put right. `note`: something works less well. */
  readonly level: "ok" | "note" | "problem";
  /** What it is about: `tools`, `repository`, `delivery`, or the name of an environment. */
  readonly about: string;
  readonly what: string;
  /** What to do, where there is something to do. */
  readonly remedy?: string;
}

export interface DoctorOptions {
  /** Folder of the generated repository. */
  readonly repository: string;
  /** @default - all environments */
  readonly environment?: string;
  readonly env: NodeJS.ProcessEnv;
  /** Version of Node.js that runs: `20.19.0`. */
  readonly nodeVersion: string;
  /** Version of this package. */
  readonly version: string;
  /** What is wrong with the text of the answers file. */
  readonly checkAnswers: (text: string) => readonly string[];
}

const ENVIRONMENTS = "infra/environments.ts";
const ANSWERS = ".antifragile.json";

/**
 * Looks at a generated repository and at this machine: tools, what is installed, answers, and what only the user knows.
 * Nothing is asked of the network, and nothing is changed.
 *
 * @throws UserError when the folder holds no repository, or has no such environment
 */
export function examine(options: DoctorOptions): Check[] {
  const { repository } = options;
  if (!existsSync(join(repository, ENVIRONMENTS))) {
    throw new UserError(`no ${ENVIRONMENTS} in ${repository}: run this in a repository that antifragile new wrote`, 2);
  }
  const installed = checkInstalled(options);
  const canRead = installed.every(({ level }) => level !== "problem");
  const data = canRead ? readEnvironments(repository) : undefined;
  const tools = checkTools(options, JSON.stringify(data ?? {}).includes('"state":"s3"'));
  const notRead: Check = {
    level: "note",
    about: "repository",
    what: `${ENVIRONMENTS} was not read`,
    remedy: "put right what is above, and look again",
  };
  return [...tools, ...installed, ...checkRecorded(options), ...(data ? checkKnown(data, options) : [notRead])];
}

function checkTools({ env, nodeVersion }: DoctorOptions, usesS3: boolean): Check[] {
  const about = "tools";
  const found: Check[] = [];
  found.push(
    isOlder(nodeVersion, OLDEST_NODE)
      ? {
          level: "problem",
          about,
          what: `Node.js is ${nodeVersion}`,
          remedy: `install ${OLDEST_NODE.join(".")} or newer`,
        }
      : { level: "ok", about, what: `Node.js ${nodeVersion}` },
  );

  const name = terraformProgram(env);
  const said = spawnSync(name, ["version", "-json"], { encoding: "utf8", env: { ...env, CHECKPOINT_DISABLE: "1" } });
  const version = /"terraform_version":\s*"([\d.]+)/.exec(said.stdout ?? "")?.[1];
  const wanted = usesS3 ? OLDEST_TERRAFORM.s3 : OLDEST_TERRAFORM.any;
  const why = usesS3 ? ", which locks state in S3" : "";
  const install = `install ${wanted.join(".")} or newer${why}: https://developer.hashicorp.com/terraform/install`;
  if (version === undefined) {
    found.push({ level: "problem", about, what: `${name} is not installed`, remedy: install });
  } else if (isOlder(version, wanted)) {
    found.push({ level: "problem", about, what: `${name} is ${version}`, remedy: install });
  } else found.push({ level: "ok", about, what: `Terraform ${version}` });

  found.push(
    hasCredentials(env)
      ? { level: "ok", about, what: "AWS credentials are set up (whether they are good was not asked)" }
      : {
          level: "note",
          about,
          what: "no AWS credentials are set up",
          remedy:
            "aws configure, or AWS_PROFILE: deploying to an account needs them, deploying on the emulator does not",
        },
  );
  return found;
}

/** Whether one of the places is filled that AWS's tools take credentials from. */
function hasCredentials(env: NodeJS.ProcessEnv): boolean {
  const variables = [
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  ];
  const home = env.HOME ?? homedir();
  const files = [
    env.AWS_SHARED_CREDENTIALS_FILE ?? join(home, ".aws", "credentials"),
    env.AWS_CONFIG_FILE ?? join(home, ".aws", "config"),
  ];
  return variables.some((name) => env[name]) || files.some((file) => existsSync(file));
}

function checkInstalled({ repository }: DoctorOptions): Check[] {
  const about = "repository";
  const found: Check[] = [];
  const vendored = /"antifragile":\s*"file:([^"]+)"/.exec(read(repository, "package.json") ?? "")?.[1];
  if (vendored !== undefined && !existsSync(join(repository, vendored))) {
    const remedy = "take it from version control: the install needs it";
    found.push({ level: "problem", about, what: `${vendored} is missing`, remedy });
  }
  const pnpm = existsSync(join(repository, "pnpm-workspace.yaml"));
  const [manager, lockFile] = pnpm ? ["pnpm", "pnpm-lock.yaml"] : ["npm", "package-lock.json"];
  if (!existsSync(join(repository, lockFile))) {
    found.push({
      level: "problem",
      about,
      what: `${lockFile} is missing`,
      remedy: `${manager} install, and commit it`,
    });
  }
  if (tsxOf(repository) === undefined) {
    found.push({
      level: "problem",
      about,
      what: "its packages are not installed",
      remedy: pnpm ? "pnpm install" : "npm ci",
    });
  }
  return found.length === 0 ? [{ level: "ok", about, what: "its packages are installed" }] : found;
}

function checkRecorded({ repository, version, checkAnswers }: DoctorOptions): Check[] {
  const about = "repository";
  const text = read(repository, ANSWERS);
  if (text === undefined) {
    const remedy = "take it from version control: without it nobody can bring the repository up to date";
    return [{ level: "problem", about, what: `${ANSWERS} is missing`, remedy }];
  }
  const problems = checkAnswers(text);
  if (problems.length > 0) {
    const remedy = "put it right, or take it from version control";
    return problems.map((what) => ({ level: "problem", about, what, remedy }));
  }
  const recorded = JSON.parse(text) as { readonly name?: string; readonly antifragile?: { readonly version?: string } };
  const found: Check[] = [];
  const { name } = JSON.parse(read(repository, "package.json") ?? "{}") as { readonly name?: string };
  if (recorded.name !== name) {
    const what = `package.json is called ${name}, ${ANSWERS} says ${recorded.name}`;
    found.push({ level: "note", about, what, remedy: "give both the name that AWS knows it by" });
  }
  const made = recorded.antifragile?.version;
  if (made !== version) {
    const what = `made by antifragile ${made ?? "of an unknown version"}, this is ${version}`;
    found.push({ level: "note", about, what, remedy: "compare with what this version writes" });
  }
  return found.length === 0 ? [{ level: "ok", about, what: `${ANSWERS} is as it was written` }] : found;
}

interface Known {
  readonly environments: readonly { readonly name: string }[];
  /** What else the file says, such as delivery. */
  readonly others: Readonly<Record<string, unknown>>;
}

function checkKnown({ environments, others }: Known, { environment }: DoctorOptions): Check[] {
  const names = environments.map(({ name }) => name);
  const parts = [...environments.map((each) => [each.name, each] as const), ...Object.entries(others)];
  const wanted = parts.filter(([name]) => environment === undefined || name === environment);
  if (wanted.length === 0) {
    throw new UserError(`${ENVIRONMENTS} has no environment ${environment}; it has: ${names.join(", ")}`, 2);
  }
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const repeated = twice.map(
    (about): Check => ({ level: "problem", about, what: "is there twice", remedy: `name it once, in ${ENVIRONMENTS}` }),
  );
  const known = wanted.flatMap(([about, part]): Check[] => {
    const open = placeholdersIn(part, "").map(
      ({ path, what }): Check => ({
        level: "problem",
        about,
        what: `${path.replace(/^\./, "")} is not filled in`,
        remedy: what,
      }),
    );
    return open.length === 0 ? [{ level: "ok", about, what: "nothing is missing" }] : open;
  });
  return [...repeated, ...known];
}

/** Runs the file, since it is code, and takes its data. */
function readEnvironments(repository: string): Known {
  // What the file itself may print comes before.
  const script = 'console.log(`\\n${JSON.stringify({ ...require("./infra/environments") })}`)';
  const { status, stderr, stdout } = spawnSync(process.execPath, [tsxOf(repository) ?? "", "--eval", script], {
    cwd: repository,
    encoding: "utf8",
  });
  if (status !== 0) throw new UserError(`${ENVIRONMENTS} does not run:\n${stderr}`, 1);
  const { environments = [], ...others } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "{}") as Partial<Known>;
  return { environments, others };
}

function tsxOf(repository: string): string | undefined {
  try {
    return createRequire(join(repository, "infra", "main.ts")).resolve("tsx/cli");
  } catch {
    return undefined;
  }
}

function read(repository: string, file: string): string | undefined {
  const path = join(repository, file);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** What was found, for people: one part after the other. */
export function describeChecks(checks: readonly Check[]): string {
  const marks = { ok: "✔", note: "!", problem: "✖" } as const;
  const abouts = [...new Set(checks.map(({ about }) => about))];
  const width = Math.max(...abouts.map((about) => about.length));
  const lines = abouts.flatMap((about) =>
    checks
      .filter((check) => check.about === about)
      .map(({ level, what, remedy }, index) => {
        const first = index === 0 ? about : "";
        return `  ${first.padEnd(width)}  ${marks[level]} ${what}${remedy === undefined ? "" : `: ${remedy}`}\n`;
      }),
  );
  const problems = checks.filter(({ level }) => level === "problem");
  const open = problems.filter(({ what }) => what.endsWith("is not filled in"));
  const where = open.length === 0 ? "" : `; ${open.length} only you know: fill in ${ENVIRONMENTS}`;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${lines.join("")}\n${problems.length === 0 ? "Nothing is wrong." : `${count}${where}.`}\n`;
}
