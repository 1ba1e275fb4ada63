import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runningProgram } from "../support/program";
import { cleanEnvironment, repositoryFiles, run, writeFiles } from "./support/repository";

const root = join(__dirname, "../..");

describe("npm run image", () => {
  const DIGEST = `sha256:${"d".repeat(64)}`;
  const HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

  /** An ECR that has an image once it was pushed, and a docker that notes how it is called. */
  async function build({
    pushed = false,
    dirty = false,
    broken = false,
    builder = "docker",
    alone = false,
    flags = [] as string[],
  } = {}) {
    const folder = mkdtempSync(join(tmpdir(), "antifragile-image-"));
    const calls = join(folder, "docker.log");
    if (pushed) writeFileSync(calls, "push before\n");
    const ecr = createServer((request, response) => {
      const action = String(request.headers["x-amz-target"]).split(".")[1]!;
      const isThere = existsSync(calls) && /^push/m.test(readFileSync(calls, "utf8"));
      const answers: Record<string, object> = {
        DescribeRepositories: { repositories: [{ repositoryUri: `${HOST}/orders` }] },
        GetAuthorizationToken: { authorizationData: [{ authorizationToken: btoa("AWS:p@ss") }] },
        DescribeImages: isThere ? { imageDetails: [{ imageDigest: DIGEST }] } : { __type: "ImageNotFoundException" },
      };
      const answer = answers[action] as { __type?: string };
      response.writeHead(answer.__type ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => ecr.listen(0, "127.0.0.1", resolve));
    const repository = join(folder, "orders");
    writeFiles(repository, repositoryFiles({ ci: "none" }));
    mkdirSync(join(folder, "bin"));
    for (const name of alone ? [builder] : ["docker", "podman", "buildah", "finch"]) {
      // One works; the others are installed, as a client without its daemon is.
      const works = `[ "$1" = info ] && exit 0\ninput=$(cat)\necho "$@ <$input>" >> ${calls}\n${broken ? "exit 1\n" : ""}`;
      const script = `#!/bin/sh\n${name === builder ? works : "exit 1\n"}`;
      writeFileSync(join(folder, "bin", name), script, { mode: 0o755 });
    }
    const bin = join(folder, "bin");
    // Without the directories of this machine, which may have builders.
    for (const name of alone ? ["git", "cat"] : [])
      symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), join(bin, name));
    const PATH = alone ? bin : `${bin}:${process.env.PATH}`;
    const git = (...args: string[]) => run("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...args], repository);
    await git("init", "-q");
    // It is a link here, and not the folder that .gitignore names.
    writeFileSync(join(repository, ".git/info/exclude"), "node_modules\n");
    await git("add", "-A");
    await git("commit", "-qm", "first");
    const commit = (await git("rev-parse", "HEAD")).output.trim();
    symlinkSync(join(root, "node_modules"), join(repository, "node_modules"));
    if (dirty) writeFileSync(join(repository, "src/app.ts"), "// changed");
    const { port } = ecr.address() as AddressInfo;
    const outcome = await run(
      process.execPath,
      [...runningProgram("scripts/image.ts"), ...flags],
      repository,
      cleanEnvironment({
        PATH,
        AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        NODE_NO_WARNINGS: "1",
      }),
    );
    ecr.close();
    const staged = (await git("diff", "--cached", "--name-only")).output;
    const text = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
    const result = { ...outcome, commit, staged, calls: text(calls), image: text(join(repository, "image.txt")) };
    rmSync(folder, { recursive: true, force: true });
    return result;
  }

  it.each([
    ["docker", " --provenance=false"],
    ["podman", ""],
    ["buildah", " --format docker"],
    ["finch", ""],
  ])(
    "builds the image of the commit with %s, pushes it, and writes its URI by digest",
    {
      timeout: 60_000,
    },
    async (builder, own) => {
      const { code, output, commit, calls, image } = await build({ builder });
      expect(code, output).toBe(0);
      expect(image).toBe(`${HOST}/orders@${DIGEST}\n`);
      expect(calls.split("\n").filter(Boolean)).toEqual([
        `login --username AWS --password-stdin ${HOST} <p@ss>`,
        `build --platform linux/arm64${own} --tag ${HOST}/orders:commit-${commit} . <>`,
        `push ${HOST}/orders:commit-${commit} <>`,
      ]);
    },
  );

  it("finds the one that is installed", { timeout: 60_000 }, async () => {
    const { code, output, calls } = await build({ builder: "podman", alone: true });
    expect(code, output).toBe(0);
    expect(calls).toMatch(/^push /m);
  });

  it("builds uncommitted changes with --uncommitted, under a tag of their content, and commits under theirs", {
    timeout: 120_000,
  }, async () => {
    const dirty = await build({ dirty: true, flags: ["--uncommitted"] });
    expect(dirty.code, dirty.output).toBe(0);
    expect(dirty.image).toBe(`${HOST}/orders@${DIGEST}\n`);
    expect(dirty.calls).toMatch(/^build .*:uncommitted-[0-9a-f]{40} \. <>$/m);
    expect(dirty.staged).toBe("");
    const clean = await build({ flags: ["--uncommitted"] });
    expect(clean.calls).toContain(`:commit-${clean.commit} .`);
  });

  it("builds a commit once", { timeout: 60_000 }, async () => {
    const { image, calls } = await build({ pushed: true });
    expect([image, calls]).toEqual([`${HOST}/orders@${DIGEST}\n`, "push before\n"]);
  });

  it("refuses uncommitted changes, and writes nothing if the builder fails or is missing", {
    timeout: 60_000,
  }, async () => {
    const dirty = await build({ dirty: true });
    expect([dirty.code, dirty.image, dirty.calls]).toEqual([1, "", ""]);
    expect(dirty.output).toMatch(/commit them/);
    const none = await build({ builder: "none" });
    expect([none.code, none.image]).toEqual([1, ""]);
    expect(none.output).toContain("no image builder works: install or start one of docker, podman, buildah, finch");
    const broken = await build({ broken: true });
    expect([broken.code, broken.image]).toEqual([1, ""]);
  });
});
