import type { Construct } from "constructs";
import type { Role, Statement } from "../../core/iam";
import type { ServiceContext } from "../props";
import { serviceRole } from "../service-role";

/**
 * Permissions and environment variables of a service's admin processes only, such as permissions to change a schema. The
 * role is created once there is an admin process and a permission for it; without one, admin processes use the role of the service.
 */
export class AdminRole {
  /** Addresses that must exist before admin processes run. */
  readonly dependencies: string[] = [];

  readonly #scope: Construct;
  readonly #context: ServiceContext;
  readonly #shared: Statement[] = [];
  readonly #own: Statement[] = [];
  readonly #environment = new Map<string, string>();
  #hasProcesses = false;
  #role: Role | undefined;

  constructor(scope: Construct, context: ServiceContext) {
    this.#scope = scope;
    this.#context = context;
  }

  /** ARN of the admin processes' role; undefined if they use the role of the service. */
  get roleArn(): string | undefined {
    return this.#role?.roleArn;
  }

  /** Additional environment variables of admin processes; undefined if there are none. */
  get environment(): Readonly<Record<string, string>> | undefined {
    return this.#environment.size === 0 || !this.#hasProcesses
      ? undefined
      : Object.fromEntries([...this.#environment].sort());
  }

  /** Grants a permission to admin processes only. */
  grant(statement: Statement): void {
    this.#own.push(statement);
    if (this.#role === undefined) this.#make();
    else this.#role.grant(statement);
  }

  /** Notes that the service has an admin process: without one, nothing may have more permissions than the service. */
  hasProcess(): void {
    this.#hasProcesses = true;
    this.#make();
  }

  #make(): void {
    if (this.#role !== undefined || !this.#hasProcesses || this.#own.length === 0) return;
    this.#role = serviceRole(this.#scope, "AdminRole", this.#context, "admin", this.dependencies);
    for (const each of [...this.#shared, ...this.#own]) this.#role.grant(each);
  }

  /** Grants admin processes a permission that the service has. */
  share(statement: Statement): void {
    this.#shared.push(statement);
    this.#role?.grant(statement);
  }

  /** @throws Error when the variable is already set */
  set(variable: string, value: string): void {
    if (this.#environment.has(variable)) throw new Error(`${variable} of admin processes is set twice: use a prefix`);
    this.#environment.set(variable, value);
  }
}
