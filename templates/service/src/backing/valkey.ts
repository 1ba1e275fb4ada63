import { createClient, type RedisClientOptions } from "@redis/client";
import type { Config } from "../config";
import type { Log } from "../log";
import { cacheToken } from "./cache-token";
import { watchHealth } from "./health";

/** The attached cache (Valkey or Redis). Its content may be lost at any time, and everything works without it, slower. */
export interface Cache {
  /**
   * Returns the cached value of the key, or the value of `make`, which is then cached for some seconds.
   *
   * @param fits returns whether a value is of this release; others are replaced
   */
  remember<T>(key: string, seconds: number, make: () => Promise<T>, fits?: (held: unknown) => boolean): Promise<T>;
  close(): Promise<void>;
}

/** Longest wait for the cache in one request, in milliseconds. */
const COMMAND_MS = 500;
/** Longest wait until a new connection is ready, in milliseconds. */
const READY_MS = 5000;

/** Connects in the background, and reconnects when the cache is up again. */
export function openCache(config: Config, log: Log): Cache {
  const health = watchHealth("cache", log);
  let closed = false;

  const connect = () => {
    const client = createClient({
      url: config.REDIS_URL,
      ...signIn(config),
      // Without a connection a command fails at once instead of waiting.
      disableOfflineQueue: true,
      socket: { connectTimeout: 2000, reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 3000) },
    });
    client.on("error", (error) => health.down(error));
    client.on("ready", () => health.up());
    client.connect().catch((error) => health.down(error));
    return client;
  };
  let client = connect();
  let since = Date.now();

  /** Replaces a connection that no longer responds: node-redis itself would wait for TCP's timeout of 15 minutes. */
  const replace = (of: typeof client, reason: unknown) => {
    health.down(reason);
    if (closed || client !== of) return;
    of.destroy();
    client = connect();
    since = Date.now();
  };

  const attempt = async <T>(command: (on: typeof client) => Promise<T>): Promise<T | undefined> => {
    const used = client;
    // Not connected yet, or not any more: the request does not wait for that.
    if (!used.isReady) {
      if (Date.now() - since > READY_MS) replace(used, new Error(`not ready in ${READY_MS} ms`));
      return undefined;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`no response in ${COMMAND_MS} ms`);
        replace(used, error);
        reject(error);
      }, COMMAND_MS);
    });
    try {
      return await Promise.race([command(used), late]);
    } catch (error) {
      // After a failover, the connection may lead to a replica.
      if (String(error).includes("READONLY") && Date.now() - since > READY_MS) replace(used, error);
      else health.down(error);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    async remember<T>(
      key: string,
      seconds: number,
      make: () => Promise<T>,
      fits: (held: unknown) => boolean = () => true,
    ): Promise<T> {
      const parsed = (text: string | null | undefined): T | undefined => {
        try {
          const value = text ? JSON.parse(text) : undefined;
          return value !== undefined && fits(value) ? value : undefined;
        } catch {
          return undefined;
        }
      };
      const held = await attempt((on) => on.get(key));
      const value = parsed(held);
      if (value !== undefined) return value;
      const made = await make();
      // Undefined, and not null: the cache did not answer, and is not asked twice in one request.
      if (held === undefined) return made;
      const expiration = { type: "EX", value: seconds } as const;
      const text = JSON.stringify(made);
      // Of two instances that miss at the same time, both return the value of the first.
      const first = await attempt((on) =>
        held === null
          ? on.set(key, text, { condition: "NX", GET: true, expiration })
          : on.set(key, text, { expiration }),
      );
      if (first !== undefined) health.up();
      return (held === null ? parsed(first) : undefined) ?? made;
    },
    async close() {
      closed = true;
      client.destroy();
    },
  };
}

/** Signs in with the task role if REDIS_IAM_ARN is set, and with the configured user and password otherwise. */
function signIn({ REDIS_USERNAME, REDIS_PASSWORD, REDIS_IAM_ARN }: Config): RedisClientOptions {
  if (!REDIS_IAM_ARN) return { username: REDIS_USERNAME, password: REDIS_PASSWORD };
  const [, , , region = "", , , cache = ""] = REDIS_IAM_ARN.split(":");
  const username = REDIS_USERNAME ?? "";
  return {
    credentialsProvider: {
      type: "async-credentials-provider",
      // Called for every new connection: a token expires soon.
      credentials: async () => ({
        username,
        password: await cacheToken({ region, cache, user: username }),
      }),
    },
  };
}
