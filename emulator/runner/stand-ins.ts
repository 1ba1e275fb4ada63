import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../contract/user-error";
import type { AccountClient } from "./client";
import { endWithParent } from "./end-with-parent";
import { freePort } from "./free-port";

/** Server of this machine in place of one of AWS's. */
interface StandIn {
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
  readonly kind: "PostgreSQL" | "Redis";
  readonly process: ChildProcess;
}

interface Endpoint {
  readonly Address?: string;
  readonly Port?: number;
}

interface Database {
  readonly Engine: string;
  readonly DBName?: string;
  readonly DatabaseName?: string;
  readonly MasterUsername: string;
  readonly Endpoint?: Endpoint | string;
  readonly Port?: number;
}

/**
 * Servers of this machine that stand in for the databases and caches of an account: PostgreSQL for RDS, Redis or Valkey for
 * ElastiCache. Each is empty at first, and its data is removed with it. They accept any password, so that tokens of IAM work.
 */
export class StandIns {
  readonly #all: StandIn[] = [];
  #last = Promise.resolve();
  readonly #folders: string[] = [];

  constructor(private readonly account: AccountClient) {}

  /** Starts servers for the databases and caches that have none yet. @throws UserError if this machine lacks the program */
  start(): Promise<void> {
    // One after the other: the next one finds what this one has started.
    this.#last = this.#last.catch(() => undefined).then(() => this.#startNew());
    return this.#last;
  }

  async #startNew(): Promise<void> {
    const rds = <T>(operation: string) => this.account.call<T>("rds", operation);
    const { DBInstances } = await rds<{ DBInstances: (Database & { DBClusterIdentifier?: string })[] }>(
      "DescribeDBInstances",
    );
    const { DBClusters } = await rds<{ DBClusters: Database[] }>("DescribeDBClusters");
    const databases = [...DBInstances.filter((each) => each.DBClusterIdentifier === undefined), ...DBClusters];
    for (const database of databases.filter(({ Engine }) => Engine.includes("postgres"))) {
      const { Endpoint: endpoint, Port } = database;
      const { Address, Port: port = Port ?? 5432 } = typeof endpoint === "object" ? endpoint : { Address: endpoint };
      if (Address === undefined || this.#has(Address)) continue;
      this.#all.push({ address: Address, port, kind: "PostgreSQL", ...(await this.#postgres(database)) });
    }
    for (const { Address, Port = 6379 } of await this.#caches()) {
      if (Address === undefined || this.#has(Address)) continue;
      this.#all.push({ address: Address, port: Port, kind: "Redis", ...(await this.#redis()) });
    }
  }

  #has(address: string): boolean {
    return this.#all.some((each) => each.address === address);
  }

