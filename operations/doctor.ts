import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { toRoot } from "../contract/directory";
import { placeholdersIn } from "../contract/placeholders";
import { isTofu, terraformProgram } from "../contract/terraform-program";
import { didYouMean } from "../contract/text";
import { UserError } from "../contract/user-error";
import {
  isOlder,
  OLDEST_NODE,
  OLDEST_NODE_OF_CDKTN,
  OLDEST_TERRAFORM,
  OLDEST_TOFU,
  terraformVersions,
} from "../contract/version";
import { type CiSetup, ciSetup } from "./ci-setup";

/** Result of one check. */
export interface Check {
  /**
   * `problem`: something does not work until it is fixed. `note`: something should be improved. `manual`: a step outside of the
   * repository, which is not verified.
   */
  readonly level: "ok" | "note" | "problem" | "manual";
  /** Subject: `tools`, `repository`, `delivery`, or the name of an environment. */
  readonly about: string;
  readonly what: string;
  /** Remedy, if there is one. */
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
  /** Returns the problem with the text of the answers file. */
  readonly checkAnswers: (text: string) => readonly string[];
}

const ENVIRONMENTS = "infra/environments.ts";
const ANSWERS = ".antifragile.json";

/**
 * Checks a generated repository and its prerequisites: tools, packages, recorded answers, and values that only the user knows.
 * It uses no network and changes nothing.
 *
 * @throws UserError if the folder contains no generated repository, or the environment does not exist
 */
export function examine(options: DoctorOptions): Check[] {
  const { repository } = options;
  if (!existsSync(join(repository, ENVIRONMENTS))) {
    throw new UserError(
      `no ${ENVIRONMENTS} in ${repository}: run this command in a repository that antifragile new generated`,
      2,
    );
  }
  const installed = checkInstalled(options);
  const canRead = installed.every(({ level }) => level !== "problem");
  const data = canRead ? readEnvironments(repository) : undefined;
  const tools = checkTools(options, JSON.stringify(data ?? {}).includes('"state":"s3"'));
  const notRead: Check = {
    level: "note",
    about: "repository",
    what: `${ENVIRONMENTS} was not read`,
    remedy: "fix the problems above, and run antifragile doctor again",
  };
  const known = data === undefined ? [notRead] : checkKnown(data, options);
  const recorded = checkRecorded(options);
  const isValid = recorded.every(({ level }) => level !== "problem");
  const setup = data !== undefined && isValid ? setupSteps(data, options) : [];
  const root = isValid ? checkRoot(repository) : [];
  return [...tools, ...installed, ...recorded, ...root, ...known, ...setup];
}

/** Steps of the CI system's setup, once the values that they need are filled in. */
function setupSteps({ environments, others }: Known, { repository, environment }: DoctorOptions): Check[] {
  const delivery = others.delivery as CiSetup["delivery"] | undefined;
  const asked = environment === undefined || environment === "delivery";
  if (!asked || delivery === undefined || placeholdersIn(delivery, "").length > 0) return [];
  const recorded = JSON.parse(read(repository, ANSWERS) ?? "{}") as Readonly<Record<string, string | undefined>>;
  const { ci = "none", name = "", branch = "main", packageManager = "npm", directory = "none" } = recorded;
  const deployed = environments
    .filter(({ state }) => state === "s3")
    .map((each) => (placeholdersIn(each.account, "").length === 0 ? each : { ...each, account: undefined }));
  const setup = ciSetup({ ci, name, branch, packageManager, directory, environments: deployed, delivery });
  if (setup === undefined) return [];
  return setup.steps.map(({ what, how }) => ({ level: "manual", about: `${setup.title}, once`, what, remedy: how }));
}

function checkTools({ env, nodeVersion, repository }: DoctorOptions, usesS3: boolean): Check[] {
  const about = "tools";
  const found: Check[] = [];
  const oldestNode = /"cdktn":/.test(read(repository, "package.json") ?? "") ? OLDEST_NODE_OF_CDKTN : OLDEST_NODE;
  found.push(
    isOlder(nodeVersion, oldestNode)
      ? {
          level: "problem",
          about,
          what: `Node.js is ${nodeVersion}`,
          remedy: `install ${oldestNode.join(".")} or newer`,
        }
      : { level: "ok", about, what: `Node.js ${nodeVersion}` },
  );

  const name = terraformProgram(env);
  const said = spawnSync(name, ["version", "-json"], { encoding: "utf8", env: { ...env, CHECKPOINT_DISABLE: "1" } });
  const version = /"terraform_version":\s*"([\d.]+)/.exec(said.stdout ?? "")?.[1];
  const key = usesS3 ? "s3" : "any";
  const wanted = (isTofu(name) ? OLDEST_TOFU : OLDEST_TERRAFORM)[key];
  const install = `install ${terraformVersions(key)}${usesS3 ? "; older ones do not lock state in S3" : ""}`;
  if (version === undefined) {
    found.push({ level: "problem", about, what: `${name} is not installed`, remedy: install });
  } else if (isOlder(version, wanted)) {
    found.push({ level: "problem", about, what: `${name} is ${version}`, remedy: install });
  } else found.push({ level: "ok", about, what: `${isTofu(name) ? "OpenTofu" : "Terraform"} ${version}` });

  found.push(
    hasCredentials(env)
      ? { level: "ok", about, what: "AWS credentials are configured (not verified)" }
      : {
          level: "note",
          about,
          what: "no AWS credentials are configured",
          remedy:
            "run aws configure, or set AWS_PROFILE; a deployment to an account needs them, one to the emulator does not",
        },
  );
  return found;
}

