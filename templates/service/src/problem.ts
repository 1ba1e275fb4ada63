import { STATUS_CODES } from "node:http";

/** One fault in a request: where it is and what is wrong, without the value that was sent. */
export interface Fault {
  readonly in: "path" | "query" | "header" | "body";
  /** JSON Pointer below `in`. */
  readonly pointer: string;
  readonly message: string;
}

/** An error that the caller is told about, as RFC 9457 `application/problem+json`. Throw it from anywhere. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail?: string,
    readonly more: { readonly errors?: readonly Fault[]; readonly headers?: Record<string, string> } = {},
  ) {
    super(detail ?? STATUS_CODES[status]);
    this.name = "Problem";
  }

  toJSON(): object {
    const title = STATUS_CODES[this.status] ?? "Error";
    return { type: "about:blank", title, status: this.status, detail: this.detail, errors: this.more.errors };
  }
}
