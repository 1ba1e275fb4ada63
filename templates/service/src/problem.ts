import { STATUS_CODES } from "node:http";

/** A fault in a request: its location and what is wrong, without the value that was sent. */
export interface Fault {
  readonly in: "path" | "query" | "header" | "body";
  /** JSON Pointer below `in`. */
  readonly pointer: string;
  readonly message: string;
}

/** An error that the caller receives, as RFC 9457 `application/problem+json`. Throw it from anywhere. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail?: string,
    readonly more: {
      readonly errors?: readonly Fault[];
      readonly headers?: Record<string, string>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(detail ?? STATUS_CODES[status], { cause: more.cause });
    this.name = "Problem";
  }

  get title(): string {
    return STATUS_CODES[this.status] ?? "Error";
  }

  toJSON(): object {
    const { title, status, detail } = this;
    return { type: "about:blank", title, status, detail, errors: this.more.errors };
  }
}
