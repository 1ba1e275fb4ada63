import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** A real PostgreSQL and a real Redis of this machine, and the environment that leads to them. */
export interface Servers {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Debian puts the programs of a server outside of PATH. */
const debian = "/usr/lib/postgresql";
const folders = [
  ...(process.env.PATH ?? "").split(delimiter),
  ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []),
];
const program = (name: string) => folders.map((folder) => join(folder, name)).find((file) => existsSync(file));

/** Missing programs, with the Debian packages that contain them. */
export function missingServers(): readonly string[] {
  const needed = { initdb: "postgresql", postgres: "postgresql", "redis-server": "redis-server" };
  return Object.entries(needed).flatMap(([name, bringer]) => (program(name) ? [] : [`${name} (package ${bringer})`]));
}

/** Starts both on free ports, with their data in a folder that goes with them. */
export async function startServers(): Promise<Servers> {
  const folder = mkdtempSync(join(tmpdir(), "antifragile-servers-"));
  // PostgreSQL refuses to run as root: 65534 is an unprivileged user everywhere.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  if (user.uid) chownSync(folder, user.uid, user.gid);
  const data = join(folder, "postgres");
  const password = join(folder, "password");
  writeFileSync(password, "service\n", { mode: 0o644 });
  const env = { PATH: process.env.PATH, LC_ALL: "C" };
  const init = ["-D", data, "-U", "service", `--pwfile=${password}`, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"];
  execFileSync(program("initdb")!, init, { ...user, env, cwd: folder });
  const [postgresPort, redisPort] = [await freePort(), await freePort()];

  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
  const children = [
    spawn(program("postgres")!, ["-D", data, "-p", `${postgresPort}`, ...settings.flatMap((each) => ["-c", each])], {
      ...user,
      env,
      cwd: folder,
      stdio: "ignore",
    }),
    spawn(program("redis-server")!, ["--port", `${redisPort}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder], {
      env,
      stdio: "ignore",
    }),
  ];
  await Promise.all([listening(postgresPort, children[0]!), listening(redisPort, children[1]!)]);
  return {
    env: {
      PGHOST: "127.0.0.1",
      PGPORT: String(postgresPort),
      PGUSER: "service",
      PGPASSWORD: "service",
      PGDATABASE: "postgres",
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    },
    async stop() {
      await Promise.all(children.map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    const socket = connect(port, "127.0.0.1");
    const open = await new Promise((resolve) =>
      socket.on("connect", () => resolve(true)).on("error", () => resolve(false)),
    );
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${child.spawnfile} does not listen on ${port}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // At once: what they hold is thrown away. PostgreSQL ends its own processes then.
  child.kill("SIGQUIT");
  await once(child, "close");
}
