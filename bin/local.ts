import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ExitCode, UserError } from "../contract/user-error";
import type { Deployed } from "../emulator/deploy-local";
import { AccountClient, endWithParent, freePort, pushImage, StandIns, TaskRunner } from "../emulator/runner";
import type { Context } from "../generator/context";
import { runRelease } from "../operations/release/commands";

/** Local deployment that runs, as another run of the command finds it. */
export interface RunningDeployment {
  readonly url: string;
  readonly folder: string;
}

const SHOW_MS = 1000;

const stateFile = (repository: string) => join(repository, "node_modules", ".cache", "antifragile", "local.json");

/** Local deployment of a repository that runs now; undefined if none does. */
export async function runningDeployment(repository: string): Promise<RunningDeployment | undefined> {
  const file = stateFile(repository);
  if (!existsSync(file)) return undefined;
  const found = JSON.parse(readFileSync(file, "utf8")) as RunningDeployment;
  const answer = await fetch(`${found.url}/antifragile/health`, { signal: AbortSignal.timeout(2000) }).catch(
    () => undefined,
  );
  await answer?.body?.cancel();
  return answer?.ok ? found : undefined;
}

/** Images of a local deployment. */
const imagesOf = (folder: string) => join(folder, "images");

/**
 * Builds the program, pushes its image to the emulated account, and releases it there as `antifragile release` does.
 *
 * @throws UserError if a step fails
 */
export async function buildAndRelease(context: Context, { url, folder, environments }: Deployed): Promise<void> {
  const { cwd, print } = context;
  await build(cwd);
  const { name } = JSON.parse(await context.readText(join(cwd, "package.json"))) as { name: string };
  mkdirSync(imagesOf(folder), { recursive: true });
  for (const { environment, region } of environments) {
    const image = await pushImage(cwd, imagesOf(folder), new AccountClient(url, region), name);
    print("\n");
    const code = await withEnvironment(accountVariables(url), () =>
      runRelease({ ...context, args: [environment, "--image", image] }),
    );
    if (code !== 0) throw new UserError(`the release of ${environment} failed: see above`, code as ExitCode);
  }
}

