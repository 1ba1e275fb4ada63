import type { Role, Statement } from "../../core/iam";

/**
 * What one-off tasks of a service may do besides what the service may, such as change a schema: a role and variables that
 * the app itself never has. Without need there is no such role, and admin tasks are what the service is.
 */
export class AdminAccess {
  readonly #makeRole: () => Role;
  readonly #shared: Statement[] = [];
  readonly #environment = new Map<string, string>();
  #role: Role | undefined;

  constructor(makeRole: () => Role) {
    this.#makeRole = makeRole;
  }

  /** ARN of the role that admin tasks run as; undefined for the service's own. */
  get roleArn(): string | undefined {
    return this.#role?.roleArn;
  }

  /** Variables that admin tasks get besides the service's; undefined when there are none. */
  get environment(): Readonly<Record<string, string>> | undefined {
    return this.#environment.size === 0 ? undefined : Object.fromEntries([...this.#environment].sort());
  }

  /** Lets admin tasks alone do something. */
  grant(statement: Statement): void {
    if (this.#role === undefined) {
      this.#role = this.#makeRole();
      for (const each of this.#shared) this.#role.grant(each);
    }
    this.#role.grant(statement);
  }

  /** What the service may do, admin tasks may too. */
  share(statement: Statement): void {
    this.#shared.push(statement);
    this.#role?.grant(statement);
  }

  /** @throws Error when the variable is set already */
  set(variable: string, value: string): void {
    if (this.#environment.has(variable)) throw new Error(`${variable} of admin tasks is set twice: use a prefix`);
    this.#environment.set(variable, value);
  }
}
