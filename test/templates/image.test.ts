import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { PNPM_VERSION } from "../../generator/package-managers";
import { requiring } from "../support/required-tools";
import { buildah, buildBase, checked, npmVolumes, startInside } from "./support/image";
import {
  cleanEnvironment,
  collect,
  EVERYTHING,
  npm,
  type Outcome,
  run,
  serviceFiles,
  writeFiles,
} from "./support/repository";
import { freePort, missingServers, type Servers, startServers } from "./support/servers";

// The generated Dockerfile, built and run. Only its base image is another one.

const SLOW = 600_000;
const BASE = "localhost/base";
const IMAGE = "localhost/orders";
const PNPM_IMAGE = "localhost/orders-pnpm";
/** Maximum of what the image adds to the base, in MiB. */
const MAX_SIZE = 120;
const files = serviceFiles(EVERYTHING);

let missing: string[];
let folder: string;
let root: string;
let config: { User: string; Env: string[]; Cmd: string[]; WorkingDir: string; Healthcheck: { Test: string[] } };
let servers: Servers | undefined;
let env: NodeJS.ProcessEnv;

/** Builds the image of a repository. */
async function buildImage(
  tag: string,
  files: ReadonlyMap<string, string>,
  lock: (repository: string) => Promise<Outcome>,
) {
  const repository = mkdtempSync(join(folder, "repository-"));
  const dockerfile = files.get("Dockerfile")!.replaceAll(/node:24\S+/g, BASE);
  writeFiles(repository, new Map([...files, ["Dockerfile", dockerfile], ["vendor/.keep", ""]]));
  await checked(lock(repository));
  const own = ["--layers=false", "--pull-never", "--format", "docker", ...npmVolumes(folder)];
  await checked(buildah(folder, ["build", ...own, "--tag", tag, repository]));
}

/** Root folder of an image. */
async function mounted(tag: string): Promise<string> {
  const container = await checked(buildah(folder, ["from", "--pull-never", tag]));
  return checked(buildah(folder, ["mount", container]));
}

/** Prints the size of an image and the number of its layers. */
async function printLayers(tag: string): Promise<void> {
  const { rootfs } = JSON.parse(await checked(buildah(folder, ["inspect", "--type", "image", tag]))).OCIv1;
  const size = await checked(buildah(folder, ["images", "--format", "{{.Size}}", tag]));
  console.log(`${tag}: ${size}, ${rootfs.diff_ids.length} layers`);
}

/** Size of what the image adds to the base, in MiB. */
async function sizeOf(folder: string): Promise<number> {
  const { output } = await run("du", ["-sm", "dist", "node_modules"], folder);
  console.log(`image, in MiB on top of the base:\n${output}`);
  return output
    .trim()
    .split("\n")
    .reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
}

beforeAll(async () => {
  const builder = await run("sh", ["-c", "command -v buildah"], tmpdir());
  const superuser = process.getuid?.() === 0;
  missing = [...(builder.code === 0 ? [] : ["buildah"]), ...(superuser ? [] : ["root"]), ...missingServers()];
  if (missing.length > 0) return;
  folder = mkdtempSync(join(tmpdir(), "antifragile-container-"));
  servers = await startServers();
  await buildBase(folder, BASE);

  // As on a hardened host: other users cannot read the checkout.
  const before = process.umask(0o077);
  await buildImage(IMAGE, files, (repository) => npm(["install", "--package-lock-only"], repository));
  process.umask(before);
  root = await mounted(IMAGE);
  config = JSON.parse(await checked(buildah(folder, ["inspect", "--type", "image", IMAGE]))).Docker.config;
  // The service must not need a shell.
  rmSync(join(root, "bin/sh"));
  execFileSync("mount", ["--bind", root, root]);
  execFileSync("mount", ["-o", "remount,ro,bind", root]);
  const declared = [...files.get(".env.example")!.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  env = {
    ...Object.fromEntries(declared),
    ...Object.fromEntries(config.Env.map((each) => each.split(/=(.*)/s))),
    ...servers.env,
    AWS_ACCESS_KEY_ID: "none",
    AWS_SECRET_ACCESS_KEY: "none",
    DRAIN_SECONDS: "0",
    PORT: String(await freePort()),
  };
}, SLOW);

afterAll(async () => {
  if (root) execFileSync("umount", [root]);
  await servers?.stop();
  if (folder) {
    await buildah(folder, ["rm", "--all"]);
    rmSync(folder, { recursive: true, force: true });
  }
}, SLOW);

beforeEach(({ skip }) => {
  requiring(missing).running(skip);
});

/** Starts a process of the image; the working directory of the image cannot be set from outside. */
function start(command: readonly string[]) {
  const [program, ...args] = command;
  const paths = args.map((arg) => (arg.startsWith("dist/") ? join(config.WorkingDir, arg) : arg));
  const child = startInside(root, config.User, [program!, ...paths], cleanEnvironment(env));
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, output: collect(child) };
}

async function finished(command: readonly string[]): Promise<string> {
  const { child, output } = start(command);
  expect(await once(child, "close"), output()).toEqual([0, null]);
  return output();
}

describe("the image", () => {
  it("has a non-root user, and files that this user can read, for any umask", () => {
    expect(config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    for (const file of ["openapi.yaml", "package.json", "dist/main.js", "migrations/0001-quotes.sql"]) {
      expect(statSync(join(root, config.WorkingDir, file)).mode & 0o777, file).toBe(0o644);
    }
  });

  it("contains no development dependencies, and is within its size limit", async () => {
    expect((await run("ls", ["node_modules/typescript"], join(root, config.WorkingDir))).code).not.toBe(0);
    await printLayers(IMAGE);
    expect(await sizeOf(join(root, config.WorkingDir))).toBeLessThan(MAX_SIZE);
  });

  it("is as small with pnpm", { timeout: SLOW }, async () => {
    const lock = (repository: string) =>
      run("npx", ["--yes", "--prefer-offline", `pnpm@${PNPM_VERSION}`, "install", "--lockfile-only"], repository);
    await buildImage(PNPM_IMAGE, serviceFiles({ ...EVERYTHING, packageManager: "pnpm" }), lock);
    expect(await sizeOf(join(await mounted(PNPM_IMAGE), config.WorkingDir))).toBeLessThan(MAX_SIZE);
  });

  it("migrates, and runs the job", { timeout: SLOW }, async () => {
    expect(await finished(["node", "dist/admin/migrate.js"])).toContain('"migrated"');
    expect(await finished(["node", "dist/job.js"])).toContain('"report"');
  });

  it("serves with a read-only root and without a shell, is healthy, and shuts down", {
    timeout: SLOW,
  }, async () => {
    expect(() => writeFileSync(join(root, "written"), "")).toThrow(/EROFS/);
    const { child, output } = start(config.Cmd);
    await expect.poll(output, { timeout: 60_000 }).toContain('"listening"');
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).toBe(config.User.split(":")[0]);
    expect((await fetch(`http://127.0.0.1:${env.PORT}/readyz`)).status).toBe(200);
    const [kind, ...probe] = config.Healthcheck.Test;
    expect(kind).toBe("CMD");
    await finished(probe);
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([0, null]);
  });

  it("works on the queue, and shuts down", { timeout: SLOW }, async () => {
    const { child, output } = start(["node", "dist/worker.js"]);
    await expect.poll(output, { timeout: 60_000 }).toContain('"working"');
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([0, null]);
  });
});
