/** What kind of process a service is: see {@link web}. */
export type Process = WebProcess;

/** A process that answers HTTP requests. */
export interface WebProcess {
  readonly kind: "web";
  readonly port: number;
  readonly livePath: string;
  readonly readyPath: string;
}

/**
 * A process that answers HTTP requests on one port.
 *
 * @param options.port TCP port that it listens on, passed as `PORT`. Default: 8080
 * @param options.livePath answers 200 as long as the process works at all; if not, the container is replaced. Default: "/livez"
 * @param options.readyPath answers 200 as long as the process takes requests; not while it starts or drains. Default: "/readyz"
 */
export function web(
  options: { readonly port?: number; readonly livePath?: string; readonly readyPath?: string } = {},
): WebProcess {
  return {
    kind: "web",
    port: options.port ?? 8080,
    livePath: options.livePath ?? "/livez",
    readyPath: options.readyPath ?? "/readyz",
  };
}
