import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { Emulator } from "../../emulator";
import { AccountClient, StandIns } from "../../emulator/runner";
import { describeOnEmulator, tools } from "../support/deployment";
import { requiring } from "../support/required-tools";
import { missingServers } from "../templates/support/servers";

/** First bytes that a server of this machine sends in return. */
async function answerOf(port: number, sent: Buffer | string, bytes: number): Promise<Buffer> {
  const socket = connect(port, "127.0.0.1").setTimeout(20_000, () => socket.destroy());
  socket.write(sent);
  let received = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length >= bytes) socket.destroy();
  });
  await once(socket, "close");
  return received.subarray(0, bytes);
}

/** Message by which a client of PostgreSQL begins: protocol 3.0, user and database. */
function startup(user: string, database: string): Buffer {
  const text = Buffer.from(`user\0${user}\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + text.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, text]);
}

const CACHE = {
  ReplicationGroupId: "orders",
  ReplicationGroupDescription: "orders",
  Engine: "valkey",
  CacheNodeType: "cache.t4g.micro",
  NumCacheClusters: 1,
};

type Groups = { NodeGroups: { PrimaryEndpoint: { Address: string; Port: number } }[] }[];

const AUTHENTICATED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);

describeOnEmulator("servers of this machine", () => {
  let folder: string;
  let emulator: Emulator;
  let account: AccountClient;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "antifragile-stand-ins-"));
    emulator = await Emulator.start({ log: join(folder, "emulator.log"), tools, catalogue: false });
    account = new AccountClient(emulator.url, "eu-central-1");
    await account.call("rds", "CreateDBInstance", {
      DBInstanceIdentifier: "orders",
      Engine: "postgres",
      DBInstanceClass: "db.t4g.micro",
      AllocatedStorage: 20,
      DBName: "app",
      MasterUsername: "dbowner",
      ManageMasterUserPassword: true,
    });
    await account.call("elasticache", "CreateReplicationGroup", CACHE);
  });

  afterAll(async () => {
    await emulator?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  requiring(missingServers()).it("stand in for the database and the cache of an account", async () => {
    const { DBInstances } = await account.call<{
      DBInstances: { Endpoint: { Address: string }; MasterUserSecret: { SecretArn: string } }[];
    }>("rds", "DescribeDBInstances");
    const { ReplicationGroups } = await account.call<{ ReplicationGroups: Groups }>(
      "elasticache",
      "DescribeReplicationGroups",
    );
    const { Endpoint, MasterUserSecret } = DBInstances[0]!;
    const cache = ReplicationGroups[0]?.NodeGroups[0]?.PrimaryEndpoint;
    const standIns = new StandIns(account);
    try {
      await standIns.start();
      const variables = await standIns.replace({
        PGHOST: Endpoint.Address,
        PGPORT: "5432",
        PGSSLMODE: "verify-full",
        REDIS_URL: `rediss://${cache?.Address}:${cache?.Port}`,
        OTHER: "stays",
      });
      expect(variables).toEqual({
        PGHOST: "127.0.0.1",
        PGPORT: expect.stringMatching(/^\d+$/),
        PGSSLMODE: "disable",
        REDIS_URL: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+$/),
      });
      expect(standIns.sentences).toHaveLength(2);
      // The user of the secret, as a migration signs in.
      const { SecretString } = await account.call<{ SecretString: string }>("secretsmanager", "GetSecretValue", {
        SecretId: MasterUserSecret.SecretArn,
      });
      const { username } = JSON.parse(SecretString) as { username: string };
      const connected = await answerOf(Number(variables.PGPORT), startup(username, "app"), AUTHENTICATED.length);
      expect(connected).toEqual(AUTHENTICATED);
      const port = Number(new URL(variables.REDIS_URL ?? "").port);
      expect((await answerOf(port, "AUTH default a-token\r\nPING\r\n", 12)).toString()).toBe("+OK\r\n+PONG\r\n");
      // A later deployment creates another cache; two of its tasks start at once.
      await account.call("elasticache", "CreateReplicationGroup", { ...CACHE, ReplicationGroupId: "later" });
      const { ReplicationGroups: all } = await account.call<{ ReplicationGroups: Groups }>(
        "elasticache",
        "DescribeReplicationGroups",
      );
      const later = all.at(-1)?.NodeGroups[0]?.PrimaryEndpoint.Address ?? "";
      const host = { CACHE_HOST: later };
      const [first, second] = await Promise.all([standIns.replace(host), standIns.replace(host)]);
      expect(first).toEqual({ CACHE_HOST: "127.0.0.1", CACHE_PORT: expect.stringMatching(/^\d+$/) });
      expect(second).toEqual(first);
      expect(standIns.sentences).toHaveLength(3);
    } finally {
      await standIns.stop();
    }
  });
});
