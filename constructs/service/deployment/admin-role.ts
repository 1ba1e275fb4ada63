import type { Construct } from "constructs";
import type { Role, Statement } from "../../core/iam";
import type { ServiceContext } from "../props";
import { serviceRole } from "../service-role";

/**
 * Permissions and environment variables of a service's admin processes only, such as permissions to change a schema. The
 * role is created with the first permission; until then, admin processes use the role of the service.
 */
export class AdminRole {
  /** Addresses that must exist before admin processes run. */
  readonly dependencies: string[] = [];

  readonly #scope: Construct;
  readonly #context: ServiceContext;
  readonly #shared: Statement[] = [];
  readonly #environment = new Map<string, string>();
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
    return this.#environment.size === 0 ? undefined : Object.fromEntries([...this.#environment].sort());
  }

  /** Grants a permission to admin processes only. */
  grant(statement: Statement): void {
    if (this.#role === undefined) {
      this.#role = serviceRole(this.#scope, "AdminRole", this.#context, "admin", this.dependencies);
      for (const each of this.#shared) this.#role.grant(each);
    }
    this.#role.grant(statement);
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
