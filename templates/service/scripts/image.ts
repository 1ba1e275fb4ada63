/**
 * `npm run image`: builds the image of the commit that is checked out, and pushes it to the repository that `delivery` of
 * infra/environments.ts tells of. There is one for each commit: the second time it is only looked up. Its URI, by digest,
 * goes to image.txt, for `npm run release -- staging --image-file image.txt`.
 *
 * Needs `ecr:DescribeRepositories`, `ecr:DescribeImages` and what a push needs.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
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

function docker(args: string[], input?: string): void {
  execFileSync("docker", args, {
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
  docker(["login", "--username", user, "--password-stdin", uri.split("/")[0] ?? uri], password);
  // Without provenance the tag means an image, which ECR scans, and not an index, which it does not.
  docker(["build", "--platform", "linux/arm64", "--provenance=false", "--tag", `${uri}:${tag}`, "."]);
  docker(["push", `${uri}:${tag}`]);
}

async function main(): Promise<void> {
  if (git("status", "--porcelain") !== "") throw new Error("there are changes: commit them, an image is of a commit");
  const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { name: string };
  const tag = `commit-${git("rev-parse", "HEAD")}`;
  const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [name] }));
  const uri = repositories?.[0]?.repositoryUri;
  if (uri === undefined) throw new Error(`ECR does not tell where ${name} is`);
  if ((await digestOf(name, tag)) === undefined) await push(uri, tag);
  const digest = await digestOf(name, tag);
  if (digest === undefined) throw new Error(`${uri}:${tag} was pushed, and is not there`);
  writeFileSync(join(root, "image.txt"), `${uri}@${digest}\n`);
  console.log(`${uri}@${digest}`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
