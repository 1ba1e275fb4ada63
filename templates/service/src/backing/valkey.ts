import { createClient, type RedisClientOptions } from "@redis/client";
import type { Config } from "../config";
import type { Log } from "../log";
import { awsToken } from "./aws-token";
import { watchHealth } from "./health";

/** The attached cache (Valkey or Redis). Nothing in it is kept for sure, and everything works without it, slower. */
export interface Cache {
  /** What the cache holds for the key, or what `make` gives, which is then held for some seconds. */
  remember<T>(key: string, seconds: number, make: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Connects in the background, and again whenever the cache is back. */
export function openCache(config: Config, log: Log): Cache {
  const health = watchHealth("cache", log);
  const client = createClient({
    url: config.REDIS_URL,
    ...signIn(config),
    // While it is away a command fails at once instead of waiting.
    disableOfflineQueue: true,
    commandOptions: { timeout: 500 },
    socket: { connectTimeout: 2000, reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 3000) },
  });
  client.on("error", (error) => health.down(error));
  client.on("ready", () => health.up());
  client.connect().catch((error) => health.down(error));

  const attempt = async <T>(command: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await command();
    } catch (error) {
      health.down(error);
      return undefined;
    }
  };
  return {
    async remember(key, seconds, make) {
      const held = await attempt(() => client.get(key));
      if (held) return JSON.parse(held);
      const made = await make();
      // Of two instances that were asked at once, both answer with what the first one put there.
      const first = await attempt(() =>
        client.set(key, JSON.stringify(made), {
          condition: "NX",
          GET: true,
          expiration: { type: "EX", value: seconds },
        }),
      );
      return first ? JSON.parse(first) : made;
    },
    async close() {
      client.destroy();
    },
  };
}

/** By the task's role where the cache knows it; else with what the environment says. */
function signIn({ REDIS_USERNAME, REDIS_PASSWORD, REDIS_IAM_ARN }: Config): RedisClientOptions {
  if (!REDIS_IAM_ARN) return { username: REDIS_USERNAME, password: REDIS_PASSWORD };
  const [, , , region = "", , , host = ""] = REDIS_IAM_ARN.split(":");
  const username = REDIS_USERNAME ?? "";
  const query = { Action: "connect", User: username };
  return {
    credentialsProvider: {
      type: "async-credentials-provider",
      // Asked at every new connection: a token ends soon.
      credentials: async () => ({
        username,
        password: await awsToken({ service: "elasticache", region, host, query }),
      }),
    },
  };
}
