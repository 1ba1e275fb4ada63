import { execFile } from "node:child_process";
import { access, readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { terraformProgram } from "../contract/terraform-program";
import { terraformMissing } from "../contract/version";

/** A tool that is there. */
export interface FoundTool {
  readonly found: true;
  /** The command or the folder. */
  readonly path: string;
  readonly version: string;
}

/** A tool that is not there, and what to do about it. */
export interface MissingTool {
  readonly found: false;
  readonly install: string;
}

/** A folder of provider plugins: `registry.terraform.io/hashicorp/aws/<version>/<platform>` is below it. */
export interface FoundMirror extends FoundTool {
  /** All versions of the AWS provider for this machine's platform; `version` is the newest. */
  readonly versions: readonly string[];
}

/** Tools that a deployment to the emulator needs. */
export interface Tools {
  readonly terraform: FoundTool | MissingTool;
  /** Not required: without it Terraform downloads the provider. */
  readonly pluginMirror: FoundMirror | MissingTool;
  /** A Python that has moto's server. */
  readonly python: FoundTool | MissingTool;
}

const AWS_PROVIDER = join("registry.terraform.io", "hashicorp", "aws");
const MIRROR_VARIABLE = "ANTIFRAGILE_PLUGIN_MIRROR";
const SEARCH_DEPTH = 3;
const SEARCH_LIMIT = 5_000;

/** Look for Terraform, a mirror of its plugins and a Python with moto. Never throws for what is missing: it says so. */
export async function findTools(): Promise<Tools> {
  const [terraform, pluginMirror, python] = await Promise.all([findTerraform(), findPluginMirror(), findPython()]);
  return { terraform, pluginMirror, python };
}

/** Missing tools for a deployment to the emulator, as sentences with the installation command; empty if none are missing. */
export function missingTools(tools: Tools): string[] {
  return [tools.terraform, tools.python].flatMap((tool) => (tool.found ? [] : [tool.install]));
}

async function findTerraform(): Promise<FoundTool | MissingTool> {
  const path = terraformProgram(process.env);
  const output = await run(path, ["version", "-json"]);
  const version = output === undefined ? undefined : readVersion(output);
  return version === undefined ? { found: false, install: terraformMissing(path) } : { found: true, path, version };
}

function readVersion(output: string): string | undefined {
  try {
    return (JSON.parse(output) as { terraform_version?: string }).terraform_version;
  } catch {
    return undefined;
  }
}

async function findPython(): Promise<FoundTool | MissingTool> {
  const program = "import flask, moto, moto.server, sys; print(sys.executable); print(moto.__version__)";
  for (const command of ["python3", "python"]) {
    const [path, version] = (await run(command, ["-c", program]))?.trim().split(/\r?\n/) ?? [];
    if (path !== undefined && version !== undefined) return { found: true, path, version };
  }
  return {
    found: false,
    install: "no python3 here can import moto's server: python3 -m pip install 'moto[all,server]'",
  };
}

async function findPluginMirror(): Promise<FoundMirror | MissingTool> {
  for (const folder of impliedMirrors()) {
    const mirror = await readMirror(folder);
    if (mirror) return mirror;
  }
  const budget = { folders: SEARCH_LIMIT };
  for (const root of searchRoots()) {
    const mirror = await searchMirror(root, SEARCH_DEPTH, budget);
    if (mirror) return mirror;
  }
  return {
    found: false,
    install:
      `no folder with ${AWS_PROVIDER} for ${platform()}: Terraform will download the provider; ` +
      `to avoid it, run "terraform providers mirror FOLDER" once and set ${MIRROR_VARIABLE}=FOLDER`,
  };
}

/** The named folder, then those that Terraform looks in by itself. @see https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories */
function impliedMirrors(): string[] {
  const { env } = process;
  const named = env[MIRROR_VARIABLE];
  if (named) return [named];
  const home = homedir();
  const dataFolders = (env.XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(":");
  return [
    join("terraform.d", "plugins"),
    join(home, ".terraform.d", "plugins"),
    join(home, "Library", "Application Support", "io.terraform", "plugins"),
    "/Library/Application Support/io.terraform/plugins",
    ...(env.APPDATA ? [join(env.APPDATA, "terraform.d", "plugins")] : []),
    ...[env.XDG_DATA_HOME || join(home, ".local", "share"), ...dataFolders].map((folder) =>
      join(folder, "terraform", "plugins"),
    ),
  ];
}

function searchRoots(): string[] {
  if (process.env[MIRROR_VARIABLE]) return [];
  return ["/opt", "/usr/local", "/usr/share", "/var/lib", homedir()];
}

async function searchMirror(
  folder: string,
  depth: number,
  budget: { folders: number },
): Promise<FoundMirror | undefined> {
  if (budget.folders-- <= 0) return undefined;
  const mirror = await readMirror(folder);
  if (mirror || depth === 0) return mirror;
  for (const name of await foldersIn(folder)) {
    if (name === "node_modules" || name.startsWith(".")) continue;
    const found = await searchMirror(join(folder, name), depth - 1, budget);
    if (found) return found;
  }
  return undefined;
}

async function readMirror(folder: string): Promise<FoundMirror | undefined> {
  const provider = join(folder, AWS_PROVIDER);
  const versions: string[] = [];
  for (const version of await foldersIn(provider)) {
    if (await exists(join(provider, version, platform()))) versions.push(version);
  }
  versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const newest = versions.at(-1);
  return newest === undefined ? undefined : { found: true, path: folder, version: newest, versions };
}

function platform(): string {
  const system: Record<string, string> = { win32: "windows" };
  const processor: Record<string, string> = { x64: "amd64", ia32: "386" };
  return `${system[process.platform] ?? process.platform}_${processor[process.arch] ?? process.arch}`;
}

async function foldersIn(folder: string): Promise<string[]> {
  // A folder that is not there or may not be read holds no mirror.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map((entry) => entry.name);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Standard output of a command, or nothing when it is missing or fails. */
function run(command: string, parameters: readonly string[]): Promise<string | undefined> {
  const { TF_CLI_CONFIG_FILE: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(command, parameters, { env: { ...env, CHECKPOINT_DISABLE: "1" }, timeout: 60_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout),
    );
  });
}
