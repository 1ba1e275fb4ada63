import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** TCP proxy to a backing service that a test can freeze: connections stay open, and transfer nothing. */
export interface Proxy {
  readonly port: number;
  /** Freezes the open connections; with `later`, also new ones. */
  freeze(later?: "later"): void;
  /** Accepts new connections again. Frozen ones stay frozen, as after a failover. */
  thaw(): void;
}

/** Starts a proxy on a free port. Without a target it accepts connections and never answers. */
export async function startProxy(target?: { readonly host: string; readonly port: number }): Promise<Proxy> {
  const open = new Map<Socket, Socket | undefined>();
  let frozen = target === undefined;
  const server = createServer((near) => {
    near.on("error", () => near.destroy()).on("close", () => open.delete(near));
    if (frozen || !target) return void open.set(near, undefined);
    const far = connect(target.port, target.host);
    open.set(near, far);
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    for (const near of open.keys()) near.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    freeze(later) {
      frozen = later === "later";
      for (const [near, far] of open) {
        near.unpipe().pause();
        far?.unpipe().pause();
      }
    },
    thaw() {
      frozen = false;
    },
  };
}
