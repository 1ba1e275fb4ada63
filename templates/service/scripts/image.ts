/**
 * `npm run image`: builds the image of the current commit, and pushes it to the ECR repository of `delivery` in
 * infra/environments.ts. Each commit has one image: the second time it is only looked up. Writes its URI, by digest, to
 * image.txt, for `npm run release -- staging --image-file image.txt`. With `--uncommitted`, as `antifragile ship` runs it, the
 * image may have uncommitted changes.
 *
 * Needs Docker, Podman, Buildah or Finch, `ecr:DescribeRepositories`, `ecr:DescribeImages` and permission to push.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  ImageNotFoundException,
} from "@aws-sdk/client-ecr";
import { delivery } from "../infra/environments";

const root = join(__dirname, "..");
const ecr = new ECRClient({ region: delivery.region });

function git(...args: string[]): string {
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
}

/** Programs that build images, in order of preference, with their own arguments for a build. */
const BUILDERS: Readonly<Record<string, readonly string[]>> = {
  // Without provenance the tag refers to an image, which ECR scans, and not to an index, which it does not scan.
  docker: ["--provenance=false"],
  podman: [],
  // Its default format has no health check.
  buildah: ["--format", "docker"],
  finch: [],
};

/** Returns the first builder that works: `docker` may be installed without its daemon. */
function findBuilder(): string {
  const found = Object.keys(BUILDERS).find((name) => spawnSync(name, ["info"], { stdio: "ignore" }).status === 0);
  if (found === undefined)
    throw new Error(`no image builder works: install or start one of ${Object.keys(BUILDERS).join(", ")}`);
  return found;
}

function runBuilder(builder: string, args: readonly string[], input?: string): void {
  execFileSync(builder, args, {
    cwd: root,
    input,
    stdio: [input === undefined ? "ignore" : "pipe", "inherit", "inherit"],
  });
}

async function digestOf(repositoryName: string, imageTag: string): Promise<string | undefined> {
  try {
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] }));
    return imageDetails?.[0]?.imageDigest;
  } catch (error) {
    if (error instanceof ImageNotFoundException) return undefined;
    throw error;
  }
}

async function push(uri: string, tag: string): Promise<void> {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [user = "", password = ""] = Buffer.from(authorizationData?.[0]?.authorizationToken ?? "", "base64")
    .toString("utf8")
    .split(":");
  const builder = findBuilder();
  const own = BUILDERS[builder] ?? [];
  runBuilder(builder, ["login", "--username", user, "--password-stdin", uri.split("/")[0] ?? uri], password);
  runBuilder(builder, ["build", "--platform", "linux/arm64", ...own, "--tag", `${uri}:${tag}`, "."]);
  runBuilder(builder, ["push", `${uri}:${tag}`]);
}

/** Tag of an image: one for each commit, and for each state of the files that is not committed. */
function tagOfFiles(): string {
  if (git("status", "--porcelain") === "") return `commit-${git("rev-parse", "HEAD")}`;
  if (!process.argv.includes("--uncommitted"))
    throw new Error("there are uncommitted changes: commit them, an image belongs to a commit");
  // An index of its own, so that what is staged stays as it is.
  const folder = mkdtempSync(join(tmpdir(), "image-"));
  process.env.GIT_INDEX_FILE = join(folder, "index");
  try {
    git("add", "--all");
    return `uncommitted-${git("write-tree")}`;
  } finally {
    delete process.env.GIT_INDEX_FILE;
    rmSync(folder, { recursive: true });
  }
}

async function main(): Promise<void> {
  const tag = tagOfFiles();
  const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string };
  const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  const uri = repositories?.[0]?.repositoryUri;
  if (uri === undefined) throw new Error(`ECR returned no URI for the repository ${name}`);
  if ((await digestOf(name, tag)) === undefined) await push(uri, tag);
  const digest = await digestOf(name, tag);
  if (digest === undefined) throw new Error(`${uri}:${tag} was pushed, but ECR does not have it`);
  writeFileSync(join(root, "image.txt"), `${uri}@${digest}\n`);
  console.log(`${uri}@${digest}`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
