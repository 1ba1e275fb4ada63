/** Emulated AWS account in a region, as its API reports it. */
export class AccountClient {
  constructor(
    readonly url: string,
    readonly region: string,
  ) {}

  /** Calls an operation by its name in AWS's API, and returns all pages of the result. Times are text. */
  async call<T>(service: string, operation: string, parameters: object = {}): Promise<T> {
    return (await this.#post("call", { service, region: this.region, operation, parameters })) as T;
  }

  /** Makes tasks wait for an agent, which runs them and reports their states by SubmitTaskStateChange. */
  async connectAgent(): Promise<void> {
    await this.#post("connect-agent", {});
  }

  /** Number of changes so far to services, tasks and load balancers. */
  async changes(): Promise<number> {
    const response = await fetch(`${this.url}/antifragile/health`);
    return ((await response.json()) as { changes: number }).changes;
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.url}/antifragile/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the emulator answered ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}
