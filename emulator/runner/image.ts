import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { cp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { AccountClient } from "./client";

/** Parts of an image's configuration that decide how it starts. */
export interface ImageConfig {
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Image on this machine: the built program in a folder, without the rest of a file system. */
export interface LocalImage extends ImageConfig {
  readonly folder: string;
}

/** Packages are linked instead of copied; the others change without the program. */
const EXCLUDED = ["node_modules", ".git", "infra/cdktf.out"];

/**
 * Copies the built program of a repository, as an image does, so that a later build does not change what runs, and pushes a
 * manifest of it to a repository of ECR. The digest depends on the files alone.
 *
 * @param images folder of all images
 * @returns URI of the image, by digest
 */
export async function pushImage(
  repository: string,
  images: string,
  account: AccountClient,
  repositoryName: string,
): Promise<string> {
  const files = await filesOf(repository);
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(repository, file)));
  const content = hash.digest("hex");
  const uri = await pushManifest(account, repositoryName, content);
  const folder = join(images, content);
  if (!existsSync(folder)) {
    const unfinished = `${folder}.part`;
    await rm(unfinished, { recursive: true, force: true });
    for (const file of files) await cp(join(repository, file), join(unfinished, file));
    await symlink(join(repository, "node_modules"), join(unfinished, "node_modules"));
    await rename(unfinished, folder);
  }
  const dockerfile = join(repository, "Dockerfile");
  const config = readDockerfile(existsSync(dockerfile) ? await readFile(dockerfile, "utf8") : "");
  const image: LocalImage = { ...config, folder };
  await writeFile(join(images, fileOf(uri)), JSON.stringify(image));
  return uri;
}

async function pushManifest(account: AccountClient, repositoryName: string, content: string): Promise<string> {
  const { repositories } = await account.call<{ repositories: { repositoryUri: string }[] }>(
    "ecr",
    "DescribeRepositories",
    { repositoryNames: [repositoryName] },
  );
  const imageTag = `local-${content.slice(0, 40)}`;
  const found = await account
    .call<{ imageDetails: { imageDigest: string }[] }>("ecr", "DescribeImages", {
      repositoryName,
      imageIds: [{ imageTag }],
    })
    .catch(() => undefined);
  let digest = found?.imageDetails[0]?.imageDigest;
  if (digest === undefined) {
    const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
    const config = {
      mediaType: "application/vnd.docker.container.image.v1+json",
      size: 2,
      digest: `sha256:${content}`,
    };
    const { image } = await account.call<{ image: { imageId: { imageDigest: string } } }>("ecr", "PutImage", {
      repositoryName,
      imageTag,
      imageManifest: JSON.stringify({ schemaVersion: 2, mediaType, config }),
    });
    digest = image.imageId.imageDigest;
  }
  return `${repositories[0]?.repositoryUri}@${digest}`;
}

/** Image of a URI; undefined if it is not on this machine. */
export function findImage(images: string, uri: string): LocalImage | undefined {
  const file = join(images, fileOf(uri));
  return uri.includes("@sha256:") && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

function fileOf(uri: string): string {
  return `${uri.split("@sha256:")[1]}.json`;
}

async function filesOf(repository: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string) => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const name = relative(repository, path).replaceAll("\\", "/");
      if (EXCLUDED.includes(name)) continue;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) found.push(name);
    }
  };
  await visit(repository);
  return found.sort();
}

/** Reads the configuration that the last stage of a Dockerfile gives its image. */
export function readDockerfile(text: string): ImageConfig {
  const lines = text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.trim());
  const last = lines.findLastIndex((line) => /^FROM\s/i.test(line));
  let entryPoint: readonly string[] = [];
  let command: readonly string[] = [];
  const environment: Record<string, string> = {};
  for (const line of lines.slice(Math.max(last, 0))) {
    const [, instruction = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (/^CMD$/i.test(instruction)) command = wordsOf(rest);
    if (/^ENTRYPOINT$/i.test(instruction)) entryPoint = wordsOf(rest);
    if (/^ENV$/i.test(instruction)) {
      for (const [, name = "", quoted, bare = ""] of rest.matchAll(/(\w+)=(?:"([^"]*)"|(\S*))/g)) {
        environment[name] = quoted ?? bare;
      }
    }
  }
  return { entryPoint, command, environment };
}

/** Words of a command: a JSON array, or a line for the shell. */
function wordsOf(text: string): readonly string[] {
  if (!text.startsWith("[")) return ["/bin/sh", "-c", text];
  return JSON.parse(text) as string[];
}