  /** Sentences about the servers, for the user. */
  get sentences(): readonly string[] {
    return this.#all.map(
      ({ kind, address, localPort }) =>
        `${kind} of this machine on port ${localPort}, without TLS and without passwords, instead of ${address}`,
    );
  }

  /** Variables that lead to the servers, in place of those that lead to AWS. Another deployment may have created databases. */
  async replace(variables: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    await this.start();
    const changed: Record<string, string> = {};
    for (const { address, port, localPort, kind } of this.#all) {
      for (const [name, value] of Object.entries(variables)) {
        if (!value.includes(address)) continue;
        changed[name] = value
          .replace(`${address}:${port}`, `127.0.0.1:${localPort}`)
          .replace(address, "127.0.0.1")
          .replace(/^rediss:/, "redis:");
        const prefix = /^(.*)HOST$/.exec(name)?.[1];
        if (prefix === undefined) continue;
        changed[`${prefix}PORT`] = String(localPort);
        if (kind === "PostgreSQL") changed.PGSSLMODE = "disable";
      }
    }
    return changed;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#all.map(async ({ process }) => {
        if (process.exitCode !== null || process.signalCode !== null) return;
        const ended = once(process, "close");
        // At once: the data is removed.
        process.kill("SIGQUIT");
        await ended;
      }),
    );
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  async #caches(): Promise<Endpoint[]> {
    const { ReplicationGroups } = await this.account.call<{
      ReplicationGroups: {
        ConfigurationEndpoint?: Endpoint;
        NodeGroups?: readonly { PrimaryEndpoint?: Endpoint }[];
      }[];
    }>("elasticache", "DescribeReplicationGroups");
    return ReplicationGroups.flatMap(
      ({ ConfigurationEndpoint, NodeGroups = [] }) => ConfigurationEndpoint ?? NodeGroups[0]?.PrimaryEndpoint ?? [],
    );
  }

  async #postgres(database: Database): Promise<Pick<StandIn, "localPort" | "process">> {
    const [initdb, postgres] = [find("initdb", "PostgreSQL"), find("postgres", "PostgreSQL")];
    const folder = this.#serverFolder("postgres");
    // PostgreSQL refuses to run as root: 65534 is an unprivileged user everywhere.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
    const data = join(folder, "data");
    const env = { PATH: process.env.PATH, LC_ALL: "C" };
    const options = { ...user, env, cwd: folder };
    const { MasterUsername, DBName, DatabaseName } = database;
    execFileSync(initdb, ["-D", data, "-U", MasterUsername, "-A", "trust", "-E", "UTF8", "--no-sync"], {
      ...options,
      stdio: "ignore",
    });
    // The role that RDS grants to users who sign in with IAM.
    const name = DBName ?? DatabaseName;
    const statements = ["create role rds_iam", ...(name === undefined ? [] : [`create database "${name}"`])];
    execFileSync(postgres, ["--single", "-D", data, "postgres"], {
      ...options,
      input: statements.map((each) => `${each}\n`).join(""),
      stdio: ["pipe", "ignore", "ignore"],
    });
    const localPort = await freePort();
    const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
    const args = ["-D", data, "-p", String(localPort), ...settings.flatMap((each) => ["-c", each])];
    return { localPort, process: await started(spawn(postgres, args, { ...options, ...QUIET }), localPort) };
  }

  async #redis(): Promise<Pick<StandIn, "localPort" | "process">> {
    const redis = find("valkey-server", "Valkey or Redis", "redis-server");
    const { Users } = await this.account.call<{ Users: { UserName: string }[] }>("elasticache", "DescribeUsers");
    const localPort = await freePort();
    const args = [
      "--port",
      String(localPort),
      "--bind",
      "127.0.0.1",
      "--save",
      "",
      "--dir",
      this.#serverFolder("redis"),
    ];
    for (const name of new Set(["default", ...Users.map(({ UserName }) => UserName)])) {
      args.push("--user", name, "on", "nopass", "~*", "&*", "+@all");
    }
    return {
      localPort,
      process: await started(spawn(redis, args, { env: { PATH: process.env.PATH }, ...QUIET }), localPort),
    };
  }

  /** Folder of its own, which another user can reach. */
  #serverFolder(name: string): string {
    const folder = mkdtempSync(join(tmpdir(), `antifragile-${name}-`));
    this.#folders.push(folder);
    return folder;
  }
}

/** A group of their own: Ctrl-C must not end a database before the tasks that use it. */
const QUIET = { stdio: "ignore", detached: true } as const;

/** Debian keeps the programs of its servers outside of the PATH. */
const DEBIAN = "/usr/lib/postgresql";

function find(name: string, product: string, alternative?: string): string {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort().reverse() : [];
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    ...versions.map((version) => join(DEBIAN, version, "bin")),
  ];
  const files = [name, alternative ?? name].flatMap((program) => folders.map((folder) => join(folder, program)));
  const found = files.find(existsSync);
  if (found !== undefined) return found;
  throw new UserError(
    `${name} is not installed: ${product} of this machine stands in for the one of AWS. Install it, or use --once, which runs nothing`,
    1,
  );
}

async function started(child: ChildProcess, port: number): Promise<ChildProcess> {
  endWithParent(child);
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) break;
    const socket = connect(port, "127.0.0.1");
    const open = await new Promise((resolve) =>
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false)),
    );
    socket.destroy();
    if (open) return child;
    await sleep(100);
  }
  child.kill("SIGKILL");
  throw new UserError(`${child.spawnfile} does not start`, 1);
}