/** Returns whether one of the sources of AWS's credential chain is configured. */
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
    const remedy = "restore it from version control: the installation needs it";
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
      what: "the packages are not installed",
      remedy: pnpm ? "pnpm install" : "npm ci",
    });
  }
  return found.length === 0 ? [{ level: "ok", about, what: "the packages are installed" }] : found;
}

/** File at the root of the git repository that the CI system reads, with the text that leads to the service. */
const AT_ROOT: Readonly<
  Record<string, ((name: string, directory: string) => readonly [file: string, text: string]) | undefined>
> = {
  "github-actions": (name, directory) => [`.github/workflows/${name}.yml`, `working-directory: ${directory}`],
  gitlab: (_, directory) => [".gitlab-ci.yml", `${directory}/.gitlab-trigger.yml`],
  travis: (_, directory) => [".travis.yml", `${directory}/.travis.yml`],
};

/** The CI system finds a service in a folder of a repository by a file at its root. */
function checkRoot(repository: string): Check[] {
  const recorded = JSON.parse(read(repository, ANSWERS) ?? "{}") as Readonly<Record<string, string | undefined>>;
  const { ci = "", name = "", directory = "none" } = recorded;
  if (directory === "none") return [];
  const [file, text] = AT_ROOT[ci]?.(name, directory) ?? [];
  if (file === undefined || text === undefined) return [];
  const path = `${toRoot(directory)}${file}`;
  const found = read(repository, path);
  if (found?.includes(text)) return [{ level: "ok", about: "repository", what: `${path} starts the jobs` }];
  const remedy = ci === "github-actions" ? "restore it from version control" : `it needs ${text} in its list of files`;
  const what = found === undefined ? "is missing" : "does not start the jobs";
  return [{ level: "problem", about: "repository", what: `${path} ${what}`, remedy }];
}

function checkRecorded({ repository, version, checkAnswers }: DoctorOptions): Check[] {
  const about = "repository";
  const text = read(repository, ANSWERS);
  if (text === undefined) {
    const remedy = "restore it from version control: updates of the repository need it";
    return [{ level: "problem", about, what: `${ANSWERS} is missing`, remedy }];
  }
  const problems = checkAnswers(text);
  if (problems.length > 0) {
    const remedy = "fix it, or restore it from version control";
    return problems.map((what) => ({ level: "problem", about, what, remedy }));
  }
  const recorded = JSON.parse(text) as { readonly name?: string; readonly antifragile?: { readonly version?: string } };
  const found: Check[] = [];
  const { name } = JSON.parse(read(repository, "package.json") ?? "{}") as { readonly name?: string };
  if (recorded.name !== name) {
    const what = `the name is ${name} in package.json and ${recorded.name} in ${ANSWERS}`;
    found.push({ level: "note", about, what, remedy: "use the name of the deployed service in both" });
  }
  const made = recorded.antifragile?.version;
  if (made !== version) {
    const what = `generated by antifragile ${made ?? "of an unknown version"}; the installed version is ${version}`;
    found.push({
      level: "note",
      about,
      what,
      remedy: "compare the repository with the files that this version generates",
    });
  }
  return found.length === 0 ? [{ level: "ok", about, what: `${ANSWERS} is valid` }] : found;
}

interface Known {
  readonly environments: readonly { readonly name: string; readonly account?: string; readonly state?: unknown }[];
  /** Other exports of the file, such as delivery. */
  readonly others: Readonly<Record<string, unknown>>;
}

function checkKnown({ environments, others }: Known, { environment }: DoctorOptions): Check[] {
  const names = environments.map(({ name }) => name);
  const parts = [...environments.map((each) => [each.name, each] as const), ...Object.entries(others)];
  const wanted = parts.filter(([name]) => environment === undefined || name === environment);
  if (wanted.length === 0) {
    throw new UserError(
      `${ENVIRONMENTS} has no environment ${environment}${didYouMean(environment ?? "", names)}\nIt has: ${names.join(", ")}`,
      2,
    );
  }
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  const repeated = twice.map(
    (about): Check => ({
      level: "problem",
      about,
      what: "is defined twice",
      remedy: `define it once, in ${ENVIRONMENTS}`,
    }),
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
    const found = [...open, ...checkBoundary(about, part)];
    return found.length === 0 ? [{ level: "ok", about, what: "nothing is missing" }] : found;
  });
  return [...repeated, ...known];
}

/** Environments with state in S3 are those that CI can deploy. */
function checkBoundary(about: string, part: unknown): Check[] {
  const { state, profile, guardrails } = part as {
    readonly state?: unknown;
    readonly profile?: string;
    readonly guardrails?: { readonly permissionsBoundary?: string };
  };
  // Not an environment, such as delivery, whose roles deploy.
  if (profile === undefined || (state ?? "local") === "local" || guardrails?.permissionsBoundary) return [];
  return [
    {
      level: "note",
      about,
      what: "no permissions boundary limits its roles: who can deploy it can become administrator of the account",
      remedy: `set guardrails: { permissionsBoundary: "bootstrap" } in ${ENVIRONMENTS}, and run antifragile bootstrap ${about}`,
    },
  ];
}

/** Runs the file and returns its exports as data. */
function readEnvironments(repository: string): Known {
  // The file may print lines of its own before.
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

/** Renders the checks for a terminal, grouped by subject. */
export function describeChecks(checks: readonly Check[]): string {
  const marks = { ok: "✔", note: "!", problem: "✖", manual: "☐" } as const;
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
  const where =
    open.length === 0 ? "" : `; fill in ${open.length === 1 ? "1 value" : `${open.length} values`} in ${ENVIRONMENTS}`;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${lines.join("")}\n${problems.length === 0 ? "No problems found." : `${count}${where}.`}\n`;
}