/** Variables that make an AWS SDK call the emulator. */
function accountVariables(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** Runs work with only these variables for AWS: an account or a profile of the user must not be reached. */
async function withEnvironment<T>(variables: Record<string, string>, work: () => Promise<T>): Promise<T> {
  const replaceBy = (all: NodeJS.ProcessEnv) => {
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
    Object.assign(process.env, all);
  };
  const before = { ...process.env };
  replaceBy(variables);
  try {
    return await work();
  } finally {
    replaceBy(before);
  }
}

async function build(repository: string): Promise<void> {
  const child = spawn("npm", ["run", "--silent", "build"], { cwd: repository, stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new UserError("the service does not compile: npm run build shows why", 1);
}

/**
 * Releases the program to a deployed account, runs its tasks behind a local load balancer, and follows the account until the
 * signal. Then it drains the tasks.
 */
export async function runDeployed(context: Context, deployed: Deployed, signal: AbortSignal): Promise<void> {
  const { print, cwd } = context;
  const { url, folder } = deployed;
  const issuer = existsSync(join(cwd, "scripts", "issuer.ts")) ? await freePort() : undefined;
  const accounts = regionsOf(deployed).map((region) => new AccountClient(url, region));
  const standIns = accounts.map((account) => new StandIns(account));
  const runners = accounts.map(
    (account, index) =>
      new TaskRunner({
        account,
        images: imagesOf(folder),
        replace: async (variables) => ({
          ...replaced(variables, url, issuer),
          ...(await standIns[index]?.replace(variables)),
        }),
        print: (task, line) => print(`  ${task}  ${line}\n`),
      }),
  );
  let issuing: ChildProcess | undefined;
  try {
    for (const each of standIns) await each.start();
    for (const runner of runners) await runner.start();
    if (issuer !== undefined) {
      const audience = (await Promise.all(runners.map((runner) => runner.variable("AUTH_AUDIENCE")))).find(Boolean);
      issuing = await startIssuer(cwd, issuer, audience ?? "");
    }
    await buildAndRelease(context, deployed);
    if (signal.aborted) return;
    writeState(cwd, { url, folder });
    let shown = "";
    while (!signal.aborted) {
      const notes = [
        ...standIns.flatMap(({ sentences }) => sentences),
        ...runners.flatMap(({ differences }) => differences),
      ];
      const text = describe(context, deployed, { urls: runners.flatMap(({ urls }) => urls), notes, issuer });
      // Another run may have changed it.
      if (text !== shown) print(text);
      shown = text;
      await sleep(SHOW_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    rmSync(stateFile(cwd), { force: true });
    print("\n  draining\n");
    await Promise.all(runners.map((runner) => runner.stop()));
    issuing?.kill();
    await Promise.all(standIns.map((each) => each.stop()));
    for (const account of accounts) await deleteImages(account).catch(() => undefined);
  }
}

function regionsOf({ environments }: Deployed): string[] {
  return [...new Set(environments.map(({ region }) => region))];
}

function writeState(repository: string, state: RunningDeployment): void {
  const file = stateFile(repository);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(state));
}

/** Variables that differ from the applied ones, because servers of this machine stand in for AWS's. */
function replaced(
  variables: Readonly<Record<string, string>>,
  url: string,
  issuer: number | undefined,
): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    const local = value.replace(/^https:\/\/[a-z0-9-]+\.[a-z0-9-]+\.amazonaws\.com(?=\/|$)/, url);
    if (local !== value) changed[name] = local;
  }
  if (issuer !== undefined) changed.AUTH_ISSUER = `http://localhost:${issuer}`;
  return changed;
}

/** Starts the repository's own OIDC issuer, which has real keys. */
async function startIssuer(repository: string, port: number, audience: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/issuer.ts"], {
    cwd: repository,
    env: { PATH: process.env.PATH, AUTH_ISSUER: `http://localhost:${port}`, AUTH_AUDIENCE: audience },
    stdio: ["ignore", "ignore", "inherit"],
    detached: true,
  });
  endWithParent(child);
  for (let tries = 0; tries < 200; tries++) {
    const answer = await fetch(`http://localhost:${port}/jwks`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return child;
    if (child.exitCode !== null) break;
    await sleep(100);
  }
  child.kill("SIGKILL");
  throw new UserError("scripts/issuer.ts does not start, which issues the tokens of a local deployment", 1);
}

interface Shown {
  readonly urls: TaskRunner["urls"];
  /** Differences from what is applied. */
  readonly notes: readonly string[];
  /** Port of the issuer. */
  readonly issuer: number | undefined;
}

function describe({ cwd }: Context, deployed: Deployed, { urls, notes, issuer }: Shown): string {
  const contract = join(cwd, "openapi.yaml");
  const text = existsSync(contract) ? readFileSync(contract, "utf8") : "";
  const lists = [...text.matchAll(/\boidc: \[([^\]]*)\]/g)].flatMap(([, list = ""]) => list.split(/,\s*/));
  const token = `curl -s 'http://localhost:${issuer}/token?scope=${[...new Set(lists)].sort().join("+")}'`;
  const variables = { ...accountVariables(deployed.url), AWS_REGION: regionsOf(deployed).join() };
  const lines = [
    "",
    ...urls.map(({ url, listener }) => `  ${url}   ${listener}`),
    ...(issuer === undefined ? [] : [`  token  ${token}`]),
    `  AWS    export ${Object.entries(variables)
      .map(([name, value]) => `${name}=${value}`)
      .join(" ")}`,
    "",
    "  What differs from AWS:",
    ...notes.map((note) => `    ${note}`),
    ...(issuer === undefined ? [] : [`    AUTH_ISSUER is http://localhost:${issuer}, an issuer of this machine`]),
    "    nothing scales, and schedules start nothing: antifragile run starts a job",
    "",
    "  Ctrl-C drains and destroys it. Another deploy:local rolls it over.",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

/** Deletes all images: a repository that holds some is not destroyed, as in AWS. */
async function deleteImages(account: AccountClient): Promise<void> {
  const { repositories } = await account.call<{ repositories: { repositoryName: string }[] }>(
    "ecr",
    "DescribeRepositories",
  );
  for (const { repositoryName } of repositories) {
    const { imageIds } = await account.call<{ imageIds: object[] }>("ecr", "ListImages", { repositoryName });
    if (imageIds.length > 0) await account.call("ecr", "BatchDeleteImage", { repositoryName, imageIds });
  }
}
